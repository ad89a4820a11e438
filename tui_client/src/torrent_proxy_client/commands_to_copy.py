"""Command lines that fetch a torrent with people's own tools."""

import re
import shlex

from torrent_proxy_client.handover import SftpServer, TransferCredentials
from torrent_proxy_client.names import safe_name


def sftp_command(server: SftpServer, credentials: TransferCredentials, name: str) -> str:
    """Resumes (`-a`) and takes folders (`-r`)."""
    source = f"{credentials.username}@{server.host}:{_remote(name)}"
    return f"sftp -a -r -P {server.port} {shlex.quote(source)}"


def scp_command(server: SftpServer, credentials: TransferCredentials, name: str) -> str:
    source = f"{credentials.username}@{server.host}:{_remote(name)}"
    return f"scp -r -P {server.port} {shlex.quote(source)} ."


def _remote(name: str) -> str:
    """Both programs take wildcards in it, so what looks like one is escaped."""
    return "/" + re.sub(r"([][*?\\])", r"\\\1", safe_name(name))
