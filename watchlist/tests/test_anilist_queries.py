"""Everything that is sent to AniList, against its whole schema and recorded answers, where these are at hand:
ANILIST_SCHEMA=FILE, ANILIST_RESPONSES=FOLDER."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, build_schema, parse, validate

from watchlist.providers import anilist_queries as queries
from watchlist.providers import anilist_reading as reading
from watchlist.tests.anilist_world import MOST_COMPLEX, SCHEMA_FILE, complexity

MOST_SHOWS, _variables = queries.shows(range(queries.SHOW_PAGES * queries.PER_PAGE))
QUERIES = {
    "viewer": queries.VIEWER,
    "user": queries.USER,
    "search": queries.SEARCH,
    "listed": queries.LISTED,
    "shows": MOST_SHOWS,
    "airing": queries.airing(range(1, queries.AIRING_PAGES + 1)),
}


@pytest.fixture(scope="module")
def whole() -> GraphQLSchema:
    if not (file := os.environ.get("ANILIST_SCHEMA")):
        pytest.skip("ANILIST_SCHEMA names no file")
    return build_schema(Path(file).read_text())


@pytest.fixture(scope="module")
def recorded() -> Path:
    if not (folder := os.environ.get("ANILIST_RESPONSES")):
        pytest.skip("ANILIST_RESPONSES names no folder")
    return Path(folder)


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_is_valid_and_not_too_complex(name: str) -> None:
    document = parse(QUERIES[name])
    assert validate(build_schema(SCHEMA_FILE.read_text()), document) == []
    assert complexity(document) <= MOST_COMPLEX


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_is_valid_by_the_whole_schema(name: str, whole: GraphQLSchema) -> None:
    assert validate(whole, parse(QUERIES[name])) == []


def test_what_we_take_for_the_schema_is_a_part_of_it(whole: GraphQLSchema) -> None:
    ours = build_schema(SCHEMA_FILE.read_text())
    for name, kind in ours.type_map.items():
        if isinstance(kind, GraphQLObjectType) and not name.startswith("__"):
            real = whole.type_map[name]
            assert isinstance(real, GraphQLObjectType)
            for field, definition in kind.fields.items():
                assert str(definition.type) == str(real.fields[field].type), f"{name}.{field}"
                for argument, expected in definition.args.items():
                    assert str(expected.type) == str(real.fields[field].args[argument].type)


def answers(node: Any) -> Iterator[dict[str, Any]]:
    """What recordings hold as data, however they wrap it."""
    if isinstance(node, list):
        for one in node:
            yield from answers(one)
    elif isinstance(node, dict):
        if isinstance(node.get("body"), dict):
            yield from answers(node["body"])
        elif isinstance(node.get("data"), dict):
            yield node["data"]
        elif "MediaListCollection" in node:
            yield node


def test_a_recorded_list_is_read_completely(recorded: Path) -> None:
    [data] = answers(json.loads((recorded / "MediaListCollection_52_entries.json").read_text()))
    lists = reading.Lists()
    assert not lists.add(data["MediaListCollection"])
    assert len(lists.records()) == 52
    assert all(record.show.romaji and record.status == "PLANNING" for record in lists.records())
    assert any(
        relation.kind == "PREQUEL" for record in lists.records() for relation in record.show.relations or ()
    )


def test_a_recorded_show_is_read(recorded: Path) -> None:
    [data] = answers(json.loads((recorded / "test_anilist_get_media.json").read_text()))
    show = reading.show(data["Media"])
    assert show.external_id == str(data["Media"]["id"])
    assert (show.episodes, show.season_year) == (data["Media"]["episodes"], data["Media"]["seasonYear"])
    assert show.starts_on is not None


def test_recorded_relations_are_read_without_what_a_show_was_made_from(recorded: Path) -> None:
    [data] = answers(json.loads((recorded / "test_anilist_get_relations.json").read_text()))
    relations = reading.show({"id": 1, **data["Media"]}).relations
    assert relations is not None
    told = [edge["node"]["type"] for edge in data["Media"]["relations"]["edges"]]
    assert 0 < len(relations) == told.count("ANIME") < len(told)


def test_a_recorded_schedule_is_read(recorded: Path) -> None:
    files = list(recorded.glob("airingSchedules_*.json"))
    assert files
    for file in files:
        [data] = answers(json.loads(file.read_text()))
        for schedule in data["Page"]["airingSchedules"]:
            record = reading.airing({"mediaId": schedule["media"]["id"], **schedule})
            assert int(record.airs_at.timestamp()) == schedule["airingAt"]
