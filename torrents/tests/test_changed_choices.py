"""Choosing other files of what one has already, and the limits that hold then."""

from pathlib import Path

import pytest

from accounts.models import User
from torrents.claim_wishes import change_wishes
from torrents.metainfo import Source, parse_torrent
from torrents.models import Claim
from torrents.states import state_of
from torrents.tests.factories import State, add, finished, hybrid_torrent
from torrents.tests.reconciler_box import Box, download, seen

EPISODE, NOTES = 0, 1


def limit(user: User, **limits: int | None) -> None:
    User.objects.filter(pk=user.pk).update(**limits)


@pytest.mark.usefixtures("downloads")
@pytest.mark.parametrize("files", [[0], [0, 1], None])
def test_whoever_wants_no_more_than_they_have_keeps_it_also_over_a_quota_that_shrank(
    alice: User, files: list[int] | None
) -> None:
    claim = finished(alice, {"show/a": b"1" * 60, "show/b": b"2" * 60}, name="show")
    finished(alice, {"film": b"3" * 60}, name="film")
    limit(alice, disk_quota=50)
    change_wishes(claim=claim, wishes={"files": files})
    assert state_of(seen(claim)) == State.FINISHED


def test_whoever_exchanges_what_they_have_for_other_files_takes_their_turn(
    box: Box, alice: User, show: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torrents.file_progress.READ_EVERY", 0.0)  # here time passes by rounds
    claim = add(alice, show)
    change_wishes(claim=claim, wishes={"files": [NOTES]})
    download(box, show, tmp_path)
    assert state_of(seen(claim)) == State.FINISHED
    add(alice, parse_torrent(hybrid_torrent(tmp_path / "other")))
    limit(alice, active_torrent_limit=1)
    box.rounds()

    change_wishes(claim=claim, wishes={"files": [EPISODE]})
    box.rounds()
    assert seen(claim).waits_for == Claim.WaitsFor.USER_ACTIVE
    limit(alice, active_torrent_limit=2)
    box.rounds()
    assert seen(claim).waits_for == ""
