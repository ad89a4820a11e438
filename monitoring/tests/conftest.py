import pytest
from django.utils import timezone
from django_q.models import Task

from torrents import engine_records, sftp_servers
from torrents.engines.fake import FakeEngine
from torrents.models import Engine
from torrents.services import default_engine

GIB = 2**30


@pytest.fixture
def engine(db: None) -> Engine:
    """It answered just now, and there is space; so did the SFTP server."""
    engine = default_engine()
    engine_records.record_engine(engine=engine, status=FakeEngine().poll().status, free_space=100 * GIB)
    sftp_servers.tell(name="box:8022", connections=0)
    return engine


@pytest.fixture
def worked(db: None) -> Task:
    """A background task has just ended."""
    now = timezone.now()
    return Task.objects.create(
        id="1" * 32, name="a", func="feeds.tasks.check_feeds", started=now, stopped=now, success=True
    )
