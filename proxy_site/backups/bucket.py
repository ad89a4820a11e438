"""The bucket: S3 as Oracle's Object Storage speaks it. Only here is boto3 used.

Oracle takes path-style addresses, signatures of version 4 in its exact region, no ACLs, no `aws-chunked` uploads (which
boto3 sends by default, over HTTPS only) and no deletion of many objects with a CRC32: so checksums only when required,
and deletion one by one. Bodies are signed, so what arrives otherwise than it was sent is refused.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage

from proxy_site.backups.errors import BackupError
from proxy_site.backups.places import Stored, moment_of, newest_first

PART = 16 * 1024 * 1024  # bytes; one in memory at a time
_NOT_LET_IN = frozenset(
    {"InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "NotAuthenticated", "Forbidden", "403"}
)
_NOT_THERE = frozenset({"NoSuchKey", "NoSuchBucket", "404"})


def requests_for(size: int) -> int:
    """How many it takes to send or fetch that many bytes if none is repeated, with looking around and tidying up."""
    return 20 + -(-size // PART)


@dataclass(frozen=True)
class BucketAddress:
    name: str
    endpoint: str
    region: str
    access_key: str
    secret_key: str


class Bucket:
    kind = "bucket"

    def __init__(self, address: BucketAddress, *, on_request: Callable[[], None]) -> None:
        """`on_request` is called before each request, repeated ones too: somebody counts them. Raises BackupError."""
        self._name = address.name
        self._storage = S3Storage(
            bucket_name=address.name,
            endpoint_url=address.endpoint,
            region_name=address.region,
            access_key=address.access_key,
            secret_key=address.secret_key,
            client_config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path", "payload_signing_enabled": True},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                connect_timeout=10,
                read_timeout=60,
                retries={"mode": "standard", "total_max_attempts": 4},
            ),
            transfer_config=TransferConfig(
                multipart_threshold=PART, multipart_chunksize=PART, io_chunksize=PART // 64, use_threads=False
            ),
        )
        with self._in_words():  # boto3 refuses what is no name of a region here
            self._client: Any = self._storage.connection.meta.client
        self._client.meta.events.register("before-send.s3", lambda **_: on_request())

    def archives(self) -> list[Stored]:
        return newest_first(self.objects())

    def objects(self) -> list[tuple[str, int]]:
        """Name and size of everything in the bucket: all of it counts towards what is free."""
        with self._in_words():
            return [(found.key, found.size) for found in self._storage.bucket.objects.all()]

    def store(self, archive: Path) -> None:
        with self._in_words(), archive.open("rb") as file:
            self._storage.save(archive.name, File(file))

    def drop_unfinished(self) -> None:
        """What an upload left that was killed: it takes space and no listing shows it."""
        with self._in_words():
            for upload in self._client.list_multipart_uploads(Bucket=self._name).get("Uploads", ()):
                if moment_of(upload["Key"]) is not None:
                    with suppress(self._client.exceptions.NoSuchUpload):  # a lifecycle rule was faster
                        self._client.abort_multipart_upload(
                            Bucket=self._name, Key=upload["Key"], UploadId=upload["UploadId"]
                        )

    def beginning(self, name: str, size: int) -> bytes:
        with self._in_words(name):
            answer = self._client.get_object(Bucket=self._name, Key=name, Range=f"bytes=0-{size - 1}")
            with closing(answer["Body"]) as body:
                content: bytes = body.read(size)  # no more, of a bucket that knows no ranges
            return content

    def fetch(self, name: str, into: Path) -> Path:
        with self._in_words(name), (into / name).open("xb") as file:
            self._storage.bucket.Object(name).download_fileobj(file, Config=self._storage.transfer_config)
        return into / name

    def delete(self, name: str) -> None:
        with self._in_words(name):
            self._storage.delete(name)

    @contextmanager
    def _in_words(self, name: str = "") -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise BackupError(self._refusal(error, name)) from error
        except (BotoCoreError, Boto3Error, ValueError) as error:
            raise BackupError(
                f"The bucket {self._name} does not answer as it should ({error}). See that BACKUP_ENDPOINT is right "
                "and that this machine reaches it."
            ) from error

    def _refusal(self, error: ClientError, name: str) -> str:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in _NOT_LET_IN:
            return (
                f"The bucket {self._name} does not let us in ({code}). See that BACKUP_ACCESS_KEY and "
                "BACKUP_SECRET_KEY are right, and that BACKUP_REGION is exactly the region of BACKUP_ENDPOINT: in any "
                "other the key is unknown."
            )
        if code in _NOT_THERE and name and code != "NoSuchBucket":
            return f"There is no {name} in the bucket {self._name}. manage.py backups lists what there is."
        if code in _NOT_THERE:
            return f"There is no bucket {self._name} at BACKUP_ENDPOINT. Make it, or correct BACKUP_BUCKET."
        return f"The bucket {self._name} refused a request: {error}"
