"""AniList's own ways, and everything that it, or what stands before it, may answer instead."""

import json
import logging
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from watchlist.providers import anilist as adapter
from watchlist.providers.anilist import AniList
from watchlist.providers.base import OF_THE_SERVICE, ProviderError, Trouble
from watchlist.records import AccountRecord
from watchlist.tests import anilist_server as faults
from watchlist.tests.anilist_server import AniListServer, Fault, anilist_server
from watchlist.tests.anilist_world import Listed
from watchlist.tests.gates import CountingGate

SUNDAY = datetime(2026, 4, 5, 15, 0, tzinfo=UTC)
TOKEN = "eyJ0.eyJleHAi.c2ln"


@pytest.fixture
def server() -> Iterator[AniListServer]:
    with anilist_server() as server:
        yield server


@pytest.fixture
def gate() -> CountingGate:
    return CountingGate()


@pytest.fixture
def anilist(server: AniListServer, gate: CountingGate) -> AniList:
    return AniList(url=server.url, client_id="4711", gate=gate)


def page(**media: Any) -> Fault:
    """A well-formed answer to a search with one show, of which something may be wrong."""
    show = {"id": 1, "title": {"romaji": "Lighthouse"}} | media
    return Fault(body=json.dumps({"data": {"Page": {"media": [show]}}}).encode())


def test_it_says_who_asks_and_that_it_is_unofficial(anilist: AniList, server: AniListServer) -> None:
    anilist.search("lighthouse")
    assert server.asked[0].agent.startswith("oci-torrent-proxy")
    assert "unofficial" in server.asked[0].agent


def test_without_a_registered_client_nobody_can_link_with_a_token(server: AniListServer) -> None:
    unregistered = AniList(url=server.url, client_id="", gate=CountingGate())
    assert not unregistered.links_by_token
    assert unregistered.code_url == ""


def test_people_get_their_token_where_the_registered_client_is_named(anilist: AniList) -> None:
    assert anilist.code_url == "https://anilist.co/api/v2/oauth/authorize?client_id=4711&response_type=token"


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        (faults.LIMITED, Trouble.LIMITED),
        (faults.LIMITED_WITH_200, Trouble.LIMITED),
        (Fault(429, b"<html>slow down</html>", {"Retry-After": "30"}), Trouble.LIMITED),
        (faults.DISABLED, Trouble.DISABLED),
        (faults.DISABLED_WITH_200, Trouble.DISABLED),
        (Fault(403, b"<html>Access denied</html>"), Trouble.DISABLED),
        (Fault(403, b'{"message": "blocked"}'), Trouble.DISABLED),
        (faults.PRIVATE, Trouble.PRIVATE),
        (faults.NOT_FOUND, Trouble.NOT_FOUND),
        (faults.NOT_FOUND_WITH_200, Trouble.NOT_FOUND),
        (faults.INVALID_TOKEN, Trouble.TOKEN),
        (Fault(400, b'{"errors": [{"message": "validation", "status": 400}]}'), Trouble.REFUSED),
        (faults.DOWN, Trouble.BROKEN),
        (Fault(500, b'{"errors": [{"message": "Internal Server Error", "status": 500}]}'), Trouble.BROKEN),
        (Fault(503), Trouble.BROKEN),
        (Fault(404, b"<html>not here</html>"), Trouble.BROKEN),
        (Fault(302, b"", {"Location": "https://example.org/"}), Trouble.BROKEN),
        (Fault(200, b"<!doctype html><title>Maintenance</title>"), Trouble.BROKEN),
        (Fault(200, b""), Trouble.BROKEN),
        (Fault(200, b'{"data": {"Page": {"media": [{"id": 1, "ti'), Trouble.BROKEN),
        (Fault(200, b"[" * 100_000), Trouble.BROKEN),
        (Fault(200, b"null"), Trouble.BROKEN),
        (Fault(200, b"[]"), Trouble.BROKEN),
        (Fault(200, b"{}"), Trouble.BROKEN),
        (Fault(200, b'{"data": null}'), Trouble.BROKEN),
        (Fault(200, b'{"data": [1]}'), Trouble.BROKEN),
        (Fault(200, b'{"data": null, "errors": "no"}'), Trouble.BROKEN),
        (Fault(200, b'{"data": null, "errors": [7]}'), Trouble.BROKEN),
        (Fault(200, b'{"data": {"Page": null}}'), Trouble.BROKEN),
        (Fault(200, b'{"data": {"Page": {"media": {"id": 1}}}}'), Trouble.BROKEN),
        (Fault(200, b'{"data": {"Page": {"media": [null]}}}'), Trouble.BROKEN),
        (Fault(200, b'{"data": {}}', {"Content-Encoding": "gzip"}), Trouble.BROKEN),
        (page(id=None), Trouble.BROKEN),
        (page(id="1"), Trouble.BROKEN),
        (page(id=2**40), Trouble.BROKEN),
        (page(id=True), Trouble.BROKEN),
        (page(title=["Lighthouse"]), Trouble.BROKEN),
        (page(title={"romaji": 7}), Trouble.BROKEN),
        (page(synonyms="Toudai"), Trouble.BROKEN),
        (page(episodes=12.5), Trouble.BROKEN),
        (page(startDate="2026"), Trouble.BROKEN),
    ],
)
def test_whatever_it_answers_instead_becomes_the_one_error(
    anilist: AniList, server: AniListServer, gate: CountingGate, fault: Fault, trouble: Trouble
) -> None:
    server.always(fault)
    with pytest.raises(ProviderError) as failed:
        anilist.search("lighthouse")
    assert failed.value.trouble is trouble
    assert gate.troubles == [trouble]
    assert failed.value.permanent == (trouble not in OF_THE_SERVICE)
    assert str(failed.value).endswith(".")


def test_partial_data_beside_an_error_is_an_error(anilist: AniList, server: AniListServer) -> None:
    body = {"data": {"Page": {"media": []}}, "errors": [{"message": "Internal", "status": 500}]}
    server.always(Fault(200, json.dumps(body).encode()))
    with pytest.raises(ProviderError) as failed:
        anilist.search("lighthouse")
    assert failed.value.trouble is Trouble.BROKEN


@pytest.mark.parametrize(
    ("header", "seconds"), [("60", 60), ("7", 7), ("", 60), ("soon", 60), ("-5", 60), ("999999999", 3600)]
)
def test_it_says_how_long_to_wait(
    anilist: AniList, server: AniListServer, header: str, seconds: float
) -> None:
    server.always(Fault(429, b"", {"Retry-After": header} if header else {}))
    with pytest.raises(ProviderError) as failed:
        anilist.search("lighthouse")
    assert failed.value.retry_after == seconds


def test_a_server_that_does_not_answer_is_given_up(
    anilist: AniList, server: AniListServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "READ_SECONDS", 0.2)
    server.always(Fault(slow=30))
    with pytest.raises(ProviderError) as failed:
        anilist.search("lighthouse")
    assert failed.value.trouble is Trouble.BROKEN


def test_a_server_that_sends_a_byte_now_and_then_is_given_up(
    anilist: AniList, server: AniListServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "WHOLE_SECONDS", 0.3)
    server.always(Fault(drips=True))
    with pytest.raises(ProviderError) as failed:
        anilist.search("lighthouse")
    assert failed.value.trouble is Trouble.BROKEN


def test_an_answer_without_end_is_not_read_to_it(
    anilist: AniList, server: AniListServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "MAX_BYTES", 200_000)
    server.always(Fault(body=b" " * 400_000))
    with pytest.raises(ProviderError, match="too large"):
        anilist.search("lighthouse")


def test_nobody_listening_is_the_same_error() -> None:
    anilist = AniList(url="http://127.0.0.1:9/", client_id="", gate=CountingGate())
    with pytest.raises(ProviderError, match="reached"):
        anilist.search("lighthouse")


def test_a_token_is_in_no_error_and_no_log(
    anilist: AniList, server: AniListServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for fault in (faults.INVALID_TOKEN, faults.DOWN, Fault(200, b'{"data": {"Viewer": {"id": "x"}}}')):
        server.always(fault)
        with pytest.raises(ProviderError) as failed:
            anilist.account(token=TOKEN)
        assert TOKEN not in str(failed.value)
    assert server.asked[0].token == TOKEN
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("token", ["no token", "a.b", "a.b.c\r\nX-Other: 1", "a.b.ü", "." * 20, "a.b.c.d"])
def test_what_is_no_token_is_not_sent(anilist: AniList, server: AniListServer, token: str) -> None:
    with pytest.raises(ProviderError) as refused:
        anilist.account(token=token)
    assert refused.value.trouble is Trouble.TOKEN
    assert server.asked == []


def test_a_token_says_when_it_ends(anilist: AniList) -> None:
    payload = (
        urlsafe_b64encode(json.dumps({"sub": "5000", "exp": 1800000000.25}).encode()).decode().rstrip("=")
    )
    assert anilist.token_ends_at(f"head.{payload}.sign") == datetime.fromtimestamp(1800000000, UTC)


@pytest.mark.parametrize("payload", ["", "%%%", "bm8", "W10", "eyJleHAiOiAieCJ9", "eyJleHAiOiAxZTk5fQ"])
def test_a_token_that_does_not_say_when_it_ends_has_no_end(anilist: AniList, payload: str) -> None:
    assert anilist.token_ends_at(f"head.{payload}.sign") is None
    assert anilist.token_ends_at(payload) is None


def test_entries_hidden_from_status_lists_are_found_in_custom_lists(
    anilist: AniList, server: AniListServer
) -> None:
    server.world.add_show(1, "Lighthouse")
    keeper = server.world.add_person(
        "Keeper", Listed(1, status="CURRENT", progress=4, custom=("weekly", "best"), hidden=True)
    )
    [entry] = anilist.listed(AccountRecord(external_id=str(keeper.id), name="Keeper"))
    assert (entry.status, entry.progress, entry.custom_lists) == ("CURRENT", 4, ("Best", "Weekly"))


def test_an_entry_that_stands_in_many_lists_is_one(anilist: AniList, server: AniListServer) -> None:
    server.world.add_show(1, "Lighthouse")
    keeper = server.world.add_person("Keeper", Listed(1, status="PAUSED", custom=("weekly",)))
    [entry] = anilist.listed(AccountRecord(external_id=str(keeper.id), name="Keeper"))
    assert (entry.status, entry.custom_lists) == ("PAUSED", ("Weekly",))


def test_an_entry_whose_show_was_deleted_there_is_left_out(anilist: AniList, server: AniListServer) -> None:
    server.world.add_show(1, "Lighthouse")
    keeper = server.world.add_person("Keeper", Listed(1), Listed(404))
    assert len(anilist.listed(AccountRecord(external_id=str(keeper.id), name="Keeper"))) == 1


def test_a_list_of_many_chunks_is_read_to_its_end(anilist: AniList, server: AniListServer) -> None:
    for number in range(1, 1202):
        server.world.add_show(number, f"Harbour {number}")
    keeper = server.world.add_person("Keeper", *(Listed(number) for number in range(1, 1202)))
    listed = anilist.listed(AccountRecord(external_id=str(keeper.id), name="Keeper"))
    assert len({entry.show.external_id for entry in listed}) == 1201
    assert len(server.asked) == 3


def test_a_list_without_end_is_given_up(anilist: AniList, server: AniListServer) -> None:
    server.always(
        Fault(
            body=b'{"data": {"MediaListCollection": {"lists": [{"status": "CURRENT"}], "hasNextChunk": true}}}'
        )
    )
    with pytest.raises(ProviderError) as failed:
        anilist.listed(AccountRecord(external_id="1", name="Keeper"))
    assert failed.value.trouble is Trouble.TOO_LONG
    assert len(server.asked) == adapter.MOST_CHUNKS


def test_airing_times_of_many_pages_are_all_read_in_few_requests(
    anilist: AniList, server: AniListServer
) -> None:
    for show in range(1, 31):
        for episode in range(1, 101):
            server.world.add_airing(show, episode, SUNDAY + timedelta(hours=episode))
    told = anilist.airing([str(show) for show in range(1, 31)], SUNDAY, SUNDAY + timedelta(days=30))
    assert len(told) == len({(record.external_id, record.episode) for record in told}) == 3000
    assert len(server.asked) == 2


def test_airing_times_beyond_the_deepest_page_are_read_as_well(
    anilist: AniList, server: AniListServer
) -> None:
    for number in range(6200):
        server.world.add_airing(1 + number % 7, number, SUNDAY + timedelta(minutes=number // 3))
    told = anilist.airing([str(show) for show in range(1, 8)], SUNDAY, SUNDAY + timedelta(days=60))
    assert len(told) == 6200


def test_dates_of_which_little_is_known_become_the_first_day(anilist: AniList, server: AniListServer) -> None:
    for number, start in enumerate(
        (
            {"year": 2026, "month": 4, "day": 5},
            {"year": 2026, "month": 4},
            {"year": 2026},
            {"year": None, "month": 4},
            {"year": 2026, "month": 2, "day": 31},
            {"year": 2026, "day": 5},
            {},
        ),
        start=1,
    ):
        server.world.add_show(number, "Lighthouse", startDate=start)
    shows = sorted(anilist.shows([str(number) for number in range(1, 8)]), key=lambda show: show.external_id)
    first = date(2026, 1, 1)
    assert [show.starts_on for show in shows] == [
        date(2026, 4, 5),
        date(2026, 4, 1),
        first,
        None,
        None,
        first,
        None,
    ]


@pytest.mark.parametrize("count", [0, -5])
def test_a_count_that_cannot_be_is_not_known(anilist: AniList, server: AniListServer, count: int) -> None:
    server.world.add_show(1, "Lighthouse", episodes=count)
    [show] = anilist.shows(["1"])
    assert show.episodes is None


def test_what_a_show_was_made_from_is_no_relation(anilist: AniList, server: AniListServer) -> None:
    server.world.add_show(1, "Lighthouse", type="MANGA", format="MANGA")
    server.world.add_show(2, "Lighthouse", relations=[("ADAPTATION", 1)])
    [show] = anilist.shows(["2"])
    assert show.relations == ()


def test_titles_are_one_line_that_can_be_stored(anilist: AniList, server: AniListServer) -> None:
    server.always(page(title={"romaji": "Light\x00house\n\u202e2 \ud800", "english": "x" * 5000}))
    [show] = anilist.search("lighthouse")
    assert show.romaji == "Light house 2"
    assert len(show.english) == 300
    show.romaji.encode()


def test_an_address_that_is_none_of_the_web_is_left_out(anilist: AniList, server: AniListServer) -> None:
    server.always(page(siteUrl="javascript:alert(1)"))
    [show] = anilist.search("lighthouse")
    assert show.site_url == ""
