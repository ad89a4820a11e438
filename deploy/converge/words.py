"""What the operator reads at the end: what runs, how to get in, and what only they can do."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploy.converge import places
from deploy.converge.answers import Answers


@dataclass
class Ending:
    """`admin_password` and `backup_key` are there only where they have not been shown before."""

    answers: Answers
    release: str
    fingerprint: str | None = None
    certificate_works: bool = True
    admin_password: str | None = None
    backup_key: str | None = None
    box: Mapping[str, str] | None = None
    first: bool = False  # the machine was no box before


def last_words(ending: Ending) -> list[str]:
    answers, box = ending.answers, ending.box or {}
    site = f"https://{answers.domain}"
    lines = ["", f"The box runs at {site} (release {ending.release})."]
    if ending.admin_password:
        lines += [
            f"    Admin:     {site}/admin/",
            f"    Name:      {answers.admin}",
            f"    Password:  {ending.admin_password}",
            "    It is shown this once. Change it after the first login.",
        ]
    if ending.fingerprint:
        lines += [
            "",
            "Its certificate is its own. People compare this fingerprint at their first login, or give it:",
            f"    torrent-proxy login --server {site} --fingerprint {ending.fingerprint}",
        ]
    elif not ending.certificate_works:
        lines += [
            "",
            f"There is no certificate for {answers.domain} yet: let its name point to this machine, and open the ports",
            "80 and 443. Caddy goes on trying by itself; `journalctl -u caddy` says what it is told.",
        ]
    if ending.backup_key:
        lines += [
            "",
            "Backups are encrypted with this key. Keep it somewhere else too: without it they are worth nothing.",
            f"    {ending.backup_key}",
            f"    It is shown this once, and stands in {places.BOX_ENV} (BACKUP_KEY).",
        ]
    if ending.first:
        sftp, torrent = box.get("SFTP_ADDRESS", "").rpartition(":")[2], box.get("TORRENT_PORT", "")
        lines += [
            "",
            "What is left for you:",
            "  1. At Oracle, open in the security list of the machine's subnet: TCP 80 and 443, "
            f"TCP {sftp} (SFTP), TCP and UDP {torrent} (peers).",
            "  2. Add people: at /admin/, or: sudo torrentproxy-manage create_user NAME --generate",
            f"     They install the client as {site}/client/ says.",
            "  3. See that all is well at any time: sudo torrentproxy-manage doctor",
            "docs/install.md says where everything is, how to upgrade, and how to take it away again.",
        ]
    return lines
