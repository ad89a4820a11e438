"""What a pretended AniList knows, and its answers to GraphQL: the rules that its guide and its users tell of."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLResolveInfo,
    build_schema,
    execute_sync,
    get_argument_values,
    parse,
    validate,
)
from graphql.language import DocumentNode, FragmentDefinitionNode, FragmentSpreadNode, SelectionSetNode

SCHEMA_FILE = Path(__file__).with_name("anilist_schema.graphqls")
MOST_COMPLEX = 500
MOST_PER_PAGE = 50
MOST_PER_CHUNK = 500
DEEPEST = 5000


@dataclass
class Listed:
    """An entry of a list. `hidden` ones stand in custom lists only."""

    media: int
    status: str = "CURRENT"
    progress: int = 0
    custom: tuple[str, ...] = ()
    hidden: bool = False


@dataclass
class Person:
    id: int
    name: str
    listed: list[Listed] = field(default_factory=list)
    private: bool = False
    token: str = ""


Info = GraphQLResolveInfo[Person | None]


class Refused(GraphQLError):
    """Answered with this status, in the body and by HTTP."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message, extensions={"status": status})


@dataclass
class World:
    media: dict[int, dict[str, Any]] = field(default_factory=dict)
    schedules: list[dict[str, int]] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._schema = build_schema(SCHEMA_FILE.read_text())
        query, page = self._schema.type_map["Query"], self._schema.type_map["Page"]
        for name, resolve in {
            "Page": self._page,
            "User": self._user,
            "Viewer": self._viewer,
            "MediaListCollection": self._collection,
        }.items():
            query.fields[name].resolve = resolve  # type: ignore[attr-defined]
        self._page_fields = page.fields  # type: ignore[attr-defined]
        for name in ("media", "airingSchedules"):
            self._page_fields[name].resolve = lambda rows, info, **arguments: rows["rows"]
        self._documents: dict[str, DocumentNode] = {}
        self._one_at_a_time = threading.Lock()
        self._found_airing: dict[tuple[int, int, int], list[dict[str, int]]] = {}

    def add_show(self, number: int, title: str, **fields: Any) -> int:
        """Fields as in AniList's Media; dates as `date`, `relations` as (kind, number of a show that is there)."""
        relations = [
            {"relationType": kind, "node": self.media[other]} for kind, other in fields.pop("relations", ())
        ]
        self.media[number] = {
            "id": number,
            "type": "ANIME",
            "format": "TV",
            "status": "RELEASING",
            "title": {"romaji": title},
            "isAdult": False,
            "siteUrl": f"https://anilist.co/anime/{number}",
            "relations": {"edges": relations},
            **{name: _fuzzy(value) if isinstance(value, date) else value for name, value in fields.items()},
        }
        return number

    def add_airing(self, show: int, episode: int, at: datetime) -> None:
        self.schedules.append(
            {
                "id": len(self.schedules) + 1,
                "mediaId": show,
                "episode": episode,
                "airingAt": int(at.timestamp()),
            }
        )

    def add_person(self, name: str, *listed: Listed, private: bool = False, token: str = "") -> Person:
        person = Person(5000 + len(self.people), name, list(listed), private, token)
        self.people.append(person)
        return person

    def answer(self, query: str, variables: dict[str, Any], token: str) -> tuple[int, dict[str, Any]]:
        """HTTP status and body."""
        asker = next((person for person in self.people if person.token and person.token == token), None)
        if token and asker is None:
            return _refusal("Invalid token", 400)
        if query not in self._documents:
            document = parse(query)
            if errors := validate(self._schema, document):
                return _refusal(errors[0].message, 400)
            if (cost := complexity(document)) > MOST_COMPLEX:
                return _refusal(f"Max query complexity should be {MOST_COMPLEX} but got {cost}.", 400)
            self._documents[query] = document
        with self._one_at_a_time:
            self._found_airing.clear()
            result = execute_sync(
                self._schema, self._documents[query], variable_values=variables, context_value=asker
            )
        if result.errors:
            error = result.errors[0]
            status = (error.extensions or {}).get("status", 500)
            told = {"message": error.message, "status": status, "locations": [{"line": 1, "column": 1}]}
            return status, {"errors": [told], "data": result.data}
        return 200, {"data": result.data}

    def _page(self, _root: None, info: Info, page: int = 1, perPage: int = 50) -> Any:  # noqa: N803
        per_page = min(perPage, MOST_PER_PAGE)
        if page * per_page > DEEPEST:
            raise Refused("Page is too deep.", 400)
        selection = info.field_nodes[0].selection_set
        assert selection is not None
        nodes = [node for node in _fields(selection, info.fragments) if node.name.value != "pageInfo"]
        if len(nodes) != 1:
            raise Refused("Only one field can be queried per page.", 400)
        name = nodes[0].name.value
        arguments = get_argument_values(self._page_fields[name], nodes[0], info.variable_values)
        find: Callable[..., list[dict[str, Any]]] = self._media if name == "media" else self._airing
        rows = find(**arguments)
        start = (page - 1) * per_page
        more = start + per_page < len(rows)
        # Only hasNextPage is right, there as here.
        return {
            "rows": rows[start : start + per_page],
            "pageInfo": {"hasNextPage": more, "total": 5000, "lastPage": 100},
        }

    def _media(
        self, *, id_in: Sequence[int] | None = None, search: str = "", **_ignored: Any
    ) -> list[dict[str, Any]]:
        if id_in is not None:
            return [self.media[number] for number in sorted(set(id_in)) if number in self.media]
        return [
            media
            for media in self.media.values()
            if all(word in " ".join(map(str, media["title"].values())).lower() for word in search.split())
        ]

    def _airing(
        self,
        *,
        mediaId_in: Sequence[int],  # noqa: N803
        airingAt_greater: int,  # noqa: N803
        airingAt_lesser: int,  # noqa: N803
        **_ignored: Any,
    ) -> list[dict[str, Any]]:
        question = (len(mediaId_in), airingAt_greater, airingAt_lesser)
        if question in self._found_airing:  # another page of the same
            return self._found_airing[question]
        wanted = frozenset(mediaId_in)
        rows = [
            row
            for row in self.schedules
            if row["mediaId"] in wanted and airingAt_greater < row["airingAt"] < airingAt_lesser
        ]
        rows.sort(key=lambda row: (row["airingAt"], row["id"]))
        return self._found_airing.setdefault(question, rows)

    def _user(self, _root: None, info: Info, name: str = "", id: int = 0) -> Any:
        return self._found(info, id, name)

    def _viewer(self, _root: None, info: Info) -> Any:
        if info.context is None:
            raise Refused("Unauthorized.", 401)
        return info.context

    def _collection(
        self,
        _root: None,
        info: Info,
        *,
        type: str,
        chunk: int = 1,
        perChunk: int = 500,  # noqa: N803
        userId: int = 0,  # noqa: N803
        userName: str = "",  # noqa: N803
        status_in: Sequence[str] | None = None,
        **_ignored: Any,
    ) -> Any:
        person = self._found(info, userId, userName)
        size = min(perChunk, MOST_PER_CHUNK)
        wanted = [
            (number, listed)
            for number, listed in enumerate(person.listed)
            if status_in is None or listed.status in status_in
        ]
        rows = wanted[(chunk - 1) * size : chunk * size]
        groups: dict[tuple[str, bool], list[dict[str, Any]]] = {}
        for number, listed in rows:
            entry = {
                "id": person.id * 100_000 + number,
                "status": listed.status,
                "progress": listed.progress,
                "media": self.media.get(listed.media),
            }
            if not listed.hidden:
                groups.setdefault((listed.status, False), []).append(entry)
            for custom in listed.custom:
                groups.setdefault((custom, True), []).append(entry)
        return {
            "hasNextChunk": chunk * size < len(wanted),
            "lists": [
                {
                    "name": name.title(),
                    "isCustomList": custom,
                    "status": None if custom else name,
                    "entries": entries,
                }
                for (name, custom), entries in groups.items()
            ],
        }

    def _found(self, info: Info, number: int, name: str) -> Person:
        for person in self.people:
            if person.id == number or (name and person.name.lower() == name.lower()):
                if person.private and info.context is not person:
                    raise Refused("Private User", 404)
                return person
        raise Refused("Not Found.", 404)


def _refusal(message: str, status: int) -> tuple[int, dict[str, Any]]:
    return status, {"data": None, "errors": [{"message": message, "status": status, "locations": []}]}


def _fuzzy(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}


def _fields(selection: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode]) -> list[FieldNode]:
    found: list[FieldNode] = []
    for node in selection.selections:
        if isinstance(node, FieldNode):
            found.append(node)
        elif isinstance(node, FragmentSpreadNode):
            found += _fields(fragments[node.name.value].selection_set, fragments)
    return found


def complexity(document: DocumentNode) -> int:
    """As AniList counts: one for each field, fragments where they are used."""
    fragments = {
        node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }

    def cost(selection: SelectionSetNode | None) -> int:
        if selection is None:
            return 0
        return sum(1 + cost(node.selection_set) for node in _fields(selection, fragments))

    return sum(
        cost(node.selection_set)
        for node in document.definitions
        if not isinstance(node, FragmentDefinitionNode) and hasattr(node, "selection_set")
    )
