"""Settings: documented, checked all at once, and never half read."""

import json
import os
import re
from pathlib import Path

import pytest
from environs import EnvError, ValidationError

from proxy_site import setting_kinds
from proxy_site.environment import PROJECT_DIR
from proxy_site.tests import processes

EXAMPLE = (PROJECT_DIR / ".env.example").read_text()
A_DATABASE = "postgresql://proxy@127.0.0.1:1/proxy"
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "k" * 48,
    "ALLOWED_HOSTS": "torrents.example.org",
    "BEHIND_HTTPS_PROXY": "true",
    "DATABASE_URL": A_DATABASE,
}


def documented() -> dict[str, str]:
    """Each setting of .env.example with the default it shows."""
    return dict(re.findall(r"^#([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))


def values(tmp_path: Path, **environment: str) -> dict[str, object]:
    code = """
import json
from proxy_site import settings
print(json.dumps({name: str(value) for name, value in vars(settings).items() if name.isupper()}))
"""
    result = processes.run(
        processes.python(code), **{"DATABASE_URL": A_DATABASE, "DATA_DIR": str(tmp_path), **environment}
    )
    assert result.returncode == 0, result.stderr
    found: dict[str, object] = json.loads(result.stdout)
    return found


def test_the_example_explains_every_setting_that_is_read_and_no_other() -> None:
    reads = r'(?:env\.\w+|directory|os\.environ\.get)\(\s*"([A-Z_]+)"'
    sources = [(PROJECT_DIR / "proxy_site" / name).read_text() for name in ("settings.py", "environment.py")]
    read = {name for source in sources for name in re.findall(reads, source)} - {"XDG_DATA_HOME"}
    assert read == set(documented())


def test_every_setting_of_the_example_has_an_explanation_above_it() -> None:
    for block in re.split(r"\n\n+", EXAMPLE):
        if re.search(r"^#[A-Z_]+=", block, re.MULTILINE):
            assert re.match(r'# ["A-Z]', block), block


def test_the_example_names_what_production_needs() -> None:
    introduction = re.sub(r"\s*\n# ", " ", EXAMPLE.split("# ---")[0])
    needed = ", ".join(sorted(PRODUCTION, key=EXAMPLE.index)[:-1])
    assert f"needs: {needed} and " in introduction


def test_the_defaults_that_the_example_shows_are_the_real_ones(tmp_path: Path) -> None:
    shown = {name: value for name, value in documented().items() if name not in ("DATABASE_URL", "DATA_DIR")}
    assert values(tmp_path, **shown) == values(tmp_path)


def test_every_mistake_is_listed_in_one_message_without_a_traceback() -> None:
    result = processes.run(
        processes.manage("check"),
        ENVIRONMENT="staging",
        ACCESS_TOKEN_SECONDS="601",
        WEB_WORKERS="many",
        WEB_ADDRESS="8000",
        TORRENT_PORT="99999",
        QBITTORRENT_URL="http://127.0.0.1:99999",
        TORRENT_LOOPBACK_PEERS="127.0.0.2, 8.8.8.8",
        DEBUG="perhaps",
        DATABASE_URL="mysql://proxy:hidden@x/y",
    )
    assert result.returncode == 1
    title, *lines = result.stderr.strip().splitlines()
    assert ".env.example" in title
    named = [line.strip().partition(":")[0] for line in lines]
    assert sorted(named) == [
        "ACCESS_TOKEN_SECONDS",
        "DATABASE_URL",
        "DEBUG",
        "ENVIRONMENT",
        "QBITTORRENT_URL",
        "TORRENT_LOOPBACK_PEERS",
        "TORRENT_PORT",
        "WEB_ADDRESS",
        "WEB_WORKERS",
    ]
    assert "hidden" not in result.stderr


def test_a_data_directory_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = processes.run(
        processes.manage("check"), DATA_DIR=str(tmp_path / "file"), DATABASE_URL=A_DATABASE
    )
    assert result.returncode == 1
    assert result.stderr.startswith("DATA_DIR (")
    assert "Traceback" not in result.stderr


def test_a_correct_production_configuration_passes(tmp_path: Path) -> None:
    key = "AGE-SECRET-KEY-1" + "Q" * 58
    result = processes.run(processes.manage("check"), DATA_DIR=str(tmp_path), BACKUP_KEY=key, **PRODUCTION)
    assert (result.returncode, result.stderr) == (0, "")


def test_everything_unsafe_in_production_is_refused_at_once(tmp_path: Path) -> None:
    result = processes.run(
        processes.manage("check"),
        DATA_DIR=str(tmp_path),
        ENVIRONMENT="production",
        DEBUG="true",
        ALLOWED_HOSTS="*",
        OUTBOUND_ALLOW_PRIVATE="true",
        TORRENT_LOOPBACK_PEERS="127.0.0.2",
        ENGINE="fake",
    )
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    refused = re.findall(r"\(proxy_site\.(E\d+)\)", result.stderr)
    assert refused == ["E001", "E003", "E004", "E005", "E006", "E007", "E008", "E009"]


@pytest.mark.parametrize(
    ("mistake", "named"),
    [({"SECRET_KEY": "short"}, "SECRET_KEY is shorter"), ({"WEB_WORKERS": "many"}, "WEB_WORKERS: ")],
)
def test_gunicorn_refuses_to_start_on_a_mistake(tmp_path: Path, mistake: dict[str, str], named: str) -> None:
    command = processes.python(
        "from gunicorn.app.wsgiapp import run; run()", "-c", "proxy_site/gunicorn.conf.py"
    )
    settings = {**PRODUCTION, "DATA_DIR": str(tmp_path), "WEB_ADDRESS": "127.0.0.1:1", **mistake}
    result = processes.run(command, **settings)
    assert result.returncode == 1
    assert named in result.stderr
    assert "Traceback" not in result.stderr


def test_a_production_command_without_a_database_says_what_to_set(tmp_path: Path) -> None:
    result = processes.run(
        processes.manage("migrate"), DATA_DIR=str(tmp_path), **{**PRODUCTION, "DATABASE_URL": ""}
    )
    assert result.returncode == 1
    assert result.stderr.startswith("DATABASE_URL is not set.")


def test_a_database_that_is_away_is_a_sentence(tmp_path: Path) -> None:
    result = processes.run(processes.manage("migrate"), DATA_DIR=str(tmp_path), DATABASE_URL=A_DATABASE)
    assert result.returncode == 1
    assert result.stderr.startswith("PostgreSQL cannot be reached (DATABASE_URL names it)")
    assert "Traceback" not in result.stderr


def test_spaces_and_empty_places_in_a_list_do_not_count(tmp_path: Path) -> None:
    found = values(tmp_path, ALLOWED_HOSTS="a.example.org, b.example.org,")
    assert found["ALLOWED_HOSTS"] == "['a.example.org', 'b.example.org']"


def test_an_empty_variable_means_the_default_where_a_secret_or_a_path_is_meant(tmp_path: Path) -> None:
    found = values(tmp_path, SECRET_KEY="", QBITTORRENT_PASSWORD="", DOWNLOADS_DIR="")
    assert found == values(tmp_path)
    assert found["DOWNLOADS_DIR"] == str(tmp_path / "downloads")
    assert len(str(found["SECRET_KEY"])) >= 48


@pytest.mark.parametrize(
    "address", ["8000", "localhost", ":8000", "::1:8000", "127.0.0.1:0", "127.0.0.1:70000"]
)
def test_an_address_that_cannot_be_listened_on_is_refused(address: str) -> None:
    with pytest.raises((EnvError, ValidationError)):
        setting_kinds.address(address)


@pytest.mark.parametrize("address", ["127.0.0.1:8000", "localhost:8000", "0.0.0.0:1", "[::1]:65535"])
def test_an_address_is_host_and_port(address: str) -> None:
    assert setting_kinds.address(address) == address


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("512", 512),
        ("512 B", 512),
        ("1.5 KiB", 1536),
        ("50GiB", 50 * 2**30),
        (" 9 TB ", 9 * 10**12),
    ],
)
def test_a_size_is_a_number_with_its_unit(text: str, size: int) -> None:
    assert setting_kinds.size(text) == size


@pytest.mark.parametrize("text", ["", "much", "-1 GiB", "1 GIB", "1 iB", "1e9", "1,5 GiB", "nan", "5 %"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(EnvError, match="size with its unit"):
        setting_kinds.size(text)


@pytest.mark.parametrize("text", ["1 B", "1023 B", "50 GiB", "9 TB", "1.5 KiB", "2 MB", "1001 B", "1000 GiB"])
def test_a_size_is_written_as_it_is_read(text: str) -> None:
    assert setting_kinds.size_text(setting_kinds.size(text)) == text


@pytest.mark.parametrize("text", ["0", "0.4 B", "999999999999999 TiB"])
def test_a_limit_of_nothing_or_beyond_everything_is_refused(text: str) -> None:
    with pytest.raises(EnvError, match="more than nothing"):
        setting_kinds.limit(text)


@pytest.mark.parametrize(
    "url", ["http://h", "h", "https://", "https://h/bucket", "https://u@h", "https://h:99999"]
)
def test_what_is_no_https_address_is_refused(url: str) -> None:
    with pytest.raises((EnvError, ValidationError)):
        setting_kinds.https_url(url)


@pytest.mark.parametrize(
    "url", ["https://ns.compat.objectstorage.region.example.com", "https://127.0.0.1:1", ""]
)
def test_an_https_address_is_a_host_and_perhaps_a_port(url: str) -> None:
    assert setting_kinds.https_url(url) == url


@pytest.mark.parametrize("key", ["hidden", "age1hidden", "AGE-SECRET-KEY-1hidden"])
def test_a_key_that_is_none_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(EnvError) as refusal:
        setting_kinds.age_identity(key)
    assert "hidden" not in str(refusal.value)


def test_what_libpq_understands_reaches_django() -> None:
    database = setting_kinds.postgresql("postgresql://bob:p%40ss@[::1]:5433/box?sslmode=require")
    assert (database["USER"], database["PASSWORD"], database["HOST"]) == ("bob", "p@ss", "::1")
    assert (database["PORT"], database["NAME"]) == ("5433", "box")
    assert database["OPTIONS"]["sslmode"] == "require"


def test_how_soon_a_database_that_vanished_is_noticed_can_be_chosen() -> None:
    options = setting_kinds.postgresql("postgresql://h/box?tcp_user_timeout=5000")["OPTIONS"]
    assert (options["tcp_user_timeout"], options["keepalives_idle"]) == ("5000", "10")


@pytest.mark.parametrize(
    "url", ["postgresql://bob:p%zzhidden@h/box", "postgresql://bob:hidden@h", "sqlite://hidden"]
)
def test_a_database_url_that_cannot_be_used_is_refused_without_showing_its_password(url: str) -> None:
    with pytest.raises(EnvError) as refusal:
        setting_kinds.postgresql(url)
    assert "hidden" not in str(refusal.value)


def test_nothing_of_the_developers_own_configuration_reaches_the_tests() -> None:
    assert os.environ["PYTHON_DOTENV_DISABLED"] == "1"
    of_tests = {"DATA_DIR", "DATABASE_URL", "ANILIST_URL", "ANIME_RELATIONS_URL"}
    assert set(documented()) & set(os.environ) == of_tests
