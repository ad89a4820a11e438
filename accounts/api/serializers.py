"""What `session/` and `me/` take and give."""

from typing import Any

from rest_framework import serializers

from accounts.models import (
    DEVICE_NAME_LENGTH,
    USERNAME_LENGTH,
    DeviceSession,
    SshKey,
    TransferCredential,
    User,
)
from accounts.sessions import Session


class UserSerializer(serializers.ModelSerializer[User]):
    """The caller. Limits are null where the server's default holds; sizes are bytes."""

    class Meta:
        model = User
        fields = ["id", "username", "role", "disk_quota", "active_torrent_limit", "monthly_traffic_limit"]
        read_only_fields = fields


class PasswordField(serializers.CharField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=1024, trim_whitespace=False, **options)


class CredentialsSerializer(serializers.Serializer[None]):
    username = serializers.CharField(max_length=USERNAME_LENGTH)
    password = PasswordField()
    device_name = serializers.CharField(
        max_length=DEVICE_NAME_LENGTH,
        required=False,
        allow_blank=True,
        help_text="How this session is called in `me/sessions/`. Without it: what the User-Agent says.",
    )


class RefreshSerializer(serializers.Serializer[None]):
    refresh = serializers.CharField(max_length=4096)


class SessionSerializer(serializers.Serializer[Session]):
    access = serializers.CharField(help_text="For the header `Authorization: Bearer <access>`.")
    refresh = serializers.CharField(
        help_text="Trades for the next pair at `session/refresh/`. For 30 seconds it gets the same successor again; "
        "used after that, it ends the session."
    )
    access_expires_at = serializers.DateTimeField()


class NewSessionSerializer(SessionSerializer):
    user = UserSerializer()


class DeviceSessionSerializer(serializers.ModelSerializer[DeviceSession]):
    current = serializers.SerializerMethodField(help_text="Whether this request was made with it.")

    class Meta:
        model = DeviceSession
        fields = ["id", "name", "created_at", "last_used_at", "last_address", "expires_at", "current"]
        read_only_fields = fields

    def get_current(self, session: DeviceSession) -> bool:
        return bool(session.pk == self.context["current"])


class EndedSessionsSerializer(serializers.Serializer[dict[str, int]]):
    ended = serializers.IntegerField(help_text="How many other sessions were ended.")


class NewPasswordSerializer(serializers.Serializer[None]):
    old_password = PasswordField()
    new_password = PasswordField()


class SshKeySerializer(serializers.ModelSerializer[SshKey]):
    class Meta:
        model = SshKey
        fields = ["id", "name", "fingerprint", "public_key", "created_at", "last_used_at"]
        read_only_fields = fields


class NewSshKeySerializer(serializers.Serializer[None]):
    public_key = serializers.CharField(max_length=16384, help_text="The line of the .pub file.")
    name = serializers.CharField(
        max_length=DEVICE_NAME_LENGTH,
        required=False,
        allow_blank=True,
        help_text="Without it: the key's comment.",
    )


class TransferCredentialSerializer(serializers.ModelSerializer[TransferCredential]):
    class Meta:
        model = TransferCredential
        fields = ["id", "created_at", "expires_at", "last_used_at"]
        read_only_fields = fields


class SftpAddressSerializer(serializers.Serializer[dict[str, Any]]):
    host = serializers.CharField()
    port = serializers.IntegerField()
    host_key_fingerprint = serializers.CharField(help_text="`SHA256:…`, as ssh-keygen shows it.")


class NewTransferCredentialSerializer(serializers.Serializer[dict[str, Any]]):
    id = serializers.UUIDField()
    username = serializers.CharField()
    secret = serializers.CharField(help_text="The password for SFTP. It is shown this once.")
    expires_at = serializers.DateTimeField()
    sftp = SftpAddressSerializer(allow_null=True, help_text="Where to; null where the box offers no SFTP.")
