"""What an exception becomes on its way to a client."""

from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from drf_standardized_errors.handler import ExceptionHandler

from proxy_site.api.errors import DatabaseAway, TooLarge


class ApiExceptionHandler(ExceptionHandler):
    """What Django raises where a request is over its limits or the database is gone is not our bug."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, OperationalError | InterfaceError):
            return DatabaseAway()
        if isinstance(exc, SuspiciousOperation):  # Django's own limits: too many bytes or fields
            return TooLarge()
        return super().convert_known_exceptions(exc)
