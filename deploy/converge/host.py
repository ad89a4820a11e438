"""The machine around the box: security updates, its clock, and logs that do not fill its disk."""

from dataclasses import dataclass
from pathlib import Path

from deploy.converge import places
from deploy.converge.commands import output
from deploy.converge.files import File, Link
from deploy.converge.run import Resource
from deploy.converge.systemd import Enabled, Running

WRITTEN_BY = "Written by deploy/install.sh."

JOURNAL = f"""# {WRITTEN_BY}
[Journal]
SystemMaxUse=500M
SystemKeepFree=1G
MaxRetentionSec=1month
"""
# Security updates alone, which Debian's and Ubuntu's own configuration chooses; never a reboot by itself.
UPDATES = f"""// {WRITTEN_BY}
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
APT::Periodic::AutocleanInterval "7";
Unattended-Upgrade::Automatic-Reboot "false";
"""
# Caddy rotates its own log, and count_handover relies on how: it is not for logrotate.
ROTATION = f"""# {WRITTEN_BY}
{places.LOG} {{
    size 5M
    rotate 4
    missingok
    notifempty
    compress
    create 0640 root adm
}}
"""


JOURNAL_FILE = Path("/etc/systemd/journald.conf.d/50-oci-torrent-proxy.conf")
UPDATES_FILE = Path("/etc/apt/apt.conf.d/52oci-torrent-proxy")
ROTATION_FILE = Path("/etc/logrotate.d/oci-torrent-proxy")
FILES = (JOURNAL_FILE, UPDATES_FILE, ROTATION_FILE)


@dataclass
class TimeZone:
    """Months of traffic, backups and logs are in UTC: one clock for all of them."""

    name: str = "UTC"

    def differs(self) -> list[str]:
        return [] if output(["date", "+%Z"]) == self.name else [f"set the time zone to {self.name}"]

    def apply(self) -> None:
        Link(Path("/etc/localtime"), f"/usr/share/zoneinfo/{self.name}").apply()
        File(Path("/etc/timezone"), content=f"{self.name}\n").apply()


def host() -> list[Resource]:
    return [
        TimeZone(),
        File(JOURNAL_FILE, content=JOURNAL),
        Running("systemd-journald.service", needs=(JOURNAL_FILE,)),
        File(UPDATES_FILE, content=UPDATES),
        Enabled("unattended-upgrades.service"),
        File(ROTATION_FILE, content=ROTATION),
    ]
