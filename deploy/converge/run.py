"""One run: resources are compared with what is there, differences are said, and made unless it is a dry run."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

logger = logging.getLogger("converge")


class Resource(Protocol):
    """Something of the machine that is to be in a certain state."""

    def differs(self) -> list[str]:
        """What `apply` would do, each as an imperative phrase ("write /etc/hosts"); empty: all is as wanted.

        Changes nothing, and works before the resources that this one stands on exist.
        """
        ...

    def apply(self) -> None:
        """Make it so. Raises InstallError."""
        ...


@dataclass
class Run:
    """Counts what was (or would be) changed. `undo` holds what takes file changes back, for an upgrade that fails."""

    dry: bool = False
    changes: int = 0
    notices: list[str] = field(default_factory=list)
    undo: list[Callable[[], None]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def step(self, title: str) -> None:
        logger.info("%5.0f s  %s", time.monotonic() - self.began, title)

    def ensure(self, *resources: Resource) -> bool:
        """Whether anything differed (and, unless this is a dry run, is now as wanted)."""
        changed = False
        for resource in resources:
            if phrases := resource.differs():
                changed = True
                self.change(phrases, resource.apply)
                if takes_back := getattr(resource, "takes_back", None):
                    self.undo.append(takes_back)
        return changed

    def change(self, phrases: list[str], apply: Callable[[], object]) -> None:
        """Say what is (or would be) done, and do it unless this is a dry run."""
        for phrase in phrases:
            logger.info("           %s%s", "would " if self.dry else "", phrase)
        self.changes += len(phrases)
        if not self.dry:
            apply()

    def notice(self, sentence: str) -> None:
        """Something that the operator should know and that is no change."""
        if sentence not in self.notices:
            self.notices.append(sentence)
            logger.info("           note: %s", sentence)
