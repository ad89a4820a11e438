"""Command lines that fetch a torrent with people's own tools."""

import re
import shlex

from torrent_proxy_client.handover import Link, SftpServer, TransferCredentials
from torrent_proxy_client.models import Torrent
from torrent_proxy_client.names import safe_name


def sftp_command(server: SftpServer, credentials: TransferCredentials, path: str) -> str:
    """Resumes (`-a`) and takes folders (`-r`)."""
    source = f"{credentials.username}@{server.host}:{_escaped(path)}"
    return f"sftp -a -r -P {server.port} {shlex.quote(source)}"


def scp_command(server: SftpServer, credentials: TransferCredentials, path: str) -> str:
    source = f"{credentials.username}@{server.host}:{_escaped(path)}"
    return f"scp -r -P {server.port} {shlex.quote(source)} ."


def remote_path(torrent: Torrent, link: Link | None) -> str:
    """Where the server says that it is; else where a torrent of that name usually is."""
    return link.sftp_path if link and link.sftp_path else f"/{safe_name(torrent.name)}"


def _escaped(path: str) -> str:
    """Both programs take wildcards in it, so what looks like one is escaped."""
    return re.sub(r"([][*?\\])", r"\\\1", path)
