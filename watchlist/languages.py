"""Which languages a release states, however it writes them. Pure."""

import re
from collections.abc import Iterable

# As release names and people write them, folded. "Multiple subtitles" and the like say nothing about one of them.
_WRITTEN = {
    "en": "english eng en engsub engdub",
    "ja": "japanese jpn jap jp ja 日本語 日 日语 日語",
    "zh-hans": "chs sc gb 简 简体 简中 簡 chinese-simplified zh-hans zh-cn",
    "zh-hant": "cht tc big5 繁 繁体 繁體 繁中 chinese-traditional zh-hant zh-tw",
    "de": "german deutsch ger deu de gersub gerdub vostde",
    "fr": "french français francais fre fra fr vostfr vf vff subfrench truefrench",
    "es": "spanish español espanol castellano esp spa es latino es-la es-419",
    "it": "italian italiano ita it",
    "pt": "portuguese português portugues por pt pt-br por-br ptbr",
    "ru": "russian русский rus ru",
    "pl": "polish polski pol pl",
    "nl": "dutch nederlands nld dut nl",
    "sv": "swedish svenska swe sv",
    "ar": "arabic العربية ara ar",
    "hi": "hindi hin hi",
    "id": "indonesian bahasa ind id",
    "ko": "korean 한국어 kor ko",
    "th": "thai ไทย tha th",
    "tr": "turkish türkçe turkce tur tr",
    "vi": "vietnamese vie vi",
}
_BY_WORD = {word: language for language, words in _WRITTEN.items() for word in words.split()}
_CHINESE = {"zh-hans", "zh-hant"}
_WIDER = {
    "chinese": _CHINESE,
    "chi": _CHINESE,
    "zho": _CHINESE,
    "zh": _CHINESE,
    "中文": _CHINESE,
    "中": _CHINESE,
}
_HAN = re.compile(r"[简簡繁日中][体體中]?")
_SEPARATORS = re.compile(r"[\s_.]+")


def languages(written: Iterable[str]) -> frozenset[str]:
    """By codes, where they are known: `["VOSTFR"]` is `{"fr"}`, `["简繁日"]` three of them; else as written, folded."""
    found: set[str] = set()
    for text in written:
        folded = _SEPARATORS.sub("-", text.strip().casefold())
        if folded in _WIDER:
            found |= _WIDER[folded]
        elif folded in _BY_WORD:
            found.add(_BY_WORD[folded])
        elif _HAN.sub("", folded) == "" != folded:
            for part in _HAN.findall(folded):
                found |= _WIDER.get(part) or {_BY_WORD[part[0]]}
        elif folded:
            found.add(folded)
    return frozenset(found)
