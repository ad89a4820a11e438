"""The real SFTP server in a process of its own, with people of the test's making: `python -m … HOST PORT KEYS`."""

import asyncio
import json
import os
import sys
from pathlib import Path

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "proxy_site.settings"
django.setup()

from accounts.models import User  # noqa: E402
from torrents.management.commands.run_sftp import serve_until_told  # noqa: E402
from torrents.tests.sftp.running import secret_of  # noqa: E402


class FakeAuthenticator:
    """Knows each person's secret, and keys from a file that tests write. `lucky` is locked out everywhere."""

    def __init__(self, keys: Path) -> None:
        self._keys = keys

    def is_locked_out(self, *, username: str, address: str) -> bool:
        return username == "lucky"

    def user_for_key(self, *, username: str, public_key: str) -> User | None:
        keys = json.loads(self._keys.read_text())
        return self._user(username) if keys.get(username) == " ".join(public_key.split()[:2]) else None

    def user_for_secret(self, *, username: str, secret: str, address: str) -> User | None:
        print(f"tried {username}", flush=True)
        return self._user(username) if secret == secret_of(username) else None

    def _user(self, username: str) -> User | None:
        return User.objects.filter(username=username, is_active=True).first()


if __name__ == "__main__":
    host, port, keys = sys.argv[1:]
    asyncio.run(serve_until_told(FakeAuthenticator(Path(keys)), host, int(port)))
