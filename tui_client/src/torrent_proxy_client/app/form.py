"""Fields of forms as they are typed: what each is called, and how it is read and written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TextField:
    name: str  # of the API
    title: str
    placeholder: str
    write: Callable[[Any], str] = str
    read: Callable[[str], object] = str.strip  # raises BadAmount

    def text(self, of: object) -> str:
        return self.write(getattr(of, self.name))


@dataclass(frozen=True, slots=True)
class TickField:
    name: str
    title: str


@dataclass(frozen=True, slots=True)
class ChoiceField:
    name: str
    title: str
    choices: dict[Any, str]  # by value, as people read it


Field = TextField | TickField | ChoiceField
Groups = tuple[tuple[str, tuple[Field, ...]], ...]  # title of the group, its fields


def list_text(values: tuple[str, ...]) -> str:
    return ", ".join(values)


def parse_list(text: str) -> list[str]:
    return [value.strip() for value in text.split(",") if value.strip()]


def number_text(number: float | None) -> str:
    return "" if number is None else f"{number:g}"
