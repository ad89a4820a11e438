"""The rules of deploy/nftables, in a network of our own: what the user of the engine reaches, and what others do."""

import re
import time
from collections.abc import Iterator

import pytest

from torrents.engines.ip_filter import NOT_PUBLIC_V4, NOT_PUBLIC_V6
from torrents.tests.engines.enclosed import (
    DNS_PORT,
    INTERNET,
    NEIGHBOURS,
    OTHER_UID,
    OWN,
    RESOLVER,
    RULES,
    TORRENT_UID,
    Listening,
    Surroundings,
    reaches,
    sends,
    surroundings,
)

PORT = 8000


@pytest.fixture
def walled() -> Iterator[Surroundings]:
    with surroundings() as made:
        made.load_rules()
        yield made


def test_the_engines_user_connects_to_the_internet_and_to_nothing_else(walled: Surroundings) -> None:
    with walled.others():
        others = Listening((*NEIGHBOURS, *INTERNET), PORT)
    with walled.box():
        own = Listening(OWN, PORT)
    with others, own, walled.box():
        reached = {
            address for address in (*NEIGHBOURS, *INTERNET, *OWN) if reaches(TORRENT_UID, address, PORT)
        }

    assert reached == set(INTERNET)
    assert others.contacts.keys() | own.contacts.keys() == set(INTERNET)


def test_datagrams_of_the_engines_user_go_to_the_internet_and_to_nothing_else(walled: Surroundings) -> None:
    with walled.others():
        others = Listening((*NEIGHBOURS, *INTERNET), PORT)
    with walled.box():
        own = Listening(OWN, PORT)
    with others, own, walled.box():
        for address in (*OWN, *NEIGHBOURS, *INTERNET):
            sends(TORRENT_UID, address, PORT)
        deadline = time.monotonic() + 10
        while not others.contacts.keys() >= set(INTERNET):
            assert time.monotonic() < deadline
            time.sleep(0.05)

    assert others.contacts.keys() | own.contacts.keys() == set(INTERNET)


def test_other_users_are_not_affected(walled: Surroundings) -> None:
    with walled.others():
        others = Listening((*NEIGHBOURS, *INTERNET), PORT)
    with walled.box():
        own = Listening(OWN, PORT)
    with others, own, walled.box():
        missed = [
            address for address in (*NEIGHBOURS, *INTERNET, *OWN) if not reaches(OTHER_UID, address, PORT)
        ]

    assert missed == []


def test_the_resolver_is_asked_for_names_and_only_the_resolver(walled: Surroundings) -> None:
    with walled.others():
        others = Listening(NEIGHBOURS, DNS_PORT)
    with others, walled.box():
        reached = {address for address in NEIGHBOURS if reaches(TORRENT_UID, address, DNS_PORT)}
        sends(TORRENT_UID, NEIGHBOURS[0], DNS_PORT)
        sends(TORRENT_UID, RESOLVER, DNS_PORT)
        deadline = time.monotonic() + 10
        while others.contacts[RESOLVER] < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    assert reached == {RESOLVER}
    assert others.contacts == {RESOLVER: 2}


def test_rules_that_are_loaded_again_replace_themselves(walled: Surroundings) -> None:
    walled.load_rules()
    with walled.others():
        others = Listening((*NEIGHBOURS, *INTERNET), PORT)
    with others, walled.box():
        assert not reaches(TORRENT_UID, NEIGHBOURS[0], PORT)
        assert reaches(TORRENT_UID, INTERNET[0], PORT)


def test_the_rules_name_the_same_ranges_as_the_engines_filter() -> None:
    for networks, ours in re.findall(
        r"type (ipv[46])_addr.*?elements = \{(.*?)\}", RULES.read_text(), re.DOTALL
    ):
        expected = NOT_PUBLIC_V4 if networks == "ipv4" else NOT_PUBLIC_V6
        assert re.findall(r"[^\s,]+", ours) == [str(network) for network in expected]
