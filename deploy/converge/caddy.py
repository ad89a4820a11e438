"""Caddy: the site's address, and a certificate that browsers know or one of our own."""

import contextlib
import hashlib
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from deploy.converge import places
from deploy.converge.answers import Answers, is_address
from deploy.converge.commands import run
from deploy.converge.environment_files import line_of
from deploy.converge.files import Directory, File, Kept, Owned
from deploy.converge.run import Resource
from deploy.converge.systemd import Running

CADDYFILE = places.ETC / "Caddyfile"
MORE = places.ETC / "caddy.d"
DROP_IN = places.SYSTEMD / "caddy.service.d/oci-torrent-proxy.conf"
ACCESS_LOG = Path("/var/log/caddy/box.log")
CERTIFICATE = places.TLS / "certificate.pem"
KEY = places.TLS / "key.pem"
DAYS = 3650
# Backups are made by the box's user and hold both: people have pinned the certificate.
OWN_CERTIFICATE = ((KEY, "caddy", places.BOX_USER, 0o440), (CERTIFICATE, "root", "root", 0o644))

HEADING = "# Made from answers.toml by deploy/install.sh. Run that again with other arguments to change it.\n"
# --environ, which Debian's unit has, would print the environment into the journal.
UNIT = f"""# Written by deploy/install.sh.
[Service]
EnvironmentFile={places.CADDY_ENV}
ExecStart=
ExecStart=/usr/bin/caddy run --config {CADDYFILE} --adapter caddyfile
ExecReload=
ExecReload=/bin/false
Restart=on-failure
RestartSec=2
"""


@dataclass
class OwnCertificate:
    """One for ten years, which clients pin by its fingerprint: Caddy's internal ones are new twice a day."""

    domain: str

    def differs(self) -> list[str]:
        if not KEY.exists() or not CERTIFICATE.exists():
            return [f"make a certificate for {self.domain}"]
        option = "-checkip" if is_address(self.domain) else "-checkhost"
        shown = run(["openssl", "x509", "-in", CERTIFICATE, "-noout", option, self.domain]).stdout
        return [] if " does match " in shown else [f"make a new certificate, for {self.domain}"]

    def apply(self) -> None:
        kind = "IP" if is_address(self.domain) else "DNS"
        new_key, new = KEY.with_suffix(".new"), CERTIFICATE.with_suffix(".new")
        run(
            [
                *("openssl", "req", "-x509", "-nodes", "-days", str(DAYS), "-subj", "/CN=OCI Torrent Proxy"),
                *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
                *("-addext", f"subjectAltName={kind}:{self.domain}", "-keyout", new_key, "-out", new),
            ],
            failure="openssl could not make a certificate:",
        )
        new_key.replace(KEY)
        new.replace(CERTIFICATE)


def variables(answers: Answers) -> dict[str, str]:
    """What deploy/Caddyfile reads. A client that connects to an address names no server: default_sni does."""
    found = {
        "SITE_ADDRESS": answers.domain,
        "UPSTREAM": f"127.0.0.1:{places.WEB_PORT}",
        "DOWNLOADS_DIR": str(places.DOWNLOADS),
        "CADDY_LOG": str(ACCESS_LOG),
        "CADDY_MORE": str(MORE),
    }
    if answers.internal_tls:
        return {
            **found,
            "CADDY_OPTIONS": f"default_sni {answers.domain}",
            "CADDY_TLS": f"tls {CERTIFICATE} {KEY}",
        }
    return {**found, "CADDY_OPTIONS": f"email {answers.email}"}


def caddy(answers: Answers, deploy: Path) -> list[Resource]:
    """`deploy`: that folder of the release to run."""
    own: list[Resource] = []
    if answers.internal_tls:
        own = [
            Directory(places.TLS),
            OwnCertificate(answers.domain),
            *(Owned(*one) for one in OWN_CERTIFICATE),
        ]
    lines = "".join(line_of(*one) + "\n" for one in variables(answers).items())
    return [
        *own,
        Directory(MORE),
        Directory(ACCESS_LOG.parent, "caddy", "caddy", 0o755),
        # Who counts what was handed over reads it. What Caddy begins when one is full belongs to the same people.
        Kept(ACCESS_LOG, "caddy", places.DATA_GROUP, 0o640),
        File(places.CADDY_ENV, "root", places.BOX_USER, 0o640, content=HEADING + lines),
        caddyfile(deploy),
        File(DROP_IN, content=UNIT),
    ]


def caddyfile(deploy: Path) -> Resource:
    return File(CADDYFILE, content=(deploy / "Caddyfile").read_text())


def running() -> Resource:
    """Started anew only where something of its own changed: it has downloads under way."""
    return Running("caddy.service", needs=(CADDYFILE, places.CADDY_ENV, CERTIFICATE))


def has_certificate(domain: str) -> bool:
    """Whether Caddy shows one for that name that this machine trusts; it may take a while to get one."""
    try:
        with socket.create_connection(("127.0.0.1", 443), timeout=10) as plain:
            ssl.create_default_context().wrap_socket(plain, server_hostname=domain).close()
    except OSError:
        return False
    return True


def fingerprint() -> str | None:
    """As the client shows it."""
    with contextlib.suppress(OSError, ValueError):
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(CERTIFICATE.read_text())).hexdigest().upper()
        return "SHA256:" + ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
    return None
