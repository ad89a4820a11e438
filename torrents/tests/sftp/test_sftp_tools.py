"""People's own tools fetch from the real server: whole, in parts, and again after a cut. Every byte is compared.

SFTP_TEST_MIB is the size of the large file: 64 unless it says otherwise.
"""

import hashlib
import os
import subprocess
import time
from pathlib import Path

import pytest

from accounts.models import User
from torrents.tests.factories import finished
from torrents.tests.sftp.running import HOST, RunningServer, secret_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.journey]

SIZE = int(os.environ.get("SFTP_TEST_MIB", "64")) * 2**20
BLOCK = 2**20
ODD_NAMES = [
    "with space.txt",
    "it's quoted.txt",
    "[b] bracket.txt",
    "-rf",
    "進撃の巨人 é.txt",
    ".hidden",
    "a * ? b.txt",
]
SHOWN_NAMES = {*ODD_NAMES[:-1], "a _ _ b.txt"}  # Windows has no * and ?


@pytest.fixture
def film(owner: User) -> str:
    """Alice's large file of random bytes; gives its SHA-256."""
    claim = finished(owner, {"film.mkv": b""}, name="film.mkv")
    digest = hashlib.sha256()
    with (claim.torrent.data_dir / "film.mkv").open("wb") as file:
        for _ in range(SIZE // BLOCK):
            block = os.urandom(BLOCK)
            digest.update(block)
            file.write(block)
    claim.torrent.files.update(size=SIZE)
    return digest.hexdigest()


@pytest.fixture
def odd(owner: User) -> User:
    finished(owner, {f"Odd/s 1/{name}": name.encode() for name in ODD_NAMES}, name="Odd [b] 'x'")
    return owner


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def half_of_it(server: RunningServer, path: Path) -> None:
    """What a download that was cut has left."""
    source = max(server.downloads.glob("t/*/film.mkv"), key=lambda found: found.stat().st_mtime_ns)
    with source.open("rb") as whole, path.open("wb") as part:
        for _ in range(SIZE // BLOCK // 2):
            part.write(whole.read(BLOCK))


def succeeded(result: subprocess.CompletedProcess[str]) -> None:
    assert result.returncode == 0, result.stdout + result.stderr


def sftp(server: RunningServer, identity: Path, batch: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    batch.write_text("\n".join(lines) + "\n")
    where = ["-P", str(server.port), "-b", str(batch), f"alice@{HOST}"]
    return server.run("sftp", *server.ssh_options(identity), *where)


def scp(server: RunningServer, identity: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return server.run("scp", *server.ssh_options(identity), "-P", str(server.port), *arguments)


def lftp(server: RunningServer, commands: str) -> subprocess.CompletedProcess[str]:
    ssh = f"ssh -a -x -F /dev/null -o UserKnownHostsFile={server.known_hosts} -o StrictHostKeyChecking=yes"
    ssh += " -o PreferredAuthentications=password -o IdentityAgent=none"
    script = f'set sftp:connect-program "{ssh}"; set net:max-retries 2; set net:timeout 20; set cmd:fail-exit yes; '
    script += f'open -u alice,"{secret_of("alice")}" -p {server.port} sftp://{HOST}; {commands}'
    return server.run("lftp", "-c", script)


def rclone(server: RunningServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    obscured = server.run("rclone", "obscure", secret_of("alice")).stdout.strip()
    box = {"TYPE": "sftp", "HOST": HOST, "PORT": str(server.port), "USER": "alice", "PASS": obscured}
    box |= {"KNOWN_HOSTS_FILE": str(server.known_hosts), "SHELL_TYPE": "none", "DISABLE_HASHCHECK": "true"}
    variables = {f"RCLONE_CONFIG_BOX_{name}": value for name, value in box.items()}
    return server.run("rclone", *arguments, RCLONE_CONFIG="/dev/null", **variables)


def is_odd_folder(folder: Path) -> None:
    found = {path.name: path.read_text() for path in (folder / "s 1").iterdir()}
    assert set(found) == SHOWN_NAMES
    assert all(found[name] == name for name in ODD_NAMES[:-1])


def test_sftp_gets_a_file(server: RunningServer, film: str, identity: Path, tmp_path: Path) -> None:
    succeeded(sftp(server, identity, tmp_path / "batch", f"get /film.mkv {tmp_path}/film.mkv"))
    assert sha256(tmp_path / "film.mkv") == film


@pytest.mark.parametrize("command", ["reget", "get -a"])
def test_sftp_goes_on_after_a_cut(
    server: RunningServer, film: str, identity: Path, tmp_path: Path, command: str
) -> None:
    half_of_it(server, tmp_path / "film.mkv")
    succeeded(sftp(server, identity, tmp_path / "batch", f"{command} /film.mkv {tmp_path}/film.mkv"))
    assert sha256(tmp_path / "film.mkv") == film


def test_sftp_killed_in_the_middle_goes_on(
    server: RunningServer, film: str, identity: Path, tmp_path: Path
) -> None:
    part = tmp_path / "film.mkv"
    slowly = ["sftp", "-l", str(SIZE // 128), *server.ssh_options(identity), "-P", str(server.port)]
    process = subprocess.Popen([*slowly, f"alice@{HOST}:/film.mkv", str(part)], stdout=subprocess.DEVNULL)
    while not part.exists() or part.stat().st_size < SIZE // 10:
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert part.stat().st_size < SIZE
    succeeded(sftp(server, identity, tmp_path / "batch", f"reget /film.mkv {part}"))
    assert sha256(part) == film


def test_sftp_gets_a_folder_of_odd_names_and_gets_it_again(
    server: RunningServer, odd: User, identity: Path, tmp_path: Path
) -> None:
    for _ in range(2):
        succeeded(sftp(server, identity, tmp_path / "batch", f"get -r \"/Odd [b] 'x'\" {tmp_path}/odd"))
        is_odd_folder(tmp_path / "odd")


@pytest.mark.parametrize("protocol", ["-s", "-O"])
def test_scp_gets_a_file_by_its_new_and_by_its_old_protocol(
    server: RunningServer, film: str, identity: Path, tmp_path: Path, protocol: str
) -> None:
    succeeded(scp(server, identity, protocol, f"alice@{HOST}:/film.mkv", str(tmp_path / "film.mkv")))
    assert sha256(tmp_path / "film.mkv") == film


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


def test_lftp_gets_a_file_in_parallel_parts(server: RunningServer, film: str, tmp_path: Path) -> None:
    succeeded(lftp(server, f"pget -n 4 /film.mkv -o {tmp_path}/film.mkv"))
    assert sha256(tmp_path / "film.mkv") == film


def test_lftp_goes_on_after_a_cut(server: RunningServer, film: str, tmp_path: Path) -> None:
    half_of_it(server, tmp_path / "film.mkv")
    succeeded(lftp(server, f"get -c /film.mkv -o {tmp_path}/film.mkv"))
    assert sha256(tmp_path / "film.mkv") == film


def test_lftp_mirrors_a_folder_of_odd_names(server: RunningServer, odd: User, tmp_path: Path) -> None:
    succeeded(lftp(server, f"mirror -P 4 \"/Odd [b] 'x'\" {tmp_path}/odd"))
    is_odd_folder(tmp_path / "odd")


def test_rclone_copies_a_file_once(server: RunningServer, film: str, tmp_path: Path) -> None:
    for _ in range(2):
        again = rclone(server, "copy", "-v", "box:/", str(tmp_path / "all"))
        succeeded(again)
    assert "nothing to transfer" in again.stderr
    assert sha256(tmp_path / "all" / "film.mkv") == film


def test_rclone_copies_a_folder_of_odd_names(server: RunningServer, odd: User, tmp_path: Path) -> None:
    succeeded(rclone(server, "copy", "box:/Odd [b] 'x'", str(tmp_path / "odd")))
    is_odd_folder(tmp_path / "odd")
