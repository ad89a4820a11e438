"""The bucket, over TLS, at a stand-in that takes and refuses what Oracle's does."""

import json
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from pytest_django import Settings

from proxy_site.backups.box import Box
from proxy_site.backups.bucket import PART, Bucket
from proxy_site.backups.errors import BackupError
from proxy_site.backups.services import back_up, listing, restore, verify_newest
from proxy_site.backups.standing import standing
from proxy_site.backups.status import Status
from proxy_site.tests.backups import object_storage
from proxy_site.tests.backups.conftest import groups, quiet
from proxy_site.tests.backups.object_storage import ObjectStorage
from proxy_site.tests.backups.signatures import Refused

NAME = "box-20260102T030405Z.age"


@pytest.fixture
def bucket(storage: ObjectStorage, settings: Settings, tmp_path: Path) -> Bucket:
    settings.BACKUP_DIR = tmp_path / "backups"
    found = Box.of_settings().bucket()
    assert found is not None
    return found


def archive_of(size: int, folder: Path, name: str = NAME) -> Path:
    path = folder / name
    with path.open("wb") as file:
        file.write(bytes(range(256)))
        file.truncate(size)
    return path


@pytest.mark.parametrize("size", [1000, PART + 1000])
def test_what_was_sent_comes_back(bucket: Bucket, storage: ObjectStorage, tmp_path: Path, size: int) -> None:
    archive = archive_of(size, tmp_path)
    bucket.store(archive)
    assert [(one.name, one.size) for one in bucket.archives()] == [(NAME, size)]
    (tmp_path / "fetched").mkdir()
    assert bucket.fetch(NAME, tmp_path / "fetched").read_bytes() == archive.read_bytes()
    assert bucket.beginning(NAME, 100) == archive.read_bytes()[:100]
    bucket.delete(NAME)
    assert storage.names() == []
    assert not any("POST" in request and "delete" in request for request in storage.requests)


def test_all_pages_of_a_listing_are_read(bucket: Bucket, storage: ObjectStorage) -> None:
    for day in range(1, 6):
        (storage.folder / f"box-2026010{day}T000000Z.age").write_bytes(b"x" * day)
    (storage.folder / "notes.txt").write_bytes(b"somebody's")
    assert [one.size for one in bucket.archives()] == [5, 4, 3, 2, 1]
    assert len(bucket.objects()) == 6


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"BACKUP_REGION": "eu-madrid-1"}, "exactly the region"),
        ({"BACKUP_ACCESS_KEY": "unknown"}, "does not let us in"),
        ({"BACKUP_SECRET_KEY": "wrong"}, "SignatureDoesNotMatch"),
        ({"BACKUP_BUCKET": "elsewhere"}, "There is no bucket elsewhere"),
        ({"BACKUP_BUCKET": "no such name"}, "does not answer as it should"),
        ({"BACKUP_REGION": "no such region"}, "does not answer as it should"),
    ],
)
def test_wrong_settings_are_told_in_words(
    storage: ObjectStorage, settings: Settings, tmp_path: Path, changed: dict[str, str], words: str
) -> None:
    settings.BACKUP_DIR = tmp_path / "backups"
    for name, value in changed.items():
        setattr(settings, name, value)
    with pytest.raises(BackupError, match=words):
        Box.of_settings().newest(prefer="bucket")
    assert words in " ".join(listing().problems)


def test_a_certificate_of_nobody_is_refused(
    storage: ObjectStorage, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE")
    settings.BACKUP_DIR = tmp_path / "backups"
    bucket = Box.of_settings().bucket()
    assert bucket is not None
    with pytest.raises(BackupError, match=r"does not answer as it should .*CERTIFICATE_VERIFY_FAILED"):
        bucket.archives()
    assert storage.requests == []


def test_an_archive_that_is_not_there_is_told(bucket: Bucket, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=f"There is no {NAME} in the bucket archives"):
        bucket.fetch(NAME, tmp_path)


def test_an_upload_that_is_cut_leaves_nothing(bucket: Bucket, storage: ObjectStorage, tmp_path: Path) -> None:
    storage.cut_at_part = 2
    with pytest.raises(BackupError, match="does not answer as it should"):
        bucket.store(archive_of(2 * PART, tmp_path))
    assert (storage.names(), storage.uploads) == ([], {})


def test_what_a_killed_upload_left_is_dropped_and_others_stay(bucket: Bucket, storage: ObjectStorage) -> None:
    for upload, key in (("1", NAME), ("2", "somebody's")):
        storage.uploads[upload] = key
        (storage.folder / "parts" / upload).mkdir(parents=True)
    bucket.drop_unfinished()
    assert storage.uploads == {"2": "somebody's"}


def test_an_upload_that_a_lifecycle_rule_dropped_meanwhile_is_no_failure(
    bucket: Bucket, storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(request: object, upload: str) -> None:
        raise Refused("NoSuchUpload")

    storage.uploads["1"] = NAME
    monkeypatch.setattr(object_storage._Request, "forget", gone)
    bucket.drop_unfinished()


def test_the_stand_in_refuses_what_boto3_does_by_default(storage: ObjectStorage, certificate: Path) -> None:
    """So that these tests would notice if our settings no longer had an effect."""
    client = boto3.client(
        "s3",
        endpoint_url=storage.url,
        region_name=object_storage.REGION,
        aws_access_key_id=object_storage.ACCESS_KEY,
        aws_secret_access_key=object_storage.SECRET_KEY,
        verify=str(certificate),
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )
    try:
        with pytest.raises(ClientError, match="NotImplemented"):
            client.put_object(Bucket=object_storage.BUCKET, Key="a", Body=b"b")
        with pytest.raises(ClientError):
            client.delete_objects(Bucket=object_storage.BUCKET, Delete={"Objects": [{"Key": "a"}]})
    finally:
        client.close()
    assert storage.names() == []


MEMORY = """
import sys
from pathlib import Path
from proxy_site.backups.bucket import Bucket, BucketAddress
from proxy_site.tests.backups.memory import peak_kib
folder, address = Path(sys.argv[1]), sys.argv[2:]
archive = folder / "box-20260102T030405Z.age"
with archive.open("wb") as file:
    file.truncate(100_000_000)
bucket = Bucket(BucketAddress(*address), on_request=lambda: None)
bucket.archives()
before = peak_kib()
bucket.store(archive)
bucket.fetch(archive.name, folder / "fetched")
print(peak_kib() - before)
"""


def test_memory_is_bounded_whatever_the_size(storage: ObjectStorage, tmp_path: Path) -> None:
    (tmp_path / "fetched").mkdir()
    address = [
        object_storage.BUCKET,
        storage.url,
        object_storage.REGION,
        object_storage.ACCESS_KEY,
        object_storage.SECRET_KEY,
    ]
    told = subprocess.run(
        [sys.executable, "-c", MEMORY, tmp_path, *address],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert (tmp_path / "fetched" / NAME).stat().st_size == 100_000_000
    assert int(told.stdout) * 1024 < 4 * PART


# --- with a whole box


@pytest.mark.django_db
def test_an_archive_goes_to_both_places_and_comes_back_from_the_bucket(
    box: Box, storage: ObjectStorage
) -> None:
    made = back_up(say=quiet)
    assert (made.stored, made.error, storage.names()) == (["directory", "bucket"], "", [made.name])
    assert [one.places for one in listing().archives] == [["directory", "bucket"]]
    verified = verify_newest(say=quiet)
    assert (verified.name, verified.place) == (made.name, "bucket")
    (box.directory / made.name).unlink()
    done = restore(f"s3://archives/{made.name}", with_configuration=False, agreed=lambda *_: True, say=quiet)
    assert done is not None
    assert groups(box.database) == ["one", "three", "two"]


@pytest.mark.django_db
def test_a_bucket_that_refuses_keeps_nobody_from_the_copy_here(
    box: Box, storage: ObjectStorage, settings: Settings
) -> None:
    settings.BACKUP_SECRET_KEY = "wrong"
    made = back_up(say=quiet)
    assert made.stored == ["directory"]
    assert "does not let us in" in made.error
    assert (box.directory / made.name).exists()
    status = Status.read(box.directory)
    assert (sorted(status.places), status.failures["backup"]) == (["directory"], 1)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("setting", "value"), [("BACKUP_BUCKET_REQUESTS", 10), ("BACKUP_BUCKET_LIMIT", 1000)]
)
def test_what_is_free_in_a_month_is_not_exceeded(
    box: Box, storage: ObjectStorage, settings: Settings, setting: str, value: int
) -> None:
    setattr(settings, setting, value)
    made = back_up(say=quiet)
    assert setting in made.error
    assert storage.names() == []
    assert (box.directory / made.name).exists()


@pytest.mark.django_db
def test_every_request_counts_towards_the_month(box: Box, storage: ObjectStorage) -> None:
    back_up(say=quiet)
    assert standing().requests_this_month == len(storage.requests) > 0
    status = json.loads((box.directory / "status.json").read_text())
    status["requests_month"] = "2020-01"
    (box.directory / "status.json").write_text(json.dumps(status))
    assert standing().requests_this_month == 0


@pytest.mark.django_db
def test_the_bucket_is_pruned_as_the_directory_is(
    box: Box, storage: ObjectStorage, settings: Settings
) -> None:
    settings.BACKUP_DAILY, settings.BACKUP_WEEKLY, settings.BACKUP_MONTHLY = 1, 0, 0
    (storage.folder / NAME).write_bytes(b"old")
    (storage.folder / "notes.txt").write_bytes(b"somebody's")
    made = back_up(say=quiet)
    assert storage.names() == [made.name, "notes.txt"]
    assert made.pruned["bucket"] == [NAME]


@pytest.mark.django_db
def test_a_bucket_that_says_yes_and_stores_nothing_keeps_what_it_has(
    box: Box, storage: ObjectStorage, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BACKUP_DAILY, settings.BACKUP_WEEKLY, settings.BACKUP_MONTHLY = 1, 0, 0
    for name in (NAME, "box-20260101T000000Z.age"):
        (storage.folder / name).write_bytes(b"old")
    monkeypatch.setattr(Bucket, "store", lambda *_: None)
    made = back_up(say=quiet)
    assert "does not have it as it was sent" in made.error
    assert made.stored == ["directory"]
    assert NAME in storage.names()
    assert len(storage.names()) == 2
    assert "bucket" not in Status.read(box.directory).places
