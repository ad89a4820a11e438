"""Numbers that say what they are, wherever they stand: `S01E02`, `1x02`, `Episode 2`, `第02话`, `OVA2`, `2014.05.06`.

Ordered patterns, as Sonarr has them, the surest first. They read a name with spaces for separators and BLANKs for
technical words. All are linear in its length: repetitions are bounded, or cannot match in two ways.
"""

import datetime
import re
from collections.abc import Callable
from dataclasses import replace

from feeds.releases.numbering import (
    BLANK,
    LEFT,
    RIGHT,
    SEVERAL,
    TO,
    Numbering,
    in_round_brackets,
    numbered,
    with_absolute,
)
from feeds.releases.numbers import NUMBER, read_chinese, read_numbers
from feeds.releases.release import Special
from feeds.releases.tidy import has_letters

_SEASON_AND_EPISODE = re.compile(
    rf"{LEFT}S(?P<season>[0-9]{{1,4}})\s?[-.]?\s?(?:EP?|x)\.?\s?(?P<numbers>{NUMBER}"
    rf"(?:\s?(?:[-~+&]|and|to)?\s?(?:S[0-9]{{1,4}}\s?)?(?:EP?|x)\s?{NUMBER}|[-~+&]{NUMBER}{RIGHT}|\s~\s{NUMBER}{RIGHT}){{0,40}}+)"
    rf"(?P<next>\s[0-9]{{2}}(?=\s|$))?{RIGHT}",
    re.IGNORECASE,
)
_SHORT_SEASON_AND_EPISODE = re.compile(
    rf"{LEFT}S(?P<season>[1-9])-(?P<numbers>[0-9]{{2,3}}(?:v[0-9])?){RIGHT}"
)
_SEASON_X_EPISODE = re.compile(
    rf"{LEFT}(?P<season>[0-9]{{1,2}}|(?:19|20)[0-9]{{2}})x(?P<numbers>(?:[0-9]{{2,4}}(?:v[0-9])?"
    rf"|[0-9](?=\s?(?:$|[\[(-]|{BLANK})))(?:\s?-?\s?(?:[0-9]{{1,2}})?x[0-9]{{2,3}}|-[0-9]{{2,3}}){{0,40}}+){RIGHT}",
    re.IGNORECASE,
)
_SEASON_WORD_AND_EPISODE = re.compile(
    rf"{LEFT}(?:Season|Series|Saison|Staffel|Stagione|Temporada)\s?(?P<season>[0-9]{{1,2}})\s?[-,]?\s?"
    rf"(?:Episodes?|Episodio|Folge|EP?)\s?(?P<numbers>{SEVERAL}){RIGHT}",
    re.IGNORECASE,
)
_CAPITULO = re.compile(rf"\[\s?Cap[\s.](?P<numbers>[0-9]{{3,4}}(?:\s[0-9]{{3,4}})?){RIGHT}", re.IGNORECASE)
_CJK_EPISODE = re.compile(
    rf"(?:(?P<all>全)|[第제])\s?(?P<numbers>{SEVERAL}(?:[、・]{NUMBER}){{0,9}}|[一二三四五六七八九十]{{1,3}})\s?[话話集回화회]"
    rf"|{LEFT}(?P<bare>{SEVERAL})\s?[话話集화회]"
)
_EPISODE_WORD = re.compile(
    rf"{LEFT}(?:Episodes?|Épisode|Episodio|Folge|Cap(?:[ií]tulo)?|EPS?|E(?=[0-9]{{2}}|[0-9]\s?[\[({BLANK}]))\.?\s?(?P<numbers>{NUMBER}"
    rf"(?:\s?[-~+&,]?\s?EP?{NUMBER}|\s?[-~]\s?{NUMBER}{RIGHT}|\s[0-9]{{2}}(?=\s|$)){{0,40}}+){RIGHT}",
    re.IGNORECASE,
)
_NUMBER_SIGN = re.compile(rf"\#(?P<numbers>{SEVERAL}){RIGHT}")
_OF_TOTAL = re.compile(
    rf"(?<!dis[ck]\s)(?<!dvd\s)(?<!cd\s)(?<!part\s){LEFT}(?P<numbers>[0-9]{{1,3}}(?:{TO}[0-9]{{1,3}})?)\s?of\s?[0-9]{{1,4}}{RIGHT}",
    re.IGNORECASE,
)
_SPECIAL = re.compile(
    rf"{LEFT}(?:[Ss](?P<season>[0-9]{{1,2}})\s?)?(?P<kind>(?i:OVA|ONA|OAD|NCOP|NCED)|SP|OP|ED|PV|CM|Menu)\s?\#?"
    rf"(?P<number>[0-9]{{1,2}}(?:\.5|[-~][0-9]{{1,2}})?)[a-z]?(?:\s?v(?P<version>[0-9]))?{RIGHT}"
    rf"|(?<!\+)(?<!\+\s){LEFT}(?P<alone>(?i:NCOP|NCED)|(?:SP|PV|CM|Menu)(?!\s-\s[0-9])|(?:OP|ED)(?=(?:\s?v[0-9])?\s?(?:$|[\[({BLANK}])))(?:\s?v(?P<of_alone>[0-9]))?{RIGHT}"
    rf"|(?:(?<=-\s)|(?<=\s)(?=Specials?\s0))(?P<word>(?:Creditless\s)?(?:Opening|Ending)|Trailer|Preview|Specials?(?=\s?[0-9]))"
    rf"\s?(?P<numbers>{SEVERAL})?{RIGHT}"
    rf"|(?<=\s)(?<!\s[Tt]he\s)[Mm]ovies?\s?(?:-\s|\#)?(?P<films>[0-9]{{1,2}}(?:\s?[-~&+]\s?[0-9]{{1,2}})?){RIGHT}"
)
_IN_BRACKETS = re.compile(r"\[[^\[\]]*\]|\([^()]*\)")
_KINDS = {
    "creditless opening": Special.NCOP,
    "creditless ending": Special.NCED,
    "opening": Special.OP,
    "ending": Special.ED,
    "trailer": Special.PV,
    "preview": Special.PV,
    "movie": Special.MOVIE,
    "special": Special.SP,
    "specials": Special.SP,
}
_DATE = re.compile(
    rf"(?<![0-9A-Za-z\[])(?<![0-9]\s\()(?P<year>(?:19|20)[0-9]{{2}})[\s.-]?(?P<month>[01][0-9])[\s.-]?(?P<day>[0-3][0-9]){RIGHT}"
)
_DATE_YEAR_LAST = re.compile(
    rf"{LEFT}(?P<month>[0-3][0-9])[\s.-](?P<day>[0-3][0-9])[\s.-](?P<year>(?:19|20)[0-9]{{2}}){RIGHT}"
)
_DATE_SHORT = re.compile(
    r"(?<=[0-9A-Za-z]\s)(?P<year>[0-3][0-9])\s(?P<month>[01][0-9])\s(?P<day>[0-3][0-9])(?=\s[^0-9])"
)
_ABSOLUTE_BEFORE = re.compile(
    rf"(?:{LEFT}(?P<range>[0-9]{{2,4}}-[0-9]{{2,4}})|(?<=-\s)(?P<one>[0-9]{{2,4}})\s[-(])[\s-]*$"
)
_ABSOLUTE_AFTER = re.compile(rf"[\s-]{{1,3}}(?P<range>[0-9]{{3,4}}-[0-9]{{3,4}}){RIGHT}")


def find_explicit(name: str) -> Numbering | None:
    """The surest of what says in so many words that it is an episode, a special or a day."""
    for hint, find in SUREST_FIRST:
        if hint.search(name) and (found := find(name)):
            return found
    return None


def _with_season(pattern: re.Pattern[str]) -> Callable[[str], Numbering | None]:
    def find(name: str) -> Numbering | None:
        if not (match := pattern.search(name)):
            return None
        found = replace(numbered(match, match["numbers"]), season=int(match["season"]))
        if following := match.groupdict().get(
            "next"
        ):  # S03E21.22 are two episodes, S01E02.24 one and a title
            if found.episodes[-1] == int(following) - 1:
                found = replace(found, episodes=(*found.episodes, int(following)))
            else:
                found = replace(found, end=match.start("next"))
        return _beside(name, found)

    return find


def _beside(name: str, found: Numbering) -> Numbering:
    """With the numbers across seasons before or after: `313-315 - S16E03-05`, `13 (S02E01)`, `S02E01 (13)`."""
    if before := _ABSOLUTE_BEFORE.search(name, max(0, found.start - 12), found.start):
        return replace(
            found, start=before.start(), absolute=read_numbers(before["range"] or before["one"])[0]
        )
    if after := _ABSOLUTE_AFTER.match(name, found.end):
        return replace(found, end=after.end(), absolute=read_numbers(after["range"])[0])
    return with_absolute(name, found)


def _capitulo(name: str) -> Numbering | None:
    """`[Cap.408_409]` is season 4, episodes 8 to 9: the way of Spanish release groups."""
    if not (match := _CAPITULO.search(name)):
        return None
    written = match["numbers"].split()
    episodes, _ = read_numbers("-".join(number[-2:] for number in written))
    return Numbering(match.start(), match.end(), season=int(written[0][:-2]), episodes=episodes)


def _cjk_episode(name: str) -> Numbering | None:
    """`第02话`, `第十二話`, `02集`, `2화`; `全12话` are all twelve."""
    if not (match := _CJK_EPISODE.search(name)):
        return None
    written = match["numbers"] or match["bare"]
    number = read_chinese(written)
    if match["all"] and number is not None:
        return Numbering(match.start(), match.end(), episodes=tuple(range(1, number + 1)), batch=True)
    if written[0].isascii():
        return with_absolute(name, numbered(match, written))
    return Numbering(match.start(), match.end(), episodes=(number,)) if number is not None else None


def _special(name: str) -> Numbering | None:
    """`OVA2`, `S01SP02`, `OP1c`, `- Special 3`; most kinds also without a number, but not as a title's first word."""
    if not (match := _SPECIAL.search(name)):
        return None
    before, after = name[: match.start()], name[match.end() :]
    if (
        match["alone"]
        and not has_letters(_IN_BRACKETS.sub("", before))
        and has_letters(_IN_BRACKETS.sub("", after))
    ):
        return None
    kind = match["kind"] or match["alone"]
    found = numbered(match, match["number"] or match["numbers"] or match["films"] or "")
    version = match["version"] or match["of_alone"]
    return replace(
        found,
        season=int(match["season"]) if match["season"] else None,
        version=int(version) if version else found.version,
        special=Special(kind.upper()) if kind else _KINDS[(match["word"] or "movie").lower()],
    )


def _dated(name: str) -> Numbering | None:
    """`2014.05.06`, `20140506`, `14.05.06`, and with the year last the American order, or the other where that is no
    date."""
    for match in (*_DATE.finditer(name), *_DATE_YEAR_LAST.finditer(name), *_DATE_SHORT.finditer(name)):
        year, month, day = int(match["year"]), int(match["month"]), int(match["day"])
        if match.re is _DATE_SHORT:
            year += 2000
        if match.re is _DATE_YEAR_LAST and month > 12:
            month, day = day, month
        try:
            return Numbering(match.start(), match.end(), date=datetime.date(year, month, day))
        except ValueError:
            continue
    return None


def _simply(pattern: re.Pattern[str]) -> Callable[[str], Numbering | None]:
    def find(name: str) -> Numbering | None:
        match = pattern.search(name)
        return with_absolute(name, numbered(match, match["numbers"])) if match else None

    return find


def _number_sign(name: str) -> Numbering | None:
    """`#05`; in round brackets it counts something else: `Show - 05 (Extra #2)`."""
    for match in _NUMBER_SIGN.finditer(name):
        if not in_round_brackets(name, match.start()):
            return with_absolute(name, numbered(match, match["numbers"]))
    return None


# Each with a hint: in every name in which something is found, and quick to look for, as it begins with a set of
# characters. Most names have no hint of most kinds.
SUREST_FIRST: tuple[tuple[re.Pattern[str], Callable[[str], Numbering | None]], ...] = tuple(
    (re.compile(hint), find)
    for hint, find in (
        (r"[Ss][0-9]{1,4}\s?[-.]?\s?[EeXx]", _with_season(_SEASON_AND_EPISODE)),
        (r"S[1-9]-", _with_season(_SHORT_SEASON_AND_EPISODE)),
        (r"[0-9][Xx][0-9]", _with_season(_SEASON_X_EPISODE)),
        (
            r"[SsTt](?i:eason|eries|aison|taffel|tagione|emporada)\s?[0-9]",
            _with_season(_SEASON_WORD_AND_EPISODE),
        ),
        (r"\[\s?[Cc]", _capitulo),
        (r"[话話集回화회]", _cjk_episode),
        (r"[EeÉéFfCc](?i:pisodes?|pisodio|olge|ap[ií]tulo|ap|ps?)?\.?\s?[0-9]", _simply(_EPISODE_WORD)),
        (r"#[0-9]", _number_sign),
        (r"[0-9]\s?[Oo][Ff]", _simply(_OF_TOTAL)),
        (
            r"[OoNnSPECMmT](?:[VvNnAa][Aa]|[Aa][Dd]|[Cc][OoEe]|P|D|V|M|enu|pecial|pening|nding|railer|review|ovie)",
            _special,
        ),
        (r"[0-9]{2}[\s.-]?[0-9]{2}[\s.-]?[0-9]{2}", _dated),
    )
)
