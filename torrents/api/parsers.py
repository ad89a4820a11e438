"""Request bodies with a limit, and a sentence for whoever is over it."""

from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser, MultiPartParser

from proxy_site.api.errors import ApiError
from torrents.metainfo import MAX_TORRENT_BYTES

LARGEST_FORM = MAX_TORRENT_BYTES + 64 * 1024  # bytes; JSON is held to DATA_UPLOAD_MAX_MEMORY_SIZE by Django


class TooLarge(ApiError):
    status_code = 413
    default_code = "too_large"
    default_detail = "This is larger than any magnet link or .torrent file. Send only that."


class BoundedJSONParser(JSONParser):
    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError as error:
            raise ParseError("This JSON is nested too deep.") from error


class BoundedMultiPartParser(MultiPartParser):
    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        # Django writes a file of any size to the disk. The WSGI server hands over no more than Content-Length says.
        length = (parser_context or {})["request"].META.get("CONTENT_LENGTH")
        if int(length or 0) > LARGEST_FORM:
            raise TooLarge
        return super().parse(stream, media_type, parser_context)
