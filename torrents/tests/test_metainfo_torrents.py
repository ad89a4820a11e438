"""parse_torrent(): what is kept of a good file, and the sentence for each bad one."""

import hashlib
import time
from pathlib import Path
from typing import Any

import bencode2
import libtorrent
import pytest

from torrents.metainfo import MAX_FILES, MAX_TORRENT_BYTES, MetainfoError, Source, parse_torrent
from torrents.tests.metainfo_samples import many_files, real_torrent, single_file

V1 = libtorrent.create_torrent.v1_only
V2 = libtorrent.create_torrent.v2_only
HYBRID = 0
TRACKER = "https://tracker.example.org/announce"
FILES = {("show/episode.mkv", 100_000), ("show/extra/notes.txt", 5)}


def refusal(data: bytes) -> MetainfoError:
    """The refusal, which must cost little: this thread's own time, whatever else the machine does."""
    started = time.thread_time()
    with pytest.raises(MetainfoError) as caught:
        parse_torrent(data)
    assert time.thread_time() - started < 2
    return caught.value


def infohashes(data: bytes) -> tuple[str, str]:
    info = bencode2.bencode(bencode2.bdecode(data)[b"info"])
    return hashlib.sha1(info).hexdigest(), hashlib.sha256(info).hexdigest()


def uploaded(source: Source) -> dict[bytes, Any]:
    """The .torrent as the engine will get it."""
    assert source.metainfo is not None
    content: dict[bytes, Any] = bencode2.bdecode(source.metainfo)
    return content


def test_a_v1_torrent_is_understood(tmp_path: Path) -> None:
    data = real_torrent(tmp_path, V1)
    source = parse_torrent(data)
    assert (source.infohash_v1, source.infohash_v2) == (infohashes(data)[0], None)
    assert (source.name, source.size, source.private) == ("show", 100_005, False)
    assert set(source.files or ()) == FILES
    assert source.magnet == f"magnet:?xt=urn:btih:{source.infohash_v1}&dn=show"


def test_a_v2_torrent_is_understood_and_its_padding_does_not_count(tmp_path: Path) -> None:
    data = real_torrent(tmp_path, V2)
    source = parse_torrent(data)
    assert (source.infohash_v1, source.infohash_v2) == (None, infohashes(data)[1])
    assert (source.size, set(source.files or ())) == (100_005, FILES)
    assert source.magnet == f"magnet:?xt=urn:btmh:1220{source.infohash_v2}&dn=show"


def test_a_hybrid_torrent_has_both_infohashes(tmp_path: Path) -> None:
    data = real_torrent(tmp_path, HYBRID)
    source = parse_torrent(data)
    assert (source.infohash_v1, source.infohash_v2) == infohashes(data)
    assert (source.size, set(source.files or ())) == (100_005, FILES)
    assert f"xt=urn:btih:{source.infohash_v1}&xt=urn:btmh:1220{source.infohash_v2}&" in source.magnet


@pytest.mark.parametrize("flags", [V1, V2, HYBRID])
def test_the_rebuilt_torrent_is_the_same_torrent(tmp_path: Path, flags: Any) -> None:
    source = parse_torrent(real_torrent(tmp_path, flags, tracker=TRACKER))
    assert source.metainfo is not None
    assert parse_torrent(source.metainfo) == source


def test_a_private_torrent_keeps_its_tracker_with_the_passkey(tmp_path: Path) -> None:
    announce = "https://tracker.example.org/announce?passkey=s3cret"
    source = parse_torrent(real_torrent(tmp_path, V1, tracker=announce, private=True))
    assert (source.private, source.trackers) == (True, (announce,))
    assert uploaded(source)[b"announce"] == announce.encode()
    assert "s3cret" not in repr(source)


def test_only_the_vetted_keys_are_uploaded() -> None:
    outside = {
        "announce": TRACKER,
        "url-list": ["http://127.0.0.1/"],
        "httpseeds": ["http://127.0.0.1/"],
        "nodes": [["127.0.0.1", 6881]],
        "comment": "hello",
        "created by": "somebody",
        "piece layers": {},
    }
    source = parse_torrent(single_file(outside=outside))
    assert uploaded(source).keys() == {b"info", b"announce", b"announce-list"}


def test_the_info_is_uploaded_byte_for_byte() -> None:
    data = single_file({b"source": b"somewhere", b"x": [1, {b"y": b"z"}]})
    source = parse_torrent(data)
    assert source.infohash_v1 == infohashes(data)[0]
    assert uploaded(source) == bencode2.bdecode(data)


def test_trackers_keep_their_tiers_and_lose_those_in_our_network() -> None:
    outside = {
        "announce": "http://127.0.0.1/announce",
        "announce-list": [
            ["http://a.example.org/announce", "http://192.168.1.1/announce"],
            ["http://localhost/announce"],
            ["udp://b.example.org:6969", "http://a.example.org/announce"],
        ],
    }
    source = parse_torrent(single_file(outside=outside))
    rebuilt = uploaded(source)
    assert rebuilt[b"announce-list"] == [[b"http://a.example.org/announce"], [b"udp://b.example.org:6969"]]
    assert rebuilt[b"announce"] == b"http://a.example.org/announce"
    assert source.trackers == ("http://a.example.org/announce", "udp://b.example.org:6969")


def test_a_torrent_whose_trackers_are_all_refused_is_accepted_without_any() -> None:
    source = parse_torrent(single_file(outside={"announce": "http://127.0.0.1/announce"}))
    assert uploaded(source).keys() == {b"info"}


def test_trackers_are_few_however_many_are_listed() -> None:
    listed = [[f"http://t{number}.example.org/announce"] for number in range(1000)]
    assert len(parse_torrent(single_file(outside={"announce-list": listed})).trackers) == 20


@pytest.mark.parametrize(
    "outside",
    [
        {"announce": 5},
        {"announce": b"\xff\xfe"},
        {"announce-list": 5},
        {"announce-list": [5, [7, {}], []]},
        {"piece layers": 5},
    ],
)
def test_keys_of_the_wrong_type_outside_info_are_dropped(outside: dict[str, Any]) -> None:
    source = parse_torrent(single_file(outside=outside))
    assert uploaded(source).keys() == {b"info"}


def test_paths_that_climb_are_reported_as_the_engine_will_store_them() -> None:
    files = [{b"length": 5, b"path": [b"..", b"..", b"etc", b"passwd"]}]
    source = parse_torrent(single_file({b"files": files, b"length": None}))
    assert source.files == (("name/_/_/etc/passwd", 5),)


def test_a_name_that_reorders_text_is_shown_plain() -> None:
    source = parse_torrent(single_file({b"name": "gpj\u202e.exe\n\x1b[31m".encode()}))
    assert "\u202e" not in source.name
    assert "\x1b" not in source.name
    assert "\n" not in source.name


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", "empty", "empty"),
        (b" \r\n", "empty", "empty"),
        (b"<!DOCTYPE html><html>Please log in</html>", "web_page", "web page"),
        (b"\xef\xbb\xbf\n <html>", "web_page", "web page"),
        (b"magnet:?xt=urn:btih:", "not_a_torrent", "not a .torrent file"),
        (b"le", "not_a_torrent", "not a .torrent file"),
        (b"dying words", "damaged", "damaged or incomplete"),
        (single_file()[:-1], "damaged", "damaged or incomplete"),
        (single_file()[:-30], "damaged", "damaged or incomplete"),
        (b"d4:info99999999:", "damaged", "damaged"),
        (b"d4:info9999999999999999999:", "damaged", "damaged"),
        (b"d4:infoi" + b"9" * 5000 + b"ee", "damaged", "damaged"),
        (single_file() + b"\n", "not_canonical", "nothing after the end"),
        (single_file() * 2, "not_canonical", "nothing after the end"),
        (b"d1:b0:1:a0:e", "not_canonical", "keys sorted"),
        (b"d4:infod1:ai1ee4:infod1:bi1eee", "not_canonical", "sorted and unique"),
        (b"d4:infod1:ai1e1:ai2eee", "not_canonical", "unique"),
        (b"d4:infoi01ee", "not_canonical", "form"),
        (b"d4:infoi-0ee", "not_canonical", "form"),
        (b"d04:infodee", "not_canonical", "form"),
        (b"di1ei1ee", "not_canonical", "form"),
        (b"de", "no_info", "no info"),
        (b"d4:infoi1ee", "no_info", "no info"),
        (b"d4:infolee", "no_info", "no info"),
        (b"d4:info0:e", "no_info", "no info"),
        (single_file({b"name": 5}), "malformed", "missing name"),
        (single_file({b"name": b""}), "malformed", "missing name"),
        (single_file({b"pieces": 5}), "malformed", "pieces"),
        (single_file({b"pieces": b"x" * 19}), "malformed", "number of piece hashes"),
        (single_file({b"pieces": None}), "malformed", "pieces"),
        (single_file({b"length": None}), "malformed", "length"),
        (single_file({b"length": -1}), "malformed", "length"),
        (single_file({b"length": 2**62}), "malformed", "length"),
        (single_file({b"piece length": 0}), "malformed", "piece length"),
        (single_file({b"piece length": b"1"}), "malformed", "piece length"),
        (single_file({b"files": [], b"length": None}), "malformed", "no files"),
        (single_file({b"files": {}, b"length": None}), "malformed", "length"),
        (single_file({b"files": [5], b"length": None}), "malformed", "."),
        (single_file({b"files": [{b"length": 5, b"path": []}], b"length": None}), "malformed", "name"),
        (single_file({b"files": [{b"length": 5, b"path": 5}], b"length": None}), "malformed", "name"),
        (
            single_file({b"files": [{b"attr": b"p", b"length": 5, b"path": [b"a"]}], b"length": None}),
            "no_files",
            "only padding",
        ),
        (
            single_file({b"length": 2**27 * 400_000, b"piece length": 2**27, b"pieces": b"x" * 8_000_000}),
            "malformed",
            "invalid length",
        ),
        (single_file({b"meta version": 3}), "malformed", "meta version"),
        (single_file({b"file tree": 5, b"meta version": 2}), "malformed", "file tree"),
        (b"d" + b"x" * MAX_TORRENT_BYTES, "file_too_large", "10 MiB"),
        (many_files(MAX_FILES + 1), "too_many_files", "20,000"),
        (many_files(100_000), "too_many_files", "20,000"),
        (many_files(10, (b"x",) * 300), "malformed", "directory structure"),
        (b"d1:al" + b"de" * 5_000_000 + b"ee", "too_many_files", "20,000"),
        (b"d1:al" + b"0:" * 5_000_000 + b"ee", "too_many_files", "20,000"),
    ],
    ids=lambda value: value[:24].decode("ascii", "replace") if isinstance(value, bytes) else "",
)
def test_a_bad_file_is_refused_with_a_sentence(data: bytes, code: str, words: str) -> None:
    error = refusal(data)
    assert error.code == code
    assert words in str(error)
    assert str(error).endswith(".")


@pytest.mark.parametrize("levels", [101, 1000, 100_000, 1_000_000, 5_000_000])
@pytest.mark.parametrize("level", [b"l", b"d1:a", b"d0:"])
@pytest.mark.parametrize("closed", [True, False])
def test_deep_nesting_is_refused_at_once(levels: int, level: bytes, closed: bool) -> None:
    levels = min(levels, (MAX_TORRENT_BYTES - 20) // (len(level) + closed))
    deep = level * levels + (b"de" + b"e" * levels if closed else b"")
    assert refusal(b"d4:info" + deep + b"e").code == "too_deep"


def test_as_many_files_as_allowed_are_accepted() -> None:
    source = parse_torrent(many_files(MAX_FILES))
    assert len(source.files or ()) == MAX_FILES


@pytest.mark.parametrize("layers", [None, {}, 5, {b"z" * 32: b"z" * 64}])
@pytest.mark.parametrize("flags", [V2, HYBRID])
def test_a_v2_torrent_without_its_piece_layers_is_refused(tmp_path: Path, flags: Any, layers: Any) -> None:
    content = bencode2.bdecode(real_torrent(tmp_path, flags))
    del content[b"piece layers"]
    if layers is not None:
        content[b"piece layers"] = layers
    assert refusal(bencode2.bencode(content)).code in {"no_piece_layers", "malformed"}


@pytest.mark.parametrize("flags", [V2, HYBRID])
def test_a_v2_torrent_with_wrong_piece_layers_is_refused(tmp_path: Path, flags: Any) -> None:
    content = bencode2.bdecode(real_torrent(tmp_path, flags))
    layers = content[b"piece layers"]
    content[b"piece layers"] = {root: bytes(len(layer)) for root, layer in layers.items()}
    assert "piece layer is invalid" in str(refusal(bencode2.bencode(content)))


def test_a_hybrid_whose_two_halves_differ_is_refused(tmp_path: Path) -> None:
    content = bencode2.bdecode(real_torrent(tmp_path, HYBRID))
    content[b"info"][b"files"][0][b"path"] = [b"other.mkv"]
    assert "does not match" in str(refusal(bencode2.bencode(content)))
