"""What the worker does for monitoring. Each may run twice, and several at once."""

from monitoring import services


def measure() -> str:
    return services.measure()
