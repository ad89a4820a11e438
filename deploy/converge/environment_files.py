"""Files of variables (systemd's EnvironmentFile): ours and the operator's in one, and whose line is whose.

For each variable that we wrote we remember a hash of the value. A value that is another one by now is the operator's,
and so is a line that is gone: neither is touched again.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

LINE = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)")
PLAIN = re.compile(r"[A-Za-z0-9_./:,@%+=~^-]*")


@dataclass
class Merged:
    """`added` and `updated` are what differs from the file as it was, `kept` what the operator decided."""

    text: str
    written: dict[str, str]
    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def read_variables(text: str) -> dict[str, str]:
    """As systemd reads them, of what we write and what people usually do: plain, or in one pair of quotes."""
    found = {}
    for line in text.splitlines():
        if match := LINE.fullmatch(line):
            found[match[1]] = _unquoted(match[2].strip())
    return found


def line_of(name: str, value: str) -> str:
    if PLAIN.fullmatch(value):
        return f"{name}={value}"
    quoted = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace("`", "\\`")
    return f'{name}="{quoted}"'


def mark(value: str) -> str:
    """A value's hash: secrets are remembered by nothing else."""
    return hashlib.sha256(value.encode()).hexdigest()


def merge(existing: str, wanted: Mapping[str, str], written: Mapping[str, str], *, heading: str) -> Merged:
    """`existing` with what is wanted in it; empty for a new file. `written`: name → mark of what we wrote last."""
    there = read_variables(existing)
    merged = Merged(text="", written=dict(written))
    lines = existing.splitlines() if existing.strip() else heading.splitlines()
    for name, value in wanted.items():
        if name not in there:
            if existing.strip() and name in written:
                merged.kept.append(name)  # taken out by the operator
                continue
            lines.append(line_of(name, value))
            merged.added.append(name)
        elif there[name] == value:
            pass
        elif written.get(name) == mark(there[name]):
            lines = [line_of(name, value) if _names(line, name) else line for line in lines]
            merged.updated.append(name)
        else:
            merged.kept.append(name)
            continue
        merged.written[name] = mark(value)
    merged.text = "\n".join(lines) + "\n"
    return merged


def _names(line: str, name: str) -> bool:
    match = LINE.fullmatch(line)
    return match is not None and match[1] == name


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1]
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text
