"""Which show a name is about."""

import pytest

from feeds.releases import parse


@pytest.mark.parametrize(
    ("title", "series"),
    [
        ("Harbour.Lights.S02E05.1080p", "Harbour Lights"),
        ("Agents.of.S.H.O.R.E.S02E05.1080p", "Agents of S.H.O.R.E"),
        ("Harbour.Lights.2014.S02E05.1080p", "Harbour Lights"),
        ("[Grp] Harbour Lights (2014) - 05 [1080p]", "Harbour Lights"),
        ("1923.S01E05.1080p", "1923"),
        ("Harbour Lights {tvdb-12345} - S02E05", "Harbour Lights"),
        ("[ www.example.net ] - Harbour.Lights.S02E05.720p.HDTV.x264-GRP", "Harbour Lights"),
        ("www.example.net - Harbour.Lights.S02E05.720p.HDTV.x264-GRP", "Harbour Lights"),
        ("[Grp] Harbour Lights (TV) - 05 [1080p]", "Harbour Lights"),
        ("This.Is.Us.And.Them.S02E05.1080p", "This Is Us And Them"),
        ("[Grp] Not [Quite] Harbour - 05 [1080p]", "Not Quite Harbour"),
        ("[Grp] Harbour 3D Lights - 05 [1080p]", "Harbour 3D Lights"),
        ("Harbour.Lights.3D.HSBS.1080p.BluRay.x264-GRP", "Harbour Lights"),
        ("[Grp] Harbour Lights (Uncensored) - 05", "Harbour Lights"),
        ("[Grp] Harbour Lights English Subbed 05", "Harbour Lights"),
        ("[Grp] Harbour Lights 2.0 - 05", "Harbour Lights 2.0"),
        ("(Grp)_Harbour_Lights_-_05_(1080p)", "Harbour Lights"),
        ("(500) Harbours of Light - 05", "(500) Harbours of Light"),
        ("Harbour.Lights.BOXSET.NORDiC.1080p.WEB-DL.H.264-GRP", "Harbour Lights"),
        ("[Grp] Harbour Lights The Second Season - 05", "Harbour Lights"),
        ("[Grp] Harbour Lights (The Final Season) - 05", "Harbour Lights (The Final Season)"),
        ("[Grp] Harbour Lights - NCED02 (ep 19)", "Harbour Lights"),
        ("[Grp] Harbour Lights + OVA [1080p]", "Harbour Lights"),
        ("[Grp] Harbour Lights Gekijouban [1080p]", "Harbour Lights"),
        ("[Grp] Harbour Lights BD-BOX Disc 1", "Harbour Lights"),
        ("[Grp] Harbour Lights S01v2 (1080p)", "Harbour Lights"),
        ("[Grp] Harbour Lights HD Remaster [05][720p]", "Harbour Lights"),
        ("[Grp] Harbour Lights Dual Audio [BD 480p]", "Harbour Lights"),
        ("[Grp] Harbour Lights Complete Version (720p x264)", "Harbour Lights"),
        ("[Grp] PV Harbour - 05 [1080p]", "PV Harbour"),
        ("Harbour.Lights/Harbour.Lights.S02E05.1080p.WEB.x264-GRP", "Harbour Lights"),
        ("Harbour Lights (DVD) - 05 [grp].mkv", "Harbour Lights"),
        ("[Grp] Harbour Lights Complete Batch [1080p]", "Harbour Lights"),
        ("[Grp][Harbour_Lights][05][1280x720].mp4", "Harbour Lights"),
        ("[BDRip 1080p] Harbour Lights - 05", "Harbour Lights"),
        ("[Grp] Fair/stay day - 05 [1080p]", "Fair/stay day"),
        ("[Grp] Harbour Lights", "Harbour Lights"),
        ("Harbour.Lights.2014.REMASTERED.1080p.BluRay.x264-GRP", "Harbour Lights"),
        ("Harbour Lights 2014 REMASTERED 1080p BluRay x264-GRP", "Harbour Lights"),
        ("Harbour.Lights.BDMux.720p", "Harbour Lights"),
        ("Harbour Lights", "Harbour Lights"),
        ("S02E05 Harbour Lights 1080p", "Harbour Lights"),
        ("[Harbour Lights] S02E05 720p", "Harbour Lights"),
        ("/tv/Harbour Lights/Season 2/Harbour.Lights.S02E05.mkv", "Harbour Lights"),
        ("Harbour Lights\\Season 02\\S02E05 Ashore.mkv", "Harbour Lights"),
        ("Harbour.Lights.S02E05.720p.WEB.x264-GRP/0f1e2d3c4b5a69788796a5b4c3d2e1f0.mkv", "Harbour Lights"),
    ],
)
def test_the_name_is_what_stands_before_the_number_without_labels(title: str, series: str) -> None:
    assert parse(title).series == series


@pytest.mark.parametrize(
    ("title", "series", "alternatives"),
    [
        ("[组] 港湾之光 / Harbour Lights - 05 [1080p]", "Harbour Lights", {"港湾之光"}),
        (
            "[组] 港湾之光 Harbour Lights [05][1080p]",
            "Harbour Lights",
            {"港湾之光", "港湾之光 Harbour Lights"},
        ),
        ("[组][港湾之光][Harbour Lights][05][1080p]", "Harbour Lights", {"港湾之光"}),
        ("【组】★10月新番★[港湾之光/Harbour Lights][05][1080p]", "Harbour Lights", {"港湾之光"}),
        ("组★港湾之光 Harbour Lights★05★1920x1080★MP4", "Harbour Lights", {"港湾之光"}),
        ("[组]【港湾之光】 第二季 / Harbour Lights Season 2 - 05", "Harbour Lights", {"港湾之光"}),
        ("[组] 港湾之光 (Harbour Lights) [BDRip 1080p]", "港湾之光", {"Harbour Lights"}),
        ("[组] 16bit 的港湾 ANOTHER LIGHT - 05 [1080P]", "16bit 的港湾 ANOTHER LIGHT", set()),
        ("[组] 剧场版港湾之光 [1080p]", "港湾之光", set()),
        ("[组] 港湾之光合集 [1080p]", "港湾之光", set()),
        ("[组] 剧场版合集 - 港湾之光 [1080p]", "港湾之光", set()),
        ("[组] 港湾之光 2 [1080p]", "港湾之光 2", set()),
        ("[组] 港湾之光 EX 05 [1080p]", "港湾之光 EX", set()),
        ("[组] 港湾之光｜Harbour Lights [05]", "Harbour Lights", {"港湾之光"}),
        ("[组] 港湾之光「Harbour Lights」[05]", "港湾之光", {"Harbour Lights"}),
        ("[组] Light 港湾 / Light Harbour [05]", "Light Harbour", {"Light 港湾"}),
        ("[组] 港湾之光 第二季 Harbour Lights [05]", "Harbour Lights", {"港湾之光"}),
        ("[组] 港湾之光 (Season 1-2 + Special Edition)", "港湾之光", set()),
        ("[组] 电影 港湾之光 [1080p]", "港湾之光", set()),
        ("[组] 港湾之光 2nd - 05", "港湾之光 2nd", set()),
        ("港湾之光 更新至05集 1080P", "港湾之光", set()),
        ("[港湾之光].Harbour.Lights.S02E05.1080p.WEB-DL", "Harbour Lights", {"港湾之光"}),
        ("[港湾之光.第二季].Harbour.Lights.S02E05.1080p", "Harbour Lights", {"港湾之光"}),
        ("[组][1080p][港湾之光][05]", "港湾之光", set()),
        ("[组][简体][港湾之光][05][1080p]", "港湾之光", set()),
        ("[组][港湾之光 II][Harbour Lights II][05]", "Harbour Lights II", {"港湾之光 II"}),
        ("[组] 港湾之光（僅限港澳台地區） / Harbour Lights [05]", "Harbour Lights", {"港湾之光"}),
        ("【组】【23年日剧】【港湾之光】【05】", "港湾之光", set()),
        ("[组] 剧场版 港湾之光 Harbour Lights the Movie [1080p]", "Harbour Lights", {"港湾之光"}),
        ("하버 라이츠 시즌 2 - 05 (1080p)", "하버 라이츠", {"하버 라이츠 시즌 2"}),
        ("[Grp] Harbour Lights | Minato no Hikari - 05 [1080p]", "Harbour Lights", {"Minato no Hikari"}),
        ("Harbour Lights AKA Minato - S01E05 - 1080p", "Harbour Lights", {"Minato"}),
        ("Огни гавани | Harbour Lights [05][1080p]", "Harbour Lights", {"Огни гавани"}),
        ("[Grp] Harbour Lights (Minato) - 05", "Harbour Lights (Minato)", {"Harbour Lights", "Minato"}),
        ("[Grp] Harbour Lights 2nd Season - 05 [1080p]", "Harbour Lights", {"Harbour Lights 2nd Season"}),
        ("[Grp] Harbour Lights Part 2 - 05 [1080p]", "Harbour Lights", {"Harbour Lights Part 2"}),
        ("[Grp] Harbour Lights (TV) - 05", "Harbour Lights", {"Harbour Lights (TV)"}),
        (
            "[Grp] Harbour Lights S02 (1080p) | Minato no Hikari (Batch)",
            "Harbour Lights",
            {"Minato no Hikari"},
        ),
        ("[Grp] Harbour Lights (Part 2) - 05", "Harbour Lights", {"Harbour Lights (Part 2)"}),
        ("[Grp] Harbour Lights Second Cour - 05", "Harbour Lights", {"Harbour Lights Second Cour"}),
        ("Harbour.Lights.US.S02E05.1080p", "Harbour Lights", {"Harbour Lights US"}),
    ],
)
def test_further_forms_of_the_name_are_kept(title: str, series: str, alternatives: set[str]) -> None:
    release = parse(title)

    assert release.series == series
    assert alternatives <= set(release.series_alternatives)


def test_full_width_letters_and_brackets_are_read_as_usual_ones() -> None:
    release = parse("［Ｇｒｐ］ Ｈａｒｂｏｕｒ Lights （１２８０x720） 【０５】")

    assert (release.group, release.series) == ("Grp", "Harbour Lights")


def test_blanks_controls_and_invisible_characters_do_not_matter() -> None:
    assert parse("[Grp]\tHarbour\u200b Lights\n- 05 \u202e[1080p]") == parse(
        "[Grp] Harbour Lights - 05 [1080p]"
    )


@pytest.mark.parametrize("title", ["", " ", "[]", "...", "\ud800", "01", "[Grp]"])
def test_a_name_that_says_nothing_is_no_error(title: str) -> None:
    assert parse(title).episodes in ((), (1,))
