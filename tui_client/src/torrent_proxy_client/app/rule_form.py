"""The fields of a rule as they are typed: what each is called, and how it is read and written."""

from datetime import datetime

from torrent_proxy_client import amounts
from torrent_proxy_client.amounts import BadAmount
from torrent_proxy_client.app.form import (
    ChoiceField,
    Field,
    Groups,
    TextField,
    TickField,
    list_text,
    number_text,
    parse_list,
)

BATCHES = {"any": "single episodes and batches", "none": "single episodes only", "only": "batches only"}


def _day_text(moment: datetime | None) -> str:
    """The exact moment is kept: a rule may have been made by another client."""
    if moment is None:
        return ""
    here = moment.astimezone()
    return (
        f"{here:%Y-%m-%d}" if (here.hour, here.minute, here.second) == (0, 0, 0) else f"{here:%Y-%m-%d %H:%M}"
    )


def _parse_day(text: str) -> str | None:
    if not text.strip():
        return None
    try:
        return datetime.fromisoformat(text.strip()).astimezone().isoformat()
    except (ValueError, OverflowError):
        raise BadAmount("Write a day such as 2026-11-22. Empty: any.") from None


def _parse_age(text: str) -> int | None:
    return amounts.parse_time(text, empty="any age")


def _parse_delay(text: str) -> int:
    return amounts.parse_time(text, empty="no waiting") or 0


def _parse_priority(text: str) -> int:
    try:
        return int(text or 0)
    except ValueError:
        raise BadAmount(f"{text.strip()} is not a whole number. Empty: 0.") from None


def _delay_text(seconds: int) -> str:
    return amounts.time_text(seconds) if seconds else ""


def _priority_text(priority: int) -> str:
    return str(priority) if priority else ""


GROUPS: Groups = (
    ("What it is called", (
        TextField("name", "Name", "of this rule"),
        TextField("must_contain", "Must contain", 'such as lighthouse (web OR "blu ray")'),
        TextField("must_not_contain", "Must not contain", "such as dub* OR raw"),
        TextField("regex", "Regex", r"such as S\d+E\d+"),
        TextField("negative_regex", "Negative regex", "what must not be found"),
    )),
    ("What it is", (
        TextField("resolutions", "Resolutions", "the best first, such as 1080p, 720p", list_text, parse_list),
        TextField("groups", "Groups", "the best first, such as Lumen, Aurora", list_text, parse_list),
        TickField("only_groups", "Only these groups"),
        TextField("refused_groups", "Never groups", "such as Kestrel", list_text, parse_list),
        TextField("min_size", "Smallest size", "any, or such as 200 MB", amounts.size_text, amounts.parse_size),
        TextField("max_size", "Largest size", "any, or such as 1.5 GiB", amounts.size_text, amounts.parse_size),
        TextField("season", "Season", "any, or such as 2", number_text, amounts.parse_count),
        TextField("first_episode", "First episode", "any, or such as 3", number_text, amounts.parse_number),
        TextField("last_episode", "Last episode", "any, or such as 12", number_text, amounts.parse_number),
        ChoiceField("batches", "Episodes", BATCHES),
        TextField("published_after", "Published after", "any, or such as 2026-11-22", _day_text, _parse_day),
        TextField("max_age_seconds", "Oldest", "any, or such as 3 d", amounts.time_text, _parse_age),
    )),
    ("What is done with it", (
        TickField("once_per_episode", "One release of each episode"),
        TextField("delay_seconds", "Wait for better", "no, or such as 6 h", _delay_text, _parse_delay),
        TextField("max_per_day", "At most a day", "any number, or such as 5", number_text, amounts.parse_count),
        TextField("label", "Label", "of the torrents; none"),
        TickField("start_paused", "Add them paused"),
    )),
    ("This rule", (
        TextField("priority", "Priority", "0; higher is asked first", _priority_text, _parse_priority),
        TickField("enabled", "Switched on"),
        TickField("dry_run", "Dry run: say what it would take, and take nothing"),
    )),
)  # fmt: skip
"""By title of the group, in the order of the form. The feeds stand between the second and the third group."""
FIELDS: tuple[Field, ...] = tuple(field for _, fields in GROUPS for field in fields)
FEEDS = "Only these feeds"
