"""Reading fetched feeds in a thread of its own, while those that were read before are stored.

The thread mostly waits for the child process that reads. It asks the database for nothing.
"""

import hashlib
import threading
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass

from feeds.models import FeedSource
from feeds.parsing import ParsedFeed
from feeds.parsing.isolated import Parser
from proxy_site.outbound import Response
from proxy_site.outbound_many import Outcome

ITEMS_AHEAD = 500  # new ones that may wait to be stored; more only where one feed has more


@dataclass(frozen=True, slots=True)
class Check:
    """What asking for one source came to: `error` (also feeds.parsing.FeedError and OutboundError), or a feed, which
    is None where nothing has changed."""

    source: FeedSource
    error: Exception | None = None
    feed: ParsedFeed | None = None
    digest: str = ""  # of the body
    etag: str = ""
    last_modified: str = ""
    moved_to: str | None = None

    @property
    def new_items(self) -> int:
        return len(self.feed.items) if self.feed is not None else 0


class Reader:
    """Reads what `outcomes` yields, whose keys are those of `sources`. `stop` is the one that ends `outcomes`."""

    def __init__(
        self,
        outcomes: Generator[Outcome[int], None, None],
        sources: Mapping[int, FeedSource],
        parser: Parser,
        stop: threading.Event,
    ) -> None:
        self._outcomes = outcomes
        self._sources = sources
        self._parser = parser
        self._stop = stop
        self._changed = threading.Condition()
        self._ready: list[Check] = []
        self._waiting = 0  # items of those that are ready
        self._ended = False
        self._crashed: Exception | None = None

    def checks(self) -> Generator[list[Check], None, None]:
        """All that is ready by then, as soon as something is. Close it to give up the rest."""
        thread = threading.Thread(target=self._run, name="read-feeds", daemon=True)
        thread.start()
        try:
            while ready := self._take():
                yield ready
        finally:
            self._stop.set()
            with self._changed:
                self._changed.notify_all()
            thread.join()
        if self._crashed is not None:
            raise self._crashed

    def _take(self) -> list[Check]:
        """Empty when there will be no more."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._ended)
            ready, self._ready, self._waiting = self._ready, [], 0
            self._changed.notify_all()
            return ready

    def _run(self) -> None:
        try:
            self._parser.start()
            with closing(self._outcomes):
                for outcome in self._outcomes:
                    self._put(self._check(outcome))
        except Exception as error:  # told to the one who waits; a thread's own end nobody sees
            self._crashed = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _put(self, check: Check) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting < ITEMS_AHEAD or self._stop.is_set())
            self._ready.append(check)
            self._waiting += max(1, check.new_items)
            self._changed.notify_all()

    def _check(self, outcome: Outcome[int]) -> Check:
        source = self._sources[outcome.key]
        if outcome.response is None:
            return Check(source, error=outcome.error)
        try:
            return self._read(source, outcome.response, outcome.moved_to)
        except (
            Exception
        ) as error:  # feeds are read in all other cases; whoever stores them tells what this is
            return Check(source, error=error)

    def _read(self, source: FeedSource, response: Response, moved_to: str | None) -> Check:
        digest = hashlib.sha256(response.body).hexdigest()
        if response.status == 304 or digest == source.body_digest:
            return Check(source, moved_to=moved_to)
        feed = self._parser.read(
            response.body,
            content_type=response.headers.get("content-type", ""),
            url=response.url,
            known=[key.hex for key in source.present],
        )
        return Check(
            source,
            feed=feed,
            digest=digest,
            etag=response.headers.get("etag", ""),
            last_modified=response.headers.get("last-modified", ""),
            moved_to=moved_to,
        )
