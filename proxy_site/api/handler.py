"""What an exception becomes on its way to a client."""

from django.core.exceptions import SuspiciousOperation, ValidationError
from django.db import InterfaceError, OperationalError
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework import serializers
from rest_framework.fields import get_error_detail

from proxy_site.api.errors import DatabaseAway, TooLarge


class ApiExceptionHandler(ExceptionHandler):
    """What Django raises where a request is over its limits or the database is gone is not our bug. What its
    validators say of a field is for the person who filled it in.
    """

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        if isinstance(exc, OperationalError | InterfaceError):
            return DatabaseAway()
        if isinstance(exc, SuspiciousOperation):  # Django's own limits: too many bytes or fields
            return TooLarge()
        if isinstance(exc, ValidationError):
            return serializers.ValidationError(get_error_detail(exc))
        return super().convert_known_exceptions(exc)
