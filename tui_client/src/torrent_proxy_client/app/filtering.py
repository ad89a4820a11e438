"""Which torrents the list shows: by words, by state, by label."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from torrent_proxy_client import words
from torrent_proxy_client.models import Torrent

_ACCENTS = range(0x300, 0x370)  # combining diacritical marks


@dataclass(frozen=True, slots=True)
class Filter:
    """The default shows all. `label` "" are those without one."""

    words: str = ""
    state: str | None = None
    label: str | None = None

    def __bool__(self) -> bool:
        return self != _ALL

    def __str__(self) -> str:
        """`#linux, Finished, ubu`"""
        parts = []
        if self.label is not None:
            parts.append(words.label(self.label) or "no label")
        if self.state is not None:
            parts.append(words.state_name(self.state))
        return ", ".join([*parts, *([words.clean(self.words.strip())] if self.words.strip() else [])])

    @classmethod
    def restored(cls, stored: Mapping[str, object]) -> "Filter":
        """From what `asdict` made of one, as far as that is of use."""
        return cls(
            words=value if isinstance(value := stored.get("words"), str) else "",
            state=value if isinstance(value := stored.get("state"), str) else None,
            label=value if isinstance(value := stored.get("label"), str) else None,
        )

    def fits(self, torrent: Torrent) -> bool:
        """Every word stands in the name, the state or the label; case and accents do not matter."""
        if self.state is not None and torrent.state != self.state:
            return False
        if self.label is not None and torrent.label != self.label:
            return False
        if not self.words.strip():
            return True
        shown = f"{words.clean(torrent.name)} {words.state(torrent)} {words.label(torrent.label)}"
        text = folded(shown)
        return all(word in text for word in folded(self.words).split())


_ALL = Filter()


def folded(text: str) -> str:
    """As the server compares: without case and accents."""
    return "".join(
        sign for sign in unicodedata.normalize("NFKD", text) if ord(sign) not in _ACCENTS
    ).casefold()
