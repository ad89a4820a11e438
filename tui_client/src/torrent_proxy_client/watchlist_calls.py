"""Followed shows of the API as Python methods, `ApiClient.watchlist`. Every method raises ClientError and nothing
else; all are Refused with status 404 by servers that follow no shows."""

from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

from torrent_proxy_client.handover import many
from torrent_proxy_client.models import Fields
from torrent_proxy_client.paging import Page
from torrent_proxy_client.watchlist import (
    Airing,
    Alias,
    Candidate,
    Entry,
    Episode,
    Preferences,
)
from torrent_proxy_client.watchlist_accounts import Account, Found, Provider
from torrent_proxy_client.watchlist_decisions import Question, Tried, WatchDecision

PAGE = 50  # decisions; 200 at most


class _Json(Protocol):
    def __call__(self, method: str, path: str, **options: Any) -> Awaitable[Any]: ...


class WatchlistCalls:
    def __init__(self, json: _Json) -> None:
        self._json = json

    # --- entries

    async def all(self) -> tuple[Entry, ...]:
        return many(await self._json("GET", "watchlist/"), Entry.from_json)

    async def entry(self, entry_id: str) -> Entry:
        return Entry.from_json(await self._json("GET", _entry(entry_id)))

    async def follow(self, show_id: int) -> Entry:
        return Entry.from_json(await self._json("POST", "watchlist/", json={"show_id": show_id}))

    async def follow_by_hand(
        self, title: str, *, titles: Sequence[str] = (), episodes: int | None = None
    ) -> Entry:
        """A show that no provider knows; `titles` are its other names in releases."""
        wishes = {"title": title, "titles": list(titles), "episodes": episodes}
        return Entry.from_json(await self._json("POST", "watchlist/", json=wishes))

    async def change(self, entry_id: str, wishes: Mapping[str, object]) -> Entry:
        """`state` ("followed" or "paused"), `from_episode`, `offset`, `end_with_show`, `wishes` (fields of Wishes);
        what is left out stays. Refused names the wrong one as `attr`."""
        return Entry.from_json(await self._json("PATCH", _entry(entry_id), json=dict(wishes)))

    async def remove(self, entry_id: str) -> None:
        """What was taken for it stays; `restore` takes this back."""
        await self._json("DELETE", _entry(entry_id))

    async def restore(self, entry_id: str) -> Entry:
        return Entry.from_json(await self._json("POST", _entry(entry_id, "restore/")))

    async def episodes(self, entry_id: str) -> tuple[Episode, ...]:
        return many(await self._json("GET", _entry(entry_id, "episodes/")), Episode.from_json)

    async def candidates(self, entry_id: str) -> tuple[Candidate, ...]:
        return many(await self._json("GET", _entry(entry_id, "candidates/")), Candidate.from_json)

    async def take(self, entry_id: str, candidate_id: str) -> Candidate:
        """This one instead of what was, or would be, taken for its episodes."""
        path = _entry(entry_id, f"candidates/{quote(candidate_id, safe='')}/take/")
        return Candidate.from_json(await self._json("POST", path))

    async def add_alias(self, entry_id: str, name: str, *, season: int | None = None) -> Alias:
        """From now on `name` in a release means this show, where it states this `season`, or none."""
        wishes = {"name": name, "season": season}
        return Alias.from_json(await self._json("POST", _entry(entry_id, "aliases/"), json=wishes))

    async def remove_alias(self, entry_id: str, alias_id: str) -> None:
        await self._json("DELETE", _entry(entry_id, f"aliases/{quote(alias_id, safe='')}/"))

    # --- all of them together

    async def calendar(self, since: datetime, until: datetime) -> tuple[Airing, ...]:
        """At most 31 days; both are aware."""
        params = {"since": since.isoformat(), "until": until.isoformat()}
        return many(await self._json("GET", "watchlist/calendar/", params=params), Airing.from_json)

    async def questions(self) -> tuple[Question, ...]:
        return many(await self._json("GET", "watchlist/review/"), Question.from_json)

    async def answer(self, question_id: str, show_id: int | None, *, remember: bool = True) -> None:
        """None: none of mine. Who is to `remember` is not asked about that name again."""
        path = f"watchlist/review/{quote(question_id, safe='')}/"
        await self._json("POST", path, json={"show_id": show_id, "remember": remember})

    async def decisions(
        self, *, search: str = "", outcome: str = "", entry: str = "", cursor: str = "", limit: int = PAGE
    ) -> Page[WatchDecision]:
        """The latest first."""
        asked = {"search": search, "outcome": outcome, "entry": entry, "cursor": cursor}
        params = {"limit": limit, **{name: value for name, value in asked.items() if value}}
        return Page.from_json(
            await self._json("GET", "watchlist/decisions/", params=params), WatchDecision.from_json
        )

    async def preview(self, titles: Sequence[str]) -> tuple[Tried, ...]:
        """What would become of releases of these titles."""
        asked = {"titles": list(titles)}
        return many(await self._json("POST", "watchlist/preview/", json=asked), Tried.from_json)

    async def preferences(self) -> Preferences:
        return Preferences.from_json(await self._json("GET", "watchlist/preferences/"))

    async def change_preferences(self, wishes: Mapping[str, object]) -> Preferences:
        """Fields of Wishes; what is left out stays. Refused names the wrong one as `attr`."""
        return Preferences.from_json(await self._json("PATCH", "watchlist/preferences/", json=dict(wishes)))

    # --- providers, and accounts there

    async def search(self, text: str) -> Found:
        return Found.from_json(await self._json("GET", "watchlist/shows/", params={"search": text}))

    async def providers(self) -> tuple[Provider, ...]:
        return many(await self._json("GET", "watchlist/providers/"), Provider.from_json)

    async def accounts(self) -> tuple[Account, ...]:
        return many(await self._json("GET", "watchlist/links/"), Account.from_json)

    async def link_by_name(self, provider: str, name: str) -> Account:
        """The list of that name must be public. Refused names the wrong field as `attr`."""
        return await self._link({"provider": provider, "name": name})

    async def link_by_token(self, provider: str, token: str) -> Account:
        return await self._link({"provider": provider, "token": token})

    async def _link(self, wishes: Mapping[str, object]) -> Account:
        return Account.from_json(await self._json("POST", "watchlist/links/", json=dict(wishes)))

    async def change_account(self, provider: str, *, statuses: Sequence[str], include_adult: bool) -> Account:
        wishes = {"statuses": list(statuses), "include_adult": include_adult}
        return Account.from_json(await self._json("PATCH", _link(provider), json=wishes))

    async def unlink(self, provider: str, *, keep: bool) -> None:
        """`keep`: the shows of the list stay followed."""
        await self._json("DELETE", _link(provider), params={"keep": "true" if keep else "false"})

    async def sync(self, provider: str) -> bool:
        """Have the list read before it is due; False: that happened a moment ago."""
        answer = Fields(await self._json("POST", _link(provider, "sync/")), "answer")
        return answer.get("asked", bool, True)


def _entry(entry_id: str, rest: str = "") -> str:
    return f"watchlist/{quote(entry_id, safe='')}/{rest}"


def _link(provider: str, rest: str = "") -> str:
    return f"watchlist/links/{quote(provider, safe='')}/{rest}"
