"""`manage.py evaluate_matching`: how often release names are read rightly, and matched to the right show."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from watchlist.management.commands.evaluate_matching import Command


def row(**fields: Any) -> dict[str, Any]:
    return {"title": "t", "series": "Show", "season": None, "episode": None, "absolute": None} | fields


def written(path: Path, *rows: Any) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def printed(*arguments: object) -> list[dict[str, Any]]:
    """The objects that the command prints; the last one holds the figures."""
    output = StringIO()
    call_command(Command(), *map(str, arguments), stdout=output)
    return [json.loads(line) for line in output.getvalue().splitlines()]


def test_the_command_prints_one_object_with_the_figures(tmp_path: Path) -> None:
    names = tmp_path / "names.jsonl"
    rows = [
        row(title="[Grp] Show - 05 [1080p]", episode=5),
        row(title="Show.2014.S01E02.720p", series="Show 2014", episode=2),
        row(title="[Grp] Show - 07 [1080p]", episode=8),
    ]
    names.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    printed = StringIO()

    call_command(Command(), str(names), stdout=printed)

    figures = json.loads(printed.getvalue())
    assert {"n": 3, "series_pct": 66.7, "episode_pct": 66.7, "both_pct": 33.3}.items() <= figures.items()
    assert {"series_lenient_pct": 100.0, "both_lenient_pct": 66.7, "exceptions": 0}.items() <= figures.items()
    assert 0 < figures["median_us"] <= figures["p99_us"] <= figures["max_us"]


def test_the_command_shows_what_was_read_wrongly(tmp_path: Path) -> None:
    names = tmp_path / "names.jsonl"
    names.write_text(json.dumps(row(title="[Grp] Show - 07 [1080p]", episode=8)), encoding="utf-8")
    printed = StringIO()

    call_command(Command(), str(names), "--failures", stdout=printed)

    failure, _ = map(json.loads, printed.getvalue().splitlines())
    assert (failure["episode"], failure["found_episodes"]) == (8, [7])


@pytest.mark.parametrize("content", ["no JSON", "{}"])
def test_a_file_of_another_kind_is_named_in_the_error(tmp_path: Path, content: str) -> None:
    names = tmp_path / "names.jsonl"
    names.write_text(content, encoding="utf-8")

    with pytest.raises(CommandError, match=r"names\.jsonl"):
        call_command(Command(), str(names))


def media(number: int, romaji: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "title": {"romaji": romaji},
        "type": "ANIME",
        "format": "TV",
        "episodes": 12,
    } | fields


def to_show(number: int, title: str, path: str = "") -> dict[str, Any]:
    return {"title": title, "path": path, "anilist_id": number}


ANSWER = {
    "data": {
        "Page": {
            "media": [
                media(
                    7,
                    "Minato no Hi",
                    relations={"edges": [{"relationType": "SEQUEL", "node": media(8, "Umi")}]},
                ),
                media(9, "Minato no Hi", type="MANGA", format="MANGA"),
            ]
        }
    }
}


def test_with_a_catalogue_it_tells_how_often_the_show_is_right(tmp_path: Path) -> None:
    names = written(
        tmp_path / "names.jsonl",
        to_show(7, "[Grp] Minato no Hi - 05.mkv"),
        to_show(8, "[Grp] Minato no Hi - 13.mkv"),
        to_show(7, "[Grp] Umi - 05.mkv"),
        to_show(8, "[Grp] Yama - 05.mkv"),
        to_show(99, "[Grp] Yama - 05.mkv"),
    )
    catalogue = written(tmp_path / "answer.json", ANSWER)

    (figures,) = printed(names, "--catalogue", catalogue)

    assert (figures["n"], figures["matched_n"], figures["left_out"], figures["left_out_found"]) == (
        4,
        4,
        1,
        0,
    )
    assert (figures["right_pct"], figures["wrong_pct"], figures["unsure_pct"]) == (50.0, 25.0, 25.0)


def test_it_shows_what_was_matched_wrongly_or_not_at_all(tmp_path: Path) -> None:
    names = written(
        tmp_path / "names.jsonl",
        to_show(7, "[Grp] Minato no Hi - 05.mkv"),
        to_show(7, "[Grp] Umi - 05.mkv"),
        to_show(7, "[Grp] Minato no Hi - 95.mkv"),
        to_show(99, "[Grp] Umi - 05.mkv"),
    )
    catalogue = written(tmp_path / "answer.json", ANSWER)

    *failures, _ = printed(names, "--catalogue", catalogue, "--failures")

    assert [failure["found"] for failure in failures] == ["8 Umi", None, "8 Umi"]
    assert (failures[1]["candidates"], failures[1]["reasons"]) == (
        ["7 Minato no Hi", "8 Umi"],
        ["episode: 95; wanted: an episode that there is"],
    )


@pytest.mark.parametrize(
    "path", ["E:\\Anime\\Minato no Hi\\S01E05-Farewell.mkv", "/anime/Minato no Hi/S01E05.mkv"]
)
def test_folders_of_a_path_count(tmp_path: Path, path: str) -> None:
    names = written(tmp_path / "names.jsonl", to_show(7, "S01E05-Farewell.mkv", path))

    assert printed(names, "--catalogue", written(tmp_path / "answer.json", ANSWER))[0]["right_pct"] == 100.0


def test_a_row_may_be_scored_in_both_ways(tmp_path: Path) -> None:
    both = row(series="Minato no Hi", episode=5) | to_show(7, "[Grp] Minato no Hi - 05.mkv")
    names = written(tmp_path / "names.jsonl", both, row(title="[Grp] Show - 06", episode=6))

    (figures,) = printed(names, "--catalogue", written(tmp_path / "answer.json", ANSWER))

    assert (figures["n"], figures["both_pct"], figures["matched_n"], figures["right_pct"]) == (
        2,
        100.0,
        1,
        100.0,
    )


def test_several_catalogues_and_folders_of_them_are_put_together(tmp_path: Path) -> None:
    folder = tmp_path / "answers"
    folder.mkdir()
    written(
        folder / "one.json", {"id": 7, "title": {"romaji": None, "english": "Harbour Lights"}, "format": "TV"}
    )
    lines = written(tmp_path / "lines.jsonl", media(7, "Minato no Hi"), media(8, "Umi"))
    names = written(
        tmp_path / "names.jsonl", to_show(7, "Harbour.Lights.S01E05.mkv"), to_show(8, "Umi - 05.mkv")
    )

    (figures,) = printed(names, "--catalogue", folder, "--catalogue", lines)

    assert (figures["matched_n"], figures["right_pct"]) == (2, 100.0)


def test_rules_redirect_episodes(tmp_path: Path) -> None:
    catalogue = written(tmp_path / "media.json", [media(7, "Minato no Hi"), media(8, "Umi")])
    names = written(tmp_path / "names.jsonl", to_show(8, "[Grp] Minato no Hi - 13.mkv"))
    rules = tmp_path / "rules.txt"
    rules.write_text("::rules\n- ?|?|7:13-24 -> ?|?|8:1-12\n", encoding="utf-8")

    assert printed(names, "--catalogue", catalogue)[0]["right_pct"] == 0.0
    assert printed(names, "--catalogue", catalogue, "--relations", rules)[0]["right_pct"] == 100.0


@pytest.mark.parametrize(
    ("content", "option"), [("no JSON", "--catalogue"), ("{}", "--catalogue"), ("no rules", "--relations")]
)
def test_a_catalogue_or_rules_of_another_kind_are_named_in_the_error(
    tmp_path: Path, content: str, option: str
) -> None:
    names = written(tmp_path / "names.jsonl", to_show(7, "Umi - 05.mkv"))
    good = written(tmp_path / "media.json", media(7, "Umi"))
    bad = tmp_path / "bad.txt"
    bad.write_text(content, encoding="utf-8")
    catalogue = bad if option == "--catalogue" else good

    with pytest.raises(CommandError, match=r"bad\.txt"):
        printed(names, "--catalogue", catalogue, *([option, bad] if option == "--relations" else []))
