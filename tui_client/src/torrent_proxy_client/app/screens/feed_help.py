"""All keys of the screens of feeds and rules, and what people may write into a rule."""

from torrent_proxy_client.app.screens.help import HelpScreen, Section

_FEED_KEYS = (
    ("a", "add a feed: paste its address"),
    ("Enter", "what stood in it, and what became of each item"),
    ("c", "check it now; else the server does it when it is due"),
    ("Space", "switch it off or on; what comes meanwhile is not taken"),
    ("n  d", "rename it; remove it (asks), what was taken stays"),
    ("r", "rules: what is to be taken"),
    ("h", "history: everything that your rules decided"),
)
_ITEM_KEYS = (
    ("/", "search words of the title; Esc shows all"),
    ("o", "show only one outcome"),
    ("Enter", "what every rule says of it now"),
    ("g", "grab it anyway, whatever the rules say"),
)
_RULE_KEYS = (
    ("a  Enter", "make a rule, open one"),
    ("Space  t", "switch it off or on; dry run: say, but take nothing"),
    ("d", "delete it (asks)"),
    ("Ctrl+S", "in an open rule: save it"),
    ("Ctrl+T", "in an open rule: try it on pasted titles"),
)
_WORDS = (
    ("a b", "both words, whole, in any order; case is all one"),
    ("a OR b", "one of them; also AND, NOT and brackets"),
    ('"a b"', "these words next to each other"),
    ("light*", "words that begin like this"),
)


class FeedHelpScreen(HelpScreen):
    def sections(self) -> tuple[Section, ...]:
        return (
            ("Feeds", _FEED_KEYS),
            ("Items and history", _ITEM_KEYS),
            ("Rules", _RULE_KEYS),
            ("Words in a rule", _WORDS),
        )

    closing = (
        "Every condition of a rule must hold. An item goes to the first rule that takes it. Regular expressions are "
        "those of RE2, in any case: without look-ahead, look-behind and back-references."
    )
