"""What a person may paste to add a torrent."""

from pathlib import Path

import pytest

from torrent_proxy_client.sources import NotASource, recognise

HASH = "c12fe1c06bba254a9dc9f519b335aa7c1367a88a"


@pytest.fixture
def metainfo(tmp_path: Path) -> Path:
    path = tmp_path / "my film.torrent"
    path.write_bytes(b"d4:infodee")
    return path


def test_a_magnet_link_and_an_infohash_are_magnets() -> None:
    assert recognise(f" magnet:?xt=urn:btih:{HASH}\n").link == f"magnet:?xt=urn:btih:{HASH}"
    assert recognise(HASH.upper()).link == f"magnet:?xt=urn:btih:{HASH}"
    assert recognise("ab" * 32).link == "magnet:?xt=urn:btmh:1220" + "ab" * 32


def test_a_url_is_a_link_to_a_torrent() -> None:
    source = recognise("https://example.org/a.torrent")
    assert (source.kind, source.link) == ("link to a .torrent", "https://example.org/a.torrent")


def test_a_path_is_understood_as_terminals_and_file_managers_paste_it(metainfo: Path) -> None:
    for text in (
        str(metainfo),
        f"'{metainfo}'",
        f'"{metainfo}"',
        str(metainfo).replace(" ", "\\ "),
        metainfo.as_uri(),
    ):
        assert recognise(text).file == metainfo


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Paste a magnet link"),
        ("ftp://example.org/a.torrent", "ftp:// links are not supported"),
        ("/no/such.torrent", "There is no file"),
        ("hello", "neither a magnet link"),
        ("/", "is a folder"),
        ("a\x00b", "neither a magnet link"),
        ("x" * 10_000, "neither a magnet link"),
    ],
)
def test_what_is_no_source_is_refused_in_words(text: str, sentence: str) -> None:
    with pytest.raises(NotASource, match=sentence):
        recognise(text)
