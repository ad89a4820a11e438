"""vet_tracker(): the engine announces to whatever it is told, from inside our network."""

import pytest

from torrents.metainfo import merge_trackers, vet_tracker


@pytest.mark.parametrize(
    ("url", "vetted"),
    [
        ("http://tracker.example.org/announce", "http://tracker.example.org/announce"),
        (
            "https://tracker.example.org:8443/k3y/announce?a=b",
            "https://tracker.example.org:8443/k3y/announce?a=b",
        ),
        ("udp://tracker.example.org:1337", "udp://tracker.example.org:1337"),
        ("udp://tracker.example.org:1337/announce", "udp://tracker.example.org:1337/announce"),
        (" HTTP://Tracker.Example.ORG/Announce#x\n", "http://tracker.example.org/Announce"),
        ("http://tracker.example.org./announce", "http://tracker.example.org/announce"),
        ("http://xn--bcher-kva.example/announce", "http://xn--bcher-kva.example/announce"),
        ("http://1.1.1.1:80/announce", "http://1.1.1.1:80/announce"),
        ("http://[2606:4700::1111]:80/announce", "http://[2606:4700::1111]:80/announce"),
        ("http://tracker.example.org/a..b/...?x=..", "http://tracker.example.org/a..b/...?x=.."),
        ("http://local.example.org/", "http://local.example.org/"),
    ],
)
def test_a_public_tracker_is_kept(url: str, vetted: str) -> None:
    assert vet_tracker(url) == vetted


@pytest.mark.parametrize(
    "url",
    [
        "",
        "tracker.example.org",
        "//tracker.example.org/announce",
        "http:///announce",
        "http://[::1",
        "wss://tracker.example.org",
        "file:///etc/passwd",
        "ftp://tracker.example.org/",
        "http://user:word@tracker.example.org/announce",
        "http://@tracker.example.org/announce",
        "http://tracker.example.org@127.0.0.1/announce",
        "http://localhost/announce",
        "http://LOCALHOST./announce",
        "http://tracker/announce",
        "http://tracker.localhost/announce",
        "http://printer.local/announce",
        "http://metadata.google.internal/announce",
        "http://box.localdomain/announce",
        "http://nas.home.arpa/announce",
        "http://router.lan/announce",
        "http://127.0.0.1/announce",
        "http://127.0.0.1./announce",
        "http://10.0.0.1/announce",
        "http://169.254.169.254/announce",
        "http://192.0.0.192/announce",
        "http://0.0.0.0/announce",
        "http://0/announce",
        "http://127.1/announce",
        "http://2130706433/announce",
        "http://0x7f000001/announce",
        "http://0x7f.1/announce",
        "http://0177.0.0.1/announce",
        "http://1.1.1.0x1/announce",
        "http://[::1]/announce",
        "http://[::ffff:127.0.0.1]/announce",
        "http://[::127.0.0.1]/announce",
        "http://[64:ff9b::7f00:1]/announce",
        "http://[2002:7f00:1::]/announce",
        "http://[fe80::1%25eth0]/announce",
        "http://１２７.0.0.1/announce",
        "http://127。0。0。1/announce",
        "http://bücher.example/announce",
        "http://tracker%2eexample.org/announce",
        "http://tracker..example.org/announce",
        "http://.example.org/announce",
        "http://tracker.example.org:0/announce",
        "http://tracker.example.org:65536/announce",
        "http://tracker.example.org:http/announce",
        "udp://tracker.example.org",
        "http://tracker.example.org/announce/../api/v2/app/shutdown",
        "http://tracker.example.org/announce/..",
        "http://tracker.example.org/announce/%2e%2e/api",
        "http://tracker.example.org/announce/%2E./api",
        "http://tracker.example.org/announce%2f..%2fapi",
        "http://tracker.example.org/announce/%252e%252e/api",
        "http://tracker.example.org/announce/..;x/api",
        "http://tracker.example.org/announce/..%5capi",
        "http://tracker.example.org/" + "%25" * 5 + "252525252e",
        "http://tracker.example.org\\@127.0.0.1/announce",
        "http://tracker.example.org/a b",
        "http://tracker.example.org/a\nhttp://127.0.0.1/",
        "http://tracker.example.org/a\x00",
        "http://tracker.example.org/" + "x" * 1000,
    ],
)
def test_what_is_no_public_tracker_is_dropped(url: str) -> None:
    assert vet_tracker(url) is None


def test_merging_keeps_the_order_and_each_tracker_once() -> None:
    assert merge_trackers(("a", "b"), ("c", "b", "d")) == ("a", "b", "c", "d")


def test_merging_ends_at_a_hundred() -> None:
    assert len(merge_trackers(map(str, range(90)), map(str, range(50, 200)))) == 100
