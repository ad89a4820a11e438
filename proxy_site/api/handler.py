"""What an exception becomes on its way to a client."""

from django.db import InterfaceError, OperationalError
from drf_standardized_errors.handler import ExceptionHandler

from proxy_site.api.errors import DatabaseAway


class ApiExceptionHandler(ExceptionHandler):
    """What Django raises where the database is gone is not our bug, and passes."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, OperationalError | InterfaceError):
            return DatabaseAway()
        return super().convert_known_exceptions(exc)
