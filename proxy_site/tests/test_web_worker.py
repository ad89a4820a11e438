"""Threads that wait for their connections themselves, in a real gunicorn."""

import http.client
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.box import free_ports
from proxy_site.tests import processes
from proxy_site.tests.wsgi_sample import PIECE

THREADS = 2


class Server:
    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.process = process

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def raw(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (port,) = free_ports(1)
    options = {
        "bind": f"127.0.0.1:{port}",
        "worker-class": "proxy_site.web_worker.Worker",
        "threads": str(THREADS),
        "keep-alive": "2",
        "graceful-timeout": "30",
        "worker-tmp-dir": str(tmp_path),
    }
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    log = tmp_path / "gunicorn.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "--no-control-socket"),
                *arguments,
                "proxy_site.tests.wsgi_sample:application",
            ],
            env=processes.environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        processes.wait_until(lambda: processes.listens(port), f"gunicorn: {log.read_text()}", 60)
        yield Server(port, process)
    finally:
        process.kill() if process.poll() is None else None
        process.wait(30)


def answer(connection: http.client.HTTPConnection, path: str, method: str = "GET") -> bytes:
    connection.request(method, path)
    response = connection.getresponse()
    assert response.status in (200, 204)
    return response.read()


def test_a_kept_connection_is_answered_again_and_again(server: Server) -> None:
    connection = server.connect()
    connection.connect()
    first = connection.sock
    for number in range(50):
        assert answer(connection, f"/{number}") == f"/{number}".encode()
    assert connection.sock is first
    connection.close()


def test_answers_without_a_body_leave_the_connection_as_it_was(server: Server) -> None:
    connection = server.connect()
    assert answer(connection, "/empty") == b""
    assert answer(connection, "/abc", "HEAD") == b""
    assert answer(connection, "/abc") == b"/abc"
    connection.close()


def test_many_more_kept_connections_than_threads_are_all_served(server: Server) -> None:
    with ExitStack() as stack:
        connections = [server.connect() for _ in range(THREADS * 10)]
        for _ in range(3):
            for connection in connections:
                stack.callback(connection.close)
                assert answer(connection, "/here") == b"/here"


def test_connections_that_send_nothing_hold_up_nobody(server: Server) -> None:
    with ExitStack() as stack:
        for _ in range(THREADS * 3):
            stack.enter_context(server.raw())
        connection = server.connect()
        stack.callback(connection.close)
        assert answer(connection, "/here") == b"/here"


@pytest.mark.parametrize("request_first", [False, True])
def test_an_idle_connection_is_closed_after_a_while(server: Server, request_first: bool) -> None:
    with server.raw() as connection:
        if request_first:
            connection.sendall(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")
        while connection.recv(4096):
            pass


def test_requests_that_arrive_together_are_answered_in_their_order(server: Server) -> None:
    with server.raw() as connection:
        connection.sendall(
            b"GET /one HTTP/1.1\r\nHost: a\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        received = b"".join(iter(lambda: connection.recv(4096), b""))
    heads_and_bodies = received.split(b"\r\n\r\n")
    assert [heads_and_bodies[1][:4], heads_and_bodies[2]] == [b"/one", b"/two"]


def test_a_response_that_breaks_off_ends_its_connection(server: Server) -> None:
    with server.raw() as connection:
        connection.sendall(b"GET /breaks HTTP/1.1\r\nHost: a\r\n\r\n")
        received = b"".join(iter(lambda: connection.recv(4096), b""))
    assert received.count(b"HTTP/1.1") == 1
    assert received.endswith(b"\r\n\r\n" + PIECE)


def test_what_is_being_answered_is_finished_before_the_process_ends(server: Server, tmp_path: Path) -> None:
    awaited = tmp_path / "go"
    idle, busy = server.connect(), server.connect()
    assert answer(idle, "/idle") == b"/idle"
    busy.request("GET", f"/waits?{awaited}")
    processes.wait_until(awaited.with_suffix(".asked").exists, "the request to be answered")
    server.process.send_signal(signal.SIGTERM)
    processes.wait_until(lambda: not processes.listens(server.port), "the listener to close")
    awaited.touch()
    response = busy.getresponse()
    assert response.read() == b"/waits"
    assert server.process.wait(60) == 0
    for connection in (idle, busy):
        connection.close()
