"""What the server tells of feeds and rules, as frozen dataclasses, read as in `models`. Sizes are bytes."""

from dataclasses import dataclass
from datetime import datetime

from torrent_proxy_client.models import Fields


@dataclass(frozen=True, slots=True)
class Feed:
    id: str
    name: str
    title: str  # as the feed calls itself
    address: str  # without what may be a passkey
    enabled: bool
    health: str  # "unchecked", "healthy" or "failing"
    message: str  # why the last check failed; else empty
    failing_since: datetime | None
    checked_at: datetime | None
    next_check_at: datetime | None

    @classmethod
    def from_json(cls, value: object) -> "Feed":
        read = Fields(value, "feed")
        return cls(
            id=read.required("id", str),
            name=read.get("name", str, ""),
            title=read.get("title", str, ""),
            address=read.get("address", str, ""),
            enabled=read.get("enabled", bool, True),
            health=read.get("health", str, ""),
            message=read.get("message", str, ""),
            failing_since=read.time("failing_since"),
            checked_at=read.time("checked_at"),
            next_check_at=read.time("next_check_at"),
        )


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a rule does not take an item. `what` is a field of the rule, or what else stood against it."""

    what: str
    got: str
    wanted: str

    @classmethod
    def from_json(cls, value: object) -> "Reason":
        read = Fields(value, "reason")
        return cls(
            what=read.get("what", str, ""), got=read.get("got", str, ""), wanted=read.get("wanted", str, "")
        )


@dataclass(frozen=True, slots=True)
class Grab:
    """The wish to have an item."""

    state: str  # "waiting", "due", "added", "had" or "failed"
    message: str  # why it is not added; else empty
    due_at: datetime | None
    torrent: str | None  # its id, which may be gone

    @classmethod
    def from_json(cls, value: object) -> "Grab":
        read = Fields(value, "grab")
        return cls(
            state=read.get("state", str, ""),
            message=read.get("message", str, ""),
            due_at=read.time("due_at"),
            torrent=read.optional("torrent", str),
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """What a rule made of an item. `title` and `feed` are empty where it comes with its item."""

    rule: str | None  # None: the rule is gone
    rule_name: str  # empty: taken by hand
    outcome: str  # "taken", "nearly", "had" or "dry_run"
    reasons: tuple[Reason, ...]
    at: datetime | None
    title: str
    number: int
    feed: str | None

    @classmethod
    def from_json(cls, value: object) -> "Decision":
        read = Fields(value, "decision")
        return cls(
            rule=read.optional("rule", str),
            rule_name=read.get("rule_name", str, ""),
            outcome=read.get("outcome", str, ""),
            reasons=read.many("reasons", Reason.from_json),
            at=read.time("at"),
            title=read.get("title", str, ""),
            number=read.get("number", int, 0),
            feed=read.optional("feed", str),
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of an item now."""

    rule_name: str
    taken: bool
    reasons: tuple[Reason, ...]

    @classmethod
    def from_json(cls, value: object) -> "Verdict":
        read = Fields(value, "verdict")
        return cls(
            rule_name=read.get("rule_name", str, ""),
            taken=read.get("taken", bool, False),
            reasons=read.many("reasons", Reason.from_json),
        )


@dataclass(frozen=True, slots=True)
class Item:
    feed: str
    number: int  # counts the feed's items
    title: str
    page: str  # where to read about it; may be empty
    size: int | None
    has_torrent: bool
    published_at: datetime | None
    seen_at: datetime | None
    decisions: tuple[Decision, ...]
    grab: Grab | None
    verdicts: tuple[Verdict, ...]  # of every rule, where they were asked for

    @classmethod
    def from_json(cls, value: object) -> "Item":
        read = Fields(value, "feed's item")
        grab = read.optional("grab", dict)
        return cls(
            feed=read.required("feed", str),
            number=read.required("number", int),
            title=read.get("title", str, ""),
            page=read.get("page", str, ""),
            size=read.optional("size", int),
            has_torrent=read.get("has_torrent", bool, False),
            published_at=read.time("published_at"),
            seen_at=read.time("seen_at"),
            decisions=read.many("decisions", Decision.from_json),
            grab=Grab.from_json(grab) if grab else None,
            verdicts=read.many("verdicts", Verdict.from_json),
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """Every condition that is set must hold; what is None or empty is none."""

    id: str
    name: str
    enabled: bool
    dry_run: bool
    priority: int  # higher first
    feeds: tuple[str, ...]  # ids; none: all
    must_contain: str
    must_not_contain: str
    regex: str
    negative_regex: str
    min_size: int | None
    max_size: int | None
    season: int | None
    first_episode: float | None
    last_episode: float | None
    published_after: datetime | None
    max_age_seconds: int | None
    resolutions: tuple[str, ...]  # best first
    groups: tuple[str, ...]  # best first
    only_groups: bool
    refused_groups: tuple[str, ...]
    batches: str  # "any", "none" or "only"
    once_per_episode: bool
    max_per_day: int | None
    delay_seconds: int
    start_paused: bool
    label: str

    @classmethod
    def from_json(cls, value: object) -> "Rule":
        read = Fields(value, "rule")
        return cls(
            id=read.get("id", str, ""),
            name=read.get("name", str, ""),
            enabled=read.get("enabled", bool, True),
            dry_run=read.get("dry_run", bool, False),
            priority=read.get("priority", int, 0),
            feeds=read.many("feeds", str),
            must_contain=read.get("must_contain", str, ""),
            must_not_contain=read.get("must_not_contain", str, ""),
            regex=read.get("regex", str, ""),
            negative_regex=read.get("negative_regex", str, ""),
            min_size=read.optional("min_size", int),
            max_size=read.optional("max_size", int),
            season=read.optional("season", int),
            first_episode=read.optional_number("first_episode"),
            last_episode=read.optional_number("last_episode"),
            published_after=read.time("published_after"),
            max_age_seconds=read.optional("max_age_seconds", int),
            resolutions=read.many("resolutions", str),
            groups=read.many("groups", str),
            only_groups=read.get("only_groups", bool, False),
            refused_groups=read.many("refused_groups", str),
            batches=read.get("batches", str, "any"),
            once_per_episode=read.get("once_per_episode", bool, False),
            max_per_day=read.optional("max_per_day", int),
            delay_seconds=read.get("delay_seconds", int, 0),
            start_paused=read.get("start_paused", bool, False),
            label=read.get("label", str, ""),
        )

    @classmethod
    def blank(cls) -> "Rule":
        """One without conditions, which no server has yet."""
        return cls.from_json({})


@dataclass(frozen=True, slots=True)
class Previewed:
    """What a rule would make of one title."""

    title: str
    feed: str | None  # None: a pasted title
    size: int | None
    taken: bool
    reasons: tuple[Reason, ...]

    @classmethod
    def from_json(cls, value: object) -> "Previewed":
        read = Fields(value, "preview")
        return cls(
            title=read.get("title", str, ""),
            feed=read.optional("feed", str),
            size=read.optional("size", int),
            taken=read.get("taken", bool, False),
            reasons=read.many("reasons", Reason.from_json),
        )


@dataclass(frozen=True, slots=True)
class Preview:
    taken: int
    of: int
    items: tuple[Previewed, ...]  # the newest first

    @classmethod
    def from_json(cls, value: object) -> "Preview":
        read = Fields(value, "preview")
        return cls(
            taken=read.get("taken", int, 0),
            of=read.get("of", int, 0),
            items=read.many("items", Previewed.from_json),
        )
