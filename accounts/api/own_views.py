"""What people manage of their own account: sessions, the password, SSH keys, transfer passwords."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import services, sessions, ssh_keys, transfer_credentials
from accounts.addresses import address_of
from accounts.api.authentication import caller, session_id_of, user_of
from accounts.api.serializers import (
    DeviceSessionSerializer,
    EndedSessionsSerializer,
    NewPasswordSerializer,
    NewSshKeySerializer,
    NewTransferCredentialSerializer,
    SshKeySerializer,
    TransferCredentialSerializer,
)
from accounts.models import DeviceSession, SshKey, TransferCredential
from proxy_site.api.serializers import ErrorResponseSerializer
from proxy_site.sftp_endpoint import sftp_endpoint, split_address


class SessionsView(APIView):
    @extend_schema(
        operation_id="me_sessions_list",
        summary="Where I am logged in",
        responses={200: DeviceSessionSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        found = DeviceSession.objects.alive().filter(user=user_of(request))
        context = {"current": session_id_of(request)}
        return Response(DeviceSessionSerializer(found, many=True, context=context).data)

    @extend_schema(
        operation_id="me_sessions_end_others",
        summary="Log out everywhere else",
        description="Signed links end, too.",
        responses={200: EndedSessionsSerializer},
    )
    def delete(self, request: Request) -> Response:
        ended = sessions.end_all_sessions(
            user=user_of(request), by=caller(request), keep=session_id_of(request)
        )
        return Response({"ended": ended})


class SessionView(APIView):
    @extend_schema(operation_id="me_sessions_end", summary="Log out one device", responses={204: None})
    def delete(self, request: Request, session_id: UUID) -> Response:
        _found(sessions.end_device_session(user=user_of(request), session_id=session_id, by=caller(request)))
        return Response(status=204)


class PasswordView(APIView):
    @extend_schema(
        operation_id="me_password_change",
        summary="Change my password",
        description="Ends all other sessions, signed links and transfer passwords.",
        request=NewPasswordSerializer,
        responses={200: EndedSessionsSerializer, 429: ErrorResponseSerializer},
    )
    def post(self, request: Request) -> Response:
        passwords = NewPasswordSerializer(data=request.data)
        passwords.is_valid(raise_exception=True)
        ended = services.change_own_password(
            user=user_of(request),
            session_id=session_id_of(request),
            address=address_of(request),
            **passwords.validated_data,
        )
        return Response({"ended": ended})


class SshKeysView(APIView):
    @extend_schema(
        operation_id="me_ssh_keys_list",
        summary="My SSH keys",
        responses={200: SshKeySerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        return Response(SshKeySerializer(SshKey.objects.filter(user=user_of(request)), many=True).data)

    @extend_schema(
        operation_id="me_ssh_keys_create",
        summary="Add an SSH key",
        description="Ed25519, ECDSA, or RSA of at least 3072 bits.",
        request=NewSshKeySerializer,
        responses={201: SshKeySerializer},
    )
    def post(self, request: Request) -> Response:
        fields = NewSshKeySerializer(data=request.data)
        fields.is_valid(raise_exception=True)
        key = ssh_keys.add_key(user=user_of(request), by=caller(request), **fields.validated_data)
        return Response(SshKeySerializer(key).data, status=201)


class SshKeyView(APIView):
    @extend_schema(operation_id="me_ssh_keys_delete", summary="Remove an SSH key", responses={204: None})
    def delete(self, request: Request, key_id: int) -> Response:
        _found(ssh_keys.remove_key(user=user_of(request), key_id=key_id, by=caller(request)))
        return Response(status=204)


class TransferCredentialsView(APIView):
    @extend_schema(
        operation_id="me_transfer_credentials_list",
        summary="My transfer passwords",
        responses={200: TransferCredentialSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        alive = TransferCredential.objects.alive().filter(user=user_of(request))
        return Response(TransferCredentialSerializer(alive, many=True).data)

    @extend_schema(
        operation_id="me_transfer_credentials_create",
        summary="Make a transfer password",
        description="A password for SFTP: good for minutes, as often as you like.",
        request=None,
        responses={201: NewTransferCredentialSerializer},
    )
    def post(self, request: Request) -> Response:
        user = user_of(request)
        credential, secret = transfer_credentials.make_credential(user=user, by=caller(request))
        made = {
            "id": credential.pk,
            "username": user.username,
            "secret": secret,
            "expires_at": credential.expires_at,
            "sftp": sftp_endpoint(split_address(request.get_host(), 0)[0]),
        }
        return Response(NewTransferCredentialSerializer(made).data, status=201)


class TransferCredentialView(APIView):
    @extend_schema(
        operation_id="me_transfer_credentials_revoke",
        summary="Revoke a transfer password",
        responses={204: None},
    )
    def delete(self, request: Request, credential_id: UUID) -> Response:
        _found(
            transfer_credentials.revoke_credential(
                user=user_of(request), credential_id=credential_id, by=caller(request)
            )
        )
        return Response(status=204)


def _found(found: bool) -> None:
    """What is not one's own does not exist."""
    if not found:
        raise NotFound
