"""What the web worker serves in its own tests."""

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

PIECE = b"x" * 1000


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/empty":
        start_response("204 No Content", [])
        return []
    if path == "/breaks":
        start_response("200 OK", [("Content-Length", "2000")])
        return _broken()
    if path == "/waits":  # until the file that it names is there
        awaited = Path(environ["QUERY_STRING"])
        awaited.with_suffix(".asked").touch()
        while not awaited.exists():
            time.sleep(0.01)
    body = path.encode()
    if path == "/headers":
        seen = [
            f"{name.removeprefix('HTTP_').title().replace('_', '-')}={value}"
            for name, value in environ.items()
            if name.startswith("HTTP_X_")
        ]
        body = " ".join([environ["REQUEST_METHOD"], path, environ["QUERY_STRING"], *seen, ""]).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def _broken() -> Iterator[bytes]:
    yield PIECE
    raise RuntimeError("on purpose")
