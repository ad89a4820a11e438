class BackupError(Exception):
    """It was not done; the text is a sentence that says what happened and what to do next."""


class Busy(BackupError):
    """Another run is at work."""
