"""What people follow, of which others must see nothing: a show that everybody follows, and one typed in by hand."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from feeds.models import FeedSource
from watchlist.entries import follow, follow_by_hand
from watchlist.models import Alias, Candidate, Decision, Entry, Grab, Link, Preferences, Show
from watchlist.preferences import change_preferences
from watchlist.tests.factories import AliasFactory, LinkFactory, item


def follow_shows(user: User, mark: str, source: FeedSource) -> dict[str, list[object]]:
    """With what was found, decided and asked about releases in `source`, which they alone follow; by parameters of
    paths."""
    shared, _made = Show.objects.get_or_create(
        provider="anilist",
        external_id="1",
        defaults={"romaji": "Toudai", "english": "Lighthouse", "episodes": 12},
    )
    entry = follow(user=user, show=shared, wishes={"label": f"{mark} label"})
    own = follow_by_hand(user=user, title=f"{mark} show", titles=[f"{mark} other"])
    change_preferences(user=user, groups=[f"{mark} group"])
    alias = AliasFactory.create(user=user, show=shared, name=f"{mark} alias")
    found = item(source, f"[{mark}] Lighthouse - 01")
    candidate = Candidate.objects.create(
        entry=entry, item=found, title=found.title, group=mark, numbers=[1], state="have"
    )
    Grab.objects.create(entry=entry, number=1, candidate=candidate)
    Decision.objects.create(user=user, item=found, entry=entry, outcome="taken")
    question = Decision.objects.create(
        user=user, item=item(source, f"{mark} - 02"), outcome="review", shows=[shared.pk, own.show_id]
    )
    LinkFactory.create(user=user, name=f"{mark} account", token=f"{mark} token")
    return {
        "entry_id": [str(entry.pk), str(own.pk)],
        "alias_id": [alias.pk],
        "candidate_id": [candidate.pk],
        "decision_id": [question.pk],
        "provider": ["anilist"],
    }


def rows_of(user: User) -> Iterator[QuerySet[Any]]:
    """All that is theirs."""
    for rows in (Alias, Decision, Entry, Link, Preferences):
        yield rows.objects.filter(user=user)
    yield Show.objects.filter(owner=user)
    for found in (Candidate, Grab):
        yield found.objects.filter(entry__user=user)
