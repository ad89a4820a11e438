"""How a release was made, as its name says."""

import pytest

from feeds.releases import Release, parse


def test_a_fansub_name_is_read_whole() -> None:
    assert parse(
        "[Grp] Harbour Lights S2 - 05v2 [BD 1080p HEVC FLAC][Multiple Subtitle][ENG][1a2b3c4d].mkv"
    ) == Release(
        series="Harbour Lights",
        series_alternatives=("Harbour Lights S2",),
        season=2,
        episodes=(5,),
        version=2,
        group="Grp",
        resolution="1080p",
        source="BD",
        video_codec="HEVC",
        audio_codec="FLAC",
        languages=("ENG",),
        subtitles=("Multiple Subtitle",),
        checksum="1A2B3C4D",
    )


def test_a_scene_name_is_read_whole() -> None:
    assert parse("Harbour.Lights.2014.S02E05.1080p.WEB-DL.AAC2.0.H.264-GRP") == Release(
        series="Harbour Lights",
        season=2,
        episodes=(5,),
        year=2014,
        group="GRP",
        resolution="1080p",
        source="WEB-DL",
        video_codec="H.264",
        audio_codec="AAC",
    )


@pytest.mark.parametrize(
    ("written", "resolution"),
    [("1080p", "1080p"), ("1920x1080", "1080p"), ("1280X720", "720p"), ("1080i", "1080i"), ("720P", "720p")],
)
def test_a_resolution_has_one_spelling(written: str, resolution: str) -> None:
    assert parse(f"[Grp] Harbour Lights - 05 [{written}]").resolution == resolution


@pytest.mark.parametrize(
    ("title", "group"),
    [
        ("[Grp&Others] Harbour Lights - 05 [1080p]", "Grp&Others"),
        ("Harbour Lights - 05 (1080p) [Grp].mkv", "Grp"),
        ("Harbour.Lights.S02E05.720p.HDTV.x264-GRP[site]", "GRP"),
        ("[NO.RAR] Harbour.Lights.S02E05.720p.HDTV.x264-GRP", "GRP"),
        ("(Grp) Harbour Lights - 05 (1080p)", "Grp"),
        ("(アニメ) 港湾之光 第05話", None),
        ("[202310] Harbour Lights - 05", None),
        ("【完结】港湾之光 [01-12]", None),
        ("港湾之光[第05集].1080p", None),
        ("[港湾之光].Harbour.Lights.S02E05.1080p", None),
        ("[组].港湾之光.S02E05.1080p", "组"),
        ("Harbour.Lights.S02E05.1080p.WEB-DL", None),
        ("Harbour Lights - S02E05 - Ashore", None),
        ("One Harbour - 1071 [1080p]", None),
    ],
)
def test_the_group_is_the_first_bracket_or_behind_the_last_dash(title: str, group: str | None) -> None:
    assert parse(title).group == group


def test_words_of_the_title_say_nothing_of_how_it_was_made() -> None:
    release = parse("[Grp] Web of Lights - 05")

    assert (release.series, release.source) == ("Web of Lights", None)


def test_chinese_words_for_languages_and_subtitles_are_read() -> None:
    release = parse("[组] 港湾之光 - 05 [1080p][简繁内封字幕]")

    assert (release.languages, release.subtitles) == (("简繁",), ("内封",))
