"""Where a name says which episode it is: ordered patterns, as Sonarr has them, the surest first.

They read a name with spaces for separators, of which technical words are blanked (BLANK), so that no codec and no
resolution is taken for an episode. Every pattern is linear in the length of the name: repetitions are bounded or
cannot match in two ways.
"""

import datetime
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from feeds.releases.numbers import NUMBER, read_chinese, read_numbers
from feeds.releases.release import EpisodeNumber, Special
from feeds.releases.seasons import find_seasons

BLANK = "\0"
_HIGHEST = 1900  # episodes that any show has reached without writing `- ` before the number; years begin here


@dataclass(frozen=True, slots=True)
class Numbering:
    """What the numbers say, and the part `[start, end)` of the name that says it."""

    start: int
    end: int
    season: int | None = None
    episodes: tuple[EpisodeNumber, ...] = ()
    absolute: tuple[EpisodeNumber, ...] = ()
    version: int | None = None
    special: Special | None = None
    batch: bool = False
    date: datetime.date | None = None


_L, _R = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_TO = r"(?:-|\s?~\s?)"
_SEVERAL = rf"{NUMBER}(?:(?:{_TO}|\s?[+&,]\s?){NUMBER}){{0,9}}"
_ENDING = rf"(?:\s?\(?(?:END|FIN|Final|完结?|完結|全|{BLANK}{{3}})\)?)?"
_CLOSES = rf"(?=[\s.]*(?:$|[\[\](){{}}\"'|{BLANK}]))"

_SEASON_AND_EPISODE = re.compile(
    rf"{_L}(?:S[0-9]{{1,2}}{_TO})?S(?P<season>[0-9]{{1,4}})\s?[-.]?\s?(?:EP?|x)\.?\s?(?P<numbers>{NUMBER}"
    rf"(?:\s?(?:[-~+&]|and)?\s?(?:S[0-9]{{1,4}}\s?)?(?:EP?|x)\s?{NUMBER}|[-~+&]{NUMBER}{_R}|\s~\s{NUMBER}{_R}){{0,40}})"
    rf"(?P<next>\s[0-9]{{2}}(?=\s|$))?{_R}",
    re.I,
)
_SEASON_X_EPISODE = re.compile(
    rf"{_L}(?P<season>[0-9]{{1,2}}|(?:19|20)[0-9]{{2}})x(?P<numbers>[0-9]{{2,4}}(?:v[0-9])?"
    rf"(?:\s?-?\s?(?:[0-9]{{1,2}})?x[0-9]{{2,3}}|-[0-9]{{2,3}}){{0,40}}){_R}",
    re.I,
)
_SEASON_WORD_EPISODE = re.compile(
    rf"{_L}(?:Season|Series|Saison|Staffel|Temporada|S)\s?(?P<season>[0-9]{{1,2}})\s?[-,]?\s?"
    rf"(?:Episodes?|Episodio|Folge|EP?)\s?(?P<numbers>{_SEVERAL}){_R}",
    re.I,
)
_CAPITULO = re.compile(rf"\[\s?Cap[\s.](?P<numbers>[0-9]{{3,4}}(?:\s[0-9]{{3,4}})?){_R}", re.I)
_CJK_EPISODE = re.compile(
    rf"(?:(?P<all>全)|第)\s?(?P<numbers>{_SEVERAL}|[一二三四五六七八九十]{{1,3}})\s?[话話集回](?P<end>[全完])?"
    rf"|{_L}(?P<bare>{_SEVERAL})\s?[话話集]"
)
_WORD_AND_EPISODE = re.compile(
    rf"{_L}(?:Episodes?|Épisode|Episodio|Folge|EPS?|E(?=[0-9]{{2}}))\.?\s?(?P<numbers>{NUMBER}"
    rf"(?:\s?[-~+&,]?\s?EP?{NUMBER}|\s?[-~]\s?{NUMBER}{_R}|\s[0-9]{{2}}(?=\s|$)){{0,40}}){_R}|\#(?P<number>{_SEVERAL}){_R}",
    re.I,
)
_OF_TOTAL = re.compile(
    rf"(?<!dis[ck]\s)(?<!dvd\s)(?<!cd\s)(?<!part\s){_L}(?P<numbers>[0-9]{{1,3}})\s?of\s?[0-9]{{1,4}}{_R}", re.I
)
_SPECIAL = re.compile(
    rf"{_L}(?:[Ss](?P<season>[0-9]{{1,2}})\s?)?(?:(?P<kind>(?i:OVA|ONA|OAD|NCOP|NCED)|SP|OP|ED|PV|CM)\s?\#?"
    rf"(?P<numbers>[0-9]{{1,2}}[a-z]?(?:\s?v[0-9])?)|(?P<alone>(?i:NCOP|NCED)|SP|PV|CM|Menu)(?:\s?v(?P<version>[0-9]))?){_R}"
    rf"|(?<=-\s)(?P<word>Specials?)\s?(?P<count>[0-9]{{1,2}}){_R}"
)
_DATE = re.compile(
    rf"(?<![0-9A-Za-z\[])(?P<year>(?:19|20)[0-9]{{2}})[\s.-](?P<month>[01][0-9])[\s.-](?P<day>[0-3][0-9]){_R}"
)
_AMERICAN_DATE = re.compile(rf"{_L}(?P<month>[01][0-9])[.-](?P<day>[0-3][0-9])[.-](?P<year>(?:19|20)[0-9]{{2}}){_R}")
_VOLUME = re.compile(rf"{_L}Vol(?:ume|s)?\.?\s?[0-9]{{1,3}}", re.I)
_PART = re.compile(rf"{_L}Part\s?(?P<numbers>[0-9]{{1,2}}){_R}", re.I)
_AT_START = re.compile(rf"\s*(?P<numbers>0[0-9]{{1,2}}(?:-[0-9]{{2,3}})?)(?:\.\s|\s?-\s?|\s)")
_SEASON_IN_NUMBER = re.compile(rf"(?:[1-9][0-9]{{2}}|0[0-9]{{3}}){_R}")
_IN_THE_MIDDLE = re.compile(rf"(?<=[0-9A-Za-z!?)'~.]\s)(?P<numbers>[0-9]{{2,3}}(?:-[0-9]{{2,3}})?(?:v[0-9])?(?=\s-\s)|0[1-9](?:v[0-9])?(?=\s))", re.I)
_PADDED_RANGE = re.compile(rf"(?<=\s)(?P<numbers>0[0-9]{{0,2}}[1-9]\s?[-~]\s?[0-9]{{2,4}})(?=\s?(?:$|[\[({BLANK}]|Batch|END))", re.I)
_AFTER_DASH = re.compile(rf"(?<![0-9A-Za-z{BLANK}])[-~]\s?(?P<numbers>{_SEVERAL})'?{_ENDING}{_R}(?P<sure>{_CLOSES}|(?=\s-\s))?", re.I)
_IN_BRACKETS = re.compile(
    rf"\[\s?(?P<numbers>{_SEVERAL}){_ENDING}(?=[\s\](+{BLANK}]|TV|全|完|合)|\((?P<range>{NUMBER}{_TO}{NUMBER}|0[0-9]{{1,2}}){_ENDING}\)", re.I
)
_BARE = re.compile(rf"(?<=[\s.])(?P<numbers>{_SEVERAL}){_ENDING}{_CLOSES}", re.I)
_ABSOLUTE_AFTER = re.compile(rf"\s?[\[(]\s?\#?(?P<numbers>[0-9]{{2,4}}(?:{_TO}[0-9]{{2,4}})?)\s?[\])]")
_ABSOLUTE_BEFORE = re.compile(rf"(?:{_L}(?P<range>[0-9]{{2,4}}-[0-9]{{2,4}})|(?<=-\s)(?P<one>[0-9]{{2,4}})\s[-(])[\s-]*$")
_RANGE_AFTER = re.compile(r"[\s-]{1,3}(?P<range>[0-9]{3,4}-[0-9]{3,4})(?![0-9A-Za-z])")


def has_letters(text: str) -> bool:
    """Whether there is anything to call a show by: a letter or digit of any script."""
    return any(letter.isalnum() for letter in text)


def _year_like(text: str) -> bool:
    return len(text) == 4 and text.isdigit() and text[:2] in ("19", "20")


def _numbered(match: re.Match[str], written: str, **more: object) -> Numbering:
    episodes, version = read_numbers(written)
    found = Numbering(match.start(), match.end(), episodes=episodes, version=version, batch=len(episodes) > 3)
    return replace(found, **more)  # type: ignore[arg-type]


def _with_season(pattern: re.Pattern[str]) -> Callable[[str], Numbering | None]:
    def find(name: str) -> Numbering | None:
        if not (match := pattern.search(name)):
            return None
        season: int | None = int(match["season"])
        found = _numbered(match, match["numbers"], season=season)
        following = match.groupdict().get("next")
        if following and int(following) - 1 == found.episodes[-1]:
            found = replace(found, episodes=(*found.episodes, int(following)))
        elif following:
            found = replace(found, end=match.start("next"))
        return _beside(name, found)

    return find


def _beside(name: str, found: Numbering) -> Numbering:
    """With the numbers across seasons that stand before or after: `313-315 - S16E03-05`, `S02E01 (13)`."""
    if before := _ABSOLUTE_BEFORE.search(name[: found.start]):
        return replace(found, start=before.start(), absolute=read_numbers(before["range"] or before["one"])[0])
    if after := _RANGE_AFTER.match(name, found.end):
        return replace(found, end=after.end(), absolute=read_numbers(after["range"])[0])
    return _counted_twice(name, found)


def _counted_twice(name: str, found: Numbering) -> Numbering:
    after = _ABSOLUTE_AFTER.match(name, found.end)
    if not after or _year_like(after["numbers"]):
        return found
    absolute = read_numbers(after["numbers"])[0]
    if len(absolute) != len(found.episodes):
        return found
    return replace(found, end=after.end(), absolute=absolute)


def _capitulo(name: str) -> Numbering | None:
    """`[Cap.408_409]` is season 4, episodes 8 to 9: the way of Spanish release groups."""
    if not (match := _CAPITULO.search(name)):
        return None
    written = match["numbers"].split()
    episodes, _ = read_numbers("-".join(number[-2:] for number in written))
    return Numbering(match.start(), match.end(), season=int(written[0][:-2]), episodes=episodes)


def _cjk_episode(name: str) -> Numbering | None:
    if not (match := _CJK_EPISODE.search(name)):
        return None
    written = match["numbers"] or match["bare"]
    if written[0].isascii():
        found = _numbered(match, written)
    elif (number := read_chinese(written)) is not None:
        found = Numbering(match.start(), match.end(), episodes=(number,))
    else:
        return None
    if match["all"] and len(found.episodes) == 1 and isinstance(last := found.episodes[0], int):
        return replace(found, episodes=tuple(range(1, last + 1)), batch=True)
    return found


def _special(name: str) -> Numbering | None:
    if not (match := _SPECIAL.search(name)):
        return None
    season = int(match["season"]) if match["season"] else None
    kind = Special.SP if match["word"] else Special((match["kind"] or match["alone"]).upper())
    found = _numbered(match, match["numbers"] or match["count"] or "", season=season, special=kind, batch=False)
    if match["numbers"] and match["numbers"][-1].isalpha():
        found = replace(found, episodes=(int(match["numbers"][:-1]),))
    if match["version"]:
        found = replace(found, version=int(match["version"]))
    return found


def _dated(name: str) -> Numbering | None:
    for match in (*_DATE.finditer(name), *_AMERICAN_DATE.finditer(name)):
        try:
            stated = datetime.date(int(match["year"]), int(match["month"]), int(match["day"]))
        except ValueError:
            continue
        return Numbering(match.start(), match.end(), date=stated)
    return None


def _after_dash(name: str, start: int) -> Numbering | None:
    """The last `- 05` that ends something, else the first of two digits: `Show - 3 Nights - 05`, `Show - 09 Title`."""
    found = [
        match
        for match in _AFTER_DASH.finditer(name)
        if not _year_like(match["numbers"]) and has_letters(name[start : match.start()])
    ]
    sure = [match for match in found if match["sure"] is not None]
    technical = name.find(BLANK)
    best = [match for match in sure if match.end() <= technical][-1:] or sure[-1:] or [match for match in found if len(match["numbers"]) > 1][:1]
    return _counted_twice(name, _numbered(best[0], best[0]["numbers"])) if best else None


def _in_brackets(name: str, start: int) -> Numbering | None:
    for match in _IN_BRACKETS.finditer(name):
        written = match["numbers"] or match["range"]
        if not _year_like(written[:4]):
            return _counted_twice(name, _numbered(match, written))
    return None


def _bare(name: str, start: int) -> Numbering | None:
    """The last number of a title, where it is written as episodes are: `Show 07 [1080p]`, never `00` or a year."""
    for match in _BARE.finditer(name):
        written = match["numbers"]
        usual = 1 < len(written) < 4 or not written.isdigit() or int(written) < _HIGHEST
        if usual and written != "00" and len(written) > 1 and has_letters(name[start : match.start()]):
            return _counted_twice(name, _numbered(match, written))
    return None


def _padded_range(name: str, start: int) -> Numbering | None:
    """`Show 01 - 07`: titles end in numbers, but not in 01."""
    match = _PADDED_RANGE.search(name, start)
    return _numbered(match, match["numbers"]) if match else None


def _in_the_middle(name: str, start: int) -> Numbering | None:
    match = _IN_THE_MIDDLE.search(name, start)
    return _numbered(match, match["numbers"]) if match and has_letters(name[start : match.start()]) else None


def _at_start(name: str, start: int) -> Numbering | None:
    match = _AT_START.match(name, start)
    return _numbered(match, match["numbers"]) if match else None


def _volume(name: str, start: int) -> Numbering | None:
    """Volumes are discs: they count no episodes."""
    match = _VOLUME.search(name)
    return Numbering(match.start(), match.end(), batch=True) if match else None


def _simply(pattern: re.Pattern[str]) -> Callable[[str], Numbering | None]:
    def find(name: str) -> Numbering | None:
        match = pattern.search(name)
        if not match:
            return None
        written = next(text for text in match.groups() if text is not None)
        return _counted_twice(name, _numbered(match, written))

    return find


_EXPLICIT: tuple[Callable[[str], Numbering | None], ...] = (
    _with_season(_SEASON_AND_EPISODE),
    _with_season(_SEASON_X_EPISODE),
    _with_season(_SEASON_WORD_EPISODE),
    _capitulo,
    _cjk_episode,
    _simply(_WORD_AND_EPISODE),
    _simply(_OF_TOTAL),
    _special,
    _dated,
)
_BY_POSITION: tuple[Callable[[str, int], Numbering | None], ...] = (
    _padded_range,
    _after_dash,
    _in_brackets,
    _volume,
    _bare,
    _in_the_middle,
    _at_start,
)


def find_explicit(name: str) -> Numbering | None:
    """The surest of what says in so many words that it is an episode, a special or a day: wherever it stands."""
    return next((found for find in _EXPLICIT if (found := find(name))), None)


def find_numbering(name: str, start: int, *, scene: bool) -> Numbering | None:
    """The surest statement of an episode, special or date in `name`; None where there is none.

    `start` is where the show's name may begin. `scene` names (dots for spaces, no brackets first) write 208 for S02E08.
    """
    if explicit := find_explicit(name):
        return explicit
    seasons = list(find_seasons(name))
    for season in seasons:
        name = name[: season.start] + " " * (season.end - season.start) + name[season.end :]
    for find in _BY_POSITION:
        if found := find(name, start):
            return _season_in_number(name, found) if scene and find is _bare else found
    if scene and not seasons and (match := _PART.search(name)):
        return _numbered(match, match["numbers"])
    return None


def _season_in_number(name: str, found: Numbering) -> Numbering:
    """208 and 0208 are S02E08."""
    match = _SEASON_IN_NUMBER.match(name, found.start)
    if not match:
        return found
    written = match[0]
    return replace(found, season=int(written[:-2]), episodes=(int(written[-2:]),))
