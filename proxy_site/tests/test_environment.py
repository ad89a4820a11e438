"""What is made ready before Django reads its settings."""

import os
from pathlib import Path

import pytest

from proxy_site import embedded_postgres, environment
from proxy_site.environment import EnvironmentNotReadyError, prepare


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project directory of its own, and an environment that is put back."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setattr(environment, "PROJECT_DIR", tmp_path)
    for name in ("PYTHON_DOTENV_DISABLED", "DATABASE_URL", "DATA_DIR"):
        os.environ.pop(name, None)
    os.environ["DATA_DIR"] = str(tmp_path / "data")
    return tmp_path


def test_the_env_file_is_read(project: Path) -> None:
    (project / ".env").write_text("DATABASE_URL=postgresql://from/file\n")
    prepare(["migrate"])
    assert os.environ["DATABASE_URL"] == "postgresql://from/file"


def test_a_real_variable_beats_the_env_file(project: Path) -> None:
    (project / ".env").write_text("DATABASE_URL=postgresql://from/file\n")
    os.environ["DATABASE_URL"] = "postgresql://from/variable"
    prepare(["migrate"])
    assert os.environ["DATABASE_URL"] == "postgresql://from/variable"


def test_an_env_file_that_cannot_be_read_is_a_sentence(project: Path) -> None:
    (project / ".env").write_bytes(b"SECRET_KEY=\xff\xfe\n")
    with pytest.raises(EnvironmentNotReadyError, match=r"\.env cannot be read"):
        prepare(["migrate"])


@pytest.mark.parametrize("arguments", [[], ["help"], ["check"], ["run_qbittorrent"], ["migrate", "--help"]])
def test_what_never_asks_the_database_starts_none(project: Path, arguments: list[str]) -> None:
    prepare(arguments)
    assert os.environ["DATABASE_URL"] == environment.NO_DATABASE_URL
    assert not (project / "data").exists()


@pytest.mark.parametrize("place", ["variable", "file"])
def test_production_starts_no_postgresql_of_its_own(project: Path, place: str) -> None:
    if place == "file":
        (project / ".env").write_text("ENVIRONMENT=production\n")
    else:
        os.environ["ENVIRONMENT"] = "production"
    with pytest.raises(EnvironmentNotReadyError, match="DATABASE_URL is not set"):
        prepare(["up"])
    assert not (project / "data").exists()


def test_a_postgresql_that_cannot_start_is_a_sentence(project: Path) -> None:
    (project / "data").write_text("a file")
    with pytest.raises(EnvironmentNotReadyError, match="Choose another DATA_DIR"):
        prepare(["migrate"])


def test_a_command_gets_a_postgresql_that_answers() -> None:
    # The one of these tests themselves, where it is embedded; else there is nothing to attach to.
    running = [pgdata for pgdata in embedded_postgres._owned if embedded_postgres.running_url(pgdata)]
    if not running:
        pytest.skip("TEST_DATABASE_URL names the server of these tests")
    (pgdata,) = running
    os.environ["DATA_DIR"] = str(pgdata.parent)
    prepare(["migrate"])
    assert os.environ["DATABASE_URL"] == embedded_postgres.running_url(pgdata)


def test_root_keeps_its_state_out_of_its_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert environment.default_data_dir() == Path("/var/lib/oci-torrent-proxy/data")


def test_an_ordinary_user_keeps_it_in_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    os.environ.pop("XDG_DATA_HOME", None)
    os.environ["HOME"] = "/home/alice"
    assert environment.default_data_dir() == Path("/home/alice/.local/share/oci-torrent-proxy/data")


def test_an_ordinary_user_may_have_another_place_for_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    os.environ["XDG_DATA_HOME"] = "/srv/alice"
    assert environment.default_data_dir() == Path("/srv/alice/oci-torrent-proxy/data")


def test_a_relative_directory_is_the_same_for_every_process(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.environ["DATA_DIR"] = "state"
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert environment.data_dir() == project / "state"


def test_a_directory_may_start_with_the_home() -> None:
    os.environ["HOME"] = "/home/alice"
    os.environ["DATA_DIR"] = "~/box"
    assert environment.data_dir() == Path("/home/alice/box")
