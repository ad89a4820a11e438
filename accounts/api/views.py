"""Logging in, staying logged in, logging out."""

from typing import NoReturn

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import Throttled
from rest_framework.generics import RetrieveAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from accounts import services
from accounts.api.serializers import (
    CredentialsSerializer,
    NewSessionSerializer,
    RefreshSerializer,
    SessionSerializer,
    UserSerializer,
)
from accounts.models import User


class TooManyLogins(Throttled):
    default_detail = "Too many attempts to log in from your address."
    extra_detail_singular = "Try again in {wait} second."
    extra_detail_plural = "Try again in {wait} seconds."


class PublicView(APIView):
    """Needs no access token and ignores a stale one."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class LoginView(PublicView):
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "login"

    def throttled(self, request: Request, wait: float) -> NoReturn:
        raise TooManyLogins(wait)

    @extend_schema(
        operation_id="session_create",
        summary="Log in",
        request=CredentialsSerializer,
        responses={200: NewSessionSerializer},
    )
    def post(self, request: Request) -> Response:
        credentials = CredentialsSerializer(data=request.data)
        credentials.is_valid(raise_exception=True)
        return Response(NewSessionSerializer(services.start_session(**credentials.validated_data)).data)


class RefreshView(PublicView):
    @extend_schema(
        operation_id="session_refresh",
        summary="Renew a session",
        request=RefreshSerializer,
        responses={200: SessionSerializer},
    )
    def post(self, request: Request) -> Response:
        token = RefreshSerializer(data=request.data)
        token.is_valid(raise_exception=True)
        return Response(SessionSerializer(services.refresh_session(**token.validated_data)).data)


class LogoutView(PublicView):
    @extend_schema(
        operation_id="session_logout", summary="Log out", request=RefreshSerializer, responses={204: None}
    )
    def post(self, request: Request) -> Response:
        token = RefreshSerializer(data=request.data)
        token.is_valid(raise_exception=True)
        services.end_session(**token.validated_data)
        return Response(status=204)


@extend_schema(summary="Who am I")
class MeView(RetrieveAPIView[User]):
    serializer_class = UserSerializer

    def get_object(self) -> User:
        assert isinstance(self.request.user, User)
        return self.request.user
