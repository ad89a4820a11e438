"""What a preview says is what happens."""

import random

import pytest

from accounts.models import User
from watchlist import preview as module
from watchlist.aliases import add_alias
from watchlist.matching import Outcome as Matched
from watchlist.models import Candidate, Decision, Entry
from watchlist.preview import preview
from watchlist.tests.deciding_world import Feed, follow, show

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("chosen")]


def test_a_title_is_told_with_its_show_and_episodes(alice: User) -> None:
    entry = follow(alice, "Lighthouse")
    (one,) = preview(user=alice, titles=["[Group] Lighthouse - 05 [1080p]"])
    assert (one.match.outcome, one.show, one.entry, one.numbers) == (Matched.FOUND, entry.show, entry, (5.0,))
    assert one.wanted


def test_a_show_that_they_do_not_follow_is_told_too(alice: User) -> None:
    other = show("Lighthouse")
    (one,) = preview(user=alice, titles=["Lighthouse - 01"])
    assert (one.show, one.entry, one.wanted) == (other, None, False)


def test_why_a_release_is_not_wanted(alice: User) -> None:
    follow(alice, "Lighthouse", from_episode=5, state=Entry.State.PAUSED)
    (one,) = preview(user=alice, titles=["Lighthouse - 01"])
    assert [reason.what for reason in one.reasons] == ["from_episode", "state"]


def test_a_question_names_the_shows(alice: User) -> None:
    shows = [show("Lighthouse"), show("Lighthouse")]
    (one,) = preview(user=alice, titles=["Lighthouse - 01"])
    assert (one.match.outcome, one.candidates) == (Matched.UNSURE, shows)


def test_empty_lines_are_left_out_and_no_more_than_so_many_are_read(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_TITLES", 2)
    told = preview(user=alice, titles=["", "Lighthouse - 01", "  ", "Lighthouse - 02", "Lighthouse - 03"])
    assert [one.title for one in told] == ["Lighthouse - 01", "Lighthouse - 02"]


def test_nothing_is_written_by_it(alice: User) -> None:
    follow(alice, "Lighthouse")
    Feed(alice)
    preview(user=alice, titles=["Lighthouse - 01"])
    assert not Decision.objects.exists()
    assert not Candidate.objects.exists()


def test_what_it_wants_is_what_is_found(alice: User) -> None:
    chance = random.Random(7)
    entry = follow(alice, show("Lighthouse", episodes=12), from_episode=3, resolutions=["1080p", "720p"])
    add_alias(entry=entry, name="Leuchtturm")
    follow(alice, show("Windmill", episodes=24), offset=-12, specials=True, languages=["en"])
    follow(alice, show("Harbour", status="RELEASING"), refused_groups=["Bad"], must_not_contain="dub OR raw")
    follow(alice, show("Twins"), state=Entry.State.FOLLOWED)
    show("Twins")
    names = ["Lighthouse", "Leuchtturm", "Windmill", "Harbour", "Twins", "Elsewhere"]
    numbers = ["- 01", "- 05", "- 13", "- 01-12", "- OVA 01", "- 12.5", "(Batch)", ""]
    words = ["[1080p]", "[720p]", "[480p]", "[Eng]", "[VOSTFR]", "[raw]", ""]
    titles = list(
        dict.fromkeys(
            f"{chance.choice(['[Good] ', '[Bad] ', ''])}{chance.choice(names)} {chance.choice(numbers)} "
            f"{chance.choice(words)}".strip()
            for _ in range(180)
        )
    )
    told = preview(user=alice, titles=titles)
    Feed(alice).publish(*titles)
    assert {one.title for one in told if one.wanted} == {one.title for one in Candidate.objects.all()}
    assert 10 < Candidate.objects.count() < len(titles) - 10
