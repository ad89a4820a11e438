"""A stand-in for Oracle's Object Storage over S3: one bucket, TLS, and what Oracle refuses is refused.

Path-style addresses, signatures of version 4 in its one region, no ACLs, no `aws-chunked` bodies, no deletion of many
objects without a SHA-256. What it keeps is in a folder, so that large archives take no memory.
"""

import secrets
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from proxy_site.tests.backups.signatures import Refused, require_signed

ACCESS_KEY, SECRET_KEY, REGION, BUCKET = "a-key", "its-secret", "eu-frankfurt-1", "archives"
PAGE = 2  # objects in one answer, so that listings have pages
STATUSES = {
    "NoSuchKey": 404,
    "NoSuchBucket": 404,
    "NoSuchUpload": 404,
    "NotImplemented": 501,
    "MissingContentMD5": 400,
}


class ObjectStorage(ThreadingHTTPServer):
    """`requests` lists what came, as "METHOD key?query"; `cut_at_part` closes the connection when that part comes."""

    daemon_threads = True

    def __init__(self, folder: Path, certificate: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.folder = folder
        self.requests: list[str] = []
        self.cut_at_part: int | None = None
        self.uploads: dict[str, str] = {}  # id: key
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.server_port}"

    def get_request(self):  # type: ignore[no-untyped-def]
        connection, address = super().get_request()
        return self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that ends a connection, or does not trust us, is nothing to tell of."""

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.glob("*") if path.is_file())

    def environment(self, certificate: Path, **changed: str) -> dict[str, str]:
        """The settings that lead here."""
        return {
            "BACKUP_BUCKET": BUCKET,
            "BACKUP_ENDPOINT": self.url,
            "BACKUP_REGION": REGION,
            "BACKUP_ACCESS_KEY": ACCESS_KEY,
            "BACKUP_SECRET_KEY": SECRET_KEY,
            "AWS_CA_BUNDLE": str(certificate),
            **changed,
        }


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ObjectStorage
    timeout = 30

    def log_message(self, *args: object) -> None:
        pass

    def do_PUT(self) -> None:
        self.respond()

    do_GET = do_HEAD = do_POST = do_DELETE = do_PUT  # noqa: N815

    def respond(self) -> None:
        url = urlsplit(self.path)
        bucket, _, self.key = unquote(url.path).lstrip("/").partition("/")
        self.query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        self.server.requests.append(f"{self.command} {self.key}?{url.query}")
        if self.server.cut_at_part is not None and self.query.get("partNumber") == str(
            self.server.cut_at_part
        ):
            self.connection.close()
            self.close_connection = True
            return
        body = self.body()
        try:
            if "aws-chunked" in self.headers.get("Content-Encoding", "") or "x-amz-acl" in self.headers:
                raise Refused("NotImplemented")
            require_signed(
                method=self.command,
                path=url.path,
                query=url.query,
                headers=self.headers,  # type: ignore[arg-type]
                body=body,
                access_key=ACCESS_KEY,
                secret_key=SECRET_KEY,
                region=REGION,
            )
            if bucket != BUCKET:
                raise Refused("NoSuchBucket")
            self.serve(body)
        except Refused as refusal:
            text = f"<Error><Code>{refusal.code}</Code><Message>{refusal.code}</Message></Error>"
            self.answer(text.encode(), status=STATUSES.get(refusal.code, 403))

    def body(self) -> bytes:
        """All of it, also where it is refused then: what is left unread would be taken for the next request."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def serve(self, body: bytes) -> None:
        match self.command, self.key, self.query:
            case "GET", "", {"uploads": _}:
                self.list_uploads()
            case "GET", "", _:
                self.list_objects()
            case "POST", "", {"delete": _}:
                if not {"Content-MD5", "x-amz-checksum-sha256"} & set(self.headers):
                    raise Refused("MissingContentMD5")
                raise Refused("NotImplemented")
            case "POST", key, {"uploads": _}:
                upload = secrets.token_hex(8)
                self.server.uploads[upload] = key
                (self.server.folder / "parts" / upload).mkdir(parents=True)
                self.xml("InitiateMultipartUploadResult", f"<Key>{key}</Key><UploadId>{upload}</UploadId>")
            case "PUT", _, {"partNumber": number, "uploadId": upload}:
                (self.parts_of(upload) / f"{int(number):05}").write_bytes(body)
                self.answer(b"", ETag=f'"{md5(body).hexdigest()}"')
            case "POST", key, {"uploadId": upload}:
                self.complete(key, upload, body)
            case "DELETE", _, {"uploadId": upload}:
                self.forget(upload)
                self.answer(b"", status=204)
            case "PUT", key, _:
                (self.server.folder / key).write_bytes(body)
                self.answer(b"", ETag=f'"{md5(body).hexdigest()}"')
            case "DELETE", key, _:
                (self.server.folder / key).unlink(missing_ok=True)
                self.answer(b"", status=204)
            case (("GET" | "HEAD"), key, _):
                self.send_object(key)
            case _:
                raise Refused("NotImplemented")

    def list_objects(self) -> None:
        keys = [key for key in self.server.names() if key > self.query.get("marker", "")]
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-01T00:00:00Z</LastModified>"
            f"<Size>{(self.server.folder / key).stat().st_size}</Size></Contents>"
            for key in keys[:PAGE]
        )
        more = len(keys) > PAGE
        marker = f"<NextMarker>{escape(keys[PAGE - 1])}</NextMarker>" if more else ""
        self.xml("ListBucketResult", f"<IsTruncated>{str(more).lower()}</IsTruncated>{marker}{entries}")

    def list_uploads(self) -> None:
        entries = "".join(
            f"<Upload><Key>{escape(key)}</Key><UploadId>{upload}</UploadId></Upload>"
            for upload, key in self.server.uploads.items()
        )
        self.xml("ListMultipartUploadsResult", f"<IsTruncated>false</IsTruncated>{entries}")

    def complete(self, key: str, upload: str, body: bytes) -> None:
        named = [
            element.text
            for element in ElementTree.fromstring(body).iter()
            if element.tag.endswith("PartNumber")
        ]
        with (self.server.folder / key).open("wb") as file:
            for number in named:
                file.write((self.parts_of(upload) / f"{int(number or 0):05}").read_bytes())
        self.forget(upload)
        self.xml("CompleteMultipartUploadResult", f"<Key>{key}</Key><ETag>&quot;1&quot;</ETag>")

    def parts_of(self, upload: str) -> Path:
        if upload not in self.server.uploads:
            raise Refused("NoSuchUpload")
        return self.server.folder / "parts" / upload

    def forget(self, upload: str) -> None:
        for part in self.parts_of(upload).iterdir():
            part.unlink()
        self.parts_of(upload).rmdir()
        del self.server.uploads[upload]

    def send_object(self, key: str) -> None:
        path = self.server.folder / key
        if not path.is_file():
            raise Refused("NoSuchKey")
        size = path.stat().st_size
        first, last = 0, size - 1
        if asked := self.headers.get("Range"):
            begin, _, end = asked.removeprefix("bytes=").partition("-")
            first, last = int(begin), min(int(end or last), last)
        with path.open("rb") as file:
            file.seek(first)
            content = file.read(last - first + 1) if self.command == "GET" else b""
        told = {"Content-Range": f"bytes {first}-{last}/{size}"} if asked else {}
        length = last - first + 1
        self.answer(content, status=206 if asked else 200, length=length, ETag='"1"', **told)

    def xml(self, name: str, content: str) -> None:
        self.answer(f'<{name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{content}</{name}>'.encode())

    def answer(self, content: bytes, *, status: int = 200, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


@contextmanager
def running(folder: Path, certificate: Path) -> Iterator[ObjectStorage]:
    folder.mkdir()
    with ObjectStorage(folder, certificate) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
