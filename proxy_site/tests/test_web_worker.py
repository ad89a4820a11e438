"""Threads that wait for their connections themselves, in a real gunicorn."""

import http.client
import signal
import socket
import subprocess
import sys
import time
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


def exchange(connection: socket.socket, request: bytes) -> bytes:
    """The body of its answer."""
    connection.sendall(request)
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(4096)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(4096)
    assert len(body) == length
    return body


class TestHeadsThatComeAgain:
    """Each is sent several times: the second time it is known."""

    def test_the_same_bytes_are_the_same_request_on_any_connection(self, server: Server) -> None:
        for _ in range(2):
            with server.raw() as connection:
                for number in (1, 2, 1, 2, 2):
                    asked = f"/headers?{number}".encode()
                    told = exchange(
                        connection, b"GET %b HTTP/1.1\r\nHost: a\r\nX-Number: %d\r\n\r\n" % (asked, number)
                    )
                    assert told == f"GET /headers {number} X-Number={number} ".encode()

    def test_a_body_that_looks_like_a_known_request_is_a_body(self, server: Server) -> None:
        known = b"GET /known HTTP/1.1\r\nHost: a\r\n\r\n"
        post = b"POST /headers HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(known)
        with server.raw() as connection:
            for _ in range(3):
                assert exchange(connection, known) == b"/known"
                assert exchange(connection, post + known) == b"POST /headers  "
                connection.sendall(post)  # the head alone; its body follows
                time.sleep(0.1)
                assert exchange(connection, known) == b"POST /headers  "
                assert exchange(connection, known) == b"/known"

    def test_a_known_request_with_another_behind_it_leaves_that_one_to_be_answered(
        self, server: Server
    ) -> None:
        known = b"GET /known HTTP/1.1\r\nHost: a\r\n\r\n"
        last = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        with server.raw() as connection:
            assert exchange(connection, known) == b"/known"
            connection.sendall(known + known + last)
            received = b"".join(iter(lambda: connection.recv(4096), b""))
        assert [part[:6] for part in received.split(b"\r\n\r\n")[1:]] == [b"/known", b"/known", b"/last"]

    def test_a_known_request_may_come_in_pieces(self, server: Server) -> None:
        known = b"GET /known HTTP/1.1\r\nHost: a\r\n\r\n"
        with server.raw() as connection:
            for _ in range(2):
                assert exchange(connection, known) == b"/known"
                connection.sendall(known[:20])
                time.sleep(0.1)
                assert exchange(connection, known[20:]) == b"/known"

    def test_one_that_asks_to_close_closes_each_time(self, server: Server) -> None:
        for _ in range(3):
            with server.raw() as connection:
                connection.sendall(b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                assert b"".join(iter(lambda: connection.recv(4096), b"")).endswith(b"/last")

    def test_what_is_refused_is_refused_each_time(self, server: Server) -> None:
        for _ in range(3):
            with server.raw() as connection:
                connection.sendall(b"GET /a HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n")
                assert connection.recv(4096).startswith(b"HTTP/1.1 400")
