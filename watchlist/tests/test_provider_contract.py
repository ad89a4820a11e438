"""What every provider must do. To add one: a line in SERVICES, with a service that knows what `world` below knows."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from watchlist.providers.anilist import AniList
from watchlist.providers.base import ProviderError, Trouble, WatchProvider
from watchlist.providers.manual import Manual
from watchlist.records import AccountRecord
from watchlist.tests.anilist_server import anilist_server
from watchlist.tests.anilist_world import Listed, World
from watchlist.tests.gates import CountingGate

SUNDAY = datetime(2026, 4, 5, 15, 0, tzinfo=UTC)
TOKEN = "aaaa.bbbb.cccc"


def world(known: World) -> None:
    """Sixty shows; the second season of the first; three episodes of it; two people."""
    known.add_show(1, "Lighthouse", status="FINISHED", episodes=12, idMal=77, synonyms=["Toudai"])
    known.add_show(2, "Lighthouse 2", relations=[("PREQUEL", 1)])
    for number in range(3, 61):
        known.add_show(number, f"Harbour {number}")
    known.add_show(99, "Night Harbour", isAdult=True)
    for episode in range(1, 4):
        known.add_airing(2, episode, SUNDAY + timedelta(weeks=episode - 1))
    known.add_person("Keeper", Listed(2, progress=1), Listed(3, status="PLANNING"))
    known.add_person("Hermit", Listed(1, status="COMPLETED"), private=True, token=TOKEN)


def anilist(gate: CountingGate) -> Iterator[WatchProvider]:
    with anilist_server() as server:
        world(server.world)
        yield AniList(url=server.url, client_id="4711", gate=gate)


def manual(gate: CountingGate) -> Iterator[WatchProvider]:
    yield Manual()


Make = Callable[[CountingGate], Iterator[WatchProvider]]
SERVICES: list[Make] = [anilist]
WITHOUT_SERVICE: list[Make] = [manual]


@pytest.fixture
def gate() -> CountingGate:
    return CountingGate()


@pytest.fixture(params=[*SERVICES, *WITHOUT_SERVICE], ids=lambda make: make.__name__)
def provider(request: pytest.FixtureRequest, gate: CountingGate) -> Iterator[WatchProvider]:
    yield from request.param(gate)


@pytest.fixture(params=SERVICES, ids=lambda make: make.__name__)
def service(request: pytest.FixtureRequest, gate: CountingGate) -> Iterator[WatchProvider]:
    yield from request.param(gate)


@pytest.fixture(params=WITHOUT_SERVICE, ids=lambda make: make.__name__)
def silent(request: pytest.FixtureRequest, gate: CountingGate) -> Iterator[WatchProvider]:
    yield from request.param(gate)


def test_it_says_what_it_is_called(provider: WatchProvider) -> None:
    assert provider.name.isascii()
    assert provider.name.islower()
    assert provider.title


def test_where_people_can_link_with_a_token_it_says_where_they_get_one(provider: WatchProvider) -> None:
    assert provider.links_by_token == provider.code_url.startswith("https://")


def test_a_provider_without_a_service_knows_nothing_and_asks_nobody(
    silent: WatchProvider, gate: CountingGate
) -> None:
    assert not silent.has_service
    assert silent.search("lighthouse") == []
    assert silent.shows(["1"]) == []
    assert silent.airing(["1"], SUNDAY, SUNDAY) == []
    with pytest.raises(ProviderError, match="Link") as refused:
        silent.account(name="Keeper")
    assert refused.value.permanent
    with pytest.raises(ProviderError):
        silent.listed(AccountRecord(external_id="1", name="Keeper"))
    assert gate.entered == 0


def test_every_request_passes_the_gate(service: WatchProvider, gate: CountingGate) -> None:
    service.search("lighthouse")
    assert gate.entered == 1
    service.account(name="Keeper")
    assert gate.entered == 2


def test_a_closed_gate_lets_nothing_through(service: WatchProvider, gate: CountingGate) -> None:
    gate.closed = True
    with pytest.raises(ProviderError) as refused:
        service.search("lighthouse")
    assert not refused.value.asked


def test_searching_finds_shows_by_words_of_their_titles(service: WatchProvider) -> None:
    assert {show.external_id for show in service.search("lighthouse")} == {"1", "2"}


def test_searching_says_which_shows_are_for_adults(service: WatchProvider) -> None:
    [show] = service.search("night harbour")
    assert show.is_adult


def test_a_show_is_told_with_what_is_known_of_it(service: WatchProvider) -> None:
    [show] = service.shows(["1"])
    assert (show.romaji, show.synonyms, show.status, show.episodes, show.mal_id) == (
        "Lighthouse",
        ("Toudai",),
        "FINISHED",
        12,
        77,
    )


def test_relations_are_told_with_the_show_they_lead_to(service: WatchProvider) -> None:
    [show] = service.shows(["2"])
    [relation] = show.relations or ()
    assert (relation.kind, relation.show.external_id, relation.show.romaji) == ("PREQUEL", "1", "Lighthouse")
    assert relation.show.relations is None


def test_more_shows_than_a_page_holds_are_all_told(service: WatchProvider) -> None:
    wanted = {str(number) for number in range(1, 61)}
    assert {show.external_id for show in service.shows(wanted)} == wanted


def test_shows_that_do_not_exist_are_left_out(service: WatchProvider) -> None:
    assert [show.external_id for show in service.shows(["2", "123456", "what"])] == ["2"]


def test_nothing_asked_is_nothing_told(service: WatchProvider, gate: CountingGate) -> None:
    assert service.shows([]) == []
    assert service.airing([], SUNDAY, SUNDAY) == []
    assert gate.entered == 0


def test_airing_times_are_told_of_the_time_that_was_asked_for(service: WatchProvider) -> None:
    told = service.airing(["1", "2"], SUNDAY, SUNDAY + timedelta(weeks=1))
    assert sorted((record.external_id, record.episode, record.airs_at) for record in told) == [
        ("2", 1, SUNDAY),
        ("2", 2, SUNDAY + timedelta(weeks=1)),
    ]


def test_a_public_account_is_found_by_its_name_in_any_case(service: WatchProvider) -> None:
    assert service.account(name="keeper").name == "Keeper"


def test_an_account_that_does_not_exist_is_said_so(service: WatchProvider) -> None:
    with pytest.raises(ProviderError) as refused:
        service.account(name="Nobody")
    assert refused.value.trouble is Trouble.NOT_FOUND
    assert refused.value.permanent


def test_a_private_account_is_told_apart_from_none(service: WatchProvider) -> None:
    with pytest.raises(ProviderError, match="private") as refused:
        service.account(name="Hermit")
    assert refused.value.trouble is Trouble.PRIVATE


def test_a_list_tells_where_its_owner_keeps_each_show(service: WatchProvider) -> None:
    listed = service.listed(service.account(name="Keeper"))
    assert {(entry.show.external_id, entry.status, entry.progress) for entry in listed} == {
        ("2", "CURRENT", 1),
        ("3", "PLANNING", 0),
    }


def test_a_part_of_a_list_is_told_without_the_rest(service: WatchProvider) -> None:
    listed = service.listed(service.account(name="Keeper"), statuses=["PLANNING", "PAUSED"])
    assert [entry.show.external_id for entry in listed] == ["3"]


def test_a_token_opens_a_private_account_and_its_list(service: WatchProvider) -> None:
    account = service.account(token=TOKEN)
    assert account.name == "Hermit"
    assert [entry.show.external_id for entry in service.listed(account, TOKEN)] == ["1"]


def test_a_token_that_is_none_is_said_so_and_not_repeated(service: WatchProvider) -> None:
    with pytest.raises(ProviderError) as refused:
        service.account(token="wrong.token.here")
    assert refused.value.trouble is Trouble.TOKEN
    assert "wrong" not in str(refused.value)
