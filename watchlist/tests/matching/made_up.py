"""Shows that do not exist, and how they are released: what is right is known from making them."""

import datetime
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise, product

from watchlist.matching import CatalogueShow

_SYLLABLES = list(map("".join, product("kstnmrg", "aiueo")))
_WORDS = (
    "Harbour",
    "Lantern",
    "Meadow",
    "Copper",
    "Sparrow",
    "Winter",
    "Garden",
    "Silent",
    "Kettle",
    "River",
    "Marble",
    "Thunder",
    "Orchard",
    "Velvet",
    "Compass",
    "Saffron",
    "Glacier",
    "Juniper",
    "Mirror",
    "Pilgrim",
    "Ember",
    "Willow",
    "Cobalt",
    "Anchor",
    "Thistle",
    "Falcon",
    "Prairie",
    "Lighthouse",
)
_ORDINALS = {2: "2nd", 3: "3rd", 4: "4th", 5: "5th"}
_ROMAN = {2: "II", 3: "III", 4: "IV", 5: "V"}
_WEEK = datetime.timedelta(weeks=1)


@dataclass(frozen=True)
class Part:
    """One Media: a cour of a season."""

    show: int
    season: int
    cour: int
    count: int
    begins: datetime.date
    titles: tuple[str, ...]
    before_in_season: int
    before_at_all: int


@dataclass
class Series:
    """`style`: how seasons are called; in `subtitles` no title states its season."""

    romaji: str
    english: str
    style: str
    parts: list[Part] = field(default_factory=list)
    shows: list[CatalogueShow] = field(default_factory=list)
    films: list[CatalogueShow] = field(default_factory=list)
    ovas: list[CatalogueShow] = field(default_factory=list)


@dataclass(frozen=True)
class Case:
    """A release's name, and the show and episodes that it is of. `episodes` empty: all of the show."""

    name: str
    kind: str
    show: int
    episodes: tuple[int, ...]
    published: datetime.date | None


class World:
    """`untidy`: with remakes that bear the very same names, names that seasons share, and things nobody knows."""

    def __init__(self, seed: int, *, series: int, untidy: bool = False) -> None:
        self.random = random.Random(seed)
        self._ids = iter(range(1, 1_000_000))
        self._taken: set[str] = set()
        self._untidy = untidy
        self.series: list[Series] = []
        for _ in range(series):
            self.series.append(self._series())

    @property
    def shows(self) -> list[CatalogueShow]:
        return [show for series in self.series for show in (*series.shows, *series.films, *series.ovas)]

    def cases(self) -> Iterator[Case]:
        for series in self.series:
            yield from _Names(series, self.random).cases()

    # --- making series

    def _name(self) -> tuple[str, str]:
        while True:
            pick = self.random
            romaji = " ".join(
                "".join(pick.choices(_SYLLABLES, k=pick.randint(2, 4))).capitalize()
                for _ in range(pick.randint(2, 4))
            )
            english = " ".join(pick.sample(_WORDS, k=pick.randint(2, 3)))
            if romaji not in self._taken and english not in self._taken:
                self._taken |= {romaji, english}
                return romaji, f"The {english}" if pick.random() < 0.3 else english

    def _series(self) -> Series:
        pick = self.random
        romaji, english = self._name()
        if self._untidy and self.series and pick.random() < 0.3:
            romaji, english = self.series[-1].romaji, self.series[-1].english
        style = pick.choice(["ordinal", "roman", "digit", "word", "subtitle", "subtitle with synonyms"])
        made = Series(romaji, english, style)
        begins = datetime.date(pick.randint(2005, 2019), pick.choice([1, 4, 7, 10]), pick.randint(1, 9))
        at_all = 0
        for season in range(1, pick.choice([1, 2, 2, 3, 3, 4]) + 1):
            in_season = 0
            called = self._titles(made, season)
            for cour in range(1, pick.choice([1, 1, 2]) + 1):
                count = pick.choice([10, 11, 12, 12, 12, 13, 13, 22, 24, 25])
                titles = called if cour == 1 else (f"{called[0]} Part {cour}", f"{called[1]} Cour {cour}")
                part = Part(next(self._ids), season, cour, count, begins, titles, in_season, at_all)
                made.parts.append(part)
                in_season += count
                at_all += count
                begins = begins + count * _WEEK + 13 * _WEEK
            begins += pick.randint(30, 90) * _WEEK
        self._link(made)
        if self._untidy:
            made.shows = [self._in_disorder(show, made, last=show is made.shows[-1]) for show in made.shows]
        return made

    def _in_disorder(self, show: CatalogueShow, made: Series, *, last: bool) -> CatalogueShow:
        pick = self.random
        if pick.random() < 0.5:  # an abbreviation
            show = replace(
                show, synonyms=(*show.synonyms, "".join(word[:2] for word in made.romaji.split()) + "Q")
            )
        if pick.random() < 0.4:
            show = replace(show, synonyms=(*show.synonyms, made.romaji))
        if pick.random() < (0.5 if last else 0.05):
            show = replace(
                show, episodes=None, status=pick.choice(["RELEASING", "FINISHED"]) if last else "FINISHED"
            )
        return replace(show, starts_on=None, ends_on=None) if pick.random() < 0.1 else show

    def _titles(self, made: Series, season: int) -> tuple[str, ...]:
        romaji, english = made.romaji, made.english
        if season > 1:
            match made.style:
                case "ordinal":
                    romaji, english = f"{romaji} {_ORDINALS[season]} Season", f"{english} Season {season}"
                case "roman":
                    romaji, english = f"{romaji} {_ROMAN[season]}", f"{english} Season {season}"
                case "digit":
                    romaji, english = f"{romaji} {season}", f"{english} {season}"
                case "word":
                    romaji, english = f"{romaji} Season {season}", f"{english} Season {season}"
                case _:
                    japanese, translated = self._name()
                    romaji, english = f"{romaji}: {japanese}-hen", f"{english}: {translated}"
        return romaji, english

    def _link(self, made: Series) -> None:
        """Relations as AniList has them: films in between are sequels, too, and not every sequel says its prequel."""
        pick = self.random
        relations: dict[int, list[tuple[str, int]]] = {part.show: [] for part in made.parts}
        for before, after in pairwise(made.parts):
            direct, both = True, pick.random() < 0.7
            if before.season != after.season and pick.random() < 0.4:
                film = self._film(made, before)
                relations[before.show].append(("SEQUEL", film.id))
                relations[after.show].append(("PREQUEL", film.id))
                direct = pick.random() < 0.5
            if direct:
                relations[before.show].append(("SEQUEL", after.show))
                if both:
                    relations[after.show].append(("PREQUEL", before.show))
        for part in made.parts:
            if pick.random() < 0.25:
                ova = self._ova(made, part)
                relations[part.show].append(("SIDE_STORY", ova.id))
        for part in made.parts:
            synonyms = (
                [f"{made.english} Season {part.season}"] if made.style == "subtitle with synonyms" else []
            )
            if part.cour > 1 or part.season == 1:
                synonyms = []
            made.shows.append(
                CatalogueShow(
                    id=part.show,
                    titles=part.titles,
                    synonyms=tuple(synonyms),
                    format=pick.choice(["TV"] * 6 + ["ONA"]),
                    status="FINISHED",
                    episodes=part.count,
                    year=part.begins.year,
                    starts_on=part.begins,
                    ends_on=part.begins + (part.count - 1) * _WEEK,
                    relations=tuple(relations[part.show]),
                )
            )

    def _film(self, made: Series, after: Part) -> CatalogueShow:
        japanese, translated = self._name()
        starts_on = after.begins + (after.count + 15) * _WEEK
        film = CatalogueShow(
            id=next(self._ids),
            titles=(f"{made.romaji} Movie: {japanese}", f"{made.english}: {translated}"),
            format="MOVIE",
            status="FINISHED",
            episodes=1,
            year=starts_on.year,
            starts_on=starts_on,
            relations=(("PREQUEL", after.show),),
        )
        made.films.append(film)
        return film

    def _ova(self, made: Series, beside: Part) -> CatalogueShow:
        japanese, translated = self._name()
        starts_on = beside.begins + (beside.count + 2) * _WEEK
        ova = CatalogueShow(
            id=next(self._ids),
            titles=(f"{made.romaji}: {japanese}", f"{made.english}: {translated}"),
            format=self.random.choice(["OVA", "SPECIAL"]),
            status="FINISHED",
            episodes=self.random.randint(1, 3),
            year=starts_on.year,
            starts_on=starts_on,
            relations=(("PARENT", beside.show),),
        )
        made.ovas.append(ova)
        return ova


class _Names:
    """Names as groups write them."""

    def __init__(self, series: Series, pick: random.Random) -> None:
        self._series = series
        self._pick = pick

    def cases(self) -> Iterator[Case]:
        for part in self._series.parts:
            for _ in range(2):
                number = self._pick.randint(1, part.count)
                yield self._of_media(part, number)
                yield self._in_season(part, number)
                yield self._at_all(part, number)
            yield self._batch(part)
            if self._series.style == "subtitle":
                yield self._each_media_a_season(part)
        for film in self._series.films:
            yield self._film(film)
        for ova in self._series.ovas:
            yield self._ova(ova)

    def _case(self, kind: str, name: str, part: Part, *numbers: int) -> Case:
        published = part.begins + (max(numbers, default=part.count) - 1) * _WEEK
        return Case(
            name, kind, part.show, numbers, self._pick.choice([None, published, published + 300 * _WEEK])
        )

    def _written(self, name: str, number: int) -> str:
        """As a fansub group, or the scene, writes it."""
        version = self._pick.choice(["", "", "", "v2"])
        return self._pick.choice(
            [
                f"[Grp] {name} - {number:02}{version} [1080p].mkv",
                f"[Grp] {name} - {number:02}{version} (1080p) [ABCD1234].mkv",
                f"[Grp]_{name.replace(' ', '_')}_-_{number:02}{version}_[720p].mkv",
            ]
        )

    def _of_media(self, part: Part, number: int) -> Case:
        return self._case(
            "as its own title", self._written(self._pick.choice(part.titles), number), part, number
        )

    def _in_season(self, part: Part, number: int) -> Case:
        name, season = self._pick.choice([self._series.romaji, self._series.english]), part.season
        counted = part.before_in_season + number
        scene = f"{name.replace(' ', '.')}.S{season:02}E{counted:02}.1080p.WEB.x264-GRP"
        names = [
            scene,
            f"[Grp] {name} S{season} - {counted:02} [1080p].mkv",
            f"[Grp] {name} - S{season:02}E{counted:02}",
        ]
        if season > 1:
            names += [self._written(f"{name} {_ORDINALS[season]} Season", counted)]
            names += [self._written(f"{name} {_ROMAN[season]}", counted)]
        return self._case("in its season", self._pick.choice(names), part, number)

    def _at_all(self, part: Part, number: int) -> Case:
        name = self._pick.choice([self._series.romaji, self._series.english])
        return self._case("across seasons", self._written(name, part.before_at_all + number), part, number)

    def _batch(self, part: Part) -> Case:
        name = self._pick.choice(part.titles)
        whole = tuple(range(1, part.count + 1))
        return self._case("batch", f"[Grp] {name} (01-{part.count}) [1080p][Batch]", part, *whole)

    def _each_media_a_season(self, part: Part) -> Case:
        """Some count every Media as a season."""
        season = self._series.parts.index(part) + 1
        number = self._pick.randint(1, part.count)
        name = f"[Grp] {self._series.romaji} - S{season:02}E{number:02} [1080p]"
        return self._case("every cour a season", name, part, number)

    def _film(self, film: CatalogueShow) -> Case:
        title = self._pick.choice(film.titles)
        names = [
            f"[Grp] {title} [BD 1080p].mkv",
            f"{title.replace(' ', '.')}.{film.year}.1080p.BluRay.x264-GRP",
        ]
        return Case(self._pick.choice(names), "film", film.id, (), None)

    def _ova(self, ova: CatalogueShow) -> Case:
        number = self._pick.randint(1, ova.episodes or 1)
        return Case(self._written(self._pick.choice(ova.titles), number), "OVA", ova.id, (number,), None)
