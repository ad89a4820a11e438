"""Feeds, rules and what they decided, as a person reads them. Plain text only, like `words`."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from torrent_proxy_client import words
from torrent_proxy_client.feeds import Decision, Feed, Grab, Item, Reason, Rule
from torrent_proxy_client.models import Torrent

Torrents = Mapping[str, Torrent]  # all that the person has, by id

OUTCOMES = {
    "taken": "taken",
    "nearly": "nearly taken",
    "had": "had already",
    "dry_run": "would be taken",
}
"""What a rule made of an item."""

_LEFT = "not decided"
_OUT_OF_ORDER = {
    "had": "you have or had it: {got}",
    "better": "{wanted}",
    "feed": "another feed than the rule's",
    "download": "{got}, wanted {wanted}",
}


def health(feed: Feed) -> str:
    """`✓ healthy`, `✗ failing`, `… first check`; at most fifteen columns for what servers say today."""
    signs = {"healthy": "✓ healthy", "failing": "✗ failing", "unchecked": "… first check"}
    return signs.get(feed.health) or words.clean(feed.health) or "unknown"


def told_health(feed: Feed) -> str:
    """As a sentence."""
    if feed.health == "failing":
        since = f" since {words.moment(feed.failing_since)}" if feed.failing_since else ""
        return f"Failing{since}: {words.clean(feed.message) or 'the server does not say why.'}"
    if feed.health == "unchecked":
        return "The first check is still to come."
    return "Healthy."


def ago(when: datetime | None, now: datetime | None = None) -> str:
    """`3h 05m ago`, `in 4m 10s`, `now`; a dash for never."""
    if when is None:
        return "–"
    seconds = ((now or datetime.now(UTC)) - when).total_seconds()
    if abs(seconds) < 1:
        return "now"
    return f"{words.duration(seconds)} ago" if seconds > 0 else f"in {words.duration(-seconds)}"


def due(when: datetime | None, now: datetime | None = None) -> str:
    """Like `ago`; what should have begun is `now`."""
    return ago(max(when, now or datetime.now(UTC)), now) if when else ago(None)


def outcome(value: str) -> str:
    return OUTCOMES.get(value) or words.clean(value).replace("_", " ")


def reason(why: Reason, title: str = "") -> str:
    """`resolutions: got 720p, wanted 1080p`. What merely repeats the `title` is left out."""
    what, got, wanted = (words.clean(text) for text in (why.what.replace("_", " "), why.got, why.wanted))
    if form := _OUT_OF_ORDER.get(why.what):
        return form.format(got=got, wanted=wanted)
    return f"{what}: wanted {wanted}" if why.got == title else f"{what}: got {got}, wanted {wanted}"


def reasons(whys: Iterable[Reason], title: str = "") -> str:
    return "; ".join(reason(why, title) for why in whys)


def grab(wish: Grab) -> str:
    """What became of the wish to have an item: `✓ taken`, `waits until 22 Nov 14:00`, `✗ failed`."""
    until = f" until {words.moment(wish.due_at)}" if wish.due_at else ""
    states = {
        "waiting": f"waits{until}",
        "due": "… is tried again" if wish.message else "… being added",
        "added": "✓ taken",
        "had": "had already",
        "failed": "✗ failed",
    }
    return states.get(wish.state) or words.clean(wish.state)


def item_state(item: Item, torrents: Torrents) -> str:
    """In a few words; the grab knows more than the decision that made it, and the torrent more than the grab."""
    if item.grab:
        torrent = torrents.get(item.grab.torrent or "")
        return f"✓ taken → {words.state(torrent)}" if torrent else grab(item.grab)
    if item.decisions:
        return outcome(item.decisions[-1].outcome)
    return _LEFT if item.has_torrent else "no torrent"


def told_item(item: Item, torrents: Torrents) -> list[str]:
    """Sentences: what became of it, and why."""
    told = []
    if item.grab:
        told.append(_told_grab(item.grab, torrents.get(item.grab.torrent or "")))
    told += [decision(one, item.title) for one in item.decisions]
    if not told:
        told.append(
            "No rule is about it. g takes it anyway."
            if item.has_torrent
            else "There is neither a magnet nor a .torrent in it, so it cannot be taken."
        )
    return told


def _told_grab(wish: Grab, torrent: Torrent | None) -> str:
    why = words.clean(wish.message)
    match wish.state:
        case "waiting":
            until = f", until {words.moment(wish.due_at)}" if wish.due_at else ""
            return f"Waits for a better release{until}."
        case "due":
            return f"Not added yet: {why} It is tried again {ago(wish.due_at)}." if why else "Is being added."
        case "added":
            if torrent is None:
                return "Taken. The torrent is not in your list any more."
            return f"Taken: {words.clean(torrent.name)}, {words.state(torrent)}, {words.percent(torrent.progress)}."
        case "had":
            return f"Not added: you have or had this torrent. {why}".strip()
        case "failed":
            return f"Failed: {why or 'the server does not say why.'}"
    return f"{words.clean(wish.state).capitalize()}. {why}".strip()


def decision(one: Decision, title: str) -> str:
    """`Lighthouse: nearly taken (resolutions: got 720p, wanted 1080p)`"""
    who = words.clean(one.rule_name) or "You"
    why = reasons(one.reasons, title)
    return f"{who}: {outcome(one.outcome)}" + (f" ({why})" if why else "")


def rule_feeds(rule: Rule, feeds: Iterable[Feed]) -> str:
    """`all`, or the names of the feeds it looks at."""
    if not rule.feeds:
        return "all"
    names = {feed.id: words.clean(feed.name) for feed in feeds}
    return ", ".join(names.get(feed_id, "one you left") for feed_id in rule.feeds)


def rule_about(rule: Rule) -> str:
    """What it wants, in a line: `lighthouse, not dual, 1080p or 720p, by Group`."""
    parts = [rule.must_contain, f"/{rule.regex}/" if rule.regex else ""]
    parts += [f"not {rule.must_not_contain}" if rule.must_not_contain else ""]
    parts += [f"not /{rule.negative_regex}/" if rule.negative_regex else ""]
    parts += [" or ".join(rule.resolutions), f"by {' or '.join(rule.groups)}" if rule.groups else ""]
    parts += [f"not by {' or '.join(rule.refused_groups)}" if rule.refused_groups else ""]
    parts += [f"season {rule.season}" if rule.season is not None else ""]
    parts += [f"at least {words.size(rule.min_size)}" if rule.min_size is not None else ""]
    parts += [f"at most {words.size(rule.max_size)}" if rule.max_size is not None else ""]
    return words.clean(", ".join(part for part in parts if part)) or "everything in its feeds"
