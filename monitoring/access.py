"""Who may read what is for the box's keepers only."""

import hmac
import ipaddress

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from accounts.models import User

FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


def may_read_metrics(request: HttpRequest) -> bool:
    return _is_local(request) or _has_token(request)


def may_see_grafana(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Who may see the admin's pages. Whoever is disabled is nobody already: Django does not know them any more."""
    return isinstance(user, User) and user.is_active and user.is_admin


def _is_local(request: HttpRequest) -> bool:
    """From this machine, and not passed on by a proxy on it: what came from outside says so, or Caddy does."""
    if any(name in request.META for name in FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _has_token(request: HttpRequest) -> bool:
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    expected = settings.METRICS_TOKEN
    return (
        bool(expected)
        and scheme.lower() == "bearer"
        and hmac.compare_digest(token.encode(), expected.encode())
    )
