"""How much a request may bring along: nothing here needs more than a .torrent file."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

from proxy_site.api.errors import TooLarge

MAX_BODY = 12 * 2**20  # bytes: a .torrent of 10 MiB and what a form wraps around it


class BodyLimit:
    """Refuses a larger body before anything of it is read or stored."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Without a Content-Length Django reads no body at all.
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) <= MAX_BODY:
            return self._get_response(request)
        error = {"code": TooLarge.default_code, "detail": TooLarge.default_detail, "attr": None}
        return JsonResponse({"type": "client_error", "errors": [error]}, status=TooLarge.status_code)
