"""Questions, their answers, and names that people give: remembered, taken back, and nobody else's."""

import pytest

from accounts.models import User
from watchlist import aliases, consumer
from watchlist.aliases import AliasRefused, add_alias, remove_alias
from watchlist.models import Alias, Candidate, Decision, Entry, Show
from watchlist.review import ReviewRefused, answer_review, pending
from watchlist.tests.deciding_world import Chosen, Feed, decided, follow, found, show

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("chosen")]

Outcome = Decision.Outcome


@pytest.fixture
def lighthouses(db: None) -> tuple[Show, Show]:
    """Of the same name."""
    return show("Lighthouse", episodes=12), show("Lighthouse", episodes=12)


@pytest.fixture
def entry(alice: User, lighthouses: tuple[Show, Show]) -> Entry:
    return follow(alice, lighthouses[1])


@pytest.fixture
def feed(alice: User, entry: Entry) -> Feed:
    return Feed(alice)


def question(title: str = "Lighthouse - 01") -> Decision:
    return Decision.objects.get(item__title=title, outcome=Outcome.REVIEW)


class TestQuestions:
    def test_name_the_shows_and_the_feed(
        self, alice: User, feed: Feed, lighthouses: tuple[Show, Show]
    ) -> None:
        feed.publish("Lighthouse - 01")
        (asked,) = pending(alice)
        assert asked.decision == question()
        assert (asked.shows, asked.feed) == (list(lighthouses), "My feed")

    def test_are_not_asked_any_more_of_shows_that_were_given_up(
        self, alice: User, feed: Feed, entry: Entry
    ) -> None:
        feed.publish("Lighthouse - 01")
        Entry.objects.update(state=Entry.State.REMOVED)
        assert pending(alice) == []

    def test_are_nobody_elses(self, bob: User, feed: Feed) -> None:
        feed.publish("Lighthouse - 01")
        assert pending(bob) == []
        with pytest.raises(ReviewRefused):
            answer_review(user=bob, decision=question(), show=None)


class TestAnAnswer:
    def test_makes_it_available(self, alice: User, feed: Feed, entry: Entry, chosen: Chosen) -> None:
        feed.publish("Lighthouse - 01")
        answered = answer_review(user=alice, decision=question(), show=entry.show)
        assert (answered.outcome, answered.entry) == (Outcome.SETTLED, entry)
        assert found() == ["Lighthouse - 01"]
        assert chosen.calls == [(alice, [entry])]
        assert pending(alice) == []

    def test_holds_for_what_is_asked_now_and_for_what_comes(
        self, alice: User, feed: Feed, entry: Entry
    ) -> None:
        feed.publish("Lighthouse - 01", "[Group] LIGHTHOUSE - 02", "Lighthouse S2 - 01")
        answer_review(user=alice, decision=question(), show=entry.show)
        feed.publish("Lighthouse - 03")
        assert found() == ["Lighthouse - 01", "[Group] LIGHTHOUSE - 02", "Lighthouse - 03"]

    def test_holds_for_what_is_stored(
        self, alice: User, feed: Feed, entry: Entry, lighthouses: tuple[Show, Show]
    ) -> None:
        other = follow(alice, lighthouses[0])
        feed.publish("Lighthouse - 01", "Lighthouse - 02")
        answer_review(user=alice, decision=question(), show=other.show, remember=False)
        Decision.objects.filter(outcome=Outcome.REVIEW).delete()
        answered = Decision.objects.get()
        Decision.objects.update(outcome=Outcome.REVIEW)
        answer_review(user=alice, decision=answered, show=other.show)
        assert consumer.catch_up() == 1
        assert found() == ["Lighthouse - 01", "Lighthouse - 02"]

    def test_that_is_not_remembered_is_about_one_item(self, alice: User, feed: Feed, entry: Entry) -> None:
        feed.publish("Lighthouse - 01", "Lighthouse - 02")
        answer_review(user=alice, decision=question(), show=entry.show, remember=False)
        assert found() == ["Lighthouse - 01"]
        assert [asked.decision.item.title for asked in pending(alice)] == ["Lighthouse - 02"]
        Entry.objects.update(look_back=True)
        consumer.catch_up()  # and stays, also where the name is still a question
        assert found() == ["Lighthouse - 01"]
        assert decided() == [("Lighthouse - 01", Outcome.SETTLED), ("Lighthouse - 02", Outcome.REVIEW)]

    def test_of_none_settles_all_of_that_name_for_good(self, alice: User, feed: Feed) -> None:
        feed.publish("Lighthouse - 01", "Lighthouse - 02")
        answered = answer_review(user=alice, decision=question(), show=None)
        assert (answered.outcome, answered.entry) == (Outcome.SETTLED, None)
        feed.publish("Lighthouse - 03")
        assert decided() == [("Lighthouse - 01", Outcome.SETTLED), ("Lighthouse - 02", Outcome.SETTLED)]
        assert (found(), pending(alice)) == ([], [])

    def test_of_a_show_that_they_do_not_follow_takes_nothing(
        self, alice: User, feed: Feed, lighthouses: tuple[Show, Show]
    ) -> None:
        feed.publish("Lighthouse - 01", "Lighthouse - 02")
        answered = answer_review(user=alice, decision=question(), show=lighthouses[0])
        assert (answered.outcome, answered.entry) == (Outcome.SETTLED, None)
        assert (found(), pending(alice)) == ([], [])

    def test_goes_before_numbers_that_the_show_does_not_have(
        self, alice: User, feed: Feed, entry: Entry
    ) -> None:
        feed.publish("Lighthouse - 13")
        answer_review(user=alice, decision=question("Lighthouse - 13"), show=entry.show)
        assert Candidate.objects.get().numbers == [13.0]

    def test_is_asked_whether_it_is_as_they_want_it(self, alice: User, feed: Feed, entry: Entry) -> None:
        Entry.objects.update(from_episode=5)
        feed.publish("Lighthouse - 01")
        answered = answer_review(user=alice, decision=question(), show=entry.show)
        assert [reason["what"] for reason in answered.reasons] == ["from_episode"]
        assert found() == []

    def test_is_nobody_elses(self, alice: User, bob: User, feed: Feed, entry: Entry) -> None:
        follow(bob, entry.show)
        Feed(bob, feed.source)
        feed.publish("Lighthouse - 01")
        (his,) = pending(bob)
        (hers,) = pending(alice)
        answer_review(user=alice, decision=hers.decision, show=entry.show)
        feed.publish("Lighthouse - 02")
        assert (found(alice), found(bob)) == (["Lighthouse - 01", "Lighthouse - 02"], [])
        assert [asked.decision.item.title for asked in pending(bob)] == ["Lighthouse - 02", "Lighthouse - 01"]
        assert his.decision in [asked.decision for asked in pending(bob)]

    def test_that_comes_twice_is_refused(self, alice: User, feed: Feed, entry: Entry) -> None:
        feed.publish("Lighthouse - 01")
        asked = question()
        answer_review(user=alice, decision=asked, show=entry.show)
        with pytest.raises(ReviewRefused, match="meanwhile"):
            answer_review(user=alice, decision=asked, show=None)

    def test_of_a_show_that_somebody_else_typed_in_is_refused(
        self, alice: User, bob: User, feed: Feed
    ) -> None:
        feed.publish("Lighthouse - 01")
        with pytest.raises(ReviewRefused):
            answer_review(user=alice, decision=question(), show=show("Lighthouse", owner=bob))


class TestNames:
    def test_find_releases_that_no_title_would(self, alice: User, feed: Feed, entry: Entry) -> None:
        add_alias(entry=entry, name="Leuchtturm")
        feed.publish("Leuchtturm - 01")
        assert found() == ["Leuchtturm - 01"]

    def test_find_what_is_stored(self, alice: User, feed: Feed, entry: Entry) -> None:
        feed.publish("Leuchtturm - 01")
        add_alias(entry=entry, name="Leuchtturm")
        assert consumer.catch_up() == 1

    def test_answer_what_is_asked_at_once(self, alice: User, feed: Feed, entry: Entry) -> None:
        feed.publish("Lighthouse - 01")
        add_alias(entry=entry, name="lighthouse")
        assert found() == ["Lighthouse - 01"]
        assert decided() == [("Lighthouse - 01", Outcome.TAKEN)]

    def test_of_a_season_are_of_that_season(self, alice: User, feed: Feed, entry: Entry) -> None:
        add_alias(entry=entry, name="Leuchtturm", season=2)
        feed.publish("Leuchtturm - 01", "Leuchtturm S2 - 01")
        assert found() == ["Leuchtturm S2 - 01"]

    def test_are_nobody_elses(self, alice: User, bob: User, feed: Feed, entry: Entry) -> None:
        follow(bob, entry.show)
        Feed(bob, feed.source)
        add_alias(entry=entry, name="Leuchtturm")
        feed.publish("Leuchtturm - 01")
        assert (found(alice), found(bob)) == (["Leuchtturm - 01"], [])

    def test_may_be_given_twice(self, entry: Entry) -> None:
        assert add_alias(entry=entry, name="Leuchtturm") == add_alias(entry=entry, name=" LEUCHTTURM")
        assert Alias.objects.count() == 1

    def test_that_mean_another_show_are_refused(self, alice: User, entry: Entry) -> None:
        add_alias(entry=follow(alice, "Windmill"), name="Leuchtturm")
        with pytest.raises(AliasRefused, match="Windmill"):
            add_alias(entry=entry, name="Leuchtturm")

    def test_that_were_none_of_theirs_may_be_given(self, alice: User, feed: Feed, entry: Entry) -> None:
        feed.publish("Lighthouse - 01")
        answer_review(user=alice, decision=question(), show=None)
        add_alias(entry=entry, name="Lighthouse")
        feed.publish("Lighthouse - 02")
        assert found() == ["Lighthouse - 02"]

    @pytest.mark.parametrize("name", ["", "!?", "x" * 301])
    def test_that_no_release_could_have_are_refused(self, entry: Entry, name: str) -> None:
        with pytest.raises(AliasRefused, match="letters or digits"):
            add_alias(entry=entry, name=name)

    def test_of_a_season_that_cannot_be_are_refused(self, entry: Entry) -> None:
        with pytest.raises(AliasRefused, match="season"):
            add_alias(entry=entry, name="Leuchtturm", season=-1)

    def test_are_limited_in_number(self, entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(aliases, "MOST", 1)
        add_alias(entry=entry, name="Leuchtturm")
        with pytest.raises(AliasRefused, match="as many as this box allows"):
            add_alias(entry=entry, name="Phare")


class TestTakingANameBack:
    def test_asks_again(self, alice: User, feed: Feed, entry: Entry) -> None:
        feed.publish("Lighthouse - 01", "Lighthouse - 02")
        answer_review(user=alice, decision=question(), show=entry.show)
        remove_alias(alias=Alias.objects.get())
        assert decided() == [("Lighthouse - 01", Outcome.REVIEW), ("Lighthouse - 02", Outcome.REVIEW)]
        assert found() == []

    def test_asks_again_of_what_was_none_of_theirs(self, alice: User, feed: Feed) -> None:
        feed.publish("Lighthouse - 01")
        answer_review(user=alice, decision=question(), show=None)
        remove_alias(alias=Alias.objects.get())
        assert decided() == [("Lighthouse - 01", Outcome.REVIEW)]

    def test_leaves_what_is_under_way(self, alice: User, feed: Feed, entry: Entry) -> None:
        add_alias(entry=entry, name="Leuchtturm")
        feed.publish("Leuchtturm - 01", "Leuchtturm - 02")
        Candidate.objects.filter(title="Leuchtturm - 01").update(state=Candidate.State.HAVE)
        remove_alias(alias=Alias.objects.get())
        assert found() == ["Leuchtturm - 01"]
        assert decided() == [("Leuchtturm - 01", Outcome.TAKEN)]

    def test_leaves_other_names(self, alice: User, feed: Feed, entry: Entry) -> None:
        kept = add_alias(entry=entry, name="Phare")
        gone = add_alias(entry=entry, name="Leuchtturm")
        feed.publish("Phare - 01", "Leuchtturm - 02")
        remove_alias(alias=gone)
        assert found() == ["Phare - 01"]
        assert list(Alias.objects.filter(user=entry.user, show=entry.show)) == [kept]


def test_a_name_that_is_too_long_to_be_remembered_can_be_answered_once(
    alice: User, feed: Feed, entry: Entry, lighthouses: tuple[Show, Show]
) -> None:
    name = "ß" * 200  # which is compared as 400 letters
    Show.objects.filter(pk__in=[one.pk for one in lighthouses]).update(synonyms=[name])
    feed.publish(f"{name} - 01")
    with pytest.raises(AliasRefused, match="too long"):
        answer_review(user=alice, decision=question(f"{name} - 01"), show=entry.show)
    answer_review(user=alice, decision=question(f"{name} - 01"), show=entry.show, remember=False)
    assert found() == [f"{name} - 01"]
