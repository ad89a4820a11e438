"""Looking for shows: by the providers, in a share of their budget, and among what is stored."""

import unicodedata
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Func, Q, QuerySet, TextField, Value
from django.utils import timezone
from django.utils.timesince import timesince

from accounts.models import User
from watchlist.budget import Purpose, open_provider
from watchlist.models import Link, Search, Show
from watchlist.providers import enabled, make_provider
from watchlist.providers.base import ProviderError, Trouble
from watchlist.shows import store_shows

SHORTEST, LONGEST = 2, 100  # characters
FOUND_FOR = timedelta(hours=6)  # that long nobody asks for the same again
FORGOTTEN_AFTER = timedelta(days=2)
ASKING = timedelta(seconds=60)  # longer than a request may take
MOST = 50


def search_shows(*, user: User, text: str) -> tuple[list[Show], str]:
    """Shows that are likely meant, the likeliest first, and why these may not be all, in a sentence, or nothing."""
    text = _comparable(text)
    if len(text) < SHORTEST:
        return [], f"Type at least {SHORTEST} characters of a title."
    found: list[int] = []
    message = ""
    for name in enabled():
        if make_provider(name).has_service:
            ids, trouble = _ask(name, text)
            found += ids
            message = message or trouble
    visible = Show.objects.filter(Q(owner=None) | Q(owner=user), provider__in=enabled())
    if not Link.objects.filter(user=user, include_adult=True).exists():
        visible = visible.filter(is_adult=False)
    asked = visible.in_bulk(found)
    stored = [asked[pk] for pk in found if pk in asked]
    others = _titled(visible, text).exclude(pk__in=asked).order_by("-season_year", "pk")[:MOST]
    return [*stored, *others][:MOST], message


def forget_searches() -> int:
    """How many; those of which nothing came, too."""
    before = timezone.now() - FORGOTTEN_AFTER
    asking = Q(asking_until__gte=before)
    return Search.objects.filter(Q(found_at=None) | Q(found_at__lt=before)).exclude(asking).delete()[0]


def _ask(name: str, text: str) -> tuple[list[int], str]:
    """Ids of shows, asked for once however many people look for them; and what is the matter."""
    search, ask = _begin(name, text)
    if not ask:
        waiting = search.found_at is None
        return (
            search.shows,
            "The same is being looked for just now. Search again in a moment." if waiting else "",
        )
    try:
        provider = open_provider(name, Purpose.SEARCH)
        records = provider.search(text)
    except ProviderError as error:
        Search.objects.filter(pk=search.pk).update(asking_until=None)
        soon = " Search again in a minute." if error.trouble is Trouble.BUSY else ""
        return search.shows, f"{error}{soon} {_only_stored(search)}"
    shows = store_shows(name, records)
    search.shows = [shows[record.external_id].pk for record in records]
    search.found_at, search.asking_until = timezone.now(), None
    search.save(update_fields=["shows", "found_at", "asking_until"])
    return search.shows, ""


@transaction.atomic
def _begin(name: str, text: str) -> tuple[Search, bool]:
    """What is known, and whether the caller is the one who asks."""
    now = timezone.now()
    Search.objects.get_or_create(provider=name, text=text)
    search = Search.objects.select_for_update().get(provider=name, text=text)
    fresh = search.found_at is not None and search.found_at > now - FOUND_FOR
    if fresh or (search.asking_until is not None and search.asking_until > now):
        return search, False
    search.asking_until = now + ASKING
    search.save(update_fields=["asking_until"])
    return search, True


def _only_stored(search: Search) -> str:
    if search.found_at is None:
        return "Shown are shows that this box knows already."
    return f"Shown is what was found {timesince(search.found_at, timezone.now())} ago, and what this box knows already."


def _titled(shows: QuerySet[Show], text: str) -> QuerySet[Show]:
    """All words in one of its titles."""
    synonyms = Func(F("synonyms"), Value("\n"), function="array_to_string", output_field=TextField())
    shows = shows.annotate(also=synonyms)
    for word in text.split():
        shows = shows.filter(
            Q(romaji__icontains=word)
            | Q(english__icontains=word)
            | Q(native__icontains=word)
            | Q(also__icontains=word)
        )
    return shows


def _comparable(text: str) -> str:
    """The same for what means the same."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text[: 4 * LONGEST])
    return " ".join(unicodedata.normalize("NFKC", printable).casefold().split())[:LONGEST].strip()
