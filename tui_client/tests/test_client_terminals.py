"""Commands on terminals that know plain ASCII only."""

import os
import subprocess
import sys

import pytest

from torrent_proxy_client.session import FileSessionStore
from tui_client.tests.fake_server import FakeServer

PLAIN = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": ""}


def in_plain_ascii(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "torrent_proxy_client", *arguments],
        env={**os.environ, **PLAIN},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_bars_dashes_and_foreign_letters_are_plain_ascii_where_the_locale_is(
    server: FakeServer, store: FileSessionStore
) -> None:
    server.add_torrent("film", state="downloading", progress=0.44, size=None)
    server.add_torrent("進撃", state="paused")
    listed = in_plain_ascii("ls")
    assert listed.returncode == 0
    output = listed.stdout.decode("ascii")
    assert "####....  44 %" in output
    assert "??" in output
    assert "\\" not in output


@pytest.mark.parametrize("arguments", [["--help"], ["login", "--help"], ["get", "--help"]])
def test_help_is_shown_where_the_locale_is_plain_ascii(arguments: list[str]) -> None:
    shown = in_plain_ascii(*arguments)
    assert shown.returncode == 0, shown.stderr
    assert "usage:" in shown.stdout.decode("ascii")


def test_errors_are_plain_ascii_where_the_locale_is(config: object) -> None:
    refused = in_plain_ascii("login", "--server", "https://box.example.net", "--fingerprint", "AB", "--user", "a",
                             "--password-stdin")  # fmt: skip
    assert "for example SHA256:1F:A0:..." in refused.stderr.decode("ascii")
