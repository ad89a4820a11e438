"""docs/runbook.md as a dashboard, for whoever sees an alert and has no copy of the project at hand."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

from grafana_foundation_sdk.builders import text
from grafana_foundation_sdk.models.dashboard import Dashboard
from grafana_foundation_sdk.models.text import TextMode

from monitoring.dashboards.page import COLUMNS, Section, page
from monitoring.dashboards.vocabulary import RUNBOOK as UID

RUNBOOK = Path(__file__).resolve().parents[2] / "docs" / "runbook.md"
BESIDE = 3  # cards
# In a window of 1440 pixels; what is longer is scrolled.
LETTERS_A_COLUMN = 7
LINE, FRAME, GRID = 22, 60, 38  # pixels


@dataclass(frozen=True)
class Card:
    title: str
    lines: list[str] = field(default_factory=list)

    @property
    def content(self) -> str:
        """Markdown. What it links to in the project is not there in Grafana."""
        return re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]*\)", r"**\1**", "\n".join(self.lines)).strip()

    def height(self, width: int) -> int:
        """In lines of Grafana's grid."""
        room = width * LETTERS_A_COLUMN
        lines = sum(max(1, ceil(len(line) / room)) for line in self.content.splitlines())
        return ceil((lines * LINE + FRAME) / GRID)


@dataclass(frozen=True)
class Chapter:
    title: str
    cards: list[Card] = field(default_factory=list)


def runbook() -> Dashboard:
    sections = [Section(chapter.title, list(_panels(chapter))) for chapter in chapters(RUNBOOK.read_text())]
    return page(
        UID,
        "Runbook",
        "What each alert means, and what to do.",
        *sections,
        since="6h",
        refresh="",
    )


def chapters(markdown: str) -> list[Chapter]:
    """Headings of the first and second level begin a chapter, those of the third a card; what stands before the first
    card of a chapter is a card of the chapter's title."""
    found: list[Chapter] = []
    code = False
    for line in markdown.splitlines():
        code ^= line.startswith("```")
        heading = None if code else re.match(r"(#{1,3}) (.+)", line)
        if heading is None:
            cards = found[-1].cards
            if line and not cards:
                cards.append(Card(found[-1].title))
            if cards:
                cards[-1].lines.append(line)
        elif heading[1] == "###":
            found[-1].cards.append(Card(heading[2]))
        else:
            found.append(Chapter(heading[2]))
    return found


def _panels(chapter: Chapter) -> Iterator[text.Panel]:
    for first in range(0, len(chapter.cards), BESIDE):
        beside = chapter.cards[first : first + BESIDE]
        width = COLUMNS // len(beside)
        height = max(card.height(width) for card in beside)
        for card in beside:
            panel = text.Panel().title(card.title).mode(TextMode.MARKDOWN).content(card.content)
            yield panel.span(width).height(height)
