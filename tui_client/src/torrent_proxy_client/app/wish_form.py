"""Wishes for releases as they are typed; each field says what holds where it is left empty."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from torrent_proxy_client import amounts, words
from torrent_proxy_client.amounts import BadAmount
from torrent_proxy_client.app.form import (
    ChoiceField,
    Field,
    Groups,
    TextField,
    TickField,
    number_text,
    parse_list,
)
from torrent_proxy_client.app.rule_form import BATCHES
from torrent_proxy_client.watchlist import Entry, Preferences

_NOTHING = {
    "none",
    "none preferred",
    "no",
    "any",
    "-",
}  # written for "nothing", which is something else than "as elsewhere"
_YES_NO = {True: "yes", False: "no"}


def inherited_by_entries(preferences: Preferences, entry: Entry) -> dict[str, object]:
    """What neither says is up to the show: of one that airs no batches are taken."""
    own, preferred = asdict(entry.wishes), asdict(preferences.wishes)
    held = asdict(entry.effective)
    undecided = {name: held[name] for name in own if own[name] is None and preferred[name] is None}
    return asdict(preferences.effective) | undecided


def inherited_by_preferences(preferences: Preferences) -> dict[str, object]:
    """As far as it is known: what holds where something is wished says nothing of what would hold else."""
    own = asdict(preferences.wishes)
    known = asdict(preferences.effective)
    del known["batches"]  # they depend on whether a show still airs
    return {name: value for name, value in known.items() if own[name] is None}


def wish_groups(inherited: Mapping[str, object], whence: str) -> Groups:
    """`whence` is where the inherited comes from: "in your preferences"."""

    def told(name: str, write: Callable[[Any], str]) -> str:
        known = inherited.get(name)
        return f"as {whence}" if known is None else f"as {whence}: {words.clean(write(known))}"

    def listed(name: str, title: str, empty: str) -> Field:
        return text(name, title, partial(_list_text, empty=empty), _parse_list)

    def text(name: str, title: str, write: Callable[[Any], str], read: Callable[[str], object]) -> Field:
        return TextField(name, title, told(name, write), write, read)

    def choice(name: str, title: str, choices: Mapping[Any, str] = _YES_NO) -> Field:
        as_there = told(name, lambda value: choices.get(value, str(value)))
        return ChoiceField(name, title, {None: as_there, **choices})

    return (
        ("Which releases", (
            listed("groups", "Groups", "none preferred"),
            choice("only_groups", "Only these"),
            listed("refused_groups", "Never groups", "none"),
            listed("resolutions", "Resolutions", "any"),
            listed("languages", "Languages", "any"),
            text("must_not_contain", "Must not contain", _text_text, _parse_text),
            choice("batches", "Batches", BATCHES),
            choice("specials", "Specials too"),
        )),
        ("What is done with them", (
            text("delay_seconds", "Wait for better", _delay_text, _parse_delay),
            choice("newer_versions", "Newer versions", {True: "a v2 replaces what is there", False: "not taken"}),
            text("stalled_hours", "Give up stalled", _hours_text, _parse_hours),
            choice("start_paused", "Add them paused"),
            text("label", "Label", _text_text, _parse_text),
        )),
    )  # fmt: skip


def _list_text(values: tuple[str, ...] | None, empty: str) -> str:
    return "" if values is None else ", ".join(values) or empty


def _parse_list(text: str) -> list[str] | None:
    if not text.strip():
        return None
    return [] if text.strip().lower() in _NOTHING else parse_list(text)


def _text_text(text: str | None) -> str:
    return "" if text is None else text or "none"


def _parse_text(text: str) -> str | None:
    if not text.strip():
        return None
    return "" if text.strip().lower() in _NOTHING else text.strip()


def _delay_text(seconds: int | None) -> str:
    return "no" if seconds == 0 else amounts.time_text(seconds)


def _parse_delay(text: str) -> int | None:
    return 0 if text.strip().lower() in _NOTHING else amounts.parse_time(text, empty="as elsewhere")


def _hours_text(hours: int | None) -> str:
    return "never" if hours == 0 else amounts.time_text(None if hours is None else hours * 3600)


def _parse_hours(text: str) -> int | None:
    if text.strip().lower() in {*_NOTHING, "never"}:
        return 0
    seconds = amounts.parse_time(text, empty="as elsewhere")
    if seconds is not None and seconds % 3600:
        raise BadAmount("Write whole hours such as 36 h, or 0 for never. Empty: as elsewhere.")
    return None if seconds is None else seconds // 3600


def _parse_first(text: str) -> int:
    return _whole(text, 1)


def _parse_offset(text: str) -> int:
    """Added to the number in a release's name."""
    return _whole(text, 0)


def _whole(text: str, empty: int) -> int:
    try:
        return int(text) if text.strip() else empty
    except ValueError:
        raise BadAmount(f"{text.strip()} is not a whole number. Empty: {empty}.") from None


SHOW: Groups = (
    ("This show", (
        TextField("from_episode", "From episode", "1: everything", number_text, _parse_first),
        TextField("offset", "Number offset", "0: releases count as the show does", number_text, _parse_offset),
        TickField("end_with_show", "Done when the last episode is there"),
    )),
)  # fmt: skip
