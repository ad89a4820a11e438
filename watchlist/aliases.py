"""What people say that names in releases mean. Each verb is one short transaction under the person's lock; what their
feeds have stored is looked through by the worker afterwards."""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from feeds import services as feeds
from feeds.releases.objects import from_object
from feeds.rules.text import normalised
from feeds.services import lock_person
from watchlist import catalogue, decisions
from watchlist.catalogue import Shows
from watchlist.deciding import Deciding
from watchlist.follower import Follower
from watchlist.matching.titles import key
from watchlist.models import NAME, Alias, Candidate, Decision, Entry, Show
from watchlist.offers import Offers
from watchlist.waking import look_soon

MOST = 1000  # of one person
_LAST_SEASON = 1000
_REMEMBERED = 2000  # decisions that are decided anew

Outcome = Decision.Outcome


class AliasRefused(Exception):
    """This name cannot be given; the text says why. `code` is stable, `field` what it is about."""

    def __init__(self, message: str, *, code: str, field: str = "name") -> None:
        super().__init__(message)
        self.code = code
        self.field = field


@transaction.atomic
def add_alias(*, entry: Entry, name: str, season: int | None = None) -> Alias:
    """Releases of this name, and where it is given of this season, are of the entry's show. Raises AliasRefused."""
    name = name.strip()
    if not 0 < len(name) <= NAME or normalised(name) == " ":
        raise AliasRefused(
            f"A name has letters or digits, and at most {NAME} characters. Write it as releases do.",
            code="bad_name",
        )
    if season is not None and not 0 <= season < _LAST_SEASON:
        raise AliasRefused(
            "There is no such season. Leave it empty where releases state none.",
            code="bad_season",
            field="season",
        )
    shows = catalogue.everybodys()
    user = lock_person(entry.user_id)
    assert user is not None
    there = Alias.objects.named(user, key(name), season).select_related("show").first()
    if there is not None and there.show is not None and there.show_id != entry.show_id:
        raise AliasRefused(f"That name is {there.show.title} already. Remove it there first.", code="taken")
    alias = remember(user, name, season, entry.show)
    decide_again(user, shows, _pending_items(user, alias))
    return alias


@transaction.atomic
def remove_alias(*, alias: Alias) -> None:
    """What was decided by it is decided anew, answers to questions about that name, too; what is under way stays."""
    shows = catalogue.everybodys()
    user = lock_person(alias.user_id)
    assert user is not None
    alias.delete()
    by_it = Decision.objects.by_alias(alias)[:_REMEMBERED]
    named = {decision.item_id for decision in by_it if is_named(alias, decision)}
    under_way = Candidate.objects.of_items(user, named).under_way()
    items = named - set(under_way.values_list("item_id", flat=True))
    Decision.objects.of(user).filter(item__in=items, outcome=Outcome.SETTLED).delete()
    decide_again(user, shows, items)


def remember(user: User, name: str, season: int | None, show: Show | None) -> Alias:
    """In place of what the name meant before. Its show, where they follow it, looks back. Raises AliasRefused."""
    compared = key(name)
    if len(compared) > NAME:
        raise AliasRefused(
            "That name is too long to be remembered. Answer for this release alone.", code="bad_name"
        )
    alias = Alias.objects.named(user, compared, season).first()
    if alias is None:
        if Alias.objects.of(user).count() >= MOST:
            raise AliasRefused(
                f"You have given {MOST} names, as many as this box allows. Remove some that you do not need.",
                code="too_many",
            )
        alias = Alias(user=user, key=compared, season=season)
    alias.name, alias.show, alias.made_at = name[:NAME], show, timezone.now()
    alias.save()
    if show is not None:
        Entry.objects.of_shows(user, [show.pk]).update(look_back=True)
        look_soon()
    return alias


def decide_again(user: User, shows: Shows, items: Collection[int]) -> None:
    """What is none of theirs any more, nobody hears of again."""
    offers = Offers(shows).of_items(feeds.items(items))
    verdicts = Deciding(Follower.of(user, shows)).verdicts(offers)
    decisions.record(user, verdicts, again=True)


def is_named(alias: Alias, decision: Decision) -> bool:
    release = from_object(decision.item.release)
    names = (release.series, *release.series_alternatives)
    return release.season == alias.season and any(name and key(name) == alias.key for name in names)


def _pending_items(user: User, alias: Alias) -> list[int]:
    pending = Decision.objects.unanswered(user)[:_REMEMBERED]
    return [decision.item_id for decision in pending if is_named(alias, decision)]
