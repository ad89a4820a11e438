"""Which episode a name is about."""

import datetime

import pytest

from feeds.releases import EpisodeNumber, Special, parse

Numbers = tuple[EpisodeNumber, ...]


def upto(last: int, first: int = 1) -> Numbers:
    return tuple(range(first, last + 1))


@pytest.mark.parametrize(
    ("title", "season", "episodes"),
    [
        ("Harbour.Lights.S02E05.1080p.WEB.x264-GRP", 2, (5,)),
        ("harbour.lights.s2.e5.1080p", 2, (5,)),
        ("Harbour Lights S02 - E05 - Ashore", 2, (5,)),
        ("Harbour.Lights.S02EP05.720p", 2, (5,)),
        ("Harbour.Lights.S2014E05.720p", 2014, (5,)),
        ("Harbour.Lights.S02E05E06.720p", 2, (5, 6)),
        ("Harbour.Lights.S02E05-E07.720p", 2, (5, 6, 7)),
        ("Harbour.Lights.S02E05-07.720p", 2, (5, 6, 7)),
        ("Harbour.Lights.S02E05-S02E07.720p", 2, (5, 6, 7)),
        ("Harbour Lights - S02E05 - S02E06 - S02E07 Ashore", 2, (5, 6, 7)),
        ("Harbour.Lights.S02E05.06.720p", 2, (5, 6)),
        ("Harbour.Lights.S02E05.24.Hours.720p", 2, (5,)),
        ("Harbour.Lights.S02E05.and.S02E06.720p", 2, (5, 6)),
        ("Harbour.Lights.2x05.720p", 2, (5,)),
        ("Harbour Lights - 2x05-06-07 - Ashore", 2, (5, 6, 7)),
        ("Harbour Lights 2x05 2x06 Ashore", 2, (5, 6)),
        ("Harbour Lights Season 2 Episode 5 Ashore", 2, (5,)),
        ("Harbour.Lights.Season.2.Episodes.1-12", 2, upto(12)),
        ("Harbour Lights - Temporada 2 HDTV x264[Cap.205_207]SPANISH", 2, (5, 6, 7)),
        ("[Grp] Harbour Lights S2-05 [1080p]", 2, (5,)),
        ("[Grp] Harbour Lights S2 - 05 [1080p]", 2, (5,)),
        ("[Grp] Harbour Lights 2nd Season - 05 [1080p]", 2, (5,)),
        ("[Season 2] Harbour Lights - 05 [1080p]", 2, (5,)),
        ("[组] 港湾之光 第二季 - 05 [1080p]", 2, (5,)),
        ("【组】【港湾之光】【第二季】【05】【1080P】", 2, (5,)),
        ("하버 라이츠 2기 05화", 2, (5,)),
        ("하버 라이츠 시즌 2 - 05 (1080p)", 2, (5,)),
        ("Harbour Lights - Temp 2 HDTV x264[Cap.205]SPANISH", 2, (5,)),
        ("harbour.lights.205.hdtv-grp", 2, (5,)),
        ("harbour.lights.0205.720p-grp", 2, (5,)),
    ],
)
def test_season_and_episode_are_read_however_they_are_written(
    title: str, season: int, episodes: Numbers
) -> None:
    release = parse(title)

    assert (release.season, release.episodes) == (season, episodes)


@pytest.mark.parametrize(
    ("title", "episodes"),
    [
        ("[Grp] Harbour Lights - 05 [1080p]", (5,)),
        ("[Grp]_Harbour_Lights_-_05_[1080p].mkv", (5,)),
        ("[Grp].Harbour.Lights.-.05.[1080p]", (5,)),
        ("[Grp] Harbour Lights -05 [1080p]", (5,)),
        ("[Grp]Harbour Lights-05[1080p]", (5,)),
        ("[Grp] Harbour Lights - 5 [1080p]", (5,)),
        ("[Grp] Harbour Lights - 12.5 [1080p]", (12.5,)),
        ("[Grp]Harbour.Lights.EP07.5(BD.720p.AAC)", (7.5,)),
        ("[Grp] Harbour Lights - 04a [1080p]", ("4a",)),
        ("[Grp] Harbour Lights - 04.1 [1080p]", (4.1,)),
        ("[Grp] Harbour Lights [05Pre][1080p]", (5,)),
        ("[Grp] Harbour Lights (5).mkv", (5,)),
        ("[46620] Harbour Lights - 05 [1080p]", (5,)),
        ("[Grp] Harbour Lights SP - 05 [1080p]", (5,)),
        ("[Grp] Harbour Lights - 05 (2023-02-25)", (5,)),
        ("[Grp] Harbour Lights Capítulo 05 [1080p]", (5,)),
        ("[Grp] Harbour Lights - 05 (Minato no Hikari - 17)", (5,)),
        ("[Grp] Harbour Lights - 05 (Extra #2)", (5,)),
        ("[Grp] Harbour Lights - 05 END [1080p]", (5,)),
        ("[Grp] Harbour Lights [24(END)][1080p]", (24,)),
        ("[Grp] Harbour Lights [05][1080p]", (5,)),
        ("[Grp] Harbour Lights [05 1080p HEVC]", (5,)),
        ("[Grp] Harbour Lights [05_Ashore] [1080p]", (5,)),
        ("[Grp] Harbour Lights #05 (BS11 1280x720 x264 AAC)", (5,)),
        ("[Grp] Harbour Lights Ep.05 [1080p]", (5,)),
        ("[Grp] Harbour Lights E3 [1080p]", (3,)),
        ("[Grp] Harbour Lights E10478 [1080p]", (10478,)),
        ("[Grp] Harbour Lights 05 (H.264) [ABCDEF01]", (5,)),
        ("[Grp] Harbour Lights 12 - Ashore [1080p]", (12,)),
        ("[Grp] Harbour Lights 05 Ashore [1080p]", (5,)),
        ("[Grp] 05 Harbour Lights (720p)", (5,)),
        ("005. Harbour Lights - Ashore.mkv", (5,)),
        ("Harbour_Lights_[05_of_25]_[HDTV]", (5,)),
        ("Harbour.Lights.5of9.720p", (5,)),
        ("Harbour.Lights.Part.4.720p.HDTV.x264-GRP", (4,)),
        ("Harbour.Lights.Part.Two.720p.HDTV.x264-GRP", (2,)),
        ("[组] 港湾之光 第02话 [1080p]", (2,)),
        ("[组] 港湾之光 第十二話 [1080p]", (12,)),
        ("[组][港湾之光][02集][1080P]", (2,)),
        ("[组] 港湾之光 第05、06话 [1080p]", (5, 6)),
        ("하버 라이츠 5화 1080p", (5,)),
        ("港湾之光05.mp4", (5,)),
        ("kogarashi-no-minato-episode-25-1080p.mp4", (25,)),
        ("Harbour+Lights+Episode+3.mp4", (3,)),
    ],
)
def test_a_number_without_a_season_is_read(title: str, episodes: Numbers) -> None:
    release = parse(title)

    assert (release.season, release.episodes) == (None, episodes)


@pytest.mark.parametrize(
    ("title", "episodes"),
    [
        ("[Grp] Harbour Lights 01 - 07 Batch [720p]", upto(7)),
        ("[Grp] Harbour Lights - 01 ~ 12 [720p]", upto(12)),
        ("[Grp] Harbour Lights (01-12) (1080p)", upto(12)),
        ("[Grp] Harbour Lights (01 - 12) (1080p)", upto(12)),
        ("[Grp] Harbour Lights [1-12 of 24]", upto(12)),
        ("Harbour.Lights.S01E01.to.E12.1080p", upto(12)),
        ("[Grp] Harbour Lights [01-12][1080p]", upto(12)),
        ("[Grp] Harbour Lights [TV 01-12+SP][BDRip]", upto(12)),
        ("[Grp] Harbour Lights [05 - 08] [1080p]", upto(8, 5)),
        ("[Grp] Harbour Lights (01-12 + OVA) [1080p]", upto(12)),
        ("[Grp] Harbour Lights [E01-E12] [1080p]", upto(12)),
        ("[E01-E12] Harbour Lights [1080p]", upto(12)),
        ("[01-12] Harbour Lights [1080p]", upto(12)),
        ("[Grp] Harbour Lights - 01-02-04 [720p]", upto(4)),
        ("[Grp] Harbour Lights - 01v2-04v2 [720p]", upto(4)),
        ("[组] 港湾之光 全24话 [1080p]", upto(24)),
        ("[组][港湾之光][第01-22话][1080P]", upto(22)),
        ("[组] 港湾之光 01-12 合集 [1080p]", upto(12)),
    ],
)
def test_a_range_is_expanded_and_is_a_batch(title: str, episodes: Numbers) -> None:
    release = parse(title)

    assert (release.episodes, release.batch) == (episodes, True)


@pytest.mark.parametrize("extras", ["+SP", " + OVA", "+OVA"])
def test_a_batch_with_extras_is_not_a_special(extras: str) -> None:
    assert parse(f"[Grp] Harbour Lights [01-12{extras}][BDRip]").special is None


def test_two_episodes_in_one_file_are_no_batch() -> None:
    assert not parse("[Grp] Harbour Lights - 05+06 [1080p]").batch


def test_a_range_of_absurd_length_is_two_numbers() -> None:
    assert parse("[Grp] Harbour Lights (1-99999) [1080p]").episodes == (1, 99999)


@pytest.mark.parametrize(
    ("title", "series"),
    [
        ("[Grp] Area 51 Tales - 05 [1080p]", "Area 51 Tales"),
        ("[Grp] Starship Yamato 2199 - 05 (BD 1080p)", "Starship Yamato 2199"),
        ("[Grp] Robot War 00 - 05 [720p]", "Robot War 00"),
        ("[Grp] Zoo 100: Until I Have Seen 100 Animals - 05.mkv", "Zoo 100: Until I Have Seen 100 Animals"),
        ("[Grp] Recollection 3.5 - 05 (DVD 10-bit).mkv", "Recollection 3.5"),
        ("[Grp] 009-1 - 05 (H264)", "009-1"),
        ("[Grp] 86 - Eighty Six - 05 (1080p)", "86 - Eighty Six"),
        ("[Grp] Dark Theatre 11 - 05 [1080p]", "Dark Theatre 11"),
        ("[Grp] Unit Harbour 0096 - 05 [720p]", "Unit Harbour 0096"),
        ("[Grp] Hourglass F-ZERO - 05 [1080p]", "Hourglass F-ZERO"),
        ("[Grp] 22/7 - 05 [1080p]", "22/7"),
        ("[Grp] Web of Lights - 05 [1080p]", "Web of Lights"),
    ],
)
def test_numbers_of_the_title_stay_in_the_title(title: str, series: str) -> None:
    release = parse(title)

    assert (release.series, release.episodes) == (series, (5,))


@pytest.mark.parametrize(
    "title",
    [
        "[Grp] Starship Yamato 2199 [1080p]",
        "[Grp] Robot War 00 [1080p]",
        "[Grp] Harbour Lights 3 [1080p]",
        "[Grp] Harbour Lights (2019) [BDRip 1080p]",
        "[Grp] Harbour Lights [BDRip 1920x1080 x265 10bit FLAC 5.1]",
        "[46620] Harbour Lights [1080p AV1]",
        "Harbour Lights (2010)[320 Kbps]",
        "Harbour.Lights.S02.1080p.WEB.EAC3.51.x264-GRP",
        "Harbour Lights (1970) [Divx 5.02][DVDRip]",
        "[Grp] Harbour Lights Vol. 1 & Vol. 2 (BD 1280x720 x264 AAC)",
        "[Grp] Harbour Lights (Season 02) [1080p]",
        "Harbour.Lights.S01D02.COMPLETE.BLURAY-GRP",
        "Harbour.Lights.2019.1080p.WEB-DL.DDP5.1.H.264-GRP",
    ],
)
def test_what_is_no_episode_is_not_taken_for_one(title: str) -> None:
    assert parse(title).episodes == ()


@pytest.mark.parametrize(
    ("title", "episodes", "absolute"),
    [
        ("[Grp] Harbour Lights - 01 (51) [1080p]", (1,), (51,)),
        ("[组][港湾之光][02(57)][简体][1080P]", (2,), (57,)),
        ("[Grp] Harbour Lights - S02E01-E02 (25-026)", (1, 2), (25, 26)),
        ("[Grp] Harbour Lights - 13 (S02E01) [1080p]", (1,), (13,)),
        ("Harbour Lights - 313-315 - s16e03-05", (3, 4, 5), (313, 314, 315)),
        ("Harbour.Lights.16x03-05.313-315-GRP", (3, 4, 5), (313, 314, 315)),
        ("[Grp] Harbour Lights - 01 (2019) [1080p]", (1,), ()),
    ],
)
def test_numbers_across_seasons_are_told_from_those_within(
    title: str, episodes: Numbers, absolute: Numbers
) -> None:
    release = parse(title)

    assert (release.episodes, release.absolute) == (episodes, absolute)


@pytest.mark.parametrize(
    ("title", "kind", "episodes"),
    [
        ("[Grp] Harbour Lights OVA02 [1080p]", Special.OVA, (2,)),
        ("[Grp] Harbour Lights OVA3.5 [1080p]", Special.OVA, (3.5,)),
        ("[Grp] Harbour Lights EDv2 [1080p]", Special.ED, ()),
        ("[Grp] Harbour Lights - S01OVA02", Special.OVA, (2,)),
        ("[Grp] Harbour Lights - OVA [1080p]", Special.OVA, ()),
        ("[Grp] Harbour Lights SP01 [1080p]", Special.SP, (1,)),
        ("[Grp] Harbour Lights - Special 3 [1080p]", Special.SP, (3,)),
        ("Harbour.Lights.S00E04.1080p.WEB-DL.H.264-GRP", Special.SP, (4,)),
        ("[Grp] Harbour Lights NCOP [1080p]", Special.NCOP, ()),
        ("[Grp] Harbour Lights NCEDv2 [1080p]", Special.NCED, ()),
        ("[Grp] Harbour Lights - OP1c [1080p]", Special.OP, (1,)),
        ("[Grp] Harbour Lights ED [1080p]", Special.ED, ()),
        ("[Grp] Harbour Lights SP01-03 [1080p]", Special.SP, (1, 2, 3)),
        ("[Grp] Harbour Lights - Creditless Opening [1080p]", Special.NCOP, ()),
        ("[Grp] Harbour Lights PV2 [1080p]", Special.PV, (2,)),
        ("[Grp] Harbour Lights Movie 3 - The Storm [1080p]", Special.MOVIE, (3,)),
    ],
)
def test_specials_are_told_from_episodes(title: str, kind: Special, episodes: Numbers) -> None:
    release = parse(title)

    assert (release.special, release.episodes) == (kind, episodes)
    assert release.series.removesuffix(" - OVA") == "Harbour Lights"


@pytest.mark.parametrize(
    "written", ["2014.05.16", "2014-05-16", "20140516", "14.05.16", "05.16.2014", "16.05.2014"]
)
def test_a_daily_show_has_a_date_and_no_episode(written: str) -> None:
    release = parse(f"The.Harbour.Show.{written}.Some.Guest.720p.HDTV.x264-GRP")

    assert (release.series, release.date, release.episodes) == (
        "The Harbour Show",
        datetime.date(2014, 5, 16),
        (),
    )


def test_an_impossible_date_is_none() -> None:
    assert parse("The.Harbour.Show.2014.13.32.720p.HDTV.x264-GRP").date is None


@pytest.mark.parametrize(
    "title",
    [
        "[Grp] Harbour Lights S01-S03 [1080p]",
        "Harbour.Lights.S01.S02.1080p",
        "Harbour Lights Seasons 1 to 5",
        "[Grp] Harbour Lights Season 1+2 [1080p]",
        "[Grp] Harbour Lights (Season 1 + Season 2) [1080p]",
        "[组] Harbour Lights 1+2季 [1080p]",
        "[组] Harbour Lights 第一至三季 [1080p]",
        "[组] Harbour Lights 全三季 [1080p]",
    ],
)
def test_several_seasons_are_a_batch_of_no_single_season(title: str) -> None:
    release = parse(title)

    assert (release.series, release.season, release.batch) == ("Harbour Lights", None, True)


def test_a_whole_season_is_a_batch() -> None:
    release = parse("Harbour.Lights.S02.1080p.BluRay.x264-GRP")

    assert (release.season, release.episodes, release.batch) == (2, (), True)


@pytest.mark.parametrize(
    "title", ["[Grp] Harbour Lights - 05v2 [1080p]", "[Grp] Harbour Lights S01E05v2 (1080p)"]
)
def test_a_second_version_is_read(title: str) -> None:
    release = parse(title)

    assert (release.episodes, release.version) == ((5,), 2)
