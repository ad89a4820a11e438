"""Django's manners, where they would mislead a program, or only cost it time."""

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.middleware.common import CommonMiddleware
from django.utils.deprecation import MiddlewareMixin


def is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


class ApiAwareCommonMiddleware(CommonMiddleware):
    """A POST without the closing slash would be redirected to a GET that looks like success: say 404 instead."""

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        return not is_api(request) and super().should_redirect_with_slash(request)


class PagesOnly(MiddlewareMixin):
    """For what knows people by a cookie. The API knows bearer tokens and nothing else, so it has none of it."""

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request) if is_api(request) else super().__call__(request)


class PageSessions(PagesOnly, SessionMiddleware):
    pass


class PageUsers(PagesOnly, AuthenticationMiddleware):
    pass


class PageMessages(PagesOnly, MessageMiddleware):
    pass
