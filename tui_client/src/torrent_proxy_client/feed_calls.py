"""Feeds and rules of the API as Python methods, `ApiClient.feeds`. Every method raises ClientError and nothing else;
the lists are Refused with status 404 by servers that follow no feeds."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

from torrent_proxy_client.feeds import Decision, Feed, Grab, Item, Preview, Rule
from torrent_proxy_client.handover import many
from torrent_proxy_client.models import Fields
from torrent_proxy_client.paging import Page

PAGE = 50  # items; 200 at most


class _Json(Protocol):
    def __call__(self, method: str, path: str, **options: Any) -> Awaitable[Any]: ...


class FeedCalls:
    def __init__(self, json: _Json) -> None:
        self._json = json

    # --- feeds

    async def all(self) -> tuple[Feed, ...]:
        return many(await self._json("GET", "feeds/"), Feed.from_json)

    async def feed(self, feed_id: str) -> Feed:
        return Feed.from_json(await self._json("GET", _feed(feed_id)))

    async def follow(
        self,
        url: str,
        *,
        name: str = "",
        username: str = "",
        password: str = "",
        back_catalogue: bool = False,
    ) -> Feed:
        """It is checked at once. With the `back_catalogue` rules may also take what stands in it now. Refused names the
        wrong one as `attr`."""
        wishes = {
            "url": url,
            "name": name,
            "username": username,
            "password": password,
            "back_catalogue": back_catalogue,
        }
        return Feed.from_json(await self._json("POST", "feeds/", json=wishes))

    async def change(self, feed_id: str, wishes: Mapping[str, object]) -> Feed:
        """`name` (str), `enabled` (bool); what is left out stays."""
        return Feed.from_json(await self._json("PATCH", _feed(feed_id), json=dict(wishes)))

    async def check(self, feed_id: str) -> bool:
        """Have it checked before it is due; False: that happened a moment ago."""
        answer = Fields(await self._json("POST", _feed(feed_id, "check/")), "answer")
        return answer.get("asked", bool, True)

    async def unfollow(self, feed_id: str) -> None:
        """What its rules took stays."""
        await self._json("DELETE", _feed(feed_id))

    # --- items

    async def items(
        self, feed_id: str, *, search: str = "", outcome: str = "", cursor: str = "", limit: int = PAGE
    ) -> Page[Item]:
        """The newest first. `outcome` is one of a Decision, or "none": nothing was decided."""
        params = _given(search=search, outcome=outcome, cursor=cursor, limit=limit)
        return Page.from_json(
            await self._json("GET", _feed(feed_id, "items/"), params=params), Item.from_json
        )

    async def item(self, feed_id: str, number: int) -> Item:
        """With the verdict of every rule."""
        return Item.from_json(await self._json("GET", _feed(feed_id, f"items/{number}/")))

    async def grab(self, feed_id: str, number: int) -> Grab:
        """Take it, whatever the rules say. Refused with code `no_torrent` where nothing leads to one."""
        return Grab.from_json(await self._json("POST", _feed(feed_id, f"items/{number}/grab/")))

    async def decisions(
        self, *, search: str = "", outcome: str = "", rule: str = "", cursor: str = "", limit: int = PAGE
    ) -> Page[Decision]:
        """Of all rules, the latest first."""
        params = _given(search=search, outcome=outcome, rule=rule, cursor=cursor, limit=limit)
        return Page.from_json(await self._json("GET", "me/decisions/", params=params), Decision.from_json)

    # --- rules: `wishes` are fields of Rule; Refused names the wrong one as `attr`

    async def rules(self) -> tuple[Rule, ...]:
        """In the order in which they are asked."""
        return many(await self._json("GET", "rules/"), Rule.from_json)

    async def make_rule(self, wishes: Mapping[str, object]) -> Rule:
        """It sees items that come from now on."""
        return Rule.from_json(await self._json("POST", "rules/", json=dict(wishes)))

    async def change_rule(self, rule_id: str, wishes: Mapping[str, object]) -> Rule:
        return Rule.from_json(await self._json("PATCH", _rule(rule_id), json=dict(wishes)))

    async def delete_rule(self, rule_id: str) -> None:
        """What it took stays; what it has waiting for a better release is given up."""
        await self._json("DELETE", _rule(rule_id))

    async def preview(self, wishes: Mapping[str, object], *, titles: Sequence[str] | None = None) -> Preview:
        """What such a rule would take: of these titles, or else of what is in the feeds. Nothing is saved."""
        asked = {**wishes} if titles is None else {**wishes, "titles": list(titles)}
        return Preview.from_json(await self._json("POST", "rules/preview/", json=asked))


def _feed(feed_id: str, rest: str = "") -> str:
    return f"feeds/{quote(feed_id, safe='')}/{rest}"


def _rule(rule_id: str) -> str:
    return f"rules/{quote(rule_id, safe='')}/"


def _given(**params: object) -> dict[str, object]:
    return {name: value for name, value in params.items() if value != ""}
