"""What the worker does for accounts. Each may run twice."""

from accounts import audit, lockout, sessions, transfer_credentials


def prune() -> int:
    """Delete what has expired and old audit events; how many rows."""
    return audit.prune() + lockout.prune() + sessions.prune() + transfer_credentials.prune()
