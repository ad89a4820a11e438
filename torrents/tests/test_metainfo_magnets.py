"""parse_magnet(): what is kept of a link, and what is refused."""

import base64
from urllib.parse import quote

import pytest

from torrents.metainfo import MetainfoError, build_magnet, parse_magnet

V1 = "0123456789abcdef0123456789abcdef01234567"
V2 = "0123456789abcdef" * 4
BASE32 = base64.b32encode(bytes.fromhex(V1)).decode()
MAGNET = f"magnet:?xt=urn:btih:{V1}"


def refusal(text: str) -> MetainfoError:
    with pytest.raises(MetainfoError) as caught:
        parse_magnet(text)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        MAGNET,
        f"MAGNET:?XT=URN:BTIH:{V1.upper()}",
        f"magnet:?xt=urn:btih:{BASE32}",
        f"magnet:?xt=urn:btih:{BASE32.lower()}",
        f"magnet:?xt.1=urn:btih:{V1}",
        f"magnet:?xt=urn%3Abtih%3A{V1}",
        f"magnet:?xt=urn:btih:{V1}&xt=urn:btih:{BASE32}",
        f"magnet:?dn=&xt=urn:tree:tiger:ABC&xt=urn:btih:{V1}&&=&x",
        f"\n  {MAGNET}\r\n",
    ],
)
def test_a_v1_infohash_is_read_in_every_spelling(text: str) -> None:
    source = parse_magnet(text)
    assert (source.infohash_v1, source.infohash_v2) == (V1, None)
    assert source.magnet == MAGNET


def test_a_v2_infohash_is_read() -> None:
    source = parse_magnet(f"magnet:?xt=urn:btmh:1220{V2.upper()}")
    assert (source.infohash_v1, source.infohash_v2) == (None, V2)


@pytest.mark.parametrize("keys", [("xt", "xt"), ("xt.1", "xt.2")])
def test_a_hybrid_has_both_infohashes(keys: tuple[str, str]) -> None:
    source = parse_magnet(f"magnet:?{keys[0]}=urn:btmh:1220{V2}&{keys[1]}=urn:btih:{V1}")
    assert (source.infohash_v1, source.infohash_v2) == (V1, V2)
    assert source.magnet == f"magnet:?xt=urn:btih:{V1}&xt=urn:btmh:1220{V2}"


def test_what_a_magnet_does_not_say_is_unknown() -> None:
    source = parse_magnet(MAGNET)
    assert (source.name, source.private, source.size, source.files, source.metainfo) == (
        "",
        None,
        None,
        None,
        None,
    )


@pytest.mark.parametrize(
    "extra",
    [
        "ws=http://127.0.0.1/",
        "xs=http://127.0.0.1/x.torrent",
        "as=http://127.0.0.1/",
        "x.pe=127.0.0.1:22",
        "so=0-2",
        "kt=word",
        "xl=5",
        "mt=http://127.0.0.1/",
        "tr=http://127.0.0.1/announce",
        "tr=http%3A%2F%2Ftracker.example.org%2Fannounce%0Ahttp%3A%2F%2F127.0.0.1%2F",
    ],
)
def test_parameters_that_make_the_engine_talk_to_others_are_dropped(extra: str) -> None:
    assert parse_magnet(f"{MAGNET}&{extra}").magnet == MAGNET


def test_the_name_is_decoded_and_cleaned() -> None:
    name = quote("  日本 \u202e<b>\n\x00\u200b e\u0301  ")
    assert parse_magnet(f"{MAGNET}&dn={name}").name == "日本 <b> \u00e9"


def test_a_plus_in_the_name_is_a_space() -> None:
    assert parse_magnet(f"{MAGNET}&dn=one+two%2B").name == "one two+"


def test_the_name_cannot_add_parameters_to_the_rebuilt_magnet() -> None:
    source = parse_magnet(f"{MAGNET}&dn=a%26ws%3Dhttp%3A%2F%2F127.0.0.1%0A")
    assert source.magnet == f"{MAGNET}&dn=a%26ws%3Dhttp%3A%2F%2F127.0.0.1"


def test_trackers_are_vetted_and_listed_once() -> None:
    good = "https://tracker.example.org/announce?passkey=1"
    links = "".join(f"&{key}={quote(good, safe='')}" for key in ("tr", "tr.1", "TR"))
    source = parse_magnet(f"{MAGNET}{links}&tr=http://localhost/announce")
    assert source.trackers == (good,)
    assert source.magnet == f"{MAGNET}&tr={quote(good, safe='')}"


def test_at_most_twenty_trackers_are_kept() -> None:
    links = "".join(f"&tr=udp://t{number}.example.org:80" for number in range(100))
    assert len(parse_magnet(MAGNET + links).trackers) == 20


def test_a_rebuilt_magnet_reads_the_same() -> None:
    source = parse_magnet(f"{MAGNET}&xt=urn:btmh:1220{V2}&dn=日本&tr=udp://t.example.org:80")
    assert parse_magnet(source.magnet) == source


def test_passkeys_stay_out_of_the_repr() -> None:
    assert "s3cret" not in repr(parse_magnet(f"{MAGNET}&tr=http://t.example.org/s3cret/announce"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not_a_magnet"),
        ("one piece", "not_a_magnet"),
        (V1, "not_a_magnet"),
        ("https://example.org/?magnet:?xt=", "not_a_magnet"),
        ("magnet:", "not_a_magnet"),
        ("magnet:?", "no_infohash"),
        ("magnet:?dn=name", "no_infohash"),
        ("magnet:?xt=", "no_infohash"),
        (f"magnet:?xt={V1}", "no_infohash"),
        ("magnet:?xt=urn:ed2k:31D6CFE0D16AE931B73C59D7E0C089C0", "no_infohash"),
        ("magnet:?xt=urn:btih:", "bad_infohash"),
        (f"magnet:?xt=urn:btih:{V1[:-1]}", "bad_infohash"),
        (f"magnet:?xt=urn:btih:{V1}0", "bad_infohash"),
        (f"magnet:?xt=urn:btih:{V1[:-1]}g", "bad_infohash"),
        (f"magnet:?xt=urn:btih:{V1}%0a", "bad_infohash"),
        (f"magnet:?xt=urn:btih:{V1}%00", "bad_infohash"),
        ("magnet:?xt=urn:btih:" + "１" * 40, "bad_infohash"),
        ("magnet:?xt=urn:btih:" + "0" * 40, "bad_infohash"),
        ("magnet:?xt=urn:btih:" + "a" * 32, "bad_infohash"),  # base32 of zeros
        (f"magnet:?xt=urn:btih:{BASE32[:-1]}1", "bad_infohash"),
        (f"magnet:?xt=urn:btih:{V2}", "bad_infohash"),
        (f"magnet:?xt=urn:btmh:{V2}", "bad_infohash"),
        (f"magnet:?xt=urn:btmh:1120{V2}", "bad_infohash"),
        ("magnet:?xt=urn:btmh:1220" + "0" * 64, "bad_infohash"),
        (f"{MAGNET}&xt=urn:btih:{'f' * 40}", "several_infohashes"),
        (f"magnet:?xt=urn:btmh:1220{V2}&xt=urn:btmh:1220{'f' * 64}", "several_infohashes"),
        (f"{MAGNET}\n{MAGNET}", "control_character"),
        (f"{MAGNET}\r&dn=x", "control_character"),
        (f"{MAGNET}&dn=\x00", "control_character"),
        (f"{MAGNET}&dn=a\u2028b", "control_character"),
        (f"{MAGNET}&dn=\ud800", "control_character"),
        (f"{MAGNET}&dn=" + "x" * 20_000, "magnet_too_long"),
    ],
)
def test_a_bad_link_is_refused_with_a_sentence(text: str, code: str) -> None:
    error = refusal(text)
    assert error.code == code
    assert len(str(error)) < 250


def test_a_magnet_is_not_built_without_an_infohash() -> None:
    with pytest.raises(ValueError, match="infohash"):
        build_magnet(infohash_v1=None, infohash_v2=None, name="x")
