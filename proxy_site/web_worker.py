"""gunicorn's threads without the switchboard between them and their connections.

In gthread one thread waits for all connections, hands each request to another and takes its connection back: eleven
context switches for a small request. Here each thread waits for itself and answers what it hears of: two. Linux wakes
the thread that began to wait last, so a quiet box keeps to one thread, whose connection to the database is warm.

Reading requests and failing are gthread's own (`handle`), and so is accepting new connections, in the main thread.
"""

import select
import selectors
import socket
import threading
import time
from contextlib import suppress
from typing import Any

from gunicorn import util
from gunicorn.http import wsgi
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from proxy_site.web_parser import Parser

SMALL = 2**16  # bytes, which are copied sooner than sent apart
# One event, to one thread; the connection is that thread's alone until it waits for the next request.
ONE_REQUEST = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLONESHOT


class OneWrite(wsgi.Response):  # type: ignore[misc]  # gunicorn has no types
    """Its head leaves together with the first of its body: the client wakes once, not twice."""

    headers_sent: bool

    def send_headers(self) -> None:
        if self.headers_sent:
            return
        body_follows = (self.chunked or self.response_length) and not self._omits_body
        self.sock.sendall(self._head(), socket.MSG_MORE if body_follows else 0)
        self.headers_sent = True

    def write(self, data: bytes) -> None:
        """By one system call, where this is all of the body and not much."""
        whole = len(data) == self.response_length <= SMALL and not (self.headers_sent or self._omits_body)
        if not whole:
            super().write(data)
            return
        self.sock.sendall(self._head() + data)
        self.headers_sent, self.sent = True, len(data)

    def _head(self) -> bytes:
        lines = [*self.default_headers(), *(f"{name}: {value}\r\n" for name, value in self.headers), "\r\n"]
        return "".join(lines).encode("latin-1")


class Worker(ThreadWorker):  # type: ignore[misc]
    """A connection is closed only by the thread that was told of it: descriptors are used again, and nobody else could
    know whether one still means the same connection. One that is idle for too long is hung up on instead, which wakes
    a thread that then closes it.
    """

    def init_process(self) -> None:
        self._requests = select.epoll()
        self._idle: dict[int, TConn] = {}  # by descriptor, the one that has waited longest first
        self._changing_idle = threading.Lock()
        super().init_process()

    def run(self) -> None:
        self.poller.register(self.method_queue, selectors.EVENT_READ, self.method_queue.run_callbacks)
        for _ in range(self.cfg.threads):
            threading.Thread(target=self._answer, daemon=True).start()
        while self.alive and self.is_parent_alive():
            self.notify()
            self.set_accept_enabled(self.nr_conns < self.worker_connections)
            self.wait_for_and_dispatch_events(timeout=1.0)
            self._hang_up(idle_until=time.monotonic())
        self._finish()

    def enqueue_req(self, conn: TConn) -> None:
        """A new connection; it takes no thread before it sends something."""
        conn.data_ready = True
        if not self.cfg.is_ssl:
            conn.parser = Parser(self.cfg, conn.sock, conn.client)
        self._await_request(conn)
        self._requests.register(conn.sock.fileno(), ONE_REQUEST)

    def handle_request(self, req: Any, conn: TConn) -> bool:
        """As gthread's, but for how it is written; whether the connection is kept."""
        resp, environ = wsgi.create(
            req, conn.sock, conn.client, conn.server, self.cfg, response_class=OneWrite
        )
        environ["wsgi.multithread"] = True
        if not self.alive or len(self._idle) >= self.max_keepalived:
            resp.force_close()
        body = self.wsgi(environ, resp.start_response)
        try:
            if isinstance(body, environ["wsgi.file_wrapper"]):
                resp.write_file(body)
            else:
                for block in body:
                    resp.write(block)
            resp.close()
        except OSError:
            raise
        except Exception as error:
            if not resp.headers_sent:
                raise  # answered by an error of its own
            self.log.exception("A response broke off")
            util.close_graceful(conn.sock)
            raise StopIteration from error
        finally:
            if hasattr(body, "close"):
                body.close()
        return not resp.should_close()

    def _answer(self) -> None:
        while True:
            for descriptor, _ in self._requests.poll(maxevents=1):
                with self._changing_idle:
                    conn = self._idle.pop(descriptor)
                kept = self.handle(conn)
                while kept and conn.parser.unreader.buf.getvalue():  # it came along with the one before
                    kept = self.handle(conn)
                if kept:
                    self._await_request(conn)
                    self._requests.modify(descriptor, ONE_REQUEST)
                else:
                    conn.close(graceful=True)
                    self.method_queue.defer(self._forget_one)

    def _await_request(self, conn: TConn) -> None:
        conn.set_timeout()
        with self._changing_idle:
            self._idle[conn.sock.fileno()] = conn

    def _forget_one(self) -> None:
        """In the main thread, which counts them."""
        self.nr_conns -= 1

    def _hang_up(self, *, idle_until: float) -> None:
        """On connections that were to be closed by then, unless they sent something."""
        with self._changing_idle:
            for conn in self._idle.values():
                if conn.timeout > idle_until:
                    break
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RDWR)

    def _finish(self) -> None:
        """Nothing new; what is being answered may be finished. A client that has just sent a request is answered, and
        told that its connection closes."""
        self.set_accept_enabled(False)
        for listener in self.sockets:
            listener.close()
        now = time.monotonic()
        linger_until, deadline = now + STOP_KEEPALIVE_LINGER, now + self.cfg.graceful_timeout
        while self.nr_conns > 0 and now < deadline:
            self.notify()
            self.wait_for_and_dispatch_events(timeout=0.1)
            now = time.monotonic()
            self._hang_up(idle_until=now if now < linger_until else float("inf"))
