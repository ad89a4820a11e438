"""Names and paths that strangers chose."""

import time

import pytest

from torrents.metainfo import MetainfoError, clean_relative_path, display_name
from torrents.metainfo.names import check_paths_fit_together


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[Group] Show - 01 (1080p).mkv", "[Group] Show - 01 (1080p).mkv"),
        ("進撃の巨人 第1話", "進撃の巨人 第1話"),
        ("<b>bold</b> [red]", "<b>bold</b> [red]"),
        ("  one \r\n\t two\u2028three  ", "one two three"),
        ("gpj\u202e.exe\u2066", "gpj.exe"),
        ("a\u200bb\u200d\ufeffc\u00ad", "abc"),
        ("a \u200b b", "a b"),
        ("\x1b[31mred\x07", "[31mred"),
        ("e\u0301", "\u00e9"),
        ("a\ud800b", "ab"),
        ("x" * 300, "x" * 255),
        ("x" * 254 + " y", "x" * 254),
    ],
)
def test_a_name_is_one_plain_line(text: str, shown: str) -> None:
    assert display_name(text) == shown


@pytest.mark.parametrize("text", ["", " \n", "\u200b\u202e", "\x00", "\u3164\u2800"])
def test_a_name_with_nothing_to_see_gets_another(text: str) -> None:
    assert display_name(text) == "Unnamed torrent"
    assert display_name(text, fallback="") == ""


def test_an_endless_pile_of_accents_takes_no_time() -> None:
    started = time.thread_time()
    assert len(display_name("a" + "\u0301\u0316" * 1_000_000)) == 255
    assert time.thread_time() - started < 0.5


@pytest.mark.parametrize("path", ["a", "Show/ep 1.mkv", "日本/…", "a/..b/c..", "K: Missing/1.mkv", "..."])
def test_a_relative_path_is_returned_unchanged(path: str) -> None:
    assert clean_relative_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/etc/passwd",
        "..",
        "../x",
        "a/../b",
        "a/..",
        ".",
        "a/./b",
        "a//b",
        "a/",
        "a\0b",
        "\ud800",
        "x" * 4097,
        "é" * 2049,
    ],
)
def test_a_path_that_may_leave_its_folder_is_refused(path: str) -> None:
    with pytest.raises(MetainfoError) as caught:
        clean_relative_path(path)
    assert caught.value.code == "unsafe_path"


@pytest.mark.parametrize(
    "paths", [["a", "a"], ["a", "a/b"], ["a/b", "a"], ["x/a/b/c", "x/y", "x/a"], ["d/a", "d/b", "d/a"]]
)
def test_paths_that_cannot_stand_side_by_side_are_refused(paths: list[str]) -> None:
    with pytest.raises(MetainfoError) as refused:
        check_paths_fit_together(paths)
    assert refused.value.code == "unsafe_path"


def test_paths_of_one_folder_fit_together() -> None:
    check_paths_fit_together(["a/b", "a/bc", "a/c/b", "ab", "a/c/d/e"])
