"""Logging in, staying logged in, logging out."""

from drf_spectacular.utils import extend_schema
from rest_framework.generics import RetrieveAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import sessions
from accounts.addresses import address_of
from accounts.api.authentication import user_of
from accounts.api.serializers import (
    CredentialsSerializer,
    NewSessionSerializer,
    RefreshSerializer,
    SessionSerializer,
    UserSerializer,
)
from accounts.models import User
from proxy_site.api.serializers import ErrorResponseSerializer


class PublicView(APIView):
    """Needs no access token and ignores a stale one."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class LoginView(PublicView):
    @extend_schema(
        operation_id="session_create",
        summary="Log in",
        description="After 5 failures from one address 429 says in `Retry-After` how long to wait.",
        request=CredentialsSerializer,
        responses={200: NewSessionSerializer, 401: ErrorResponseSerializer, 429: ErrorResponseSerializer},
    )
    def post(self, request: Request) -> Response:
        credentials = CredentialsSerializer(data=request.data)
        credentials.is_valid(raise_exception=True)
        fields = credentials.validated_data
        session = sessions.start_session(
            username=fields["username"],
            password=fields["password"],
            device_name=fields.get("device_name") or request.headers.get("User-Agent", ""),
            address=address_of(request),
        )
        return Response(NewSessionSerializer(session).data)


class RefreshView(PublicView):
    @extend_schema(
        operation_id="session_refresh",
        summary="Renew a session",
        request=RefreshSerializer,
        responses={200: SessionSerializer, 401: ErrorResponseSerializer},
    )
    def post(self, request: Request) -> Response:
        token = RefreshSerializer(data=request.data)
        token.is_valid(raise_exception=True)
        session = sessions.refresh_session(**token.validated_data, address=address_of(request))
        return Response(SessionSerializer(session).data)


class LogoutView(PublicView):
    @extend_schema(
        operation_id="session_logout",
        summary="Log out",
        request=RefreshSerializer,
        responses={204: None, 401: ErrorResponseSerializer},
    )
    def post(self, request: Request) -> Response:
        token = RefreshSerializer(data=request.data)
        token.is_valid(raise_exception=True)
        sessions.end_session(**token.validated_data, address=address_of(request))
        return Response(status=204)


@extend_schema(summary="Who am I")
class MeView(RetrieveAPIView[User]):
    serializer_class = UserSerializer

    def get_object(self) -> User:
        return user_of(self.request)
