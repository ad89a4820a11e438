"""The kinds of values that settings have, beside those that environs knows. Each says what is wrong in words."""

import ipaddress
import re
from decimal import Decimal
from typing import Any

import psycopg
from environs import Env, EnvError
from marshmallow.validate import Range
from psycopg import conninfo


def names(text: str) -> list[str]:
    """Separated by commas; spaces do not count."""
    return [name.strip() for name in text.split(",") if name.strip()]


def address(text: str) -> str:
    """HOST:PORT, an IPv6 host in brackets."""
    if not re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):\d{1,5}", text):
        raise EnvError("Must be HOST:PORT, for example 127.0.0.1:8000 or [::1]:8000.")
    port(int(text.rpartition(":")[2]))
    return text


def optional_address(text: str) -> str:
    """As an address; empty for none."""
    return address(text) if text else ""


def public_host(text: str) -> str:
    """HOST or HOST:PORT; empty for none."""
    if text and not re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]@]+)(:\d{1,5})?", text):
        raise EnvError("Must be HOST or HOST:PORT, for example torrents.example.org.")
    return text


_UNITS = {"": 1, "B": 1} | {
    f"{prefix}{suffix}": base**power
    for power, prefix in enumerate("KMGT", start=1)
    for suffix, base in (("B", 1000), ("iB", 1024))
}


def size(text: str) -> int:
    """A number of bytes with its unit: `50 GiB`, `9 TB`, `0`."""
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?)\s*([KMGT]?i?B|)", text.strip())
    if match is None or match[2] not in _UNITS:
        raise EnvError("Must be a size with its unit, for example 50 GiB or 9 TB.")
    return int(Decimal(match[1]) * _UNITS[match[2]])


def size_text(count: int) -> str:
    """Bytes as `size` reads them, exactly: `50 GiB`, `9 TB`, `1.5 GiB`, `1001 B`."""
    for unit, factor in sorted(_UNITS.items(), key=lambda one: -one[1]):
        if unit and count >= factor and (Decimal(count) * 100 / factor) % 1 == 0:
            return f"{(Decimal(count) / factor).normalize():f} {unit}"
    return f"{count} B"


def limit(text: str) -> int:
    """As a size, and more than nothing."""
    count: int = size(text)
    if not 0 < count < 2**62:
        raise EnvError("Must be more than nothing, and less than there is.")
    return count


def port_of_url(url: str) -> None:
    if found := re.search(r":(\d+)/?$", url):
        port(int(found[1]))


def loopback(text: str) -> list[str]:
    addresses: list[str] = names(text)
    for one in addresses:
        try:
            good = ipaddress.IPv4Network(one).is_loopback
        except ValueError:
            good = False
        if not good:
            raise EnvError(f"{one} is no address of 127.0.0.0/8.")
    return addresses


def https_url(text: str) -> str:
    """https://HOST or https://HOST:PORT; empty for none."""
    if text and not re.fullmatch(r"https://(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]@]+)(:\d{1,5})?/?", text):
        raise EnvError("Must be https://HOST or https://HOST:PORT.")
    port_of_url(text)
    return text.rstrip("/")


def age_identity(text: str) -> str:
    """A private key of age (X25519), as age-keygen writes it; empty for none. The refusal does not show it."""
    if text and not re.fullmatch(r"AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}", text):
        raise EnvError(
            "Must be a key of age as age-keygen makes it: AGE-SECRET-KEY-1 and 58 more characters."
        )
    return text


port = Range(1, 65535, error="Must be a port, 1 to 65535.")


# A machine that loses its power or its network says nothing, and TCP waits for it for a quarter of an hour, or, with
# nothing to send, for ever. So each side asks: within 30 seconds we know that PostgreSQL is gone, and PostgreSQL that
# we are, and frees what we had locked. Means nothing on a Unix socket. The units differ: seconds, and milliseconds.
NOTICE_WHO_VANISHED = {
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
SERVER_NOTICES = " ".join(
    f"-c {name}"
    for name in (
        "tcp_keepalives_idle=10",
        "tcp_keepalives_interval=5",
        "tcp_keepalives_count=3",
        "tcp_user_timeout=20000",
    )
)


def postgresql(url: str) -> dict[str, Any]:
    """Django's form of a PostgreSQL URL. libpq itself reads it, so whatever libpq takes is right."""
    if not url.startswith(("postgresql://", "postgres://")):
        raise EnvError("Must start with postgresql:// (PostgreSQL is the only database).")
    try:
        options = conninfo.conninfo_to_dict(url)
    except psycopg.Error:  # libpq's words may quote the password
        raise EnvError("Cannot be read: write special characters in it as %XX, such as %40 for @.") from None
    if not options.get("dbname"):
        raise EnvError("Must name a database, for example postgresql://proxy:PASSWORD@127.0.0.1/proxy.")
    return {
        "ENGINE": "proxy_site.postgresql",
        "NAME": options.pop("dbname", ""),
        "USER": options.pop("user", ""),
        "PASSWORD": options.pop("password", ""),
        "HOST": options.pop("host", ""),
        "PORT": options.pop("port", ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "application_name": "oci-torrent-proxy",
            "connect_timeout": "10",
            # Planning a poll's query takes PostgreSQL three times as long as running it: plan it once a connection.
            "server_side_binding": True,
            "prepare_threshold": 5,
            **NOTICE_WHO_VANISHED,
            # Disks here have no heads to move: what an index leads to costs little more than what lies in a row.
            "options": "-c random_page_cost=1.1 " + SERVER_NOTICES,
            **options,
        },
    }


KINDS = (
    address,
    age_identity,
    https_url,
    limit,
    loopback,
    names,
    optional_address,
    postgresql,
    public_host,
    size,
)


def reading() -> Env:
    """Collects mistakes until it is sealed, which it is once: settings that are read again read by a new one."""
    env = Env(eager=False)
    for kind in KINDS:
        env.add_parser(kind.__name__, kind)
    return env
