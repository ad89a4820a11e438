"""The profile that is written for qBittorrent, and the process that is kept running on it."""

import dataclasses
import ipaddress
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from proxy_site.supervisor import CANNOT_WORK
from torrents.engines.base import EngineError
from torrents.engines.ip_filter import ip_filter
from torrents.engines.qbittorrent_profile import (
    NoQBittorrent,
    ProfileError,
    ProfileOptions,
    engine_version,
    ini_string,
    merge_settings,
    run,
    write_profile,
)
from torrents.tests.engines.real import RealQBittorrent

pytestmark = pytest.mark.engine


def filtered(address: str, *, loopback_peers: tuple[str, ...] = ()) -> bool:
    ip = ipaddress.ip_address(address)
    for line in ip_filter(loopback_peers).splitlines():
        first, last = (ipaddress.ip_address(part.strip()) for part in line.split(",")[0].split(" - "))
        if first.version == ip.version and int(first) <= int(ip) <= int(last):
            return True
    return False


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.31.0.1",
        "192.0.0.192",
        "192.168.1.1",
        "198.19.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
    ],
)
def test_addresses_that_are_not_public_are_filtered(address: str) -> None:
    assert filtered(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "9.255.255.255", "172.32.0.1", "223.255.255.255", "2606:4700::1111"]
)
def test_public_addresses_are_not_filtered(address: str) -> None:
    assert not filtered(address)


def test_only_the_named_loopback_address_is_let_through() -> None:
    assert not filtered("127.0.0.77", loopback_peers=("127.0.0.77",))
    assert filtered("127.0.0.76", loopback_peers=("127.0.0.77",))
    assert filtered("127.0.0.78", loopback_peers=("127.0.0.77",))
    assert filtered("127.0.0.1", loopback_peers=("127.0.0.77",))


def test_no_address_beyond_loopback_can_be_let_through(own_qbittorrent: RealQBittorrent) -> None:
    options = dataclasses.replace(own_qbittorrent.options, loopback_peers=("10.0.0.1",))

    with pytest.raises(ProfileError, match=r"10\.0\.0\.1"):
        write_profile(options, (4, 5))


def test_merging_keeps_foreign_lines_and_replaces_ours() -> None:
    existing = "stray\n[Mine]\nkey=1\n\n[BitTorrent]\nSession\\Port=1\nSession\\GlobalDLSpeedLimit=9\n"

    merged = merge_settings(existing, {"BitTorrent": {"Session\\Port": "2"}, "New": {"a": "b"}})

    assert merged == (
        "stray\n\n[Mine]\nkey=1\n\n[BitTorrent]\nSession\\GlobalDLSpeedLimit=9\nSession\\Port=2\n\n[New]\na=b\n"
    )


def test_merging_twice_changes_nothing_more() -> None:
    ours = {"BitTorrent": {"Session\\Port": "2"}}
    once = merge_settings("[Other]\nx=1\n", ours)

    assert merge_settings(once, ours) == once


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", '"plain"'),
        ('a"b\\c', '"a\\"b\\\\c"'),
        ("éfü", '"\\xe9\\x66\\xfc"'),
        ("𝄞", '"\\xd834\\xdd1e"'),
    ],
)
def test_strings_are_escaped_as_qt_reads_them(text: str, written: str) -> None:
    assert ini_string(text) == written


def test_the_profile_is_for_its_owner_alone(own_qbittorrent: RealQBittorrent) -> None:
    write_profile(own_qbittorrent.options, (4, 5))

    assert own_qbittorrent.options.config_file.stat().st_mode & 0o077 == 0
    assert own_qbittorrent.options.profile_dir.stat().st_mode & 0o077 == 0


def test_the_password_is_never_shown(own_qbittorrent: RealQBittorrent) -> None:
    write_profile(own_qbittorrent.options, (4, 5))

    assert own_qbittorrent.options.password not in repr(own_qbittorrent.options)
    assert own_qbittorrent.options.password not in own_qbittorrent.options.config_file.read_text()


def test_a_new_password_holds_and_foreign_settings_stay_after_a_restart(
    own_qbittorrent: RealQBittorrent,
) -> None:
    own_qbittorrent.start()
    own_qbittorrent.stop()
    config = own_qbittorrent.options.config_file
    config.write_text(config.read_text() + "\n[Foreign]\nkept=yes\n")
    own_qbittorrent.options = dataclasses.replace(own_qbittorrent.options, password="pä;ss")

    own_qbittorrent.start()
    engine = own_qbittorrent.connect(password="pä;ss")
    engine.poll()
    engine.close()
    own_qbittorrent.stop()

    assert "[Foreign]\nkept=yes" in config.read_text()


def test_every_rule_of_the_filter_is_understood(own_qbittorrent: RealQBittorrent) -> None:
    own_qbittorrent.start()
    rules = len(own_qbittorrent.options.filter_file.read_text().splitlines())

    assert eventually(lambda: f"Number of rules applied: {rules}" in own_qbittorrent.log())


@pytest.fixture
def supervised(own_qbittorrent: RealQBittorrent) -> Iterator[multiprocessing.process.BaseProcess]:
    """A process of its own in which `run` runs."""
    process = multiprocessing.get_context("spawn").Process(target=run, args=(own_qbittorrent.options,))
    process.start()
    yield process
    process.kill()
    process.join()
    process.close()


def child_of(process: multiprocessing.process.BaseProcess) -> int | None:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(children[0]) if children else None


def answers(real: RealQBittorrent) -> bool:
    engine = real.connect(timeout=2)
    try:
        engine.poll()
    except EngineError:
        return False
    finally:
        engine.close()
    return True


def eventually(holds: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def test_a_killed_qbittorrent_is_back_by_itself_and_stops_with_its_supervisor(
    supervised: multiprocessing.process.BaseProcess, own_qbittorrent: RealQBittorrent
) -> None:
    assert eventually(lambda: answers(own_qbittorrent))
    first = child_of(supervised)
    assert first is not None

    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: child_of(supervised) not in (None, first))
    assert eventually(lambda: answers(own_qbittorrent))
    second = child_of(supervised)

    supervised.terminate()
    supervised.join(20)
    assert supervised.exitcode == 0
    assert not Path(f"/proc/{second}").exists()


def test_qbittorrent_does_not_outlive_a_killed_supervisor(
    supervised: multiprocessing.process.BaseProcess, own_qbittorrent: RealQBittorrent
) -> None:
    assert eventually(lambda: answers(own_qbittorrent))

    supervised.kill()

    assert eventually(lambda: not answers(own_qbittorrent), seconds=3)


def test_a_second_one_on_the_same_profile_is_refused(
    supervised: multiprocessing.process.BaseProcess, own_qbittorrent: RealQBittorrent
) -> None:
    assert eventually(lambda: answers(own_qbittorrent))

    with pytest.raises(ProfileError, match="already being run"):
        run(own_qbittorrent.options)


def test_a_missing_program_says_how_to_install_it(own_qbittorrent: RealQBittorrent) -> None:
    with pytest.raises(NoQBittorrent, match="sudo apt-get install qbittorrent-nox"):
        run(own_qbittorrent.options, binary="qbittorrent-nox-that-is-not-there")


def test_a_program_that_is_no_qbittorrent_is_named() -> None:
    with pytest.raises(NoQBittorrent, match=r"^true \(QBITTORRENT_BINARY\) is no qBittorrent"):
        engine_version("true")


def test_a_program_for_another_machine_is_named(tmp_path: Path) -> None:
    program = tmp_path / "qbittorrent-nox"
    program.write_bytes(b"\x7fELF and nothing that runs here")
    program.chmod(0o755)
    with pytest.raises(NoQBittorrent, match="cannot be run: Exec format error"):
        engine_version(str(program))


def test_the_command_says_what_to_do_and_by_its_exit_code_that_trying_again_is_of_no_use(
    settings: Settings,
) -> None:
    settings.QBITTORRENT_BINARY = "/nonexistent/qbittorrent"
    with pytest.raises(
        CommandError, match=r"no program /nonexistent/qbittorrent.*QBITTORRENT_BINARY"
    ) as refusal:
        call_command("run_qbittorrent")
    assert refusal.value.returncode == CANNOT_WORK


@pytest.mark.parametrize(
    ("field", "setting"), [("web_port", "QBITTORRENT_URL"), ("torrent_port", "TORRENT_PORT")]
)
def test_a_port_in_use_is_named_with_the_setting_that_chooses_it(
    own_qbittorrent: RealQBittorrent, field: str, setting: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        changes: dict[str, int] = {field: port}
        options: ProfileOptions = dataclasses.replace(own_qbittorrent.options, **changes)  # type: ignore[arg-type]

        with pytest.raises(ProfileError, match=rf"port {port} .*{setting}"):
            run(options)
