"""What answers where no view does."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.defaults import page_not_found


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Programs get the API's form of an error, people a page."""
    if not request.path.startswith("/api/"):
        return page_not_found(request, exception)
    error = {"code": "not_found", "detail": "There is nothing at this address.", "attr": None}
    return JsonResponse({"type": "client_error", "errors": [error]}, status=404)
