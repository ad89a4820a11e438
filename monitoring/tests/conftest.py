from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from django_q.models import Task
from pytest_django import DjangoDbBlocker, Settings

from proxy_site.backups.status import PlaceStatus, Status
from torrents import engine_records, sftp_servers
from torrents.engines.fake import FakeEngine
from torrents.models import Engine
from torrents.services import default_engine
from torrents.tests.caddy_box import CaddyBox, started

GIB = 2**30


@pytest.fixture(scope="session")
def box(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[CaddyBox]:
    """For tests that are marked transactional: its processes see only what is committed."""
    with started(tmp_path_factory.mktemp("caddy")) as box:
        yield box


@pytest.fixture
def engine(db: None) -> Engine:
    """It answered just now, and there is space; so did the SFTP server."""
    engine = default_engine()
    engine_records.record_engine(engine=engine, status=FakeEngine().poll().status, free_space=100 * GIB)
    sftp_servers.tell(name="box:8022", connections=0)
    return engine


@pytest.fixture
def saved(settings: Settings, tmp_path: Path) -> Status:
    """A box that has just made a backup, to both places, and restored it on trial."""
    settings.BACKUP_KEY = "AGE-SECRET-KEY-1" + "Q" * 58
    settings.BACKUP_BUCKET = "archives"
    settings.BACKUP_DIR = tmp_path
    now, name = timezone.now(), "box-20261123T031500Z.age"
    status = Status(since=now - timedelta(days=30), verified={name: now})
    for kind in ("directory", "bucket"):
        status.places[kind] = PlaceStatus(now, name, newest_bytes=1000, stored_bytes=5000, count=5)
    status.count_request()
    status.write(tmp_path)
    return status


@pytest.fixture
def worked(db: None) -> Task:
    """A background task has just ended."""
    now = timezone.now()
    return Task.objects.create(
        id="1" * 32, name="a", func="feeds.tasks.check_feeds", started=now, stopped=now, success=True
    )
