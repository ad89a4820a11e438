"""Where everything is on a server, and who it belongs to."""

from pathlib import Path

BOX_USER = "torrentproxy"  # web, worker, reconciler, SFTP, backups
ENGINE_USER = "torrentproxy-bt"  # qBittorrent alone: the firewall holds by its uid
DATA_GROUP = "torrentproxy-data"  # both, and Caddy: whoever reads downloads

CODE = Path("/opt/oci-torrent-proxy")
RELEASES = CODE / "releases"
CURRENT = CODE / "current"

ETC = Path("/etc/oci-torrent-proxy")
BOX_ENV = ETC / "box.env"
ENGINE_ENV = ETC / "qbittorrent.env"
CADDY_ENV = ETC / "caddy.env"
ANSWERS = ETC / "answers.toml"
WRITTEN = ETC / "written.json"
TLS = ETC / "tls"

STATE = Path("/var/lib/oci-torrent-proxy")
DATA = STATE / "data"
ENGINE_DATA = STATE / "engine"
DOWNLOADS = STATE / "downloads"
INSTALLER = STATE / "installer"
BACKUPS = Path("/var/backups/oci-torrent-proxy")

LOG = Path("/var/log/oci-torrent-proxy/install.log")
LOCK = Path("/run/oci-torrent-proxy-install.lock")  # not below /run/lock, where everybody may make it first
SYSTEMD = Path("/etc/systemd/system")

DATABASE = "torrentproxy"
DATABASE_URL = f"postgresql://{BOX_USER}@/{DATABASE}?host=/var/run/postgresql"
WEB_PORT = 8000
