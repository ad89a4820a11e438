"""One person, ready to be asked about many offers: the names they gave to shows, the shows they typed in, what they
follow. Read under their lock, because it is what their lock protects."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from accounts.models import User
from watchlist.catalogue import Shows, joined, typed_by
from watchlist.matching import Aliases, AliasKey, CatalogueShow, Match, Outcome
from watchlist.models import Alias, Entry, Preferences
from watchlist.offers import Offer


class Follower:
    def __init__(self, user: User, shows: Shows, own: Shows | None, preferences: Preferences | None) -> None:
        self.user = user
        self.preferences = preferences
        self._shows = shows
        self._own = own
        self._aliases: dict[str, dict[AliasKey, int | None]] = {}
        for key, season, show in Alias.objects.meanings(user):
            self._aliases.setdefault(key, {})[AliasKey(key, season)] = show
        self._entries: dict[int, Entry | None] = {}
        self._offset: list[Entry] | None = None

    @classmethod
    def of(cls, user: User, shows: Shows) -> "Follower":
        return cls(user, shows, typed_by(user), Preferences.objects.filter(pk=user.pk).first())

    def matches(self, offers: Iterable[Offer]) -> list[tuple[Offer, Match]]:
        """What each is, and the entries that are concerned at hand."""
        offers = list(offers)
        likely = {show for offer in offers for show in shows_of(offer.match)}
        named = {
            show for meanings in self._aliases.values() for show in meanings.values() if show is not None
        }
        self.look_up(likely | named)
        found = [(offer, self._match(offer)) for offer in offers]
        self.look_up({show for _offer, match in found for show in shows_of(match)})
        return found

    def look_up(self, shows: Collection[int]) -> None:
        """And, the first time, those entries that any release may be of: whose numbers count otherwise."""
        missing = set(shows) - self._entries.keys()
        if not missing and self._offset is not None:
            return
        entries = Entry.objects.of_shows(self.user, missing, or_counted_otherwise=self._offset is None)
        self._entries.update(dict.fromkeys(missing))
        self._entries.update({entry.show_id: entry for entry in entries})
        if self._offset is None:
            self._offset = [entry for entry in entries if entry.offset and self.follows(entry.show_id)]

    def entry_of(self, show: int) -> Entry | None:
        """Of a show that was looked up; in whatever state it is."""
        return self._entries[show]

    def follows(self, show: int) -> bool:
        entry = self._entries.get(show)
        return entry is not None and entry.state in (Entry.State.FOLLOWED, Entry.State.PAUSED)

    def known(self, show: int) -> CatalogueShow | None:
        if self._own is not None and show in self._own.by_id:
            return self._own.by_id[show]
        return self._shows.by_id.get(show)

    def match_as(self, offer: Offer, show: int) -> Match:
        """What it is when it is of this show, because a person says so: also where its numbers speak against that."""
        said: dict[AliasKey, int | None] = {AliasKey(key, offer.release.season): show for key in offer.keys}
        own = self._own is not None and show in self._own.by_id
        shows = self._own if own else self._shows
        if shows is not None and show in shows.by_id:
            match = shows.match(offer.release, published=offer.published, aliases=said)
            if match.outcome is Outcome.FOUND and match.show == show:
                return match
        release = offer.release
        return Match(
            outcome=Outcome.FOUND,
            show=show,
            episodes=release.episodes,
            special=release.special or "",
            whole=not release.episodes,
        )

    def _match(self, offer: Offer) -> Match:
        aliases: Aliases = {}
        if self._aliases:
            aliases = {name: show for key in offer.keys for name, show in self._aliases.get(key, {}).items()}
        return self._shifted(offer, aliases) or self._unshifted(offer, aliases)

    def _unshifted(self, offer: Offer, aliases: Aliases) -> Match:
        shared_names = {
            name: show for name, show in aliases.items() if show is None or show in self._shows.by_id
        }
        shared = offer.match
        if shared_names:
            shared = self._shows.match(offer.release, published=offer.published, aliases=shared_names)
        if self._own is None:
            return shared
        own_names = {name: show for name, show in aliases.items() if show is None or show in self._own.by_id}
        own = self._own.match(offer.release, published=offer.published, aliases=own_names)
        for match, names in ((own, own_names), (shared, shared_names)):
            if not {show for show in names.values() if show is not None}.isdisjoint(shows_of(match)):
                return match  # as its reader calls it
        follows_shared = shared.show is not None and self.follows(shared.show)
        return joined(shared, own, follows_shared=follows_shared)

    def _shifted(self, offer: Offer, aliases: Aliases) -> Match | None:
        """By an entry whose owner says that its releases count otherwise: the numbers are moved, and then it must be
        this show by that very number."""
        release = offer.release
        if not self._offset or release.special or not release.episodes:
            return None
        if offer.match.outcome is Outcome.UNKNOWN and not offer.match.candidates and not aliases:
            return None
        for entry in self._offset:
            moved = tuple(number + entry.offset for number in release.episodes if not isinstance(number, str))
            if len(moved) != len(release.episodes) or min(moved) < 0:
                continue
            asked = Offer(offer.title, replace(release, episodes=moved, absolute=()), self._shows, offer.item)
            match = self._unshifted(asked, aliases)
            if match.show == entry.show_id and match.episodes == moved:
                return match
        return None


def shows_of(match: Match) -> tuple[int, ...]:
    """Which it is, or may be."""
    return match.candidates if match.show is None else (match.show,)
