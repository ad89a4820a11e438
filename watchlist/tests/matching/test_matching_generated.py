"""Matching against shows and names that are made at random: what is right, their making tells."""

import dataclasses
from collections import Counter

import pytest

from feeds.releases import parse
from watchlist.matching import Outcome
from watchlist.matching.catalogue import Catalogue
from watchlist.tests.matching.made_up import Case, World

SEEDS = range(4)


def worlds() -> list[tuple[World, list[Case]]]:
    made = [World(seed, series=15) for seed in SEEDS]
    return [(world, list(world.cases())) for world in made]


def test_nothing_is_matched_wrongly_and_nearly_all_rightly() -> None:
    outcomes: Counter[tuple[str, bool]] = Counter()
    for world, cases in worlds():
        catalogue = Catalogue(world.shows)
        for case in cases:
            result = catalogue.match(parse(case.name), published=case.published)
            right = result.outcome is Outcome.FOUND and (result.show, result.episodes) == (
                case.show,
                case.episodes,
            )
            assert right or result.outcome is not Outcome.FOUND, (case, result)
            outcomes[case.kind, right] += 1

    kinds = {kind for kind, _ in outcomes}
    shares = {kind: outcomes[kind, True] / (outcomes[kind, True] + outcomes[kind, False]) for kind in kinds}
    assert outcomes.total() > 1500
    assert all(shares[kind] == 1 for kind in ("as its own title", "across seasons", "OVA", "batch")), shares
    assert min(shares["film"], shares["in its season"]) > 0.9, shares
    assert shares["every cour a season"] > 0.5, shares  # the rest may be a season that is counted otherwise


@pytest.mark.parametrize(
    "kind", ["as its own title", "across seasons", "film", "OVA", "batch", "in its season"]
)
def test_hardly_anything_is_found_where_its_show_is_missing(kind: str) -> None:
    """Who calls a second cour a season, and has not heard of the next, cannot know better."""
    count = wrong = 0
    for world, cases in worlds()[:2]:
        for series in world.series:
            shows = [*series.shows, *series.films, *series.ovas]
            for case in (
                case for case in cases if case.kind == kind and case.show in {show.id for show in shows}
            ):
                catalogue = Catalogue(show for show in shows if show.id != case.show)
                count += 1
                wrong += catalogue.match(parse(case.name), published=case.published).outcome is Outcome.FOUND

    assert count > 10
    assert wrong <= (count // 20 if kind == "in its season" else 0)


def test_matching_does_not_depend_on_the_order_of_shows() -> None:
    world, cases = worlds()[0]
    one, other = Catalogue(world.shows), Catalogue(reversed(world.shows))

    for case in cases:
        release = parse(case.name)
        first, second = one.match(release), other.match(release)
        assert dataclasses.replace(first, candidates=(), reasons=()) == dataclasses.replace(
            second, candidates=(), reasons=()
        )
