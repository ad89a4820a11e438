"""Request bodies of which nothing is believed yet. How large one may be is BodyLimit's business (limits.py)."""

from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class BoundedJSONParser(JSONParser):
    """A sentence, not a traceback, for JSON that is nested deeper than Python reads."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("This JSON is nested too deep.") from error
