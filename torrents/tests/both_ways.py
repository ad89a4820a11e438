"""Asking as gunicorn asks, by the short way that polls take where it leads anywhere, and by Django's."""

from dataclasses import dataclass
from typing import Any

from rest_framework.test import APIClient, APIRequestFactory

from accounts.models import User
from accounts.tests.factories import access_token
from torrents.api import polling


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def environ_of(path: str, *, method: str = "GET", **environ: Any) -> dict[str, Any]:
    """What gunicorn makes of such a request."""
    request: Any = APIRequestFactory().generic(method, path, **{"HTTP_HOST": "testserver"} | environ)
    made: dict[str, Any] = request.environ
    return made


def quick_answer(path: str, *, method: str = "GET", **environ: Any) -> Answer | None:
    """By the short way. None: it does not lead there."""
    found = polling.answer(environ_of(path, method=method, **environ))
    return found and Answer(200, dict(found[0]), found[1])


def ordinary_answer(path: str, *, method: str = "GET", **environ: Any) -> Answer:
    response = APIClient(raise_request_exception=False).generic(method, path, **environ)
    return Answer(response.status_code, dict(response.headers), response.content)


class BothWays(APIClient):
    """Of a person, who asks by both ways wherever both lead, and has to be told the same."""

    def __init__(self, user: User) -> None:
        super().__init__()
        self._authorization = f"Bearer {access_token(user)}"
        self.credentials(HTTP_AUTHORIZATION=self._authorization)

    def get(self, path: str, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        response = super().get(path, *args, **kwargs)
        if not args and not kwargs:
            quick = quick_answer(path, HTTP_AUTHORIZATION=self._authorization)
            assert quick is None or quick.body == response.content, "by the short way they are told otherwise"
        return response
