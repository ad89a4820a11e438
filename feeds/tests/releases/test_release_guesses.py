"""What guessit is asked, and what it is spared."""

from typing import NoReturn

import pytest

from feeds.releases import guesses, parse
from feeds.releases.guesses import Guess, guess


def test_guessit_reads_the_title_of_a_usual_name() -> None:
    assert guess("Harbour.Lights.Extended.1080p.BluRay.x264-GRP") == Guess(
        series="Harbour Lights", episodes=()
    )


@pytest.mark.parametrize(
    "text",
    [
        "01." * 40,  # milliseconds become seconds with each number
        ".".join(str(number) for number in range(20)),
        "Show.and.Show.and.Show.and.Show.and.1080p",
        ".".join(f"Word{chr(65 + index // 26)}{chr(65 + index % 26)}" for index in range(40)),
    ],
)
def test_a_name_that_would_take_long_is_not_shown_to_guessit(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(guesses, "guessit", asked.append)

    assert guess(text) is None
    assert asked == []


def test_guessit_failing_is_as_if_it_had_not_been_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(text: str) -> NoReturn:
        raise RuntimeError(text)

    monkeypatch.setattr(guesses, "guessit", fails)

    assert parse("Harbour.Lights.1080p.BluRay.x264-GRP").series == "Harbour Lights"


@pytest.mark.parametrize(
    "title",
    [
        "Harbour.Lights.S02E05.1080p.WEB.x264-GRP",
        "Harbour.Lights.S02.1080p",
        "[Grp] Harbour Lights - 05 [1080p]",
    ],
)
def test_guessit_is_not_asked_for_what_is_read_without_it(
    monkeypatch: pytest.MonkeyPatch, title: str
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(guesses, "guessit", asked.append)

    assert parse(title).series == "Harbour Lights"
    assert asked == []
