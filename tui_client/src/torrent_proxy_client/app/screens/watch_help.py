"""All keys of the screens of followed shows, and what the states mean."""

from torrent_proxy_client.app.screens.help import HelpScreen, Section

_SHOW_KEYS = (
    ("a", "follow a show: search it, or Ctrl+N by hand"),
    ("Enter", "its episodes and releases"),
    ("/  o", "filter by words of its names; show only one state"),
    ("s  S", "sort by the next column, or backwards"),
    ("p", "pause it, or go on"),
    ("d  u", "follow it no more (asks), and take that back"),
    ("e", "preferences: what you want of every show"),
    ("c  r", "calendar; review: releases only you can place"),
    ("l", "link your list, so that its shows are followed"),
    ("h", "history: what came, and why it was not taken"),
    ("Ctrl+T", "there: of which show a pasted title would be"),
)
_ONE_KEYS = (
    ("Enter", "the releases of an episode"),
    ("t", "there: take this one instead"),
    ("c", "the releases of all its episodes"),
    ("e", "your wishes for it: groups, resolutions, waiting, …"),
    ("n", "its names in releases: add, take away"),
    ("p  h", "pause or go on; its history"),
)
_OTHER_KEYS = (
    ("← →", "in the calendar: a week earlier, later; t today"),
    ("Enter", "in the review: say of which show it is"),
    ("n  c", "in the accounts: link by name, link by code"),
    ("y  e  d", "there: sync now, which statuses, unlink (asks)"),
)
_STATES = (
    ("· not aired", "to come; the calendar says when"),
    ("○ aired", "no release of it has come yet"),
    ("… found", "is taken in a moment, or when the wait is over"),
    ("✗ missing", "aired a while ago, and nothing you want has come"),
)


class WatchHelpScreen(HelpScreen):
    def sections(self) -> tuple[Section, ...]:
        return (
            ("Shows", _SHOW_KEYS),
            ("Where a show is open", _ONE_KEYS),
            ("Calendar, review, accounts", _OTHER_KEYS),
            ("Episodes", _STATES),
        )

    closing = (
        "Episodes are taken from the feeds that you follow (e in the list of torrents). "
        "Times are those of this machine."
    )
