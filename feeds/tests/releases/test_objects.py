"""What is stored of a release is the release."""

import datetime

import pytest

from feeds.releases import parse
from feeds.releases.objects import from_object, to_object
from feeds.releases.release import Release, Special

TITLES = [
    "[Group] Lighthouse - 05v2 (1080p) [ABCDEF12].mkv",
    "Lighthouse.S02E01-E03.1080p.WEB-DL.VOSTFR-Group",
    "[Group] Lighthouse - 12.5 [简繁]",
    "[Group] Lighthouse - OVA 02 (Batch) [Multiple Subtitle]",
    "Lighthouse 2024.03.07 720p",
    "灯塔 / Lighthouse 第4a话",
]


@pytest.mark.parametrize("title", TITLES)
def test_a_release_comes_back_as_it_was(title: str) -> None:
    release = parse(title)
    assert from_object(to_object(release)) == release


def test_every_field_comes_back() -> None:
    release = Release(
        series="Lighthouse",
        series_alternatives=("灯塔",),
        season=2,
        episodes=(1, 2.5, "4a"),
        absolute=(13,),
        version=2,
        special=Special.OVA,
        batch=True,
        date=datetime.date(2024, 3, 7),
        year=2024,
        group="Group",
        resolution="1080p",
        source="WEB",
        video_codec="AV1",
        audio_codec="Opus",
        languages=("ENG",),
        subtitles=("内封",),
        checksum="ABCDEF12",
    )
    assert from_object(to_object(release)) == release


def test_what_is_not_known_any_more_is_left_out() -> None:
    stored = {"series": "Lighthouse", "special": "INTERLUDE", "colour": "green"}
    assert from_object(stored) == Release(series="Lighthouse")
