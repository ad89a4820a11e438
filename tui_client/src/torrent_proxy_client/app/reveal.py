"""Show a file in the desktop's file manager, where there is one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path


def reveal(path: Path) -> bool:
    """False when there is no desktop to show it on, as over SSH; the caller then says where the file is."""
    command = _command(path, sys.platform, dict(os.environ))
    if command is None or not path.exists():
        return False
    try:
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except OSError:
        return False
    return True


def _command(path: Path, platform: str, environment: dict[str, str]) -> list[str] | None:
    if environment.get("SSH_CONNECTION"):
        return None
    if platform == "win32":
        return ["explorer", f"/select,{path}"]
    if platform == "darwin":
        return ["open", "-R", str(path)]
    if shutil.which("xdg-open") and (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        return ["xdg-open", str(path if path.is_dir() else path.parent)]
    return None
