"""What becomes of items for those who follow shows."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from watchlist import consumer
from watchlist.aliases import add_alias
from watchlist.models import Candidate, Decision, Entry, Grab, Preferences, Show, Wishes
from watchlist.tests.deciding_world import Chosen, Feed, decided, follow, found, reasons, show

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("chosen")]

Outcome = Decision.Outcome


@pytest.fixture
def feed(alice: User) -> Feed:
    follow(alice, "Harbour")
    return Feed(alice)


def grabbed(entry: Entry, number: float, **fields: Any) -> Grab:
    """By some release that is under way."""
    candidate = Candidate.objects.create(
        entry=entry, title="Earlier", numbers=[number], state=Candidate.State.TAKEN
    )
    return Grab.objects.create(entry=entry, number=number, candidate=candidate, **fields)


def test_a_release_of_a_show_that_somebody_follows_may_be_had(
    alice: User, feed: Feed, chosen: Chosen
) -> None:
    entry = follow(alice, "Lighthouse")
    assert feed.publish("[Group] Lighthouse - 05v2 [1080p]") == 1
    candidate = Candidate.objects.get()
    assert (candidate.entry, candidate.title) == (entry, "[Group] Lighthouse - 05v2 [1080p]")
    assert (candidate.group, candidate.version, candidate.numbers) == ("Group", 2, [5.0])
    assert (candidate.state, candidate.special) == (Candidate.State.FOUND, "")
    assert decided() == [("[Group] Lighthouse - 05v2 [1080p]", Outcome.TAKEN)]
    assert chosen.calls == [(alice, [entry])]


def test_nobody_hears_of_shows_that_they_do_not_follow(alice: User, feed: Feed, chosen: Chosen) -> None:
    show("Lighthouse")
    assert feed.publish("Lighthouse - 01", "Windmill - 01") == 0
    assert decided() == []
    assert chosen.calls == []


def test_one_persons_shows_take_nothing_for_others(alice: User, bob: User, feed: Feed) -> None:
    follow(bob, "Lighthouse")
    Feed(bob, feed.source)
    feed.publish("Lighthouse - 01")
    assert found(bob) == ["Lighthouse - 01"]
    assert decided(alice) == []


def test_people_who_follow_the_same_show_each_get_it(alice: User, bob: User, feed: Feed) -> None:
    entry = follow(alice, "Lighthouse")
    follow(bob, entry.show)
    Feed(bob, feed.source)
    assert feed.publish("Lighthouse - 01") == 2
    assert found(alice) == found(bob) == ["Lighthouse - 01"]


@pytest.mark.parametrize("state", [Entry.State.PAUSED, Entry.State.ENDED])
def test_a_show_that_is_paused_or_has_ended_takes_nothing_and_says_so(
    alice: User, feed: Feed, state: Entry.State
) -> None:
    follow(alice, "Lighthouse", state=state)
    feed.publish("Lighthouse - 01")
    assert found() == []
    assert decided() == [("Lighthouse - 01", Outcome.NEARLY)]
    assert Decision.objects.get().reasons == [{"what": "state", "got": state.value, "wanted": "followed"}]


@pytest.mark.parametrize("state", [Entry.State.LEFT, Entry.State.REMOVED])
def test_of_a_show_that_was_given_up_nobody_hears(alice: User, feed: Feed, state: Entry.State) -> None:
    follow(alice, "Lighthouse", state=state)
    feed.publish("Lighthouse - 01")
    assert decided() == []


def test_an_item_without_a_torrent_is_noted(alice: User, feed: Feed) -> None:
    follow(alice, "Lighthouse")
    feed.publish("Lighthouse - 01", download="")
    assert found() == []
    assert reasons("Lighthouse - 01") == ["download"]


def test_every_reason_is_told(alice: User, feed: Feed) -> None:
    follow(alice, "Lighthouse", resolutions=["1080p"], refused_groups=["Group"], from_episode=3)
    feed.publish("[Group] Lighthouse - 02 [720p]")
    assert Decision.objects.get().reasons == [
        {"what": "resolutions", "got": "720p", "wanted": "1080p"},
        {"what": "refused_groups", "got": "Group", "wanted": "not Group"},
        {"what": "from_episode", "got": "episode 2", "wanted": "from episode 3"},
    ]


def test_another_release_of_an_episode_that_is_under_way_is_kept_as_an_alternative(
    alice: User, feed: Feed
) -> None:
    grabbed(follow(alice, "Lighthouse"), 1)
    feed.publish("[B] Lighthouse - 01", "[B] Lighthouse - 02")
    assert decided() == [("[B] Lighthouse - 01", Outcome.HAD), ("[B] Lighthouse - 02", Outcome.TAKEN)]
    assert found() == ["Earlier", "[B] Lighthouse - 01", "[B] Lighthouse - 02"]
    assert Decision.objects.get(outcome=Outcome.HAD).reasons == [
        {"what": "had", "got": "Earlier", "wanted": "each episode once"}
    ]


@pytest.mark.parametrize(("newer_versions", "outcome"), [(None, Outcome.TAKEN), (False, Outcome.HAD)])
def test_a_newer_version_is_had_already_only_where_newer_ones_are_not_wanted(
    alice: User, feed: Feed, newer_versions: bool | None, outcome: Outcome
) -> None:
    earlier = grabbed(follow(alice, "Lighthouse", newer_versions=newer_versions), 1)
    Candidate.objects.filter(pk=earlier.candidate_id).update(group="B")
    feed.publish("[b] Lighthouse - 01v2", "[C] Lighthouse - 01v2", "[B] Lighthouse - 01")
    assert dict(decided()) == {
        "[b] Lighthouse - 01v2": outcome,
        "[C] Lighthouse - 01v2": Outcome.HAD,
        "[B] Lighthouse - 01": Outcome.HAD,
    }


def test_a_batch_of_which_some_episodes_are_there_may_be_had(alice: User, feed: Feed) -> None:
    entry = follow(alice, "Lighthouse", batches=Wishes.Batches.ANY)
    for number in (1, 2):
        grabbed(entry, number)
    feed.publish("Lighthouse - 01-03", "Lighthouse - 01-02")
    assert decided() == [("Lighthouse - 01-03", Outcome.TAKEN), ("Lighthouse - 01-02", Outcome.HAD)]


class TestFromEpisode:
    def test_earlier_ones_are_not_wanted(self, alice: User, feed: Feed) -> None:
        follow(alice, "Lighthouse", from_episode=5)
        feed.publish("Lighthouse - 04", "Lighthouse - 05")
        assert found() == ["Lighthouse - 05"]

    def test_a_batch_that_holds_one_that_is_wanted_may_be_had(self, alice: User, feed: Feed) -> None:
        follow(alice, "Lighthouse", from_episode=5, batches="any")
        feed.publish("Lighthouse - 01-04", "Lighthouse - 01-05")
        assert found() == ["Lighthouse - 01-05"]

    def test_specials_are_counted_by_themselves(self, alice: User, feed: Feed) -> None:
        follow(alice, "Lighthouse", from_episode=5, specials=True)
        feed.publish("Lighthouse - OVA 01")
        assert found() == ["Lighthouse - OVA 01"]


class TestBatches:
    def test_of_a_show_that_airs_are_not_wanted_unless_somebody_says_so(
        self, alice: User, feed: Feed
    ) -> None:
        airs = show("Lighthouse", status="RELEASING")
        entry = follow(alice, airs)
        feed.publish("Lighthouse - 01-04")
        assert reasons("Lighthouse - 01-04") == ["batches"]
        Entry.objects.filter(pk=entry.pk).update(batches="any")
        feed.publish("Lighthouse - 01-05")
        assert found() == ["Lighthouse - 01-05"]

    def test_of_a_show_that_has_ended_are_wanted(self, alice: User, feed: Feed) -> None:
        follow(alice, show("Lighthouse", episodes=12))
        feed.publish("[Group] Lighthouse (Batch)")
        assert Candidate.objects.get().numbers == [float(number) for number in range(1, 13)]

    def test_of_which_nobody_knows_what_they_hold_are_noted(self, alice: User, feed: Feed) -> None:
        follow(alice, show("Lighthouse", episodes=None))
        feed.publish("[Group] Lighthouse (Batch)")
        assert reasons("[Group] Lighthouse (Batch)") == ["episodes"]

    @pytest.mark.parametrize("which", ["Vol.1", "Vol. 1-3 [BD]", "Disc 2", "S01D01", "[Movie 3]"])
    def test_of_one_disc_or_volume_or_a_film_do_not_hold_everything(
        self, alice: User, feed: Feed, which: str
    ) -> None:
        follow(alice, show("Lighthouse", episodes=12))
        feed.publish(f"[Group] Lighthouse {which}")
        assert reasons(f"[Group] Lighthouse {which}") == ["episodes"]

    def test_of_all_episodes_may_state_what_they_were_made_from(self, alice: User, feed: Feed) -> None:
        follow(alice, show("Lighthouse", episodes=12))
        feed.publish("[Group] Lighthouse (Batch) [BD 10bit 1080p]", "[Group] Lighthouse [DVD9]")
        assert [len(candidate.numbers) for candidate in Candidate.objects.all()] == [12, 12]

    def test_of_a_show_that_airs_hold_what_has_aired(self, alice: User, feed: Feed) -> None:
        airs = show("Lighthouse", status="RELEASING", episodes=12)
        airs.airings.create(number=4, airs_at=timezone.now())
        airs.airings.create(number=5, airs_at=timezone.now() + timedelta(days=7))
        follow(alice, airs, batches="any")
        feed.publish("[Group] Lighthouse (Batch)")
        assert Candidate.objects.get().numbers == [1.0, 2.0, 3.0, 4.0]


def test_a_film_is_its_only_episode(alice: User, feed: Feed) -> None:
    follow(alice, show("Lighthouse", format="MOVIE"))
    feed.publish("[Group] Lighthouse [1080p]")
    assert Candidate.objects.get().numbers == [1.0]


class TestSpecials:
    def test_are_not_wanted_unless_somebody_says_so(self, alice: User, feed: Feed) -> None:
        follow(alice, "Lighthouse")
        feed.publish("Lighthouse - OVA 01", "Lighthouse - 12.5")
        assert [reasons(title) for title in ("Lighthouse - OVA 01", "Lighthouse - 12.5")] == [
            ["specials"]
        ] * 2

    def test_are_wanted_where_somebody_says_so(self, alice: User, feed: Feed) -> None:
        follow(alice, "Lighthouse", specials=True)
        feed.publish("Lighthouse - OVA 01", "Lighthouse - 12.5")
        assert [(one.special, one.numbers) for one in Candidate.objects.order_by("pk")] == [
            ("OVA", [1.0]),
            ("", [12.5]),
        ]

    def test_openings_are_nobodys_episode(self, alice: User, feed: Feed) -> None:
        follow(alice, "Lighthouse", specials=True)
        feed.publish("Lighthouse - NCOP1")
        assert reasons("Lighthouse - NCOP1") == ["specials"]


class TestOffset:
    def test_releases_that_count_on_are_of_the_show_as_it_counts(self, alice: User, feed: Feed) -> None:
        follow(alice, show("Lighthouse 2", episodes=12), offset=-12)
        feed.publish("Lighthouse S2 - 13")
        assert Candidate.objects.get().numbers == [1.0]

    def test_is_only_its_own_shows(self, alice: User, feed: Feed) -> None:
        follow(alice, show("Lighthouse 2", episodes=12), offset=-12)
        first = follow(alice, show("Lighthouse", episodes=24))
        feed.publish("Lighthouse - 13")
        assert [(one.entry, one.numbers) for one in Candidate.objects.all()] == [(first, [13.0])]

    def test_moves_nothing_for_others(self, alice: User, bob: User, feed: Feed) -> None:
        second = show("Lighthouse 2", episodes=12)
        follow(alice, second, offset=-12)
        follow(bob, second)
        Feed(bob, feed.source)
        feed.publish("Lighthouse S2 - 13")
        assert found(alice) == ["Lighthouse S2 - 13"]
        assert decided(bob) == [("Lighthouse S2 - 13", Outcome.REVIEW)]


class TestWishes:
    def test_of_preferences_hold_where_an_entry_has_none(self, alice: User, feed: Feed) -> None:
        Preferences.objects.create(user=alice, resolutions=["1080p"], must_not_contain="dubbed")
        follow(alice, "Lighthouse")
        follow(alice, "Windmill", resolutions=[])
        feed.publish("Lighthouse - 01 [720p]", "Windmill - 01 [720p]", "Windmill - 02 [Dubbed]")
        assert found() == ["Windmill - 01 [720p]"]

    def test_of_one_person_are_not_anothers(self, alice: User, bob: User, feed: Feed) -> None:
        Preferences.objects.create(user=bob, resolutions=["2160p"])
        follow(alice, "Lighthouse")
        feed.publish("Lighthouse - 01 [720p]")
        assert found() == ["Lighthouse - 01 [720p]"]

    def test_languages_are_asked_of_releases_that_state_some(self, alice: User, feed: Feed) -> None:
        follow(alice, "Lighthouse", languages=["English"])
        feed.publish("Lighthouse - 01 [VOSTFR]", "Lighthouse - 02 [Eng]", "Lighthouse - 03")
        assert found() == ["Lighthouse - 02 [Eng]", "Lighthouse - 03"]
        assert Decision.objects.get(outcome=Outcome.NEARLY).reasons == [
            {"what": "languages", "got": "VOSTFR", "wanted": "English"}
        ]

    def test_preferred_groups_come_first_and_then_resolutions(self, alice: User, feed: Feed) -> None:
        follow(alice, "Lighthouse", groups=["Best", "Good"], resolutions=["1080p", "720p"])
        feed.publish(
            "[Good] Lighthouse - 01v2 [1080p]",
            "[Best] Lighthouse - 01 [720p]",
            "[Other] Lighthouse - 01 [1080p]",
        )
        order = sorted(Candidate.objects.all(), key=lambda one: one.preference)
        assert [one.group for one in order] == ["Best", "Good", "Other"]


class TestReview:
    def test_a_name_of_several_shows_is_asked_about_and_not_taken(self, alice: User, feed: Feed) -> None:
        one, other = show("Lighthouse"), show("Lighthouse")
        follow(alice, other)
        feed.publish("Lighthouse - 01")
        assert found() == []
        decision = Decision.objects.get()
        assert (decision.outcome, decision.shows, decision.entry) == (
            Outcome.REVIEW,
            [one.pk, other.pk],
            None,
        )
        assert reasons("Lighthouse - 01") == ["title"]

    def test_nobody_is_asked_about_shows_that_they_do_not_follow(self, alice: User, feed: Feed) -> None:
        follow(alice, show("Lighthouse"), state=Entry.State.REMOVED)
        show("Lighthouse")
        feed.publish("Lighthouse - 01")
        assert decided() == []


class TestShowsTypedInByHand:
    def own(self, user: User, title: str, **fields: Any) -> Show:
        return show(title, provider="manual", owner=user, **fields)

    def test_are_matched_for_their_owner_alone(self, alice: User, bob: User, feed: Feed) -> None:
        mine = self.own(alice, "Lighthouse")
        follow(alice, mine)
        follow(bob, mine)  # nothing makes such a row; if anything did, it would tell bob nothing
        Feed(bob, feed.source)
        feed.publish("Lighthouse - 01")
        assert found(alice) == ["Lighthouse - 01"]
        assert decided(bob) == []

    def test_go_before_shows_of_the_same_name_that_they_do_not_follow(self, alice: User, feed: Feed) -> None:
        show("Lighthouse")
        entry = follow(alice, self.own(alice, "Lighthouse"))
        feed.publish("Lighthouse - 01")
        assert Candidate.objects.get().entry == entry

    def test_may_have_other_names(self, alice: User, feed: Feed) -> None:
        show("Leuchtturm")
        entry = follow(alice, self.own(alice, "Lighthouse"))
        add_alias(entry=entry, name="Leuchtturm")
        feed.publish("Leuchtturm - 01")
        assert Candidate.objects.get().entry == entry

    def test_are_not_what_another_season_of_that_name_is(self, alice: User, feed: Feed) -> None:
        entry = follow(alice, self.own(alice, "Leuchtturm"))
        second = follow(alice, "Lighthouse 2")
        add_alias(entry=second, name="Leuchtturm", season=2)
        feed.publish("Leuchtturm - 01", "Leuchtturm S2 - 01")
        assert {one.title: one.entry for one in Candidate.objects.all()} == {
            "Leuchtturm - 01": entry,
            "Leuchtturm S2 - 01": second,
        }

    def test_are_a_question_where_both_are_followed(self, alice: User, feed: Feed) -> None:
        public, mine = show("Lighthouse"), self.own(alice, "Lighthouse")
        follow(alice, public)
        follow(alice, mine)
        feed.publish("Lighthouse - 01")
        assert Decision.objects.get().shows == [mine.pk, public.pk]


def test_a_show_that_came_since_the_last_run_is_known(alice: User, feed: Feed) -> None:
    feed.publish("Lighthouse - 01")
    follow(alice, "Lighthouse")
    feed.publish("Lighthouse - 02")
    assert found() == ["Lighthouse - 02"]


def test_nothing_is_forgotten_that_can_still_be_taken_or_is_used(alice: User, feed: Feed) -> None:
    entry = follow(alice, "Lighthouse")
    grab = grabbed(entry, 1)
    (old,) = feed.store("Lighthouse - 02")
    feed.publish("Lighthouse - 03")
    old.delete()
    Candidate.objects.filter(title="Lighthouse - 02").exclude(item=None).update(item=None)
    consumer.prune()
    assert found() == ["Earlier", "Lighthouse - 03"]
    long_ago = timezone.now() - timedelta(days=400)
    Decision.objects.update(at=long_ago)
    Candidate.objects.update(changed_at=long_ago)
    assert consumer.prune() == 2
    assert list(Candidate.objects.all()) == [grab.candidate]
