"""People's own tools fetch from the real server: whole, in parts, and again after a cut. Every byte is compared.

SFTP_TEST_MIB is the size of the large file: 64 unless it says otherwise.
"""

import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from accounts.models import User
from torrents.models import Claim, ClaimTraffic, Traffic
from torrents.tests.factories import finished
from torrents.tests.sftp.running import HOST, RunningServer, running_server, secret_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.journey]

SIZE = int(os.environ.get("SFTP_TEST_MIB", "64")) * 2**20
BLOCK = 2**20
SLOWLY = SIZE // 4  # bytes a second, of a download that is to be cut
READ_AHEAD = SIZE // 4  # bytes: what the client, the kernels and the server hold in between when it is cut
RIGHT_TO_LEFT = "\u202e"
SHOWN_NAMES = {  # by the torrent's own name: what Linux, macOS and Windows can store, apart even where case is none
    "with space.txt": "with space.txt",
    "it's quoted.txt": "it's quoted.txt",
    'say "x".txt': "say _x_.txt",
    "[b] bracket.txt": "[b] bracket.txt",
    "-rf": "-rf",
    "進撃の巨人 é.txt": "進撃の巨人 é.txt",
    "שלום.txt": "שלום.txt",
    f"gpj.{RIGHT_TO_LEFT}exe.txt": "gpj._exe.txt",
    ".hidden": ".hidden",
    "a * ? b.txt": "a _ _ b.txt",
    "two\nlines.txt": "two_lines.txt",
    "$(id) `id` #1 %20.txt": "$(id) `id` #1 %20.txt",
    "dots and spaces. . ": "dots and spaces",
    "con.txt": "_con.txt",
    "Case.txt": "Case.txt",
    "case.TXT": "case (2).TXT",
    "l" * 245 + ".txt": "l" * 236 + ".txt",
}
FOLDER = "Odd [b] 'x'"


@dataclass(frozen=True)
class Film:
    claim: Claim
    sha256: str

    def handed_over(self, server: RunningServer) -> int:
        """Bytes that the ledger has for the claim, and for its user, when the server has stopped."""
        server.stop()
        (day,) = Traffic.objects.filter(user=self.claim.user, channel=Traffic.Channel.SFTP)
        assert day.sent == ClaimTraffic.objects.get(pk=self.claim.pk).sent
        return day.sent


@pytest.fixture
def film(owner: User) -> Film:
    """Alice's large file of random bytes."""
    claim = finished(owner, {"film.mkv": b""}, name="film.mkv")
    digest = hashlib.sha256()
    with (claim.torrent.data_dir / "film.mkv").open("wb") as file:
        for _ in range(SIZE // BLOCK):
            block = os.urandom(BLOCK)
            digest.update(block)
            file.write(block)
    claim.torrent.files.update(size=SIZE)
    return Film(claim, digest.hexdigest())


@pytest.fixture
def own_server(server: RunningServer, tmp_path: Path) -> Iterator[RunningServer]:
    """One that the test may stop: then the ledger has heard of everything."""
    directory = tmp_path / "server"
    directory.mkdir()
    with running_server(directory, DOWNLOADS_DIR=str(server.downloads)) as started:
        yield started


@pytest.fixture
def odd(owner: User) -> User:
    finished(owner, {f"Odd/s 1/{name}": shown.encode() for name, shown in SHOWN_NAMES.items()}, name=FOLDER)
    return owner


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def succeeded(result: subprocess.CompletedProcess[str]) -> None:
    assert result.returncode == 0, result.stdout + result.stderr


def sftp(server: RunningServer, identity: Path, batch: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    batch.write_text("\n".join(lines) + "\n")
    where = ["-P", str(server.port), "-b", str(batch), f"alice@{HOST}"]
    return server.run("sftp", *server.ssh_options(identity), *where)


def scp(server: RunningServer, identity: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return server.run("scp", *server.ssh_options(identity), "-P", str(server.port), *arguments)


def lftp(server: RunningServer, commands: str) -> subprocess.CompletedProcess[str]:
    return server.run("lftp", "-c", lftp_script(server, commands))


def lftp_script(server: RunningServer, commands: str) -> str:
    ssh = f"ssh -a -x -F /dev/null -o UserKnownHostsFile={server.known_hosts} -o StrictHostKeyChecking=yes"
    ssh += " -o PreferredAuthentications=password -o IdentityAgent=none"
    script = f'set sftp:connect-program "{ssh}"; set net:max-retries 2; set net:timeout 20; set cmd:fail-exit yes; '
    return script + f'open -u alice,"{secret_of("alice")}" -p {server.port} sftp://{HOST}; {commands}'


def rclone(server: RunningServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    return server.run("rclone", *arguments, **rclone_environment(server))


def rclone_environment(server: RunningServer) -> dict[str, str]:
    obscured = server.run("rclone", "obscure", secret_of("alice")).stdout.strip()
    box = {"TYPE": "sftp", "HOST": HOST, "PORT": str(server.port), "USER": "alice", "PASS": obscured}
    box |= {"KNOWN_HOSTS_FILE": str(server.known_hosts), "SHELL_TYPE": "none", "DISABLE_HASHCHECK": "true"}
    variables = {f"RCLONE_CONFIG_BOX_{name}": value for name, value in box.items()}
    return {"RCLONE_CONFIG": "/dev/null", **variables}


def is_odd_folder(folder: Path) -> None:
    assert {path.name: path.read_text() for path in (folder / "s 1").iterdir()} == {
        shown: shown for shown in SHOWN_NAMES.values()
    }


def cut_at_half(part: Path, command: Sequence[str], **environment: str) -> None:
    """Kill a tool without mercy when half of the file lies in `part`, whose name may go on."""
    process = subprocess.Popen(
        command,
        env={"PATH": os.environ["PATH"], "HOME": str(part.parent), "LC_ALL": "C.UTF-8", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while sum(found.stat().st_size for found in part.parent.glob(f"{part.name}*")) < SIZE // 2:
            assert process.poll() is None
            time.sleep(0.01)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_sftp_gets_a_file(server: RunningServer, film: Film, identity: Path, tmp_path: Path) -> None:
    succeeded(sftp(server, identity, tmp_path / "batch", f"get /film.mkv {tmp_path}/film.mkv"))
    assert sha256(tmp_path / "film.mkv") == film.sha256


@pytest.mark.parametrize("command", ["reget", "get -a"])
def test_sftp_goes_on_after_a_cut(
    own_server: RunningServer, film: Film, identity: Path, tmp_path: Path, command: str
) -> None:
    part = tmp_path / "film.mkv"
    options = ["-l", str(SLOWLY * 8 // 1000), *own_server.ssh_options(identity), "-P", str(own_server.port)]
    cut_at_half(part, ["sftp", *options, f"alice@{HOST}:/film.mkv", str(part)])
    assert part.stat().st_size < SIZE
    succeeded(sftp(own_server, identity, tmp_path / "batch", f"{command} /film.mkv {part}"))
    assert sha256(part) == film.sha256
    assert SIZE <= film.handed_over(own_server) <= SIZE + READ_AHEAD


def test_sftp_gets_a_folder_of_odd_names_and_gets_it_again(
    server: RunningServer, odd: User, identity: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        succeeded(sftp(server, identity, tmp_path / "batch", f'get -r "/{FOLDER}" {tmp_path}/odd'))
        is_odd_folder(tmp_path / "odd")


@pytest.mark.parametrize("protocol", ["-s", "-O"])
def test_scp_gets_a_file_by_its_new_and_by_its_old_protocol(
    server: RunningServer, film: Film, identity: Path, tmp_path: Path, protocol: str
) -> None:
    succeeded(scp(server, identity, protocol, f"alice@{HOST}:/film.mkv", str(tmp_path / "film.mkv")))
    assert sha256(tmp_path / "film.mkv") == film.sha256


@pytest.mark.parametrize("protocol", ["-s", "-O"])
def test_scp_gets_a_folder(
    server: RunningServer, odd: User, identity: Path, tmp_path: Path, protocol: str
) -> None:
    succeeded(scp(server, identity, protocol, "-r", f"alice@{HOST}:/Odd*", str(tmp_path / "odd")))
    is_odd_folder(tmp_path / "odd")


@pytest.mark.parametrize("protocol", ["-s", "-O"])
def test_scp_cannot_put_anything(
    server: RunningServer, odd: User, identity: Path, tmp_path: Path, protocol: str
) -> None:
    (tmp_path / "x").write_text("x")
    assert scp(server, identity, protocol, str(tmp_path / "x"), f"alice@{HOST}:/x").returncode != 0


def test_lftp_gets_a_file_in_parallel_parts(server: RunningServer, film: Film, tmp_path: Path) -> None:
    succeeded(lftp(server, f"pget -n 4 /film.mkv -o {tmp_path}/film.mkv"))
    assert sha256(tmp_path / "film.mkv") == film.sha256


def test_lftp_goes_on_after_a_cut(own_server: RunningServer, film: Film, tmp_path: Path) -> None:
    part = tmp_path / "film.mkv"
    slowly = f"set net:limit-total-rate {SLOWLY}; get /film.mkv -o {part}"
    cut_at_half(part, ["lftp", "-c", lftp_script(own_server, slowly)])
    assert part.stat().st_size < SIZE
    succeeded(lftp(own_server, f"get -c /film.mkv -o {part}"))
    assert sha256(part) == film.sha256
    assert SIZE <= film.handed_over(own_server) <= SIZE + READ_AHEAD


def test_lftp_mirrors_a_folder_of_odd_names(server: RunningServer, odd: User, tmp_path: Path) -> None:
    succeeded(lftp(server, f'mirror -P 4 "/{FOLDER}" {tmp_path}/odd'))
    is_odd_folder(tmp_path / "odd")


def test_rclone_copies_a_file_once(server: RunningServer, film: Film, tmp_path: Path) -> None:
    for _ in range(2):
        again = rclone(server, "copy", "-v", "box:/", str(tmp_path / "all"))
        succeeded(again)
    assert "nothing to transfer" in again.stderr
    assert sha256(tmp_path / "all" / "film.mkv") == film.sha256


def test_rclone_copies_a_folder_of_odd_names(server: RunningServer, odd: User, tmp_path: Path) -> None:
    succeeded(rclone(server, "copy", f"box:/{FOLDER}", str(tmp_path / "odd")))
    is_odd_folder(tmp_path / "odd")


def test_rclone_starts_a_file_anew_after_a_cut(own_server: RunningServer, film: Film, tmp_path: Path) -> None:
    part = tmp_path / "all" / "film.mkv"
    part.parent.mkdir()
    copy = ["copy", "--multi-thread-streams", "0", "--local-no-preallocate", "box:/", str(part.parent)]
    slowly = ["rclone", "--bwlimit", f"{SLOWLY}B", *copy]
    cut_at_half(part, slowly, **rclone_environment(own_server))
    succeeded(rclone(own_server, *copy))
    assert sha256(part) == film.sha256
    assert film.handed_over(own_server) >= SIZE * 3 // 2


@pytest.mark.parametrize("protocol", ["-s", "-O"])
def test_scp_starts_a_file_anew_after_a_cut(
    own_server: RunningServer, film: Film, identity: Path, tmp_path: Path, protocol: str
) -> None:
    part = tmp_path / "film.mkv"
    where = [f"alice@{HOST}:/film.mkv", str(part)]
    options = [*own_server.ssh_options(identity), "-P", str(own_server.port)]
    cut_at_half(part, ["scp", protocol, "-l", str(SLOWLY * 8 // 1000), *options, *where])
    succeeded(scp(own_server, identity, protocol, *where))
    assert sha256(part) == film.sha256
    assert film.handed_over(own_server) >= SIZE * 3 // 2
