"""Django's manners, where they would mislead a program."""

from django.http import HttpRequest
from django.middleware.common import CommonMiddleware


class ApiAwareCommonMiddleware(CommonMiddleware):
    """A POST without the closing slash would be redirected to a GET that looks like success: say 404 instead."""

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        return not request.path_info.startswith("/api/") and super().should_redirect_with_slash(request)
