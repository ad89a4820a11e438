"""The form of every error, for the schema of those that it does not know by itself."""

from typing import Any

from rest_framework import serializers


class ErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField(help_text="A sentence that says what to do.")
    attr = serializers.CharField(allow_null=True)


class ErrorResponseSerializer(serializers.Serializer[Any]):
    type = serializers.CharField()
    errors = ErrorSerializer(many=True)  # type: ignore[assignment]  # the metaclass takes it
