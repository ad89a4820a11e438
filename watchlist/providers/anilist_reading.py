"""AniList's answers to records. Pure; whatever is not as its schema says is `Nonsense`.

Some clients' recordings lack what is null, so what is missing is read as null.
"""

import datetime
import unicodedata
from typing import Any

from watchlist.records import AccountRecord, AiringRecord, ListedRecord, RelationRecord, ShowRecord

TITLE = 300  # characters
NAME = 100
WORD = 24  # characters of format, status and kind of relation
ADDRESS = 500
SYNONYMS = 50
BIGGEST = 2**31 - 1  # GraphQL's Int
_CONTROLS = frozenset({"Cc", "Cs"})
_DIRECTIONS = dict.fromkeys((0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))


class Nonsense(ValueError):
    """The answer is none that AniList's schema allows."""


def show(media: object) -> ShowRecord:
    fields = mapping(media)
    titles = mapping(fields.get("title") or {})
    return ShowRecord(
        external_id=str(_required(fields, "id")),
        romaji=_text(titles.get("romaji"), TITLE),
        english=_text(titles.get("english"), TITLE),
        native=_text(titles.get("native"), TITLE),
        synonyms=_synonyms(fields.get("synonyms")),
        format=_text(fields.get("format"), WORD)[:16],
        status=_text(fields.get("status"), WORD),
        episodes=_count(fields.get("episodes")),
        season_year=_number(fields.get("seasonYear")),
        starts_on=_date(fields.get("startDate")),
        ends_on=_date(fields.get("endDate")),
        is_adult=fields.get("isAdult") is True,
        site_url=_address(fields.get("siteUrl")),
        mal_id=_number(fields.get("idMal")),
        relations=_relations(fields["relations"]) if fields.get("relations") is not None else None,
    )


def airing(schedule: object) -> AiringRecord:
    fields = mapping(schedule)
    try:
        airs_at = datetime.datetime.fromtimestamp(_required(fields, "airingAt"), datetime.UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise Nonsense("no time") from error
    return AiringRecord(
        external_id=str(_required(fields, "mediaId")), episode=_required(fields, "episode"), airs_at=airs_at
    )


def account(user: object) -> AccountRecord:
    fields = mapping(user)
    name = _text(fields.get("name"), NAME)
    if not name:
        raise Nonsense("an account without a name")
    return AccountRecord(external_id=str(_required(fields, "id")), name=name)


class Lists:
    """Puts the chunks of a list together: each entry once, with all custom lists that hold it."""

    def __init__(self) -> None:
        self._entries: dict[int, ListedRecord] = {}

    def add(self, collection: object) -> bool:
        """Whether there is more."""
        fields = mapping(collection)
        for group in sequence(fields.get("lists")):
            custom = _text(mapping(group).get("name"), NAME) if group.get("isCustomList") is True else ""
            for entry in sequence(group.get("entries")):
                self._add_entry(mapping(entry), custom)
        return fields.get("hasNextChunk") is True

    def records(self) -> list[ListedRecord]:
        return list(self._entries.values())

    def _add_entry(self, fields: dict[str, Any], custom: str) -> None:
        if fields.get("media") is None:  # the show was deleted at AniList
            return
        number = _required(fields, "id")
        known = self._entries.get(number)
        lists = {*(known.custom_lists if known else ()), *((custom,) if custom else ())}
        self._entries[number] = ListedRecord(
            show=known.show if known else show(fields["media"]),
            status=_text(fields.get("status"), 16),
            progress=max(_number(fields.get("progress")) or 0, 0),
            custom_lists=tuple(sorted(lists)),
        )


def mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Nonsense("no object")
    return value


def sequence(value: object) -> list[Any]:
    """Null is empty."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise Nonsense("no list")
    return value


def _relations(connection: object) -> tuple[RelationRecord, ...]:
    """Anime only: what a show was made from is none of ours."""
    found: dict[tuple[str, str], RelationRecord] = {}
    for edge in sequence(mapping(connection).get("edges")):
        node = mapping(edge).get("node")
        kind = _text(edge.get("relationType"), WORD)
        if node is not None and kind and mapping(node).get("type") == "ANIME":
            record = RelationRecord(kind=kind, show=show(node))
            found[kind, record.show.external_id] = record
    return tuple(found.values())


def _required(fields: dict[str, Any], name: str) -> int:
    number = _number(fields.get(name))
    if number is None:
        raise Nonsense(f"no {name}")
    return number


def _number(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > BIGGEST:
        raise Nonsense("no number")
    return value


def _count(value: object) -> int | None:
    """None of something is as good as not known: episodes would be counted on into the next season."""
    number = _number(value)
    return number if number is not None and number > 0 else None


def _text(value: object, longest: int) -> str:
    """One line that can be stored and shown."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Nonsense("no text")
    visible = "".join(
        " " if unicodedata.category(sign) in _CONTROLS else sign
        for sign in value[: 4 * longest].translate(_DIRECTIONS)
    )
    return " ".join(visible.split())[:longest].strip()


def _synonyms(value: object) -> tuple[str, ...]:
    texts = (_text(synonym, TITLE) for synonym in sequence(value)[:SYNONYMS])
    return tuple(dict.fromkeys(text for text in texts if text))


def _address(value: object) -> str:
    text = _text(value, ADDRESS)
    return text if text.startswith("https://") and " " not in text else ""


def _date(value: object) -> datetime.date | None:
    """Where only year or month are known, the first day of these."""
    fields = mapping(value or {})
    year, month, day = (_number(fields.get(name)) for name in ("year", "month", "day"))
    if not year:
        return None
    try:
        return datetime.date(year, month or 1, (day or 1) if month else 1)
    except ValueError:
        return None
