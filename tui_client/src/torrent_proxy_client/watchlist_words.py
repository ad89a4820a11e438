"""Followed shows, their episodes and releases as a person reads them. Plain text only, like `words`."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from torrent_proxy_client import feed_words, words
from torrent_proxy_client.feed_words import Torrents
from torrent_proxy_client.models import State
from torrent_proxy_client.watchlist import Candidate, Entry, Episode, Show, Summary
from torrent_proxy_client.watchlist_accounts import Account, Provider
from torrent_proxy_client.watchlist_decisions import Tried, WatchDecision

OUTCOMES = {
    "taken": "wanted",
    "nearly": "not wanted",
    "had": "had already",
    "review": "to be reviewed",
    "settled": "you decided",
}
"""What became of an item."""

ENTRY_STATES = {
    "followed": "followed",
    "paused": "paused",
    "ended": "complete",
    "left": "off list",
    "removed": "removed",
}
"""At most eight columns."""

_TOLD_ENTRY = {
    "paused": "Paused: nothing is taken for it. p goes on.",
    "ended": "Complete: everything you want of it is there.",
    "left": "It is on your list no more, so nothing is taken for it. p follows it all the same.",
    "removed": "Removed.",
}
_EPISODES = {
    "not_aired": "· not aired",
    "aired": "○ aired",
    "found": "… found",
    "downloading": "↓ downloading",
    "have": "✓ there",
    "missing": "✗ missing",
    "unwanted": "– not wanted",
}
_TOLD_EPISODES = {
    "not_aired": "It has not aired yet.",
    "aired": "It has aired, and no release of it has come yet.",
    "found": "A release is found; it is taken in a moment, or when your wait for a better one is over.",
    "downloading": "The server downloads it.",
    "have": "It is there.",
    "missing": "No release that you want has come.",
    "unwanted": "You do not want it: it is before the first episode that you follow.",
}
_CANDIDATES = {
    "found": "may be taken",
    "taken": "↓ taken",
    "have": "✓ there",
    "replaced": "– replaced",
    "failed": "✗ failed",
    "stalled": "✗ stalled",
}
_FORMATS = {
    "TV": "TV",
    "TV_SHORT": "TV short",
    "MOVIE": "film",
    "SPECIAL": "special",
    "OVA": "OVA",
    "ONA": "ONA",
    "MUSIC": "music",
}
_AIRING = {
    "RELEASING": "airing",
    "FINISHED": "finished",
    "NOT_YET_RELEASED": "not yet aired",
    "CANCELLED": "cancelled",
    "HIATUS": "in hiatus",
}
LIST_STATUSES = {
    "CURRENT": "Watching",
    "PLANNING": "Planning",
    "REPEATING": "Rewatching",
    "PAUSED": "Paused",
    "COMPLETED": "Completed",
    "DROPPED": "Dropped",
}
_SEASONS = ("Winter", "Spring", "Summer", "Autumn")
UNOFFICIAL = {"anilist": "This is an unofficial client of AniList."}
"""By provider: what its terms ask of clients."""


def _known(value: str, known: dict[str, str]) -> str:
    """What a newer server says is shown as it came."""
    return known.get(value) or words.clean(value).replace("_", " ").lower()


def number(value: float) -> str:
    return f"{value:g}"


# --- shows


def title(show: Show) -> str:
    names = (show.title, show.english, show.romaji, show.native)
    return next((clean for name in names if (clean := words.clean(name).strip())), f"show {show.id}")


def other_titles(show: Show) -> list[str]:
    """All that it is called besides."""
    names = dict.fromkeys(
        words.clean(name).strip() for name in (show.english, show.romaji, show.native, *show.synonyms)
    )
    return [name for name in names if name and name != title(show)]


def season(show: Show) -> str:
    """`Autumn 2026`, `2026`, or nothing; a season is a quarter of the year, as broadcasters count."""
    if show.starts_on:
        return f"{_SEASONS[(show.starts_on.month - 1) // 3]} {show.starts_on.year}"
    return str(show.year) if show.year else ""


def format_of(show: Show) -> str:
    return _FORMATS.get(show.format) or words.clean(show.format).replace("_", " ").lower()


def about_show(show: Show) -> str:
    """`TV, 12 episodes, Autumn 2026, airing`"""
    episodes = words.count(show.episodes, "episode") if show.episodes else ""
    airing = _known(show.status, _AIRING)
    adult = "for adults" if show.is_adult else ""
    return ", ".join(part for part in (format_of(show), episodes, season(show), airing, adult) if part)


def told_apart(shows: Sequence[Show]) -> list[str]:
    """Their titles; where several have the same, with what else is known of them."""
    titles = Counter(map(title, shows))
    return [
        f"{title(show)} ({about_show(show)})" if titles[title(show)] > 1 else title(show) for show in shows
    ]


# --- entries


def entry_state(entry: Entry) -> str:
    return _known(entry.state, ENTRY_STATES)


def have(summary: Summary) -> str:
    """`11/12`: episodes that are there, of those that have aired."""
    return f"{summary.have}/{'?' if summary.aired is None else summary.aired}"


def missing(summary: Summary) -> str:
    return f"✗ {summary.missing}" if summary.missing else ""


def soon(when: datetime, now: datetime | None = None) -> str:
    """On this machine: `18:00` of today, `Tue 18:00` of the coming days, else `25 Dec`."""
    here, today = when.astimezone(), (now or datetime.now(UTC)).astimezone().date()
    if here.date() == today:
        return here.strftime("%H:%M")
    if today < here.date() < today + timedelta(days=7):
        return here.strftime("%a %H:%M")
    return here.strftime("%d %b")


def next_episode(summary: Summary) -> str:
    """`13, Tue 18:00`"""
    if summary.next_episode is None:
        return ""
    when = f", {soon(summary.next_airs_at)}" if summary.next_airs_at else ""
    return f"{number(summary.next_episode)}{when}"


def told_summary(summary: Summary) -> str:
    """`11 of 12 aired are there, 1 missing since 22 Nov 18:00, next is 13 on Tue 25 Nov 18:00.`"""
    aired = "" if summary.aired is None else f" of {summary.aired} aired"
    parts = [f"{summary.have}{aired} there"]
    parts += [f"{summary.downloading} downloading"] if summary.downloading else []
    parts += [f"{summary.found} found"] if summary.found else []
    if summary.missing:
        since = f" since {words.moment(summary.missing_since)}" if summary.missing_since else ""
        parts.append(f"{summary.missing} missing{since}")
    told = ", ".join(parts)
    if summary.next_episode is not None:
        when = f" airs {day_and_time(summary.next_airs_at)}" if summary.next_airs_at else " is next"
        told += f". Episode {number(summary.next_episode)}{when}"
    return f"{told}."


def told_entry(entry: Entry) -> str:
    """Why nothing is taken for it; empty while it is followed."""
    return _TOLD_ENTRY.get(entry.state, "")


def came_from(entry: Entry) -> str:
    """`on your list: Watching, 3 watched`, `added by hand`"""
    if entry.list_status:
        watched = f", {entry.list_progress} watched" if entry.list_progress else ""
        return f"on your list: {_known(entry.list_status, LIST_STATUSES)}{watched}"
    return "added by hand" if entry.origin == "hand" else ""


# --- episodes


def episode_name(special: str, value: float) -> str:
    """`12`, `12.5`, `OVA 1`"""
    return f"{words.clean(special)} {number(value)}" if special else number(value)


def episode_state(state: str) -> str:
    """A sign and a word; at most thirteen columns for what servers say today."""
    return _known(state, _EPISODES)


def plain_state(state: str) -> str:
    """Without the sign, for terminals that may lack it."""
    return episode_state(state).lstrip("·○…↓✓✗– ")


def episode_when(episode: Episode) -> str:
    """`since 22 Nov 18:00` where it is missing since then, else when it airs or aired."""
    if episode.missing_since:
        return f"since {words.moment(episode.missing_since)}"
    return words.moment(episode.airs_at) if episode.airs_at else ""


def release_group(episode: Episode) -> str:
    """`Lumen v2`"""
    version = f" v{episode.version}" if episode.version and episode.version > 1 else ""
    return f"{words.clean(episode.group)}{version}".strip()


def told_episode(episode: Episode, torrents: Torrents) -> list[str]:
    """Sentences: how it is, why, and where it comes from."""
    told = words.clean(episode.message) or _TOLD_EPISODES.get(episode.state, "")
    if not told:
        told = f"{episode_state(episode.state).capitalize()}."
    lines = [told]
    if episode.state == "missing" and episode.missing_since:
        lines[0] += f" Missing since {words.moment(episode.missing_since)}."
    elif episode.airs_at:
        tense = "Airs" if episode.airs_at > datetime.now(UTC) else "Aired"
        lines[0] += f" {tense} {day_and_time(episode.airs_at)}."
    if torrent := torrents.get(episode.claim or ""):
        fetch = "; f in the list of torrents fetches it" if torrent.state == State.FINISHED else ""
        lines.append(f"Torrent: {words.state(torrent)}, {words.percent(torrent.progress)}{fetch}")
    elif episode.state == "have" and episode.claim:
        lines.append("Its torrent is not in your list any more.")
    if episode.title:
        lines.append(words.clean(episode.title))
    return lines


# --- releases


def candidate_state(one: Candidate) -> str:
    return _known(one.state, _CANDIDATES)


def episodes(values: Iterable[float], special: str) -> str:
    """`3`, `1–12`, `OVA 1`"""
    numbers = sorted(values)
    if not numbers:
        return "–"
    run = len(numbers) > 1 and numbers == [numbers[0] + step for step in range(len(numbers))]
    told = f"{number(numbers[0])}–{number(numbers[-1])}" if run else ", ".join(map(number, numbers))
    return f"{words.clean(special)} {told}" if special else told


def decision(one: WatchDecision) -> str:
    """`Lighthouse: not wanted (resolutions: got 720p, wanted 1080p)`"""
    show = words.clean(one.show) or "No show of yours for certain"
    why = feed_words.reasons(one.reasons, one.title)
    return f"{show}: {outcome(one.outcome)}" + (f" ({why})" if why else "")


def tried(one: Tried) -> str:
    """What would become of it; at most fourteen columns."""
    match one.outcome:
        case "found" if one.wanted:
            return "✓ wanted"
        case "found" if one.followed:
            return "– not wanted"
        case "found":
            return "– not followed"
        case "unsure":
            return "? unsure"
    return "– of no show"


def told_tried(one: Tried) -> list[str]:
    """Sentences: of what it is, and why it would or would not be taken."""
    if one.show is None:
        may_be = ", ".join(map(title, one.shows))
        told = [f"It may be of {may_be}." if may_be else "No show that is known here is called like that."]
    else:
        which = f", episode {episodes(one.episodes, one.special)}" if one.episodes else ""
        told = [f"{title(one.show)}{which}."]
    told += [feed_words.reasons(whys, one.title) for whys in (one.reasons, one.wish_reasons) if whys]
    return told


def outcome(value: str) -> str:
    return _known(value, OUTCOMES)


# --- days and times, on this machine


def day(when: datetime, now: datetime | None = None) -> str:
    """`today`, `tomorrow`, `yesterday`, `Wed 25 Nov`"""
    here, today = when.astimezone().date(), (now or datetime.now(UTC)).astimezone().date()
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}
    return near.get((here - today).days) or f"{here:%a %d %b}"


def day_and_time(when: datetime) -> str:
    return f"{when.astimezone():%a %d %b %H:%M}"


# --- providers and accounts


def provider_title(provider: Provider) -> str:
    return words.clean(provider.title) or words.clean(provider.name)


def trouble(providers: Iterable[Provider]) -> str:
    """What is the matter with where shows are known from, and how old what is shown is; empty when all is well."""
    told = []
    for one in providers:
        if not (one.message or one.blocked_until):
            continue
        why = words.clean(one.message) or f"{provider_title(one)} is not asked for a while."
        again = f" Asked again {feed_words.due(one.blocked_until)}." if one.blocked_until else ""
        age = f" Airing times are from {words.moment(one.data_at)}." if one.data_at else ""
        told.append(f"{why}{again}{age}")
    return " ".join(told)


def data_age(providers: Iterable[Provider]) -> str:
    """`airing times read 3h 05m ago`; the oldest where several are known."""
    ages = [one.data_at for one in providers if one.data_at]
    return f"airing times read {feed_words.ago(min(ages))}" if ages else ""


def account_state(account: Account | None) -> str:
    """At most fourteen columns."""
    if account is None:
        return "not linked"
    if account.failing_since or account.message:
        return "✗ failing"
    return "✓ synced" if account.synced_at else "… first sync"


def linked(account: Account) -> str:
    """`Linked as alice`; whose it is, is not known before its service has answered once."""
    name = words.clean(account.name).strip()
    return f"Linked as {name}" if name else "Linked"


def told_account(account: Account) -> list[str]:
    """Sentences: how reading the list goes."""
    how = "by code: private lists too" if account.private else "by its public name"
    ends = f", until {words.moment(account.token_ends_at)}" if account.token_ends_at else ""
    told = [f"{linked(account)}, {how}{ends}."]
    if account.failing_since or account.message:
        since = f" since {words.moment(account.failing_since)}" if account.failing_since else ""
        told.append(f"Failing{since}: {words.clean(account.message) or 'the server does not say why.'}")
    synced = f"Last synced {feed_words.ago(account.synced_at)}" if account.synced_at else "Never synced yet"
    following = f", next {feed_words.due(account.next_sync_at)}" if account.next_sync_at else ""
    told.append(f"{synced}{following}.")
    followed = ", ".join(_known(status, LIST_STATUSES) for status in account.statuses) or "nothing"
    adult = ", also what is for adults" if account.include_adult else ""
    told.append(f"Followed of the list: {followed}{adult}.")
    return told
