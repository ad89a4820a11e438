"""Whoever is told of alerts: an address that Alertmanager posts them to."""

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OPERATOR = "/operator"
HEARTBEAT = "/heartbeat"


@dataclass(frozen=True)
class Told:
    """`at` is a Unix time, `status` "firing" or "resolved"."""

    path: str
    alert: str
    status: str
    at: float


class Listener(ThreadingHTTPServer):
    """On loopback, from `with` until its end."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told: list[Told] = []
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.1})

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def alerts(self, path: str) -> set[str]:
        """Those that somebody was told there, ever."""
        return {told.alert for told in self.told if told.path == path}

    def __enter__(self) -> "Listener":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        news = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for alert in news["alerts"]:
            self.server.told.append(
                Told(self.path, alert["labels"]["alertname"], alert["status"], time.time())
            )
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""
