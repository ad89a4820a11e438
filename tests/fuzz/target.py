"""A real web process, whom it serves, and what must hold whatever one of them asks of it."""

import itertools
from collections import Counter
from collections.abc import Iterator

import psutil
import requests

from tests.fuzz.people import somebody
from tests.journeys.conftest import Canary
from tests.journeys.served import Served
from torrents.tests.factories import fresh_magnet

PATIENCE = 30  # seconds for one answer
WARM = 200  # requests after which a process has loaded what it loads
MOST_GROWTH = 24 * 2**20  # bytes, for caches of its threads; 1 kB a request is more than that in a long run
FIRST_NUMBER, NUMBERS_APART = 7_310_000_000_000, 1_000_000
# What Alice looks at meanwhile.
PAGES = (
    "torrents/",
    "torrents/changes/",
    "torrents/removed/",
    "me/history/",
    "me/limits/",
    "me/usage/",
    "me/traffic/",
    "me/sessions/",
)


class Target:
    """Alice has something of everything and only looks. Somebody new attacks each round; the two share a torrent."""

    def __init__(self, box: Served, canary: Canary) -> None:
        self.url = box.url
        self.canary = canary
        self.answers: Counter[tuple[str, int]] = Counter()
        self._box = box
        self._shared = fresh_magnet("shared by all")
        self._numbers = itertools.count(FIRST_NUMBER, NUMBERS_APART)
        self.alice = somebody("alice", number=next(self._numbers), shared=self._shared)
        self.attacker = self.alice
        self.renew_attacker()
        self._before = self.alice.rows()
        self._alices_pages = itertools.cycle(PAGES)
        self._warm = 0

    def renew_attacker(self) -> None:
        """Somebody else, who still has everything."""
        number = next(self._numbers)
        self.attacker = somebody(f"mallory{number}", number=number, shared=self._shared)

    @property
    def asked(self) -> int:
        return self.answers.total()

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.attacker.token}"}

    def known(self, parameter: str) -> list[object]:
        """What a path may name: mostly the attacker's own things, and Alice's."""
        own = [*self.attacker.named(parameter)]
        return [*own, *own, *self.alice.named(parameter)]

    def judge(self, status: int, *, asked_for: str, sent: str, answer: str) -> None:
        """Call it with each answer that the attacker got; `asked_for` is the kind of request, for the count."""
        self.answers[asked_for, status] += 1
        # No reconciler runs here, which health has to say. 501 and 505 are gunicorn's, of HTTP itself.
        assert status < 500 or status in (501, 505) or "/health/" in sent, (
            f"{sent[:4000]}\n{status}: {answer}"
        )
        leaked = self.alice.leaked_into(answer, request=sent)
        assert not leaked, f"{sent[:4000]}\nshowed {leaked}:\n{answer}"
        if status == 401:
            self.attacker.log_in()  # their own session may be what they ended
        if self.asked % 10 == 0:
            self._let_alice_look()
        if self.asked == WARM:
            self._warm = self.memory()

    def _let_alice_look(self) -> None:
        address = f"{self.url}/api/v1/{next(self._alices_pages)}"
        headers = {"Authorization": f"Bearer {self.alice.token}"}
        response = requests.get(address, headers=headers, timeout=PATIENCE)
        assert response.status_code == 200
        leaked = self.attacker.leaked_into(response.text, request=address)
        assert not leaked, f"Alice saw {leaked}: {response.text}"

    def memory(self) -> int:
        """Resident bytes of the web processes: what two share counts twice, as it does once one has written to it."""
        return sum(process.memory_info().rss for process in self._processes())

    def _processes(self) -> Iterator[psutil.Process]:
        address = self._box.settings["WEB_ADDRESS"]
        for process in psutil.process_iter():
            try:
                if process.environ().get("WEB_ADDRESS") == address:
                    yield process
            except psutil.Error:
                continue

    def check_what_is_left(self) -> None:
        """Nothing of Alice's has changed, nobody was sent to this machine, no error was logged, no memory was kept."""
        assert self.canary.hits == 0
        now = self.alice.rows()
        changed = [
            (self._before.get(what), value) for what, value in now.items() if self._before.get(what) != value
        ]
        assert not changed, changed
        assert now.keys() == self._before.keys()
        assert "Traceback" not in (self._box.directory / "web.log").read_text()
        assert self.asked > WARM
        assert self.memory() - self._warm < MOST_GROWTH

    def figures(self) -> str:
        statuses: Counter[int] = Counter()
        for (_, status), count in self.answers.items():
            statuses[status] += count
        return (
            f"{self.asked} requests, by status {dict(sorted(statuses.items()))}; web processes: "
            f"{self._warm / 2**20:.1f} MiB after {WARM} requests, {self.memory() / 2**20:.1f} MiB at the end"
        )
