"""What the server tells of followed shows, as frozen dataclasses, read as in `models`."""

from dataclasses import dataclass
from datetime import date, datetime

from torrent_proxy_client.errors import BadAnswer
from torrent_proxy_client.models import Fields


@dataclass(frozen=True, slots=True)
class Show:
    """One season or cour, film or special, as its provider counts them."""

    id: int
    provider: str
    title: str
    romaji: str
    english: str
    native: str
    synonyms: tuple[str, ...]
    format: str  # "TV", "MOVIE", …
    status: str  # "RELEASING", "FINISHED", …
    episodes: int | None  # how many there will be
    year: int | None
    starts_on: date | None
    is_adult: bool
    site_url: str
    fetched_at: datetime | None  # when its provider told this

    @classmethod
    def from_json(cls, value: object) -> "Show":
        read = Fields(value, "show")
        return cls(
            id=read.required("id", int),
            provider=read.get("provider", str, ""),
            title=read.get("title", str, ""),
            romaji=read.get("romaji", str, ""),
            english=read.get("english", str, ""),
            native=read.get("native", str, ""),
            synonyms=read.many("synonyms", str),
            format=read.get("format", str, ""),
            status=read.get("status", str, ""),
            episodes=read.optional("episodes", int),
            year=read.optional("year", int),
            starts_on=_day(read.optional("starts_on", str)),
            is_adult=read.get("is_adult", bool, False),
            site_url=read.get("site_url", str, ""),
            fetched_at=read.time("fetched_at"),
        )


@dataclass(frozen=True, slots=True)
class Wishes:
    """Which releases somebody wants. None: as in their preferences, and there as the server does by default."""

    groups: tuple[str, ...] | None  # preferred, best first
    only_groups: bool | None
    refused_groups: tuple[str, ...] | None
    resolutions: tuple[str, ...] | None  # best first; none: any
    languages: tuple[str, ...] | None  # none: any
    must_not_contain: str | None
    batches: str | None  # "any", "none" or "only"
    specials: bool | None
    newer_versions: bool | None
    delay_seconds: int | None
    stalled_hours: int | None  # 0: never
    start_paused: bool | None
    label: str | None

    @classmethod
    def from_json(cls, value: object) -> "Wishes":
        read = Fields(value, "list of wishes")
        return cls(
            groups=_names(read, "groups"),
            only_groups=read.optional("only_groups", bool),
            refused_groups=_names(read, "refused_groups"),
            resolutions=_names(read, "resolutions"),
            languages=_names(read, "languages"),
            must_not_contain=read.optional("must_not_contain", str),
            batches=read.optional("batches", str),
            specials=read.optional("specials", bool),
            newer_versions=read.optional("newer_versions", bool),
            delay_seconds=read.optional("delay_seconds", int),
            stalled_hours=read.optional("stalled_hours", int),
            start_paused=read.optional("start_paused", bool),
            label=read.optional("label", str),
        )


@dataclass(frozen=True, slots=True)
class Preferences:
    """What somebody wants of every show, and what holds where that says nothing."""

    wishes: Wishes
    effective: Wishes

    @classmethod
    def from_json(cls, value: object) -> "Preferences":
        read = Fields(value, "list of preferences")
        return cls(Wishes.from_json(value), Wishes.from_json(read.get("effective", dict, {})))


@dataclass(frozen=True, slots=True)
class Alias:
    """A name in releases that means this show."""

    id: str
    name: str
    season: int | None  # only where a release states this season; None: where it states none

    @classmethod
    def from_json(cls, value: object) -> "Alias":
        read = Fields(value, "name of a show")
        return cls(
            id=read.identifier("id"), name=read.get("name", str, ""), season=read.optional("season", int)
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of episodes."""

    aired: int | None  # None: not known
    have: int
    downloading: int
    found: int
    missing: int
    missing_since: datetime | None
    next_episode: float | None
    next_airs_at: datetime | None

    @classmethod
    def from_json(cls, value: object) -> "Summary":
        read = Fields(value, "summary of a show")
        return cls(
            aired=read.optional("aired", int),
            have=read.get("have", int, 0),
            downloading=read.get("downloading", int, 0),
            found=read.get("found", int, 0),
            missing=read.get("missing", int, 0),
            missing_since=read.time("missing_since"),
            next_episode=read.optional_number("next_episode"),
            next_airs_at=read.time("next_airs_at"),
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """A show that somebody follows."""

    id: str
    show: Show
    origin: str  # "search", "list" or "hand"
    state: str  # "followed", "paused", "ended", "left" or "removed"
    list_status: str  # empty: not on a list
    list_progress: int
    from_episode: int
    offset: int
    end_with_show: bool
    wishes: Wishes
    effective: Wishes
    aliases: tuple[Alias, ...]
    summary: Summary
    added_at: datetime | None

    @classmethod
    def from_json(cls, value: object) -> "Entry":
        read = Fields(value, "followed show")
        return cls(
            id=read.required("id", str),
            show=Show.from_json(read.required("show", dict)),
            origin=read.get("origin", str, ""),
            state=read.get("state", str, ""),
            list_status=read.get("list_status", str, ""),
            list_progress=read.get("list_progress", int, 0),
            from_episode=read.get("from_episode", int, 1),
            offset=read.get("offset", int, 0),
            end_with_show=read.get("end_with_show", bool, True),
            wishes=Wishes.from_json(read.get("wishes", dict, {})),
            effective=Wishes.from_json(read.get("effective_wishes", dict, {})),
            aliases=read.many("aliases", Alias.from_json),
            summary=Summary.from_json(read.get("summary", dict, {})),
            added_at=read.time("added_at"),
        )


@dataclass(frozen=True, slots=True)
class Episode:
    number: float
    special: str  # "OVA", "SP", …: the number counts these; empty: an ordinary episode
    airs_at: datetime | None
    state: str  # "not_aired", "aired", "found", "downloading", "have", "missing" or "unwanted"
    missing_since: datetime | None
    title: str  # of the release that it comes from
    group: str
    version: int | None
    candidate: str | None  # its id
    claim: str | None  # the torrent it became, which may be gone
    message: str

    @classmethod
    def from_json(cls, value: object) -> "Episode":
        read = Fields(value, "episode")
        return cls(
            number=read.number("number"),
            special=read.get("special", str, ""),
            airs_at=read.time("airs_at"),
            state=read.get("state", str, ""),
            missing_since=read.time("missing_since"),
            title=read.get("title", str, ""),
            group=read.get("group", str, ""),
            version=read.optional("version", int),
            candidate=_reference(read, "candidate_id"),
            claim=_reference(read, "claim_id"),
            message=read.get("message", str, ""),
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A release that may be taken for a show."""

    id: str
    title: str
    group: str
    version: int
    numbers: tuple[float, ...]  # episodes that it holds
    special: str  # then the numbers count these
    state: str  # "found", "taken", "have", "replaced", "failed" or "stalled"
    message: str
    claim: str | None
    found_at: datetime | None

    @classmethod
    def from_json(cls, value: object) -> "Candidate":
        read = Fields(value, "release")
        return cls(
            id=read.identifier("id"),
            title=read.get("title", str, ""),
            group=read.get("group", str, ""),
            version=read.get("version", int, 1),
            numbers=read.many("numbers", number),
            special=read.get("special", str, ""),
            state=read.get("state", str, ""),
            message=read.get("message", str, ""),
            claim=_reference(read, "claim_id"),
            found_at=read.time("found_at"),
        )

    def holds(self, episode: Episode) -> bool:
        return episode.special == self.special and episode.number in self.numbers


@dataclass(frozen=True, slots=True)
class Airing:
    """An episode on a day of the calendar."""

    airs_at: datetime | None
    number: float
    entry: str
    title: str
    state: str  # as of an Episode

    @classmethod
    def from_json(cls, value: object) -> "Airing":
        read = Fields(value, "day of the calendar")
        return cls(
            airs_at=read.time("airs_at"),
            number=read.number("number"),
            entry=read.required("entry_id", str),
            title=read.get("title", str, ""),
            state=read.get("state", str, ""),
        )


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadAnswer("The server sent a date that is none.", status=200) from None


def _names(read: Fields, name: str) -> tuple[str, ...] | None:
    return None if read.optional(name, list) is None else read.many(name, str)


def _reference(read: Fields, name: str) -> str | None:
    """Servers may number things or give them UUIDs; None where there is none."""
    return read.identifier(name) if read.has(name) else None


def number(value: object) -> float:
    return Fields({"number": value}, "number").number("number")
