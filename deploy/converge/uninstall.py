"""`deploy/uninstall.sh`: what install.sh made is taken away; data only when told, backups only when told twice."""

import argparse
import os
import sys
from pathlib import Path

from deploy.converge import caddy, grafana, host, monitoring, places, units
from deploy.converge.__main__ import WRONG_USE, complain, log_to_screen, only_one
from deploy.converge.commands import InstallError, run
from deploy.converge.files import Missing, gid_of, uid_of
from deploy.converge.install import COMMAND
from deploy.converge.run import Run
from deploy.converge.systemd import Stopped

DEPLOY = Path(__file__).resolve().parent.parent

DESCRIPTION = f"""Takes the box away from this machine: its services, its code, its firewall rules and its configuration
of Caddy and Prometheus. The packages stay installed; Caddy and Prometheus are stopped.

Kept, so that install.sh can go on from there: the database, downloads and secrets ({places.STATE}, {places.ETC}).
With --purge they go, too. Backups ({places.BACKUPS}) stay even then, unless --purge-backups is given.
"""
FIREWALL_TABLES = ("contain_torrents", "torrentproxy_ports")
# The ports that were let in past iptables, now and after the next start.
CLOSE_PORTS = r"""
command -v iptables >/dev/null || exit 0
iptables -S INPUT | grep -e '--comment "\?oci-torrent-proxy"\? ' | while read -r _ rule; do iptables -D $rule; done
[ ! -f /etc/iptables/rules.v4 ] || sed -i '/--comment "\?oci-torrent-proxy"\? /d' /etc/iptables/rules.v4
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="uninstall.sh",
        usage="sudo bash deploy/uninstall.sh [--purge [--purge-backups]] [--yes]",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--purge", action="store_true", help="the database, downloads, secrets and users, too"
    )
    parser.add_argument("--purge-backups", action="store_true", help="with --purge: backups, too")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    given = parser.parse_args()
    if os.geteuid() != 0:
        return complain(
            "This changes the machine: run it as root (sudo bash deploy/uninstall.sh …).", WRONG_USE
        )
    if given.purge_backups and not given.purge:
        return complain("--purge-backups goes with --purge.", WRONG_USE)
    if not given.yes and not agreed(given.purge, given.purge_backups):
        return complain("Nothing was done.", 1)
    log_to_screen()
    try:
        with only_one():
            take_away(Run(), purge=given.purge, purge_backups=given.purge_backups)
    except InstallError as error:
        return complain(str(error), 1)
    return 0


def agreed(purge: bool, purge_backups: bool) -> bool:
    what = "the box"
    if purge:
        what += ", with its database, everything that was downloaded, and its secrets"
    if purge_backups:
        what += ", and all backups on this machine"
    try:
        return input(f"This removes {what}. Type yes to go on: ").strip() == "yes"
    except EOFError:
        return False


def take_away(session: Run, *, purge: bool, purge_backups: bool) -> None:
    session.step("Services")
    ours = sorted(path.name for path in places.SYSTEMD.glob("torrentproxy*") if path.is_file())
    run(["systemctl", "disable", "--quiet", *[name for name in ours if name.endswith((".target", ".timer"))]])
    others = [*(f"{name}.service" for name in monitoring.READ_BY), *units.OTHERS]
    session.ensure(*(Stopped(name) for name in [units.TARGET, *ours, *others]))
    run(["systemctl", "disable", "--quiet", *others])
    session.step("Files")
    session.ensure(*(Missing(path) for path in files()))
    run(["systemctl", "daemon-reload"])
    session.step("Firewall")
    for table in FIREWALL_TABLES:
        run(["nft", "delete", "table", "inet", table])
    run(["/bin/sh", "-c", CLOSE_PORTS])
    if purge:
        session.step("Data")
        drop_database(session)
        session.ensure(*(Missing(path) for path in (places.STATE, places.ETC, places.LOG.parent)))
        remove_people(session)
        if purge_backups:
            session.ensure(Missing(places.BACKUPS))
    session.step("The box is gone." if session.changes else "There is no box here: nothing was changed.")


def files() -> list[Path]:
    """Everything outside of the places for data and configuration."""
    names = [path.relative_to(places.SYSTEMD).parts[0] for path in units.unit_files(DEPLOY)]
    own = [name for name in dict.fromkeys(names) if name.startswith(("torrentproxy", "downloads.slice"))]
    return [
        *sorted({*places.SYSTEMD.glob("torrentproxy*"), *(places.SYSTEMD / name for name in own)}),
        caddy.DROP_IN,
        *(places.SYSTEMD / f"{name}.d/oci-torrent-proxy.conf" for name in units.OTHERS[1:]),
        COMMAND,
        places.CODE,
        *host.FILES,
        *Path("/etc/postgresql").glob("*/main/conf.d/50-oci-torrent-proxy.conf"),
        *(monitoring.PROMETHEUS / name for name in ("rules", "targets")),
        grafana.SOURCE,
        grafana.KEYRING,
    ]


def drop_database(session: Run) -> None:
    drops = f'DROP DATABASE IF EXISTS "{places.DATABASE}" WITH (FORCE);\nDROP ROLE IF EXISTS "{places.BOX_USER}";\n'
    session.change(
        [f"drop PostgreSQL's database {places.DATABASE}"],
        lambda: run(
            ["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-d", "postgres"],
            user="postgres",
            text=drops,
            failure="PostgreSQL could not drop the database. Nothing else of the data was removed:",
        ),
    )


def remove_people(session: Run) -> None:
    for name in (places.BOX_USER, places.ENGINE_USER):
        if uid_of(name) is not None:
            session.change([f"remove the system user {name}"], lambda name=name: run(["userdel", name]))  # type: ignore[misc]
    if gid_of(places.DATA_GROUP) is not None:
        session.change(
            [f"remove the group {places.DATA_GROUP}"], lambda: run(["groupdel", places.DATA_GROUP])
        )


if __name__ == "__main__":
    sys.exit(main())
