"""What people and their programs call a device or a key."""

from accounts.models import DEVICE_NAME_LENGTH


def plain_name(text: str) -> str:
    """What a client calls itself, without anything that moves a cursor."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(printable.split())[:DEVICE_NAME_LENGTH]
