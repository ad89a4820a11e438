"""Secrets in the database are of no use without the key, and survive a change of it."""

import pytest
from pytest_django import Settings

from proxy_site.encryption import Unreadable, decrypt, encrypt


@pytest.mark.parametrize("text", ["", "passkey", "naïve 圣女 \n" * 100])
def test_what_was_encrypted_can_be_read_again(text: str) -> None:
    assert decrypt(encrypt(text)) == text


def test_it_cannot_be_recognised() -> None:
    first, second = encrypt("passkey"), encrypt("passkey")
    assert "passkey" not in first
    assert first != second


def test_an_older_key_still_opens_what_it_wrote(settings: Settings) -> None:
    settings.SECRET_KEY = "the old one"
    written = encrypt("passkey")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the new one", ["the old one"]
    assert decrypt(written) == "passkey"


@pytest.mark.parametrize("written", ["plain", "gAAAAAB", "ü"])
def test_what_no_key_of_ours_wrote_is_not_read_and_the_words_say_what_to_do(written: str) -> None:
    with pytest.raises(Unreadable, match="SECRET_KEY_FALLBACKS"):
        decrypt(written)


def test_another_key_opens_nothing(settings: Settings) -> None:
    written = encrypt("passkey")
    settings.SECRET_KEY = "another one"
    with pytest.raises(Unreadable):
        decrypt(written)
