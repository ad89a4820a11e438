"""What `session/` and `me/` take and give."""

from rest_framework import serializers

from accounts.models import USERNAME_LENGTH, User
from accounts.services import Session


class UserSerializer(serializers.ModelSerializer[User]):
    """The caller. Limits are null where the server's default holds; sizes are bytes."""

    class Meta:
        model = User
        fields = ["id", "username", "role", "disk_quota", "active_torrent_limit", "monthly_traffic_limit"]
        read_only_fields = fields


class CredentialsSerializer(serializers.Serializer[None]):
    username = serializers.CharField(max_length=USERNAME_LENGTH)
    password = serializers.CharField(max_length=1024, trim_whitespace=False)


class RefreshSerializer(serializers.Serializer[None]):
    refresh = serializers.CharField(max_length=4096)


class SessionSerializer(serializers.Serializer[Session]):
    access = serializers.CharField(help_text="For the header `Authorization: Bearer <access>`.")
    refresh = serializers.CharField(help_text="Trades for the next pair at `session/refresh/`, once.")
    access_expires_at = serializers.DateTimeField()


class NewSessionSerializer(SessionSerializer):
    user = UserSerializer()
