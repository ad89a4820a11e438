"""An admin has data hashed again, whatever the engine does meanwhile."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import User
from torrents.engines.base import EngineState
from torrents.metainfo import Source
from torrents.models import Torrent
from torrents.rechecks import request_recheck
from torrents.states import state_of
from torrents.tests.factories import State, add
from torrents.tests.reconciler_box import EVERYTHING, Box, download, seen


def waiting() -> bool:
    return Torrent.objects.filter(recheck_requested_at__isnull=False).exists()


def test_what_is_missing_is_found_and_downloaded_again(
    box: Box, alice: User, show: Source, tmp_path: Path
) -> None:
    claim = add(alice, show)
    download(box, show, tmp_path)
    file = next(path for path in claim.torrent.data_dir.rglob("*") if path.is_file())
    content = file.read_bytes()
    file.unlink()
    assert request_recheck([claim.torrent_id]) == 1
    box.rounds()
    assert state_of(seen(claim)) != State.FINISHED
    assert not waiting()
    box.engine.advance(EVERYTHING)
    box.rounds()
    assert state_of(seen(claim)) == State.FINISHED
    assert file.read_bytes() == content


def test_what_is_whole_stays_finished(box: Box, alice: User, show: Source, tmp_path: Path) -> None:
    claim = add(alice, show)
    download(box, show, tmp_path)
    request_recheck([claim.torrent_id])
    box.rounds()
    assert (state_of(seen(claim)), waiting()) == (State.FINISHED, False)


def test_it_waits_while_the_engine_is_away_or_has_not_taken_the_torrent(box: Box, alice: User) -> None:
    box.engine.away = True
    claim = add(alice)
    request_recheck([claim.torrent_id])
    box.rounds()
    assert waiting()
    box.engine.away = False
    box.rounds(1, woken=False)  # adds it
    assert waiting()
    box.rounds(1)
    assert not waiting()


def test_the_engine_is_asked_once(box: Box, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = add(alice)
    box.rounds()
    asked: list[object] = []
    monkeypatch.setattr(box.engine, "recheck", asked.append)
    request_recheck([claim.torrent_id])
    box.rounds(3)
    assert asked == [[box.held()[claim.torrent_id].key]]


def test_asking_again_while_the_engine_is_asked_is_not_forgotten(
    box: Box, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = add(alice)
    box.rounds()
    later = timezone.now() + timedelta(seconds=1)
    monkeypatch.setattr(
        box.engine, "recheck", lambda keys: Torrent.objects.update(recheck_requested_at=later)
    )
    request_recheck([claim.torrent_id])
    box.rounds(1)
    assert waiting()


def test_a_paused_torrent_is_checked_and_stays_paused(box: Box, alice: User, show: Source) -> None:
    claim = add(alice, show, paused=True)
    box.rounds()
    request_recheck([claim.torrent_id])
    box.rounds()
    assert box.held()[claim.torrent_id].state == EngineState.STOPPED
    assert not waiting()


def test_what_is_gone_is_not_asked_for(alice: User) -> None:
    claim = add(alice)
    Torrent.objects.update(recheck_requested_at=None)
    claim.delete()
    Torrent.objects.all().delete()
    assert request_recheck([claim.torrent_id]) == 0
