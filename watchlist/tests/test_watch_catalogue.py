"""Rows of shows as matching knows them, read anew when they change and only then."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from watchlist import catalogue
from watchlist.catalogue import everybodys, joined, typed_by
from watchlist.matching import CatalogueShow, Match, Outcome
from watchlist.models import Relation, RelationRules, Show
from watchlist.tests.deciding_world import show

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("chosen")]


def known(of: Show) -> CatalogueShow:
    return everybodys().by_id[of.pk]


def test_a_show_is_known_with_its_names_and_relations() -> None:
    first = show(
        "Lighthouse", romaji="Toudai", native="灯台", synonyms=["The tower"], external_id="7", mal_id=8
    )
    second = show("Lighthouse 2", provider="other", external_id="x")
    Relation.objects.create(show=first, kind="SEQUEL", other=second)
    assert known(first).titles == ("Toudai", "Lighthouse", "灯台")
    assert known(first).synonyms == ("The tower",)
    assert known(first).relations == (("SEQUEL", second.pk),)
    assert (known(first).anilist_id, known(first).mal_id, known(second).anilist_id) == (7, 8, None)


class TestHowManyHaveAired:
    def test_by_what_has_aired(self) -> None:
        airs = show("Lighthouse", status="RELEASING")
        for number, days in ((3, -8), (4, -1), (5, 6)):
            airs.airings.create(number=number, airs_at=timezone.now() + timedelta(days=days))
        assert known(airs).aired == 4

    def test_by_the_next_one_alone(self) -> None:
        airs = show("Lighthouse", status="RELEASING")
        airs.airings.create(number=5, airs_at=timezone.now() + timedelta(days=1))
        assert known(airs).aired == 4

    def test_all_of_one_that_has_ended(self) -> None:
        assert known(show("Lighthouse", episodes=12)).aired == 12

    def test_is_not_known_of_one_of_which_nothing_is_told(self) -> None:
        assert known(show("Lighthouse", status="RELEASING", episodes=12)).aired is None


class TestReadingAnew:
    def test_nothing_is_read_while_nothing_changes(self) -> None:
        show("Lighthouse")
        assert everybodys() is everybodys()

    def test_whatever_changes_is_seen(self) -> None:
        first, second = show("Lighthouse"), show("Windmill")
        seen = [everybodys()]

        def is_new() -> bool:
            seen.append(everybodys())
            return seen[-1] is not seen[-2]

        Show.objects.filter(pk=first.pk).update(synonyms=["The tower"])
        assert is_new()
        relation = Relation.objects.create(show=first, kind="SEQUEL", other=second)
        assert is_new()
        Relation.objects.filter(pk=relation.pk).update(kind="PREQUEL")
        assert is_new()
        airing = first.airings.create(number=1, airs_at=timezone.now() + timedelta(hours=1))
        assert is_new()
        airing.airs_at = timezone.now() - timedelta(hours=1)
        airing.save()
        assert is_new()
        RelationRules.objects.create(url="https://rules.example", succeeded_at=timezone.now())
        assert is_new()
        second.delete()
        assert is_new()
        Show.objects.filter(pk=first.pk).update(fetched_at=timezone.now())
        assert not is_new()  # nothing that matching looks at

    def test_what_one_person_typed_in_is_nobody_elses(self, alice: User, bob: User) -> None:
        mine = show("Lighthouse", provider="manual", owner=alice)
        shared = everybodys()
        assert mine.pk not in shared.by_id
        own = typed_by(alice)
        assert own is not None
        assert list(own.by_id) == [mine.pk]
        assert typed_by(bob) is None
        assert catalogue.who_typed_in() == {alice.pk}


class TestBothCatalogues:
    found = Match(outcome=Outcome.FOUND, show=1, episodes=(1,))
    own = Match(outcome=Outcome.FOUND, show=2, episodes=(1,))
    unsure = Match(outcome=Outcome.UNSURE, candidates=(3, 4))
    unknown = Match(outcome=Outcome.UNKNOWN)

    def test_what_one_does_not_know_the_other_does(self) -> None:
        assert joined(self.found, self.unknown, follows_shared=False) == self.found
        assert joined(self.unknown, self.own, follows_shared=False) == self.own

    def test_what_is_sure_goes_before_what_is_not(self) -> None:
        assert joined(self.found, self.unsure, follows_shared=False) == self.found
        assert joined(self.unsure, self.own, follows_shared=False) == self.own

    def test_two_questions_are_one(self) -> None:
        shared = Match(outcome=Outcome.UNSURE, candidates=(1, 3))
        assert joined(shared, self.unsure, follows_shared=False).candidates == (3, 4, 1)
