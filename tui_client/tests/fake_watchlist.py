"""Followed shows of the fake server: it keeps what it is told, and decides nothing by itself."""

import uuid
from typing import Any

from tui_client.tests.fake_feeds import page_of
from tui_client.tests.fake_wire import Problem, Request

_PAST = "2026-01-01T12:00:00Z"
DEFAULTS: dict[str, Any] = {
    "groups": [],
    "only_groups": False,
    "refused_groups": [],
    "resolutions": ["1080p"],
    "languages": [],
    "must_not_contain": "",
    "batches": "any",
    "specials": False,
    "newer_versions": True,
    "delay_seconds": 0,
    "stalled_hours": 48,
    "start_paused": False,
    "label": "",
}
NO_WISHES: dict[str, Any] = dict.fromkeys(DEFAULTS)
NO_SUMMARY: dict[str, Any] = {
    "aired": 0,
    **dict.fromkeys(("have", "downloading", "found", "missing"), 0),
    **dict.fromkeys(("missing_since", "next_episode", "next_airs_at")),
}
ANILIST: dict[str, Any] = {
    "name": "anilist",
    "title": "AniList",
    "by_name": True,
    "by_code": True,
    "code_url": "https://anilist.example/oauth/authorize?client_id=1&response_type=token",
    "message": "",
    "blocked_until": None,
    "data_at": _PAST,
}


class FakeWatchlist:
    """Change its attributes at any time."""

    def __init__(self) -> None:
        self.shows: dict[int, dict[str, Any]] = {}  # that can be found
        self.entries: dict[str, dict[str, Any]] = {}
        self.removed: dict[str, dict[str, Any]] = {}
        self.episodes: dict[str, list[dict[str, Any]]] = {}  # by entry
        self.candidates: dict[str, list[dict[str, Any]]] = {}  # by entry
        self.airings: list[dict[str, Any]] = []
        self.questions: list[dict[str, Any]] = []
        self.decisions: list[dict[str, Any]] = []  # the latest first
        self.preferences: dict[str, Any] = dict(NO_WISHES)
        self.providers: list[dict[str, Any]] = [dict(ANILIST)]
        self.accounts: dict[str, dict[str, Any]] = {}
        self.search_message = ""  # why only stored shows are searched
        self.synced_just_now = False
        self.refuse: Problem | None = None  # whatever is to change something
        # What it saw:
        self.wishes: list[Any] = []
        self.searches: list[str] = []
        self.calendars: list[tuple[str, str]] = []

    # --- what there is

    def add_show(self, title: str, **fields: Any) -> int:
        """That can be found and followed; returns its id."""
        show_id = len(self.shows) + 1
        self.shows[show_id] = {
            "id": show_id, "provider": "anilist", "title": title, "romaji": "", "english": title, "native": "",
            "synonyms": [], "format": "TV", "status": "RELEASING", "episodes": 12, "year": 2026,
            "starts_on": "2026-10-04", "is_adult": False, "site_url": "", "fetched_at": _PAST, **fields,
        }  # fmt: skip
        return show_id

    def follow(self, show_id: int, *, summary: dict[str, Any] | None = None, **fields: Any) -> str:
        """Returns the id of the entry."""
        entry_id = str(uuid.uuid4())
        self.entries[entry_id] = {
            "id": entry_id, "show": self.shows[show_id], "origin": "search", "state": "followed", "list_status": "",
            "list_progress": 0, "from_episode": 1, "offset": 0, "end_with_show": True, "wishes": dict(NO_WISHES),
            "aliases": [], "summary": {**NO_SUMMARY, **(summary or {})}, "added_at": _PAST, "changed_at": _PAST,
            **fields,
        }  # fmt: skip
        self.episodes[entry_id] = []
        self.candidates[entry_id] = []
        return entry_id

    def add_entry(self, title: str, **fields: Any) -> str:
        """A followed show."""
        return self.follow(self.add_show(title), **fields)

    def add_episode(self, entry_id: str, number: float, state: str, **fields: Any) -> None:
        self.episodes[entry_id].append({
            "number": number, "special": "", "airs_at": None, "state": state, "missing_since": None, "title": "",
            "group": "", "version": None, "candidate_id": None, "claim_id": None, "message": "", **fields,
        })  # fmt: skip

    def add_candidate(self, entry_id: str, title: str, *numbers: float, **fields: Any) -> int:
        """Returns its id."""
        found = self.candidates[entry_id]
        found.append({
            "id": len(found) + 1, "title": title, "group": "", "version": 1, "numbers": list(numbers), "special": "",
            "state": "found", "message": "", "claim_id": None, "found_at": _PAST, **fields,
        })  # fmt: skip
        return len(found)

    def add_question(self, title: str, *shows: int, **fields: Any) -> None:
        reason = {"what": "title", "got": title, "wanted": "a name of one show only"}
        self.questions.append({
            "id": len(self.questions) + 1, "title": title, "feed": "Shows", "seen_at": _PAST, "reasons": [reason],
            "shows": [self.shows[show_id] for show_id in shows], **fields,
        })  # fmt: skip

    def add_decision(self, title: str, outcome: str, **fields: Any) -> None:
        self.decisions.insert(0, {
            "id": len(self.decisions) + 1, "title": title, "feed": "Shows", "entry_id": None, "show_title": None,
            "outcome": outcome, "reasons": [], "at": _PAST, **fields,
        })  # fmt: skip

    def link(self, **fields: Any) -> None:
        account = {
            "provider": "anilist", "name": "alice", "private": False, "token_ends_at": None,
            "statuses": ["CURRENT", "REPEATING"], "include_adult": False, "synced_at": None, "next_sync_at": _PAST,
            "failing_since": None, "message": "", **fields,
        }  # fmt: skip
        self.accounts[account["provider"]] = account

    # --- the API; None where it is about something else

    def answer(
        self, method: str, path: list[str], query: dict[str, list[str]], request: Request
    ) -> tuple[int, Any] | None:
        if path[:1] != ["watchlist"]:
            return None
        rest = path[1:]
        if rest[:1] in (["links"], ["providers"]):
            return self._accounts(method, rest, query, request)
        if rest and (rest[0] in self.entries or rest[0] in self.removed):
            return self._entry(method, rest[0], rest[1:], request)
        match method, *rest:
            case ("GET",):
                return 200, [self._shown(entry) for entry in self.entries.values()]
            case ("POST",):
                return 201, self._shown(self.entries[self._follow(self._wished(request))])
            case "GET", "calendar":
                self.calendars.append((query["since"][0], query["until"][0]))
                return 200, self.airings
            case "GET", "review":
                return 200, self.questions
            case "POST", "review", number:
                self._wished(request)
                self.questions = [one for one in self.questions if one["id"] != int(number)]
                return 200, {}
            case "GET", "decisions":
                entry = query.get("entry", [""])[0]
                rows = [one for one in self.decisions if entry in ("", one["entry_id"])]
                return 200, page_of(rows, query)
            case "POST", "preview":
                return 200, [self._tried(title) for title in request.json()["titles"]]
            case "GET", "preferences":
                return 200, self._preferences()
            case "PATCH", "preferences":
                self.preferences.update(self._wished(request))
                return 200, self._preferences()
            case "GET", "shows":
                return 200, self._search(query["search"][0])
        return None

    def _entry(self, method: str, entry_id: str, rest: list[str], request: Request) -> tuple[int, Any] | None:
        if (method, rest) == ("POST", ["restore"]):
            self.entries[entry_id] = self.removed.pop(entry_id)
        if entry_id not in self.entries:
            raise Problem(404, "not_found", "You do not follow this.")
        entry = self.entries[entry_id]
        match method, *rest:
            case ("GET",) | ("POST", "restore"):
                return 200, self._shown(entry)
            case ("PATCH",):
                wishes = self._wished(request)
                entry["wishes"].update(wishes.get("wishes", {}))
                entry.update({name: value for name, value in wishes.items() if name != "wishes"})
                return 200, self._shown(entry)
            case ("DELETE",):
                self.removed[entry_id] = self.entries.pop(entry_id)
                return 204, None
            case "GET", "episodes":
                return 200, self.episodes[entry_id]
            case "GET", "candidates":
                return 200, self.candidates[entry_id]
            case "POST", "candidates", number, "take":
                (one,) = (one for one in self.candidates[entry_id] if one["id"] == int(number))
                self.wishes.append({"take": one["id"]})
                one["state"] = "taken"
                return 202, one
            case "POST", "aliases":
                alias = {"id": len(entry["aliases"]) + 1, **self._wished(request)}
                entry["aliases"].append(alias)
                return 201, alias
            case "DELETE", "aliases", number:
                entry["aliases"] = [one for one in entry["aliases"] if one["id"] != int(number)]
                return 204, None
        return None

    def _accounts(
        self, method: str, path: list[str], query: dict[str, list[str]], request: Request
    ) -> tuple[int, Any] | None:
        match method, *path:
            case "GET", "providers":
                return 200, self.providers
            case "GET", "links":
                return 200, list(self.accounts.values())
            case "POST", "links":
                wishes = self._wished(request)
                trouble = self.providers[0]["message"]  # then nobody knows whose code that is
                name = wishes.get("name", "" if trouble else "alice")
                self.link(name=name, private="token" in wishes, message=trouble)
                return 201, self.accounts[wishes["provider"]]
            case "PATCH", "links", provider:
                self.accounts[provider].update(self._wished(request))
                return 200, self.accounts[provider]
            case "DELETE", "links", provider:
                self.wishes.append({"keep": query["keep"][0]})
                del self.accounts[provider]
                return 204, None
            case "POST", "links", _, "sync":
                return 202, {"asked": not self.synced_just_now}
        return None

    def _wished(self, request: Request) -> Any:
        wishes = request.json()
        self.wishes.append(wishes)
        if self.refuse:
            raise self.refuse
        return wishes

    def _follow(self, wishes: dict[str, Any]) -> str:
        if "show_id" in wishes:
            return self.follow(wishes["show_id"])
        show_id = self.add_show(
            wishes["title"], provider="manual", synonyms=wishes["titles"], episodes=wishes["episodes"]
        )
        return self.follow(show_id, origin="hand")

    def _search(self, text: str) -> dict[str, Any]:
        self.searches.append(text)
        found = [show for show in self.shows.values() if text.casefold() in show["title"].casefold()]
        return {"results": found, "message": self.search_message}

    def _tried(self, title: str) -> dict[str, Any]:
        found = [show for show in self.shows.values() if show["title"].casefold() in title.casefold()]
        outcome = ("unknown", "found")[len(found)] if len(found) < 2 else "unsure"
        show = found[0] if outcome == "found" else None
        followed = any(entry["show"] is show for entry in self.entries.values())
        small = {"what": "resolutions", "got": "720p", "wanted": "1080p"}
        is_small = followed and "720p" in title
        return {
            "title": title, "outcome": outcome, "show": show, "followed": followed, "episodes": [3] if show else [],
            "special": "", "candidates": [] if show else found, "reasons": [], "wanted": followed and not is_small,
            "wish_reasons": [small] if is_small else [],
        }  # fmt: skip

    def _preferences(self) -> dict[str, Any]:
        return {**self.preferences, "effective": _effective(self.preferences, DEFAULTS)}

    def _shown(self, entry: dict[str, Any]) -> dict[str, Any]:
        batches = "none" if entry["show"]["status"] == "RELEASING" else "any"
        inherited = _effective(self.preferences, {**DEFAULTS, "batches": batches})
        return {**entry, "effective_wishes": _effective(entry["wishes"], inherited)}


def _effective(wishes: dict[str, Any], inherited: dict[str, Any]) -> dict[str, Any]:
    return {name: inherited[name] if value is None else value for name, value in wishes.items()}
