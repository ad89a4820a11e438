"""The client as a wheel, so that people install it from their own server: `pip install https://SERVER/client/….whl`."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

SOURCE = settings.BASE_DIR / "tui_client"
PARTS = ("pyproject.toml", "README.md", "src")


class WheelNotBuilt(Exception):
    """The text says why; the box works without it."""


def wheel_directory() -> Path:
    return Path(settings.DATA_DIR) / "client"


def built_wheel() -> Path | None:
    """The wheel that is offered now."""
    return next(iter(sorted(wheel_directory().glob("*.whl"))), None)


def build_wheel() -> Path:
    """Our client as a wheel, built if there is none yet or the sources are newer. Raises WheelNotBuilt."""
    wheel = built_wheel()
    newest = max(path.stat().st_mtime for path in SOURCE.glob("src/**/*.py"))
    if wheel is not None and wheel.stat().st_mtime > newest:
        return wheel
    with tempfile.TemporaryDirectory() as name:
        copy, made = Path(name) / "source", Path(name) / "made"  # building writes into the source tree
        copy.mkdir()
        for part in PARTS:
            take = shutil.copytree if (SOURCE / part).is_dir() else shutil.copy2
            take(SOURCE / part, copy / part)
        command = [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-index",
            "--no-build-isolation",
        ]
        done = subprocess.run(
            [*command, "--wheel-dir", str(made), str(copy)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise WheelNotBuilt(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "pip failed")
        (new,) = made.glob("*.whl")
        shutil.rmtree(wheel_directory(), ignore_errors=True)
        wheel_directory().mkdir(parents=True)
        return Path(shutil.move(new, wheel_directory() / new.name))


def client_page(request: HttpRequest) -> HttpResponse:
    """How to install the client; the address to give to a newcomer."""
    wheel = built_wheel()
    url = request.build_absolute_uri(wheel.name) if wheel else None
    server = request.build_absolute_uri("/").rstrip("/")
    return render(request, "proxy_site/client.html", {"url": url, "server": server})


def client_wheel(request: HttpRequest, name: str) -> HttpResponseBase:
    wheel = built_wheel()
    if wheel is None or wheel.name != name:
        raise Http404
    return FileResponse(wheel.open("rb"), content_type="application/octet-stream")
