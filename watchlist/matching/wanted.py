"""What a release's name, and the folders it is in, say of the show and episodes wanted."""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from feeds.releases.release import EpisodeNumber, Release, Special
from feeds.releases.seasons import find_seasons
from watchlist.matching.titles import Title, read, variants, with_number

# Names of files and folders that are no show's, and what a file called so is.
_GENERIC = re.compile(
    r"anime|animes|bd|bdrip|bonus|bonuses|cd|discs|dvd|downloads|downloaded|extra|extras|"
    r"featurettes|films|media|menus|misc|movie|movies|nc|ona|onas|other|ova|ovas|ovasspecials|"
    r"oad|sample|samples|scans|season|series|sp|special|specials|theme|themes|torrents|tv|videos|"
    r"credits"
)
_SPECIAL_NAMES = {
    "opening": Special.OP,
    "openings": Special.OP,
    "op": Special.OP,
    "ncop": Special.NCOP,
    "creditlessopening": Special.NCOP,
    "cleanopening": Special.NCOP,
    "ending": Special.ED,
    "endings": Special.ED,
    "ed": Special.ED,
    "nced": Special.NCED,
    "creditlessending": Special.NCED,
    "cleanending": Special.NCED,
    "ncopnced": Special.NCOP,
    "pv": Special.PV,
    "trailer": Special.PV,
    "trailers": Special.PV,
    "teaser": Special.PV,
    "preview": Special.PV,
    "previews": Special.PV,
    "cm": Special.CM,
    "cms": Special.CM,
    "menu": Special.MENU,
    "menus": Special.MENU,
}
_NUMBERED = re.compile(r"(?:season|s|saison|staffel|temporada|episode|ep|e)[0-9]{1,4}|[a-z]?")
_SPECIAL_WORD = re.compile(r"(?<=\S)[\s:-]+(?:OVA|ONA|OAD|Specials?|SP)s?$", re.IGNORECASE)
# What is beside a show, and called so behind its name or season, is none of its episodes: "Show S2 Mini - 01".
_BESIDE = re.compile(
    r"(?<=\S)[\s(:~-]+(?:bonus|chibi|commentary|digest|director'?s[\s-]cut|event|extra|interview|live[\s-]action|mini"
    r"|mini[\s-]anime|new[\s-]edit|omake|petit|picture[\s-]drama|preview|prologue|radio|recap|short|summary|teaser"
    r"|trailer)s?\W*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for. None and empty: not stated."""

    titles: tuple[Title, ...]
    """The release's names, the longest first. Empty: they say nothing."""
    written: tuple[str, ...]
    """The same, as they stand there."""
    season: int | None = None
    part: int | None = None
    year: int | None = None
    episodes: tuple[EpisodeNumber, ...] = ()
    absolute: tuple[EpisodeNumber, ...] = ()
    special: Special | None = None
    date: datetime.date | None = None
    published: datetime.date | None = None
    batch: bool = False
    several_seasons: bool = False
    of_season_zero: bool = False
    """Where others number all that is outside of the seasons."""

    @property
    def may_run_on(self) -> bool:
        """Whether the numbers may be those across seasons: in `S02E14`, they are not."""
        return self.season is None or any(title.season is not None for title in self.titles)

    def called(self, folder: "Wanted") -> "Wanted":
        """The same, of the show that a folder names."""
        return replace(
            self,
            titles=folder.titles,
            written=folder.written,
            season=self.season if self.season is not None else folder.season,
            part=self.part or folder.part,
            year=self.year or folder.year,
        )

    def in_season_of(self, folder: "Wanted") -> "Wanted":
        """The same, with the season of a folder of its show: `Show Season 2/Show - 05`."""
        if self.season is not None or self.part is not None or any(title.season for title in self.titles):
            return self
        stems = {title.stem for title in self.titles}
        if folder.titles and not any(title.stem in stems for title in folder.titles):
            return self
        season = folder.season or next((title.season for title in folder.titles if title.season), None)
        part = folder.part or next((title.part for title in folder.titles if title.part), None)
        return replace(self, season=season, part=part)


def wanted(release: Release, published: datetime.date | None) -> Wanted:
    names = _without_what_is_beside(
        tuple(dict.fromkeys(filter(None, (release.series, *release.series_alternatives))))
    )
    titles = {title: name for name in names for title in variants(name)}
    special = release.special
    if special is None and release.season is not None and not _SPECIAL_WORD.search(release.series):
        special = Special.SP if any(map(_SPECIAL_WORD.search, names)) else None
    if release.season is not None:
        # "Show 5 S02": of what is called "Show 5", the second season.
        numbered = {with_number(name, title): name for title, name in titles.items()}
        titles |= {title: name for title, name in numbered.items() if title is not None}
    if special is not None:
        titles |= {read(_SPECIAL_WORD.sub("", name)): name for name in names if _SPECIAL_WORD.search(name)}
    own = {title: name for title, name in titles.items() if not _is_generic(title)}
    if not own and special is None:
        special = next((_SPECIAL_NAMES[title.stem] for title in titles if title.stem in _SPECIAL_NAMES), None)
    ordered = sorted(_richest(own), key=lambda title: -len(title.stem))
    return Wanted(
        titles=tuple(ordered),
        written=tuple(own[title] for title in ordered),
        season=release.season if release.season else None,
        year=release.year,
        episodes=release.episodes,
        absolute=release.absolute,
        special=special or (Special.SP if release.season == 0 else None),
        date=release.date,
        published=published,
        batch=release.batch,
        of_season_zero=release.season == 0,
        several_seasons=release.season is None
        and any(season.number is None for name in names for season in find_seasons(name)),
    )


def _without_what_is_beside(names: tuple[str, ...]) -> tuple[str, ...]:
    """Without "Show" where "Show S2 Mini" stands there, too."""
    longer = [name.casefold() for name in names if _BESIDE.search(name)]
    return tuple(
        name for name in names if not any(name.casefold() in other != name.casefold() for other in longer)
    )


def _richest(titles: dict[Title, str]) -> Iterator[Title]:
    """Without those that only say less: "Show" beside "Show Part 2"."""
    for title in titles:
        said = (title.season, title.part)
        if said == (None, None) and any(
            other.stem == title.stem and (other.season, other.part) != said for other in titles
        ):
            continue
        if any(other.stem == title.stem and other.part and not title.part for other in titles):
            continue
        yield title


def _is_generic(title: Title) -> bool:
    stem = title.stem.replace(" ", "")
    return stem in _SPECIAL_NAMES or any(pattern.fullmatch(stem) for pattern in (_GENERIC, _NUMBERED))
