"""Taking out of text what opens something, or says who somebody is. Pure.

Two nets: values that are known to be secret, wherever they stand; and forms that secrets have. The second takes too
much rather than too little.
"""

import base64
import ipaddress
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

SHORTEST_SECRET = 6  # characters: a shorter one is part of too many words

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_REVEALING_NAMES = (
    r"pass(?:word|wd|phrase|key)?|pwd|secret|token|api[_-]?key|auth(?:[_-]?key)?|rss[_-]?key|access[_-]?key"
    r"|private[_-]?key|credential|session(?:id)?|csrf\w*|sid|cookie"
)
# Between a name and its value: as in a file, a log, JSON (also JSON within JSON), a row, Python, an encoded address.
_BETWEEN = r"""(?:\\{0,3}["']\s*,|(?:\\{0,3}["'])?\s*(?:=>|:=|==|[:=]|%3[AD]))\s*"""
# In quotes, escaped quotes or none; where there are none it may hold spaces. It may be cut off, too.
_VALUE = (
    r"""(?:\\+(?:"[^"\n]*"?|'[^'\n]*'?)|[bu]?"(?:\\.|[^"\\\n])*"?|[bu]?'(?:\\.|[^'\\\n])*'?"""
    r"""|[^"'\s,;&}](?:[^\n,;&}]|[,;}](?![\s"'}\])]|$))*)"""
)
_COLON, _SLASH = r"(?::|%(?:25)*3A)", r"(?:\\*/|%(?:25)*2F)"

# What it is called, how it looks, and what stands in its place. In this order: the later ones see what is left.
_FORMS: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("keys", re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)", re.DOTALL), "[KEY]"),
    ("keys", re.compile(r"AGE-SECRET-KEY-1[0-9a-z]*", re.IGNORECASE), "[KEY]"),
    ("hashes of passwords", re.compile(r"\b(?:argon2|pbkdf2_|scrypt|bcrypt)[^\s\"']*\$[^\s\"']+"), "[HASH]"),
    ("magnets", re.compile(rf"magnet{_COLON}(?:\?|%(?:25)*3F)[^\s\"'<>]*", re.IGNORECASE), "[MAGNET]"),
    # PostgreSQL quotes the values that it refuses: these may be anything.
    ("values of rows", re.compile(r"(\bFailing row contains )\([^\n]*"), r"\1[REDACTED]"),
    ("values of rows", re.compile(r"(\bKey \([^\n]{0,200}?\)=)\([^\n]*"), r"\1[REDACTED]"),
    ("values of rows", re.compile(r"(\bparameter \$\d+ = )[^\n]*"), r"\1[REDACTED]"),
    ("passwords in addresses", re.compile(r"(:\\*/\\*/)[^\s\"'<>]{0,256}@"), r"\1[REDACTED]@"),
    (
        "passwords in addresses",
        re.compile(r"(?<![\w/.%+-])[\w.%+-]{1,64}:[^\s:@/\"']{1,256}@(?=[\w\[])"),
        "[REDACTED]@",
    ),
    # Passkeys stand in the path as often as in the query: only where it leads is left.
    (
        "addresses of the web",
        re.compile(
            r"\b([a-z][a-z0-9+.-]{0,20}):\\*/\\*/(?:[^\s/@\"'<>]*@)?([^\s/?#\"'<>@\\]*)[\\/?#][^\s\"'<>]*",
            re.IGNORECASE,
        ),
        r"\1://\2/[REDACTED]",
    ),
    (
        "addresses of the web",
        re.compile(rf"\b[a-z][a-z0-9+.-]{{0,20}}{_COLON}{_SLASH}{{2}}[^\s\"'<>]*%[^\s\"'<>]*", re.IGNORECASE),
        "[REDACTED]",
    ),
    ("paths of addresses", re.compile(r"(\burl[\"']?\s*[:=]\s*[\"']?)/[^\s\"'<>]+"), r"\1/[REDACTED]"),
    ("signed links", re.compile(r"(/links/)[^/?\s\"']+"), r"\1[REDACTED]"),
    ("queries", re.compile(r"(?<=[\w/])\?[^\s\"'=]{1,200}=[^\s\"']*"), "?[REDACTED]"),
    (
        "headers",
        re.compile(
            r"\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key)(\\{0,3}[\"']\s*,|(?:\\{0,3}[\"'])?\s*[:=])"
            r"[^\n]*",
            re.IGNORECASE,
        ),
        r"\1\2 [REDACTED]",
    ),
    ("tokens", re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE), r"\1 [REDACTED]"),
    ("tokens", re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"), "[TOKEN]"),
    (
        "named secrets",
        re.compile(rf"((?:{_REVEALING_NAMES}){_BETWEEN}){_VALUE}", re.IGNORECASE),
        r"\1[REDACTED]",
    ),
    (
        "named secrets",
        re.compile(rf"((?<!\S)--?[\w-]{{0,40}}(?:{_REVEALING_NAMES})[ \t]+)(?!-)\S+", re.IGNORECASE),
        r"\1[REDACTED]",
    ),
    (
        "named secrets",
        re.compile(rf"(<[\w:-]{{0,40}}(?:{_REVEALING_NAMES})[^<>\n]{{0,40}}>)[^<\n]+", re.IGNORECASE),
        r"\1[REDACTED]",
    ),
    ("e-mail addresses", re.compile(r"[\w.+%-]{1,64}@[\w-]+(?:\.[\w-]+)+"), "[E-MAIL]"),
    # As the box makes them: accounts.services.generate_password.
    (
        "passwords",
        re.compile(r"(?<![\w-])[a-hjkmnp-z2-9]{4}(?:-[a-hjkmnp-z2-9]{4}){3}(?![\w-])"),
        "[PASSWORD]",
    ),
    # Infohashes and passkeys, whatever they are glued to.
    ("long random text", re.compile(r"(?<![0-9a-f])[0-9a-f]{32,}(?![0-9a-f])", re.IGNORECASE), "[REDACTED]"),
)
_LONG = re.compile(r"(?<![\w-])[\w-]{24,}(?![\w-])", re.ASCII)
_BASE64 = re.compile(r"(?<![\w+/-])[A-Za-z0-9+/]{32,}={0,2}")
_IP = re.compile(
    r"(?<![\w.:])[0-9a-f]{0,4}:[0-9a-f:]{1,40}(?:\.\d{1,3}){0,3}(?![\w:]|\.\d)"
    r"|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)",
    re.IGNORECASE,
)


class Redactor:
    """`removed` counts what was taken out, by kind."""

    def __init__(self, *, secrets: Iterable[str] = (), people: Mapping[str, str] | None = None) -> None:
        """`secrets` are values; `people` has what stands in place of each name, which is looked for in any case."""
        self.removed: Counter[str] = Counter()
        written = {form for secret in secrets for form in _written(secret)}
        self._secrets = _any_of(written)
        self._people = {name.lower(): alias for name, alias in (people or {}).items()}
        self._names = _any_of(self._people, whole_words=True)

    def text(self, text: str) -> str:
        text = self._replaced("known secrets", self._secrets, lambda match: "[REDACTED]", text)
        for kind, pattern, instead in _FORMS:
            text, count = pattern.subn(instead, text)
            self._count(kind, count)
        text = self._replaced("long random text", _LONG, _without_random, text)
        text = self._replaced("long random text", _BASE64, _without_base64, text)
        text = self._replaced("internet addresses", _IP, _without_address, text)
        return self._replaced("user names", self._names, lambda match: self._people[match[0].lower()], text)

    def value(self, value: Any) -> Any:
        """The same for all strings in what becomes JSON; the names of its fields stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {name: self.value(held) for name, held in value.items()}
        if isinstance(value, Iterable):
            return [self.value(held) for held in value]
        return value

    def _replaced(
        self,
        kind: str,
        pattern: re.Pattern[str] | None,
        instead: Callable[[re.Match[str]], str],
        text: str,
    ) -> str:
        if pattern is None:
            return text
        count = 0

        def replaced(match: re.Match[str]) -> str:
            nonlocal count
            new = instead(match)
            count += new != match[0]
            return new

        text = pattern.sub(replaced, text)
        self._count(kind, count)
        return text

    def _count(self, kind: str, count: int) -> None:
        if count:
            self.removed[kind] += count


def _written(secret: str) -> set[str]:
    """Line by line (a key file has several): as it is, and as addresses, Python, JSON and headers write it."""
    lines = {line.strip() for line in secret.splitlines()}
    forms = {form for line in lines if len(line) >= SHORTEST_SECRET for form in _spellings(line)}
    return {form for form in forms if len(form) >= SHORTEST_SECRET}


def _spellings(line: str) -> Iterator[str]:
    yield from (line, quote(line, safe=""), quote_plus(line))
    yield from (repr(line)[1:-1], json.dumps(line)[1:-1], json.dumps(line, ensure_ascii=False)[1:-1])
    yield base64.b64encode(line.encode(errors="replace")).decode().rstrip("=")


def _any_of(words: Iterable[str], *, whole_words: bool = False) -> re.Pattern[str] | None:
    longest_first = "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))
    if not longest_first:
        return None
    if whole_words:
        return re.compile(rf"(?<![\w])(?:{longest_first})(?![\w])", re.IGNORECASE)
    return re.compile(longest_first)


def _without_random(match: re.Match[str]) -> str:
    """Infohashes, passkeys, tokens; not the ids of our rows, and not long names of code."""
    text = match[0]
    if _UUID.fullmatch(text) or not re.search(r"\d", text):
        return text
    mixed = re.search(r"[a-z]", text) and re.search(r"[A-Z]", text)
    return "[REDACTED]" if mixed or (len(text) >= 32 and text.isalnum()) else text


def _without_base64(match: re.Match[str]) -> str:
    """Keys of clouds hold slashes; paths hold few capital letters."""
    text = match[0]
    capitals = sum(sign.isupper() for sign in text)
    return "[REDACTED]" if capitals * 6 > len(text) and re.search(r"[a-z]", text) else text


def _without_address(match: re.Match[str]) -> str:
    """Only of people and machines on the internet: a loopback or private address says nothing of anybody."""
    try:
        address = ipaddress.ip_address(match[0])
    except ValueError:
        return match[0]
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return "[ADDRESS]" if (mapped or address).is_global else match[0]
