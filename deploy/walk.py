"""Walks the terminal app in a real terminal (tmux, 80 × 24) as somebody who has never seen it: every key it presses
has to stand on the screen at that moment.

`python -m deploy.walk` starts a private copy of the box and a peer, walks, prints each screen, stops everything; exit
code 0 only if every screen showed what it should. It needs the packages tmux and qbittorrent-nox and the client.
"""

import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.box import PEER_ADDRESS, PROJECT, Box
from deploy.swarm import Peer, magnet_for, make_torrent

WIDTH, HEIGHT = 80, 24
PATIENCE = 60.0  # seconds for a screen to show what it should
SETTLE = 0.4  # seconds after a key; also keeps Escape and the next key from being read as one


class WalkFailed(Exception):
    """The screen did not show what it should; the text has the screen."""


class Terminal:
    """A program in a terminal of its own. `press` presses no key that the screen does not name."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], *, show: bool = True) -> None:
        self._server = f"walk-{os.getpid()}-{secrets.token_hex(3)}"
        self._show = show
        variables = [f"{name}={value}" for name, value in environment.items()]
        self._tmux(
            "new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT), "env", "-i", *variables, *command
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        subprocess.run(["tmux", "-L", self._server, "kill-server"], capture_output=True, check=False)

    @property
    def screen(self) -> str:
        return self._tmux("capture-pane", "-p")

    @property
    def running(self) -> bool:
        asked = subprocess.run(["tmux", "-L", self._server, "has-session"], capture_output=True, check=False)
        return asked.returncode == 0

    def see(self, *texts: str, seconds: float = PATIENCE) -> str:
        """Wait until the screen shows all of `texts` (regular expressions); returns it."""
        screen = self._wait_for(texts, seconds)
        if self._show:
            print(f"{screen.rstrip()}\n{'═' * WIDTH}", flush=True)
        return screen

    def press(self, key: str, named: str) -> None:
        """Press `key` as soon as the screen names it by `named` (a regular expression)."""
        self._wait_for([named])
        self._tmux("send-keys", key)
        time.sleep(SETTLE)

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)
        time.sleep(SETTLE)

    def erase(self, count: int) -> None:
        self._tmux("send-keys", "-N", str(count), "BSpace")
        # Textual handles Backspace on a longer way than letters: letters too close behind would overtake it.
        time.sleep(SETTLE)

    def _wait_for(self, texts: Sequence[str], seconds: float = PATIENCE) -> str:
        deadline = time.monotonic() + seconds
        while missing := [text for text in texts if not re.search(text, screen := self.screen)]:
            if time.monotonic() > deadline:
                raise WalkFailed(f"the screen never showed {missing}:\n{screen}")
            time.sleep(0.1)
        return screen

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self._server, "-f", "/dev/null", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise WalkFailed(f"tmux {arguments[0]}: {done.stderr.strip()}")
        return done.stdout


def app_of(directory: Path, *, show: bool = True) -> Terminal:
    """The app of somebody whose home is `directory`; what they fetch comes to `directory`/fetched."""
    environment = {
        "HOME": str(directory),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PROJECT / "tui_client" / "src"),
        "TERM": "tmux-256color",
        "LANG": "C.UTF-8",
        "TORRENT_PROXY_CONFIG_DIR": str(directory / "client"),
        "TORRENT_PROXY_DOWNLOAD_DIR": str(directory / "fetched"),
    }
    return Terminal([sys.executable, "-m", "torrent_proxy_client"], environment, show=show)


def walk(box: Box, directory: Path, *, show: bool = True) -> None:
    """From logging in to a fetched file and out again. Raises WalkFailed."""
    password = box.create_user("newcomer")
    content = directory / "peer" / "[tag] holiday [b] film.bin"
    content.parent.mkdir(parents=True)
    content.write_bytes(secrets.token_bytes(12 * 2**20))
    metainfo = make_torrent(content, version="hybrid")
    fetched = directory / "fetched"
    with Peer(PEER_ADDRESS) as peer, app_of(directory, show=show) as app:
        peer.knock_at(box.torrent_port)
        app.see("Server", "User", "Password")
        app.type(box.url)
        app.press("Tab", "Tab")
        app.type("newcomer")
        app.press("Tab", "Tab")
        app.type("wrong password")
        app.press("Enter", "Enter")
        app.see("[Ww]rong|not (known|right|correct)|No active|match")
        app.erase(len("wrong password"))
        app.type(password)
        app.press("Enter", "Enter")

        app.see("Nothing here yet", "Press a")
        app.press("a", r"\ba add")
        app.type("this is no torrent")
        app.press("Enter", "Enter add")
        app.see("magnet")
        app.press("Escape", "Esc cancel")
        app.press("a", r"\ba add")
        app.type(magnet_for(metainfo, v1=True, v2=False))
        app.see("This is a magnet link")
        app.press("Enter", "Enter add")
        app.see("Looking up")
        app.press("p", r"\bp pause")
        app.see("Paused")
        app.press("r", r"\br resume")
        app.see("Looking up")
        peer.seed(metainfo, content)
        app.see(r"\[tag\] holiday \[b\]", "Finished", "100 %")

        app.press("?", r"\? help")
        app.see("Help", "Esc close")
        app.press("Escape", "Esc close")
        app.press("f", r"\bf fetch")
        app.see(r"✓ \[tag\] holiday")  # the transfer has ended and was verified
        if [path.read_bytes() for path in fetched.iterdir()] != [content.read_bytes()]:
            raise WalkFailed(f"not what was fetched: {list(fetched.iterdir())}")

        app.press("d", r"\bd delete")
        app.see("Delete .* from the server", "y delete", "n or Esc cancel")
        app.press("Enter", "Cancel")  # by reflex: nothing happens
        app.see("Finished")
        app.press("d", r"\bd delete")
        app.press("y", "y delete")
        app.see("Nothing here yet")
        app.press("q", r"\bq quit")
        deadline = time.monotonic() + PATIENCE
        while app.running:
            if time.monotonic() > deadline:
                raise WalkFailed(f"it does not quit:\n{app.screen}")
            time.sleep(0.1)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="walk-") as name:
        directory = Path(name)
        box = Box(directory)
        try:
            box.start()
            walk(box, directory / "person")
        except WalkFailed as failure:
            print(failure, file=sys.stderr)
            return 1
        finally:
            box.stop()
    print("Every key was on the screen, and every screen showed what it should.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
