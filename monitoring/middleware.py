"""Named in the settings, which every process reads: only those that answer over HTTP load what counts."""

from typing import Any


def counted(get_response: Any) -> Any:
    """Counts and times what is answered: see metrics.http."""
    from monitoring.metrics.http import Counted

    return Counted(get_response)
