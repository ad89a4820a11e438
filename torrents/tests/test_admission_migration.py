"""A database from before downloads were let in."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection

from torrents import admission
from torrents.models import Claim, LiveState, Torrent
from torrents.services import default_engine
from torrents.tests.factories import add, person


@pytest.fixture
def running(transactional_db: None) -> Iterator[Claim]:
    claim = add(person("alice"))
    Torrent.objects.update(size=100)
    LiveState.objects.update(uploaded=70)
    call_command("migrate", "torrents", "0004_claims_complete", verbosity=0)
    yield claim
    call_command("migrate", verbosity=0)


def test_what_was_running_goes_on_and_what_was_uploaded_counts_once(running: Claim) -> None:
    call_command("migrate", verbosity=0)
    live = LiveState.objects.get()
    assert (live.uploaded, live.engine_uploaded) == (70, 70)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET disk_quota = 1")
    admission.decide(engine=default_engine(), free_space=None)
    claim = Claim.objects.get()
    assert (claim.waits_for, claim.admitted_size) == ("", 100)
