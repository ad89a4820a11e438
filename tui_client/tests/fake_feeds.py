"""Feeds and rules of the fake server: one condition is enough for tests of the client, "must contain"."""

import threading
import uuid
from typing import Any

from tui_client.tests.fake_wire import Problem, Request

PAGE = 50
_PAST = "2026-01-01T12:00:00Z"


class FakeFeeds:
    """Change its attributes at any time."""

    def __init__(self) -> None:
        self.feeds: dict[str, dict[str, Any]] = {}
        self.items: dict[str, list[dict[str, Any]]] = {}  # by feed, the newest first
        self.rules: dict[str, dict[str, Any]] = {}
        self.decisions: list[dict[str, Any]] = []  # the latest first
        self.refuse: Problem | None = None  # feeds, rules and previews
        self.preview_may_answer = threading.Event()
        self.preview_may_answer.set()
        # What it saw:
        self.wishes: list[dict[str, Any]] = []  # for feeds and rules
        self.previews: list[dict[str, Any]] = []
        self.grabbed: list[int] = []

    def add_feed(self, name: str, **fields: Any) -> str:
        """Returns its id."""
        feed_id = str(uuid.uuid4())
        self.items[feed_id] = []
        self.feeds[feed_id] = {
            "id": feed_id,
            "name": name,
            "title": "",
            "address": "https://feeds.example/rss",
            "enabled": True,
            "health": "healthy",
            "message": "",
            "failing_since": None,
            "checked_at": _PAST,
            "next_check_at": _PAST,
            "added_at": _PAST,
            **fields,
        }
        return feed_id

    def add_item(self, feed_id: str, title: str, **fields: Any) -> None:
        items = self.items[feed_id]
        items.insert(0, {
            "feed": feed_id, "number": len(items) + 1, "title": title, "page": "", "size": None, "infohash": "",
            "has_torrent": True, "published_at": None, "seen_at": _PAST, "release": {}, "decisions": [], "grab": None,
            **fields,
        })  # fmt: skip

    def add_rule(self, name: str, **fields: Any) -> str:
        """Returns its id."""
        rule_id = str(uuid.uuid4())
        self.rules[rule_id] = {"id": rule_id, "name": name, "must_contain": name.casefold(), **fields}
        return rule_id

    def answer(
        self, method: str, path: list[str], query: dict[str, list[str]], request: Request
    ) -> tuple[int, Any] | None:
        """None where it is about something else."""
        match method, *path:
            case "GET", "feeds":
                return 200, list(self.feeds.values())
            case "POST", "feeds":
                wishes = self._wished(request)
                return 201, self.feeds[self.add_feed(wishes["name"] or "feeds.example", health="unchecked")]
            case "PATCH", "feeds", feed_id:
                return 200, self._changed(self.feeds, feed_id, request)
            case "DELETE", "feeds", feed_id:
                del self.feeds[feed_id]
                return 204, None
            case "POST", "feeds", feed_id, "check":
                return 202, {"asked": self.feeds[feed_id]["health"] != "healthy"}
            case "GET", "feeds", feed_id, "items":
                return 200, page_of(self.items[feed_id], query)
            case "GET", "feeds", feed_id, "items", number:
                item = self._item(feed_id, number)
                verdicts = [
                    {"rule_name": rule["name"], **_verdict(rule, item["title"])}
                    for rule in self.rules.values()
                ]
                return 200, {**item, "verdicts": verdicts}
            case "POST", "feeds", feed_id, "items", number, "grab":
                item = self._item(feed_id, number)
                if not item["has_torrent"]:
                    raise Problem(400, "no_torrent", "There is no torrent in this item.")
                self.grabbed.append(int(number))
                item["grab"] = {"state": "due", "message": "", "due_at": _PAST, "torrent": None}
                return 202, item["grab"]
            case "GET", "me", "decisions":
                return 200, page_of(self.decisions, query)
            case "GET", "rules":
                return 200, list(self.rules.values())
            case "POST", "rules":
                wishes = self._wished(request)
                return 201, self.rules[self.add_rule(**wishes)]
            case "POST", "rules", "preview":
                return 200, self._preview(request.json())
            case "PATCH", "rules", rule_id:
                return 200, self._changed(self.rules, rule_id, request)
            case "DELETE", "rules", rule_id:
                del self.rules[rule_id]
                return 204, None
        return None

    def _wished(self, request: Request) -> dict[str, Any]:
        wishes = dict(request.json())
        self.wishes.append(wishes)
        if self.refuse:
            raise self.refuse
        return wishes

    def _changed(self, known: dict[str, dict[str, Any]], key: str, request: Request) -> dict[str, Any]:
        known[key].update(self._wished(request))
        return known[key]

    def _item(self, feed_id: str, number: str) -> dict[str, Any]:
        return next(item for item in self.items[feed_id] if item["number"] == int(number))

    def _preview(self, rule: dict[str, Any]) -> dict[str, Any]:
        self.previews.append(rule)
        self.preview_may_answer.wait(60)
        if self.refuse:
            raise self.refuse
        stored = [item["title"] for items in self.items.values() for item in items]
        seen = [{"title": title, **_verdict(rule, title)} for title in rule.get("titles", stored)]
        return {"taken": sum(one["taken"] for one in seen), "of": len(seen), "items": seen}


def _verdict(rule: dict[str, Any], title: str) -> dict[str, Any]:
    if rule["must_contain"] in title.casefold():
        return {"taken": True, "reasons": []}
    reason = {"what": "must_contain", "got": title, "wanted": rule["must_contain"]}
    return {"taken": False, "reasons": [reason]}


def page_of(rows: list[dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
    """Of items or decisions."""
    search, outcome, rule = (query.get(name, [""])[0] for name in ("search", "outcome", "rule"))
    rows = [row for row in rows if search.casefold() in row["title"].casefold()]
    if outcome:
        rows = [row for row in rows if outcome in _outcomes(row)]
    if rule:
        rows = [row for row in rows if row["rule"] == rule]
    start, limit = int(query.get("cursor", ["0"])[0]), int(query.get("limit", [str(PAGE)])[0])
    end = start + limit
    following = f"http://elsewhere.example/?cursor={end}" if end < len(rows) else None
    return {"next": following, "previous": None, "results": rows[start:end]}


def _outcomes(row: dict[str, Any]) -> list[str]:
    decided = [one["outcome"] for one in row.get("decisions", [row])]
    return decided or ["none"]
