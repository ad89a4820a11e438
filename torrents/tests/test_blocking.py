"""Takedowns: what is blocked goes at once for everybody, and does not come back by another name."""

import contextlib
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from accounts.audit import By
from accounts.models import AuditEvent, User
from torrents import history, services
from torrents.blocking import NotAnInfohash, block_infohash, is_blocked, unblock_infohash
from torrents.metainfo import Source, parse_torrent
from torrents.models import BlockedInfohash, Claim, ClaimEvent, ClaimTraffic, Removal, Tombstone, Torrent
from torrents.services import TorrentRefused, changes_since
from torrents.tests.factories import (
    add,
    at_once,
    client_of,
    finished,
    fresh_magnet,
    hybrid_torrent,
    magnet,
    person,
)
from torrents.tests.reconciler_box import EVERYTHING, Box, download
from torrents.traffic import record_handover

pytestmark = pytest.mark.usefixtures("downloads")


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> Source:
    return parse_torrent(hybrid_torrent(tmp_path_factory.mktemp("hybrid")))


def block(source: Source, *, v2: bool = False) -> int:
    return block_infohash(
        infohash=(source.infohash_v2 if v2 else source.infohash_v1) or "", reason="A letter."
    )


def test_everybody_loses_it_and_is_told_why(alice: User, bob: User) -> None:
    source = fresh_magnet()
    mine, theirs = add(alice, source), add(bob, source, paused=True)
    before = changes_since(user=bob, change=0, limit=10).change

    assert block(source) == 2

    assert not Torrent.objects.exists()
    assert Removal.objects.get().pk == mine.torrent_id
    assert changes_since(user=bob, change=before, limit=10).removed == [theirs.pk]
    for claim in (mine, theirs):
        events = client_of(claim.user).get(f"/api/v1/torrents/{claim.pk}/history/").json()["results"]
        assert (events[0]["kind"], "blocked on this box" in events[0]["detail"]) == ("blocked", True)
        assert "letter" not in events[0]["detail"]


def test_other_torrents_stay(alice: User) -> None:
    source, other = fresh_magnet(), fresh_magnet()
    add(alice, source)
    kept = add(alice, other)
    block(source)
    assert list(Claim.objects.all()) == [kept]


def test_it_cannot_be_added_and_the_words_say_so(alice: User) -> None:
    source = fresh_magnet()
    block(source)
    answer = client_of(alice).post("/api/v1/torrents/", {"source": source.magnet}, format="json")
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["code"] == "blocked"
    assert "blocked on this box" in error["detail"]
    assert not Torrent.objects.exists()


def test_what_was_given_up_cannot_be_taken_back(alice: User) -> None:
    source = fresh_magnet()
    claim = add(alice, source)
    services.remove_torrent(claim=claim)
    assert block(source) == 0
    assert client_of(alice).post(f"/api/v1/torrents/{claim.pk}/restore/").status_code == 404
    assert Removal.objects.exists()
    assert Tombstone.objects.filter(user=alice).count() == 1


@pytest.mark.parametrize("v2", [False, True])
def test_both_infohashes_of_a_torrent_that_is_here_are_blocked(hybrid: Source, alice: User, v2: bool) -> None:
    add(alice, hybrid)
    block(hybrid, v2=v2)
    for source in (magnet(v1=hybrid.infohash_v1), magnet(v2=hybrid.infohash_v2), hybrid):
        with pytest.raises(TorrentRefused) as refused:
            add(alice, source)
        assert refused.value.code == "blocked"


def test_a_file_that_holds_a_blocked_infohash_beside_another_is_refused(hybrid: Source, alice: User) -> None:
    block(hybrid, v2=True)
    with pytest.raises(TorrentRefused):
        add(alice, hybrid)


def test_metadata_that_shows_it_to_be_blocked_ends_it_and_blocks_its_other_name(
    box: Box, alice: User, bob: User, tmp_path: Path
) -> None:
    hybrid = parse_torrent(hybrid_torrent(tmp_path / "swarm"))
    block(hybrid, v2=True)
    mine, theirs = add(alice, magnet(v1=hybrid.infohash_v1)), add(bob, magnet(v1=hybrid.infohash_v1))
    folder = mine.torrent.data_dir
    download(box, hybrid, tmp_path)
    box.rounds(3)
    assert not Claim.with_removed.exists()
    assert (box.held(), folder.exists(), Removal.objects.exists()) == ({}, False, False)
    assert ClaimEvent.objects.filter(kind="blocked", claim_id__in=[mine.pk, theirs.pk]).count() == 2
    with pytest.raises(TorrentRefused):
        add(alice, magnet(v1=hybrid.infohash_v1))
    event = AuditEvent.objects.latest("pk")
    assert (event.action, "known by its metadata, 2 had it. A letter." in event.detail) == (
        "torrent_blocked",
        True,
    )


def test_two_rows_that_turn_out_to_be_blocked_both_go(
    box: Box, alice: User, bob: User, tmp_path: Path
) -> None:
    hybrid = parse_torrent(hybrid_torrent(tmp_path / "swarm"))
    add(alice, magnet(v1=hybrid.infohash_v1))
    block(hybrid, v2=True)
    unblock_infohash(infohash=hybrid.infohash_v2 or "")
    add(bob, magnet(v2=hybrid.infohash_v2))
    BlockedInfohash.objects.create(infohash=hybrid.infohash_v1 or "")
    download(box, hybrid, tmp_path)
    box.rounds(3)
    assert (Torrent.objects.count(), box.held()) == (0, {})


def test_its_data_is_deleted_without_grace(box: Box, alice: User, show: Source, tmp_path: Path) -> None:
    claim = add(alice, show)
    download(box, show, tmp_path)
    assert (claim.torrent.data_dir / "show").exists()
    block(show)
    box.rounds()
    assert not claim.torrent.data_dir.exists()
    assert (box.held(), Removal.objects.exists()) == ({}, False)


def test_a_finished_file_is_not_handed_over_any_more(alice: User) -> None:
    claim = finished(alice, {"show/a": b"1"}, name="show")
    assert claim.torrent.infohash_v1 is not None
    block_infohash(infohash=claim.torrent.infohash_v1)
    assert client_of(alice).get(f"/api/v1/torrents/{claim.pk}/files/0/content/").status_code == 404


def test_unblocking_lets_people_add_it_again_by_either_name(hybrid: Source, alice: User) -> None:
    add(alice, hybrid)
    block(hybrid)
    assert unblock_infohash(infohash=hybrid.infohash_v2 or "")
    assert not is_blocked(hybrid.infohash_v1, hybrid.infohash_v2)
    assert add(alice, hybrid).torrent.infohash_v1 == hybrid.infohash_v1


def test_unblocking_what_is_not_blocked_changes_nothing(db: None) -> None:
    assert not unblock_infohash(infohash="a" * 40)
    assert not AuditEvent.objects.exists()


def test_blocking_twice_keeps_what_is_known_and_the_newer_reason(hybrid: Source, alice: User) -> None:
    add(alice, hybrid)
    block(hybrid)
    block_infohash(infohash=hybrid.infohash_v1 or "", reason="A second letter.")
    rows = BlockedInfohash.objects.order_by("infohash").values_list("infohash", "other_infohash", "reason")
    one, two = sorted([hybrid.infohash_v1 or "", hybrid.infohash_v2 or ""])
    assert list(rows) == [(one, two, "A second letter."), (two, one, "A second letter.")]


def test_who_blocked_it_and_why_is_in_the_audit_log(alice: User) -> None:
    admin = person("the.admin")
    source = fresh_magnet()
    add(alice, source)
    by = By(admin, "192.0.2.7")
    block_infohash(infohash=source.infohash_v1 or "", reason="A letter.", by=by)
    unblock_infohash(infohash=source.infohash_v1 or "", by=by)
    events = AuditEvent.objects.filter(actor=admin).order_by("pk")
    assert [(event.action, event.detail, event.address) for event in events] == [
        ("torrent_blocked", f"{source.infohash_v1}, 1 had it. A letter.", "192.0.2.7"),
        ("torrent_unblocked", source.infohash_v1, "192.0.2.7"),
    ]


@pytest.mark.parametrize(
    "text", ["", "abc", "g" * 40, "a" * 41, "a" * 63, "%", "magnet:?xt=urn:btih:" + "a" * 40]
)
def test_what_is_no_infohash_is_refused_in_words(db: None, text: str) -> None:
    for verb in (block_infohash, unblock_infohash):
        with pytest.raises(NotAnInfohash, match="40 \\(v1\\) or 64 \\(v2\\)"):
            verb(infohash=text)


def test_an_infohash_is_taken_in_capitals_and_with_spaces_around(alice: User) -> None:
    source = fresh_magnet()
    add(alice, source)
    assert block_infohash(infohash=f" {(source.infohash_v1 or '').upper()}\n") == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attempt", range(5))
def test_who_adds_it_while_it_is_blocked_does_not_keep_it(hybrid: Source, attempt: int) -> None:
    people = [person(name) for name in ("alice", "bob", "charlie")]
    add(people[0], hybrid)

    def add_it(user: User, source: Source) -> None:
        with contextlib.suppress(TorrentRefused):  # so it was too late
            add(user, source)

    at_once(
        lambda: add_it(people[1], magnet(v2=hybrid.infohash_v2)),
        lambda: block(hybrid) and None,
        lambda: add_it(people[2], hybrid),
    )
    assert not Claim.with_removed.exists()
    assert not Torrent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_takedown_takes_the_ledgers_locks_in_the_ledgers_order(alice: User, bob: User) -> None:
    """Else it would wait for a batch of hand-overs that waits for it."""
    source = fresh_magnet()
    lesser, greater = sorted([uuid.uuid4(), uuid.uuid4()])
    for user, claim_id in ((alice, greater), (bob, lesser)):
        Claim.objects.filter(pk=add(user, source).pk).update(id=claim_id)
        record_handover(claim_id=claim_id, channel="https", sent=1)

    def take_down() -> int:
        try:
            return block(source)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            ClaimTraffic.objects.select_for_update().get(pk=lesser)
            taken_down = pool.submit(take_down)
            wait_for_a_waiting_lock()
            ClaimTraffic.objects.select_for_update(nowait=True).get(pk=greater)
        assert taken_down.result(30) == 2


def wait_for_a_waiting_lock() -> None:
    deadline = time.monotonic() + 30
    waiting = False
    while not waiting:
        assert time.monotonic() < deadline
        time.sleep(0.05)
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            (waiting,) = cursor.fetchone()


def test_the_command_blocks_and_unblocks(alice: User) -> None:
    source = fresh_magnet()
    add(alice, source)
    said = StringIO()
    call_command("block_infohash", source.infohash_v1, "--reason", "A letter.", stdout=said)
    assert "Blocked. 1 had it" in said.getvalue()
    assert BlockedInfohash.objects.get().reason == "A letter."
    assert list(history.of(alice).order_by("id").values_list("kind", flat=True)) == ["added", "blocked"]
    call_command("block_infohash", source.infohash_v1, "--unblock", stdout=said)
    assert not BlockedInfohash.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["nonsense"], "40 (v1) or 64 (v2)"), (["a" * 40, "--unblock"], "This infohash is not blocked")],
)
def test_the_command_says_what_is_wrong(db: None, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError) as error:
        call_command("block_infohash", *arguments)
    assert words in str(error.value)
    assert "Nothing was changed." in str(error.value)
    assert not BlockedInfohash.objects.exists()


def test_a_download_in_full_swing_is_ended_too(box: Box, alice: User, show: Source) -> None:
    claim = add(alice, show)
    assert show.metainfo is not None
    box.engine.offer(show.metainfo)
    box.rounds()
    box.engine.advance(1000)
    block(show)
    box.engine.advance(EVERYTHING)
    box.rounds(3)
    assert (box.held(), claim.torrent.data_dir.exists()) == ({}, False)
