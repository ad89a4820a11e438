"""What the installer is told: by arguments, a TOML file, or what it was told the last time."""

import ipaddress
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from deploy.converge.commands import InstallError

HOST_NAME = re.compile(
    r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]", re.IGNORECASE
)
USER_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
SETTING = re.compile(r"[A-Z][A-Z0-9_]*")


@dataclass(frozen=True)
class Answers:
    """`box` holds settings of .env.example that are to differ from what a server gets by itself."""

    domain: str = ""
    email: str = ""
    internal_tls: bool = False
    admin: str = "admin"
    monitoring: bool = True
    grafana_repository: str = ""
    grafana_key: str = ""
    box: Mapping[str, str] = field(default_factory=dict)

    def problems(self) -> list[str]:
        """Each a sentence; empty: they will do."""
        found = []
        if not self.domain:
            found.append("Say by which name people reach this server: --domain box.example.org")
        elif not (HOST_NAME.fullmatch(self.domain) or (self.internal_tls and is_address(self.domain))):
            found.append(
                f"{self.domain} is no host name that a certificate can be had for. With --internal-tls an address such "
                "as 203.0.113.7 will do."
            )
        if not self.internal_tls and not re.fullmatch(r"[^@\s\"]+@[^@\s\"]+", self.email):
            found.append("Say where the certificate authority may write to: --email you@example.org")
        if not USER_NAME.fullmatch(self.admin):
            found.append(
                f"{self.admin} is no user name: small letters, digits, dots, underscores and hyphens."
            )
        if bool(self.grafana_repository) != bool(self.grafana_key):
            found.append("--grafana-repository and --grafana-key go together.")
        found += [f"{name} is no name of a setting." for name in self.box if not SETTING.fullmatch(name)]
        found += [
            f"The value of {name} has several lines; a setting has one."
            for name, value in self.box.items()
            if len(value.splitlines()) > 1 or value.endswith("\n")
        ]
        return found


def is_address(text: str) -> bool:
    try:
        return ipaddress.IPv4Address(text).version == 4
    except ValueError:
        return False


def read_answers(path: Path) -> Answers:
    """Raises InstallError with everything that is wrong with the file."""
    try:
        given = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InstallError(f"The answers in {path} cannot be read: {error}") from error
    kinds = {one.name: type(getattr(Answers(), one.name)) for one in fields(Answers)}
    wrong = [f"{name} is unknown" for name in given if name not in kinds]
    wrong += [
        f"{name} is no {'text' if kind is str else 'true or false' if kind is bool else 'table'}"
        for name, kind in kinds.items()
        if name in given and not isinstance(given[name], kind)
    ]
    if wrong:
        raise InstallError(f"The answers in {path} cannot be used: {', '.join(wrong)}.")
    if "box" in given:
        given["box"] = {name: as_setting(value) for name, value in given["box"].items()}
    return Answers(**given)


def as_setting(value: object) -> str:
    """TOML's values as the environment has them."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def told(known: Answers, arguments: Mapping[str, Any]) -> Answers:
    """What arguments say counts; what they leave out (None) stays."""
    names = {one.name for one in fields(Answers)}
    return replace(
        known, **{name: value for name, value in arguments.items() if name in names and value is not None}
    )


def as_toml(answers: Answers) -> str:
    """What `read_answers` reads back."""
    lines = [
        "# What deploy/install.sh was told last; it reads this where an argument does not say otherwise."
    ]
    for one in fields(Answers):
        value = getattr(answers, one.name)
        if isinstance(value, bool):
            lines.append(f"{one.name} = {str(value).lower()}")
        elif isinstance(value, str):
            lines.append(f"{one.name} = {_quoted(value)}")
    lines += ["", "[box]", *(f"{name} = {_quoted(value)}" for name, value in sorted(answers.box.items()))]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """JSON's strings are TOML's, but for its pairs of \\u and for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
