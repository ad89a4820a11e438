"""Questions that only the person can answer: of which show a release is."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from accounts.models import User
from feeds import services as feeds
from feeds.releases.objects import from_object
from feeds.services import lock_person
from watchlist import aliases, catalogue, decisions
from watchlist.catalogue import Shows
from watchlist.deciding import Deciding, Verdict
from watchlist.follower import Follower
from watchlist.matching import Match
from watchlist.matching import Outcome as Matched
from watchlist.models import Decision, Entry, Show
from watchlist.offers import Offer, Offers

MOST = 200  # questions at a time, the latest first
_ALIKE = 2000  # that one answer answers

Outcome = Decision.Outcome


class ReviewRefused(Exception):
    """This is no answer to that; the text says why. `code` is stable, `field` what it is about."""

    def __init__(self, message: str, *, code: str, field: str = "show_id") -> None:
        super().__init__(message)
        self.code = code
        self.field = field


@dataclass(frozen=True, slots=True)
class Pending:
    decision: Decision
    feed: str
    """As its follower calls it; empty where they follow it no more."""
    shows: list[Show]
    """The likeliest first."""


def pending(user: User) -> list[Pending]:
    """What they are asked now: of what may be a show that they follow now."""
    followed = Entry.objects.followed().filter(user=user).values_list("show_id", flat=True)
    questions = list(Decision.objects.unanswered(user).filter(shows__overlap=list(followed))[:MOST])
    asked = {show for question in questions for show in question.shows}
    shows = Show.objects.visible_to(user).in_bulk(asked)
    names = {feed.source: feed.name for feed in feeds.followed_feeds([user.pk])}
    return [
        Pending(
            question,
            names.get(question.item.source_id, ""),
            [shows[show] for show in question.shows if show in shows],
        )
        for question in questions
    ]


@transaction.atomic
def answer_review(*, user: User, decision: Decision, show: Show | None, remember: bool = True) -> Decision:
    """It is of this show, or (None) of none of theirs. Remembered, the answer holds for all releases of that name and
    season: for those that are asked about now at once, for what their feeds have stored as soon as the worker looks.

    Raises ReviewRefused, and AliasRefused where this name cannot be remembered.
    """
    shows = catalogue.everybodys()
    lock_person(user.pk)
    question = Decision.objects.unanswered(user).filter(pk=decision.pk).first()
    if question is None:
        raise ReviewRefused("This was answered meanwhile.", code="answered", field="")
    if show is not None and show.owner_id not in (None, user.pk):
        raise ReviewRefused("There is no such show.", code="no_such_show")
    alike: Sequence[Decision] = ()
    name = from_object(question.item.release)
    if remember and name.series:
        alias = aliases.remember(user, name.series, name.season, show)
        others = Decision.objects.unanswered(user).exclude(pk=question.pk)[:_ALIKE]
        alike = [other for other in others if aliases.is_named(alias, other)]
    _record(user, shows, question, alike, show)
    return Decision.objects.of(user).get(pk=question.pk)


def _record(
    user: User, shows: Shows, question: Decision, alike: Sequence[Decision], show: Show | None
) -> None:
    offers = Offers(shows).of_items(feeds.items([question.item_id, *(other.item_id for other in alike)]))
    deciding = Deciding(Follower.of(user, shows))
    answered = {question.item_id}
    decided: list[tuple[Offer, Verdict]] = []
    for offer, verdict in deciding.verdicts(offers):
        assert offer.item is not None
        if offer.item.id == question.item_id:
            decided.append((offer, _as_answered(deciding, offer, show)))
        else:
            decided.append((offer, verdict))
            if verdict.outcome is None:
                answered.add(offer.item.id)
    decisions.record(user, decided, again=True, answered=answered)


def _as_answered(deciding: Deciding, offer: Offer, show: Show | None) -> Verdict:
    if show is None:
        return Verdict(match=Match(outcome=Matched.UNKNOWN))
    deciding.follower.look_up([show.pk])
    return deciding.verdict(offer, deciding.follower.match_as(offer, show.pk))
