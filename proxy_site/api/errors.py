"""Errors that people see. Services raise them; drf-standardized-errors renders each once, as `errors[]`."""

from rest_framework.exceptions import APIException


class ApiError(APIException):
    """What went wrong and what to do next, in one sentence, with a code that programs can rely on.

    A subclass names its `status_code` (HTTP) and, where one sentence always fits, `default_code` and
    `default_detail`. Otherwise: `raise Subclass("A sentence.", code="a_code")`.
    """

    status_code = 400
    default_code = "invalid"
    default_detail = "The request cannot be carried out as it is."


class DatabaseAway(ApiError):
    status_code = 503
    default_code = "database_away"
    default_detail = (
        "The server's database does not answer right now. Try again in a moment; asking twice does no harm."
    )


class TooLarge(ApiError):
    status_code = 413
    default_code = "too_large"
    default_detail = "This is more than a request may bring along. A .torrent file has at most 10 MiB."
