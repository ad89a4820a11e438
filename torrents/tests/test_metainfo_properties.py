"""Whatever comes in: a Source that holds what it promises, or MetainfoError, and soon."""

from typing import Any
from urllib.parse import quote

import bencode2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from torrents.metainfo import display_name, parse_magnet, parse_torrent, vet_tracker
from torrents.tests.metainfo_promises import check
from torrents.tests.metainfo_samples import real_torrent, single_file

BOUNDED = settings(
    max_examples=300, deadline=1000, suppress_health_check=[HealthCheck.too_slow], database=None
)

bencodable = st.recursive(
    st.integers(-(2**63), 2**63) | st.binary(max_size=60),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.binary(max_size=12), inner, max_size=4),
    max_leaves=12,
)
info_keys = st.sampled_from(
    [
        b"name",
        b"name.utf-8",
        b"length",
        b"files",
        b"pieces",
        b"piece length",
        b"private",
        b"meta version",
        b"file tree",
        b"root hash",
        b"similar",
        b"ssl-cert",
        b"symlink path",
    ]
)
outer_keys = st.sampled_from(
    ["announce", "announce-list", "nodes", "url-list", "piece layers", "creation date"]
)
file_entries = st.lists(
    st.fixed_dictionaries(
        {
            b"length": st.integers(-1, 10),
            b"path": st.lists(st.binary(max_size=10) | st.just(b".."), max_size=3),
        },
        optional={
            b"attr": st.sampled_from([b"p", b"l", b"x", b"h"]),
            b"symlink path": st.lists(st.binary(), max_size=2),
        },
    ),
    max_size=5,
)
magnet_values = st.one_of(
    st.text(max_size=60),
    st.text(max_size=60).map(lambda text: quote(text.encode("utf-8", "surrogatepass"))),
    st.from_regex(r"urn:btih:([0-9a-fA-F]{40}|[A-Z2-7]{32})", fullmatch=True),
    st.from_regex(r"urn:btmh:1220[0-9a-f]{64}", fullmatch=True),
    st.from_regex(r"(https?|udp)://[a-z0-9.:@\[\]%-]{1,30}/[a-z./%]{0,20}", fullmatch=True),
)
magnet_keys = st.sampled_from(["xt", "xt.1", "dn", "tr", "tr.2", "ws", "xs", "as", "x.pe", "so", ""])


@BOUNDED
@given(st.binary(max_size=300))
def test_random_bytes(data: bytes) -> None:
    check(parse_torrent, data)


@BOUNDED
@given(st.dictionaries(st.binary(max_size=12) | st.just(b"info"), bencodable, max_size=5))
def test_random_dictionaries(content: dict[bytes, Any]) -> None:
    check(parse_torrent, bencode2.bencode(content))


@BOUNDED
@given(
    st.dictionaries(info_keys, bencodable, max_size=3), st.dictionaries(outer_keys, bencodable, max_size=2)
)
def test_torrents_with_strange_values(info: dict[bytes, Any], outside: dict[str, Any]) -> None:
    check(parse_torrent, single_file(info, outside))


@BOUNDED
@given(file_entries, st.binary(min_size=1, max_size=20))
def test_torrents_with_strange_files(files: list[Any], name: bytes) -> None:
    check(parse_torrent, single_file({b"files": files, b"length": None, b"name": name}))


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return real_torrent(tmp_path_factory.mktemp("hybrid"), 0, tracker="udp://t.example.org:80")


@BOUNDED
@given(data=st.data())
def test_torrents_with_bytes_changed(hybrid: bytes, data: st.DataObject) -> None:
    mutated = bytearray(hybrid)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(mutated) - 1))
        cut = data.draw(st.integers(0, 3))
        mutated[at : at + cut] = data.draw(st.binary(max_size=3))
    check(parse_torrent, bytes(mutated))


@BOUNDED
@given(st.text(max_size=300) | st.text(max_size=200).map(lambda text: "magnet:?" + text))
def test_random_text(text: str) -> None:
    check(parse_magnet, text)


@BOUNDED
@given(st.lists(st.tuples(magnet_keys, magnet_values), max_size=8))
def test_random_magnets(parameters: list[tuple[str, str]]) -> None:
    check(parse_magnet, "magnet:?" + "&".join(f"{key}={value}" for key, value in parameters))


@BOUNDED
@given(st.text(max_size=400))
def test_a_shown_name_is_stable_and_one_line(text: str) -> None:
    shown = display_name(text)
    assert display_name(shown) == shown
    assert 0 < len(shown) <= 255
    assert len(shown.splitlines()) == 1


@BOUNDED
@given(st.text(max_size=100) | magnet_values)
def test_a_vetted_tracker_stays_as_it_is(url: str) -> None:
    vetted = vet_tracker(url)
    assert vetted is None or vet_tracker(vetted) == vetted
