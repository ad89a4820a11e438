"""One rule, ready to be asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from feeds.rules import Candidate, Reason, RuleError, RuleSpec
from feeds.rules.patterns import compiled
from feeds.rules.text import expression


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reasons` are empty where the rule takes the item. `about_it`: the item is of what the rule is about, so its
    owner may want to know why it was not taken."""

    reasons: tuple[Reason, ...]
    about_it: bool

    @property
    def taken(self) -> bool:
        return not self.reasons


class CompiledRule:
    """Raises RuleError where the rule cannot be followed."""

    def __init__(self, spec: RuleSpec) -> None:
        self.spec = spec
        self.wanted_text = expression(spec.must_contain, field="must_contain")
        self._refused_text = expression(spec.must_not_contain, field="must_not_contain")
        self.regex = compiled(spec.regex, field="regex")
        self._negative_regex = compiled(spec.negative_regex, field="negative_regex")
        self._resolutions = _folded(spec.resolutions)
        self._groups = _folded(spec.groups)
        self._refused_groups = _folded(spec.refused_groups)
        self._refuse_nonsense()

    def verdict(self, candidate: Candidate, title: str) -> Verdict:
        """`title` is the candidate's, normalised."""
        if candidate.source is not None and self.spec.sources and candidate.source not in self.spec.sources:
            return Verdict((Reason("feed", "another feed", "one of the rule's feeds"),), about_it=False)
        wanted = tuple(self._text_reasons(candidate, title))
        others = tuple(self._other_reasons(candidate, title))
        has_text = self.wanted_text is not None or self.regex is not None
        about_it = not wanted if has_text else len(others) <= 1
        return Verdict(wanted + others, about_it)

    def preference(self, candidate: Candidate) -> list[int]:
        """Smaller is better, as lists compare: group, then resolution, then version."""
        release = candidate.release
        return [
            _rank(self._groups, release.get("group")),
            _rank(self._resolutions, release.get("resolution")),
            -int(release.get("version") or 1),
        ]

    def _text_reasons(self, candidate: Candidate, title: str) -> list[Reason]:
        reasons = []
        if self.wanted_text is not None and not self.wanted_text.matches(title):
            reasons.append(Reason("must_contain", candidate.title, self.spec.must_contain))
        if self.regex is not None and self.regex.search(candidate.title) is None:
            reasons.append(Reason("regex", candidate.title, self.spec.regex))
        return reasons

    def _other_reasons(self, candidate: Candidate, title: str) -> list[Reason]:
        spec, release = self.spec, candidate.release
        reasons = []
        if self._refused_text is not None and self._refused_text.matches(title):
            reasons.append(Reason("must_not_contain", candidate.title, f"not {spec.must_not_contain}"))
        if self._negative_regex is not None and (match := self._negative_regex.search(candidate.title)):
            reasons.append(Reason("negative_regex", match[0], f"not {spec.negative_regex}"))
        reasons += self._size_reasons(candidate.size)
        reasons += self._episode_reasons(release)
        reasons += self._time_reasons(candidate)
        resolution, group = release.get("resolution"), release.get("group")
        if self._resolutions and _fold(resolution) not in self._resolutions:
            reasons.append(Reason("resolutions", resolution or "none stated", " or ".join(spec.resolutions)))
        if spec.only_groups and _fold(group) not in self._groups:
            reasons.append(Reason("groups", group or "none stated", " or ".join(spec.groups)))
        if group and _fold(group) in self._refused_groups:
            reasons.append(Reason("refused_groups", group, f"not {group}"))
        batch = bool(release.get("batch"))
        if spec.batches == "none" and batch:
            reasons.append(Reason("batches", "a batch", "single episodes"))
        if spec.batches == "only" and not batch:
            reasons.append(Reason("batches", "no batch", "a batch"))
        return reasons

    def _size_reasons(self, size: int | None) -> list[Reason]:
        least, most = self.spec.min_size, self.spec.max_size
        if least is None and most is None:
            return []
        if size is None:
            # What the feed does not say is looked at again when the torrent's own size is known: quotas.
            return []
        if least is not None and size < least:
            return [Reason("min_size", readable_size(size), f"at least {readable_size(least)}")]
        if most is not None and size > most:
            return [Reason("max_size", readable_size(size), f"at most {readable_size(most)}")]
        return []

    def _episode_reasons(self, release: Mapping[str, Any]) -> list[Reason]:
        spec = self.spec
        reasons = []
        if spec.season is not None and (season := release.get("season")) != spec.season:
            got = "none stated" if season is None else str(season)
            reasons.append(Reason("season", got, str(spec.season)))
        if spec.first_episode is not None or spec.last_episode is not None:
            # The number of a special is its own.
            stated = () if release.get("special") else release.get("episodes") or ()
            numbers = [number for number in stated if isinstance(number, int | float)]
            least = spec.first_episode if spec.first_episode is not None else float("-inf")
            most = spec.last_episode if spec.last_episode is not None else float("inf")
            if not numbers or min(numbers) < least or max(numbers) > most:
                reasons.append(Reason("episodes", _numbers(numbers), _range(spec)))
        return reasons

    def _time_reasons(self, candidate: Candidate) -> list[Reason]:
        at = candidate.published_at or candidate.seen_at
        reasons = []
        if (after := self.spec.published_after) is not None and at <= after:
            reasons.append(Reason("published_after", _day(at), f"after {_day(after)}"))
        if (age := self.spec.max_age) is not None and candidate.seen_at - at > age:
            reasons.append(Reason("max_age", f"published {_day(at)}", f"at most {age} old when seen"))
        return reasons

    def _refuse_nonsense(self) -> None:
        spec = self.spec
        if spec.min_size is not None and spec.max_size is not None and spec.min_size > spec.max_size:
            raise RuleError("The smallest size is larger than the largest.", field="max_size")
        first, last = spec.first_episode, spec.last_episode
        if first is not None and last is not None and first > last:
            raise RuleError("The first episode comes after the last one.", field="last_episode")
        if spec.only_groups and not spec.groups:
            raise RuleError("Name the groups, or allow all of them.", field="groups")


def selective_rule(spec: RuleSpec) -> CompiledRule:
    """Of a rule that alone chooses among all items. Raises RuleError also where it would take every one."""
    rule = CompiledRule(spec)
    says_nothing = not (rule.wanted_text or rule.regex or spec.groups or spec.season is not None)
    if says_nothing and not spec.sources:
        raise RuleError(
            "This rule would take everything from all feeds. Say what titles must contain, or choose its feeds.",
            field="must_contain",
        )
    return rule


def _folded(names: Sequence[str]) -> list[str]:
    return [name.strip().casefold() for name in names]


def _fold(name: str | None) -> str:
    return (name or "").strip().casefold()


def _rank(preferred: list[str], name: str | None) -> int:
    folded = _fold(name)
    return preferred.index(folded) if folded in preferred else len(preferred)


def readable_size(size: int) -> str:
    """`1.4 GiB`."""
    number = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"


def _numbers(numbers: list[int | float]) -> str:
    if not numbers:
        return "none stated"
    return f"{numbers[0]:g}" if len(numbers) == 1 else f"{min(numbers):g} to {max(numbers):g}"


def _range(spec: RuleSpec) -> str:
    if spec.first_episode is None:
        return f"up to {spec.last_episode:g}"
    if spec.last_episode is None:
        return f"from {spec.first_episode:g}"
    return f"{spec.first_episode:g} to {spec.last_episode:g}"


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
