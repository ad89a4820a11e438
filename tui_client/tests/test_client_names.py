"""Local names made from what a torrent says: no hostile name leaves its directory or breaks a file system."""

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from torrent_proxy_client.names import LONGEST_NAME, local_paths, numbered, safe_name
from torrent_proxy_client.placement import layout

_WINDOWS_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_WINDOWS_DEVICE = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$", re.IGNORECASE)

# Lone surrogates included: JSON can carry them.
_HOSTILE = st.one_of(
    st.text(st.characters(codec=None), max_size=300),
    st.text(st.sampled_from("aA.:/\\ \x00\x1b\u202e\u200b\ud800éß?*~-"), max_size=20),
    st.sampled_from(
        [
            "..",
            ".",
            "",
            "CON",
            "nul.txt",
            "COM1 .tar.gz",
            "C:\\x",
            "~",
            "aux. ",
            "a" * 400 + ".mkv",
            "é" * 300,
        ]
    ),
)
_PATHS = st.lists(st.lists(_HOSTILE, max_size=4).map("/".join), max_size=12)


def _assert_safe(name: str) -> None:
    assert name not in ("", ".", "..")
    assert not _WINDOWS_FORBIDDEN.search(name)
    assert not _WINDOWS_DEVICE.match(name)
    assert not name.startswith((".", " "))
    assert not name.endswith((".", " "))
    assert len(name.encode()) <= LONGEST_NAME
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in name)


@given(_HOSTILE)
def test_any_name_becomes_one_that_every_system_takes(name: str) -> None:
    _assert_safe(safe_name(name))


@given(_HOSTILE)
def test_a_safe_name_stays_as_it_is(name: str) -> None:
    assert safe_name(safe_name(name)) == safe_name(name)


@given(_HOSTILE, st.integers(2, 100_000))
def test_a_numbered_name_is_safe_and_another(name: str, number: int) -> None:
    _assert_safe(numbered(safe_name(name), number))
    assert numbered(safe_name(name), number) != safe_name(name)


@given(_PATHS)
def test_files_of_one_torrent_never_meet_even_where_case_does_not_count(paths: list[str]) -> None:
    local = local_paths(paths)
    assert len(local) == len(paths)
    taken: set[str] = set()
    for parts in local:
        for part in parts:
            _assert_safe(part)
        whole = unicodedata.normalize("NFC", "/".join(parts)).casefold()
        # Nor may a file meet the unfinished download of another.
        for occupied in (whole, f"{whole}.part", f"{whole}.part.json"):
            assert occupied not in taken
            taken.add(occupied)
    folders = {
        unicodedata.normalize("NFC", "/".join(parts[:depth])).casefold()
        for parts in local
        for depth in range(1, len(parts))
    }
    assert not folders & taken


@given(_HOSTILE, _PATHS.filter(bool))
def test_the_layout_of_a_torrent_stays_below_the_directory(name: str, paths: list[str]) -> None:
    for parts in layout(name, paths):
        for part in parts:
            _assert_safe(part)


def test_ordinary_names_are_left_alone() -> None:
    for name in (
        "ubuntu-26.04.iso",
        "[judas] Show - 01 (1080p).mkv",
        "進撃の巨人.mkv",
        "a - b's é.flac",
        "README",
    ):
        assert safe_name(name) == name


def test_what_would_lead_elsewhere_is_defused() -> None:
    assert local_paths(["../../etc/passwd"]) == [("_", "_", "etc", "passwd")]
    assert safe_name("/etc/passwd") == "_etc_passwd"
    assert safe_name("C:\\Windows\\x.dll") == "C__Windows_x.dll"
    assert safe_name(".bashrc") == "_bashrc"
    assert safe_name("gpj.\u202eexe.txt") == "gpj.exe.txt"


def test_a_long_name_keeps_its_extension_and_whole_characters() -> None:
    name = safe_name("é" * 300 + ".mkv")
    assert name.endswith("é.mkv")
    assert len(name.encode()) in (LONGEST_NAME, LONGEST_NAME - 1)


def test_names_that_differ_by_case_or_only_by_what_is_forbidden_get_numbers() -> None:
    assert local_paths(["s/A.txt", "s/a.txt", "s/b?.txt", "s/b*.txt", "S/A.TXT"]) == [
        ("s", "A.txt"),
        ("s", "a (2).txt"),
        ("s", "b_.txt"),
        ("s", "b_ (2).txt"),
        ("s", "A (3).TXT"),
    ]


def test_thousands_of_equal_names_are_told_apart_quickly() -> None:
    assert len(set(local_paths(["same.txt"] * 5000))) == 5000


def test_a_torrent_of_one_file_needs_no_folder_and_others_get_one_of_its_name() -> None:
    assert layout("film", ["film.mkv"]) == [("film.mkv",)]
    assert layout("film", ["a.mkv", "b.mkv"]) == [("film", "a.mkv"), ("film", "b.mkv")]
    assert layout("film", ["cut/a.mkv"]) == [("film", "cut", "a.mkv")]


def test_the_folder_that_a_torrent_already_names_is_not_doubled() -> None:
    assert layout("Show", ["Show/1.mkv", "Show/Extras/2.mkv"]) == [
        ("Show", "1.mkv"),
        ("Show", "Extras", "2.mkv"),
    ]
