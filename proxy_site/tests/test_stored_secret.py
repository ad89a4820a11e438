"""Secrets that a machine makes for itself."""

import os
from pathlib import Path

import pytest

from proxy_site.stored_secret import stored_secret
from proxy_site.tests import processes


def test_a_secret_stays_the_same(tmp_path: Path) -> None:
    assert stored_secret(tmp_path / "secret") == stored_secret(tmp_path / "secret")


def test_two_secrets_differ_and_are_long(tmp_path: Path) -> None:
    first, second = stored_secret(tmp_path / "a"), stored_secret(tmp_path / "b")
    assert first != second
    assert len(first) >= 48


def test_only_its_owner_can_read_it_whatever_the_umask(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        stored_secret(tmp_path / "secrets" / "key")
    finally:
        os.umask(previous)
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "secrets" / "key").stat().st_mode & 0o777 == 0o600


def test_no_file_is_ever_created_for_others_to_read(tmp_path: Path) -> None:
    """The draft is looked at each time the process opens or links anything, with the most generous umask."""
    code = """
import os, sys
from pathlib import Path
from proxy_site.stored_secret import stored_secret
def audit(event, arguments):
    if event in ("open", "os.link"):
        for draft in Path(sys.argv[1]).glob("secrets/.*"):
            print(oct(draft.stat().st_mode & 0o777))
os.umask(0)
sys.addaudithook(audit)
stored_secret(Path(sys.argv[1]) / "secrets" / "key")
"""
    result = processes.run(processes.python(code, str(tmp_path)))
    assert result.returncode == 0, result.stderr
    assert set(result.stdout.split()) == {"0o600"}


def test_processes_that_race_get_one_value_and_leave_one_file(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from proxy_site.stored_secret import stored_secret
sys.stdin.readline()
print(stored_secret(Path(sys.argv[1])))
"""
    path = tmp_path / "secrets" / "key"
    racing = [processes.start(processes.python(code, str(path))) for _ in range(8)]
    for process in racing:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    values = {process.communicate(timeout=30)[0] for process in racing}
    assert values == {path.read_text()}
    assert [entry.name for entry in path.parent.iterdir()] == ["key"]


def test_a_full_disk_leaves_no_empty_secret(tmp_path: Path) -> None:
    code = """
import resource, signal, sys
from pathlib import Path
from proxy_site.stored_secret import stored_secret
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
stored_secret(Path(sys.argv[1]))
"""
    result = processes.run(processes.python(code, str(tmp_path / "key")))
    assert "OSError" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_secret_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        stored_secret(tmp_path / "file" / "key")
