"""What may be wished of releases: the same of one show as of all."""

from collections.abc import Mapping
from typing import Any

from feeds.rules import RuleError
from feeds.rules.text import expression
from watchlist.models import Wishes

WISHES = tuple(field.name for field in Wishes._meta.local_fields)
_OF_THE_DOWNLOAD = frozenset({"delay_seconds", "stalled_hours", "start_paused", "label"})
JUDGED = frozenset(WISHES) - _OF_THE_DOWNLOAD
"""Whether a stored release may be taken depends on these, so it is looked at again when they change."""


class WishRefused(Exception):
    """This cannot be wished; the text says why. `field` is the wish."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


def change(wishes: Wishes, changes: Mapping[str, Any]) -> bool:
    """Whether releases must be judged anew."""
    before = {name: getattr(wishes, name) for name in JUDGED}
    for name, value in changes.items():
        setattr(wishes, name, value)
    return any(getattr(wishes, name) != value for name, value in before.items())


def refuse_nonsense(wishes: Wishes, otherwise: Wishes | None = None) -> None:
    """Raises WishRefused; `otherwise` says what holds where `wishes` say nothing."""
    try:
        expression(wishes.must_not_contain or "", field="must_not_contain")
    except RuleError as error:
        raise WishRefused(str(error), field=error.field) from error
    if _stated("only_groups", wishes, otherwise) and not _stated("groups", wishes, otherwise):
        raise WishRefused("Name the groups, or allow all of them.", field="groups")


def _stated(name: str, wishes: Wishes, otherwise: Wishes | None) -> Any:
    value = getattr(wishes, name)
    return getattr(otherwise, name) if value is None and otherwise is not None else value
