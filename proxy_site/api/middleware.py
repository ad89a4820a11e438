"""Django's manners, where they would mislead a program, or only cost it time."""

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponsePermanentRedirect
from django.middleware.common import CommonMiddleware
from django.utils.deprecation import MiddlewareMixin


def is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def is_for_the_box(request: HttpRequest) -> bool:
    """Views that make no address of the host by which they are asked."""
    return request.path_info == "/metrics" or request.path_info.startswith("/health/")


class ApiAwareCommonMiddleware(CommonMiddleware):
    """A POST without the closing slash would be redirected to a GET that looks like success: say 404 instead.

    What looks after the box asks by the machine's own address, which is not among ALLOWED_HOSTS on a server.
    """

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        return None if is_for_the_box(request) else super().process_request(request)

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
