class MetainfoError(ValueError):
    """A magnet or .torrent that is not accepted; the text is a sentence for the person who sent it.

    `code` is a short slug for programs.
    """

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code
