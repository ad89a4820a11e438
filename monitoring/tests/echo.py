"""In Grafana's place: an HTTP server that answers what it was asked, and echoes what comes after an upgrade."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self._echo_for_ever()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        told = {"path": self.path, "headers": self.headers.items(), "body": body.decode()}
        answer = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("Connection", "close")  # or it would go on answering when the test is over
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET  # noqa: N815  http.server looks for that name

    def _echo_for_ever(self) -> None:
        self.close_connection = True
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("X-Was-Asked-As", self.headers.get("X-WEBAUTH-USER", ""))
        self.end_headers()
        while said := self.connection.recv(1024):
            self.connection.sendall(said)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def echoing(port: int) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", port), _Echo) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
