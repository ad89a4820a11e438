"""What a client may want to know of the box itself."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from proxy_site import VERSION
from proxy_site.sftp_endpoint import sftp_endpoint, split_address


class SftpEndpointSerializer(serializers.Serializer[object]):
    host = serializers.CharField()
    port = serializers.IntegerField()
    host_key_fingerprint = serializers.CharField(
        help_text="As ssh shows it: SHA256:… Compare before trusting."
    )


class ServerSerializer(serializers.Serializer[object]):
    version = serializers.CharField()
    sftp = SftpEndpointSerializer(
        allow_null=True, help_text="Null where files are handed over by HTTPS alone."
    )


class ServerView(APIView):
    @extend_schema(operation_id="server", responses=ServerSerializer)
    def get(self, request: Request) -> Response:
        """The box's version, and how to reach it by SFTP."""
        host, _ = split_address(request.get_host(), 0)
        return Response(ServerSerializer({"version": VERSION, "sftp": sftp_endpoint(host)}).data)
