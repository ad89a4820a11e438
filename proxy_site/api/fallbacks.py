"""What answers where no view does."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.defaults import page_not_found, server_error


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Programs get the API's form of an error, people a page."""
    if not request.path.startswith("/api/"):
        return page_not_found(request, exception)
    error = {"code": "not_found", "detail": "There is nothing at this address.", "attr": None}
    return JsonResponse({"type": "client_error", "errors": [error]}, status=404)


@never_cache
def failed(request: HttpRequest) -> HttpResponse:
    """For pages; the API has a handler of its own. Django calls it while it handles the exception."""
    if not isinstance(sys.exception(), OperationalError | InterfaceError):
        return server_error(request)
    return HttpResponse(
        "The box cannot reach its database. Try again in a minute; on its machine, `python manage.py doctor` says "
        "what is wrong.\n",
        status=503,
        content_type="text/plain; charset=utf-8",
    )
