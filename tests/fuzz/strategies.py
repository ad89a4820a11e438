"""What hostile people send."""

import json
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

HOSTS_OF_THIS_MACHINE = [
    "127.0.0.1",
    "localhost",
    "LOCALHOST.",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0.0.0.0",
    "127。0。0。1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::]",
    "user:word@127.0.0.1",
]
TEXTS = [
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "\udfff\ud800",
    "\u202egpj.exe",
    "\u200b",
    "\x1b[2J\x07",
    "a\r\nSet-Cookie: b=c",
    "e\u0301" * 50,
    "\ufdfa" * 64,
    "İ" * 64,
    "🏴\U000e0067\U000e007f",
    "%00",
    "%",
    "../../etc/passwd",
    "..\\..\\x",
    "/etc/passwd",
    "' OR 1=1 --",
    "{{7*7}}${7*7}",
    "<script>alert(1)</script>",
    "%s%n",
    "null",
    "NaN",
    "-0",
    "1e999",
    "٣",
    "0x10",
    "x" * 70_000,
]
NUMBERS = [0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**400, 0.1, -0.0, 1e308]

text = st.sampled_from(TEXTS) | st.text(st.characters(), max_size=30)
number = st.sampled_from(NUMBERS) | st.integers() | st.floats()
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | number | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)
# Not what any value is written as.
NO_JSON = [
    b"",
    b" ",
    b"{",
    b'{"source"',
    b"[" * 100_000,
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    b"[" * 400 + b"]" * 400,
    b"9" * 100_000,
    b'{"source": ' + b"9" * 5000 + b"}",
    b"-",
    b"1e9999",
    b'"\\ud800"',
    b'{"\\u0000": "\\u0000"}',
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b'{"label": "\xff"}',
    b"{}" * 2,
    b"\0",
    b"nul",
]


def urls_of_this_machine(port: int) -> st.SearchStrategy[str]:
    path = st.text(max_size=9)
    return st.builds("http://{}:{}/{}".format, st.sampled_from(HOSTS_OF_THIS_MACHINE), st.just(port), path)


def magnets() -> st.SearchStrategy[str]:
    infohash = st.text("0123456789abcdef", min_size=40, max_size=40)
    return st.builds("magnet:?xt=urn:btih:{}&dn={}".format, infohash, st.text(max_size=20))


@st.composite
def json_bodies(draw: st.DrawFn, fields: list[str]) -> bytes:
    """An object with some of these fields, one of them perhaps twice; or something that is none."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from(NO_JSON))
    names = st.sampled_from(fields or ["x"]) | text
    pairs = draw(st.lists(st.tuples(names, values), max_size=4))
    return ("{" + ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in pairs) + "}").encode()


def in_an_address(value: str) -> str:
    """Percent-encoded, lone surrogates too, as only a hostile client does it."""
    return quote(value.encode("utf-8", "surrogatepass"), safe="")
