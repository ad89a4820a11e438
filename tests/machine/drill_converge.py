"""deploy/install.sh itself: told to do nothing, killed in the middle, run again, gone back from a bad release, undone.

The tests are one drill, in this order, on one machine.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.machine.machine import Machine, booted

pytestmark = pytest.mark.timeout(2400)
HERE = "/root/oci-torrent-proxy"
INSTALL = f"bash {HERE}/deploy/install.sh"
TOLD = "--domain box.example.org --internal-tls"
PATIENCE = 900.0
SERVICES = tuple(
    f"torrentproxy-{name}" for name in ("web", "worker", "reconciler", "sftp", "handover", "qbittorrent")
)
LOOK = (
    "find /etc /opt /usr/local /var/lib/dpkg -xdev -type f -not -name '*.pyc' -not -name '*lock*' "
    "-printf '%p %s %T@ %m %u\\n' | sort | sha256sum"
)


@dataclass
class Installed:
    machine: Machine
    said: str  # by the run that finished it


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with booted() as machine:
        yield machine


@pytest.fixture(scope="module")
def installed(machine: Machine) -> Installed:
    """Killed twice on the way: while packages are installed, and while the code is."""
    machine.copy_checkout(HERE)
    for reached in ("install qbittorrent-nox", "copy this checkout"):
        machine.run(f"setsid {INSTALL} {TOLD} >/root/out 2>&1 </dev/null & echo $! >/root/pid")
        machine.run(
            f"until grep -q '{reached}' /root/out || ! kill -0 $(cat /root/pid); do sleep 0.2; done; "
            "sleep 5; kill -KILL -- -$(cat /root/pid)",
            timeout=PATIENCE,
        )
    return Installed(machine, machine.run(f"{INSTALL} {TOLD}", timeout=PATIENCE).stdout)


def password(said: str) -> str:
    found = re.search(r"Password: +(\S+)", said)
    assert found is not None, said
    return found[1]


def newer(machine: Machine, name: str, *, path: str, text: str) -> str:
    """Another checkout with one more file, or lines at the end of one; gives the command that installs it."""
    machine.run(f"rm -rf /root/{name} && cp -r {HERE} /root/{name} && cat >>/root/{name}/{path}", stdin=text)
    return f"bash /root/{name}/deploy/install.sh"


def migration(after: str, operation: str) -> str:
    return (
        "from django.db import migrations\n\n\n"
        "def fail(apps, editor):\n    raise RuntimeError('broken on purpose')\n\n\n"
        f"class Migration(migrations.Migration):\n    dependencies = [('monitoring', '{after}')]\n"
        f"    operations = [{operation}]\n"
    )


def last_migration(machine: Machine) -> str:
    return machine.says(f"ls {HERE}/monitoring/migrations | grep ^0 | tail -1").removesuffix(".py")


def assert_well(machine: Machine) -> None:
    assert machine.says(f"systemctl is-active {' '.join(SERVICES)}").split() == ["active"] * len(SERVICES)
    ready = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/health/ready').status)"
    assert machine.says(f'python3 -c "{ready}"') == "200"


def state(machine: Machine) -> str:
    """What a failed upgrade must leave alone: the release, the tables, the rows."""
    queries = "SELECT * FROM django_migrations ORDER BY id; SELECT username, password FROM accounts_user ORDER BY id"
    return machine.says(
        f'readlink /opt/oci-torrent-proxy/current; cd /; psql -qAtX torrentproxy -c "{queries}" -c "\\dt"',
        user="torrentproxy",
    )


def test_a_dry_run_on_a_new_machine_tells_all_and_changes_nothing(machine: Machine) -> None:
    machine.copy_checkout(HERE)
    before = machine.says(LOOK)

    said = machine.run(f"{INSTALL} {TOLD} --dry-run").stdout

    assert "would install postgresql" in said
    assert "would write /etc/oci-torrent-proxy/box.env" in said
    assert "Nothing was changed." in said
    assert machine.says(LOOK) == before


def test_after_runs_that_were_killed_it_ends_with_a_box_that_is_well(installed: Installed) -> None:
    assert password(installed.said)
    assert_well(installed.machine)
    assert installed.machine.says("systemctl --failed --no-legend") == ""


def test_the_second_run_changes_nothing_and_says_so(installed: Installed) -> None:
    before = installed.machine.says(LOOK)

    said = installed.machine.run(INSTALL, timeout=120).stdout

    assert "Nothing was changed" in said
    assert installed.machine.says(LOOK) == before


def test_no_secret_is_in_the_log_or_open_to_others(machine: Machine, installed: Installed) -> None:
    secrets = machine.says("sed -n 's/^\\(SECRET_KEY\\|METRICS_TOKEN\\|QBITTORRENT_PASSWORD\\|BACKUP_KEY\\)=//p' "
                           "/etc/oci-torrent-proxy/box.env").split()  # fmt: skip
    assert len(secrets) == 4

    machine.run("cat >/root/secrets", stdin="\n".join(secrets) + "\n")
    assert machine.says("grep -cFf /root/secrets /var/log/oci-torrent-proxy/install.log || true") == "0"
    found = machine.says(
        "grep -rlFf /root/secrets /etc /opt /var/lib/oci-torrent-proxy /var/log 2>/dev/null || true"
    )
    modes = machine.says(f"stat -c '%a %n' {found.replace(chr(10), ' ')}")
    assert [line for line in modes.splitlines() if line.split()[0][-1] != "0"] == []
    machine.run("rm /root/secrets")


def test_a_line_of_the_operators_in_box_env_stays(machine: Machine, installed: Installed) -> None:
    machine.run(
        "sed -i 's/^TORRENT_PORT=.*/TORRENT_PORT=51999/; $a MAX_ACTIVE_TORRENTS=7' /etc/oci-torrent-proxy/box.env"
    )

    said = machine.run(INSTALL, timeout=PATIENCE).stdout

    assert "TORRENT_PORT in /etc/oci-torrent-proxy/box.env is the operator's own" in said
    assert (
        machine.says(
            "grep -c -e ^TORRENT_PORT=51999 -e ^MAX_ACTIVE_TORRENTS=7 /etc/oci-torrent-proxy/box.env"
        )
        == "2"
    )
    assert ":51999 " in machine.says("ss -ltn")  # and holds


def test_two_installations_at_once_are_refused(machine: Machine, installed: Installed) -> None:
    refused = machine.run(
        f"flock /run/oci-torrent-proxy-install.lock {INSTALL}", check=False, timeout=PATIENCE
    )

    assert refused.returncode == 1
    assert "Another installation is under way" in refused.stderr


def test_a_broken_migration_is_rolled_back_with_all_that_went_before_it(
    machine: Machine, installed: Installed
) -> None:
    machine.run(f"{INSTALL}", timeout=PATIENCE)
    first = migration(
        last_migration(machine), "migrations.RunSQL(\"UPDATE accounts_user SET username = 'gone'\")"
    )
    upgrade = newer(machine, "broken", path="monitoring/migrations/0901_taken.py", text=first)
    second = migration("0901_taken", "migrations.RunPython(fail)")
    machine.run("cat >/root/broken/monitoring/migrations/0902_broken.py", stdin=second)
    before = state(machine)

    failed = machine.run(upgrade, timeout=PATIENCE, check=False)

    assert failed.returncode == 1
    assert "broken on purpose" in failed.stderr
    assert "everything is as it was before" in failed.stderr
    assert "put the database back as it was" in failed.stdout
    assert state(machine) == before
    assert_well(machine)


def test_a_release_that_does_not_start_is_rolled_back(machine: Machine, installed: Installed) -> None:
    before = state(machine)
    upgrade = newer(
        machine,
        "dead",
        path="torrents/management/commands/run_engine.py",
        text="\nraise SystemExit('dead')\n",
    )

    failed = machine.run(upgrade, timeout=PATIENCE, check=False)

    assert failed.returncode == 1
    assert "everything is as it was before" in failed.stderr
    assert state(machine) == before
    assert_well(machine)


def test_taken_away_it_leaves_data_and_backups_and_purged_only_backups(
    machine: Machine, installed: Installed
) -> None:
    machine.run("echo x >/var/backups/oci-torrent-proxy/box-20260101T000000Z.age")

    machine.run(f"bash {HERE}/deploy/uninstall.sh --yes", timeout=PATIENCE)

    assert (
        machine.says("ls -d /opt/oci-torrent-proxy /etc/systemd/system/torrentproxy* 2>/dev/null || true")
        == ""
    )
    assert machine.says("ls /var/lib/oci-torrent-proxy/data /etc/oci-torrent-proxy/box.env")
    assert machine.says("systemctl list-units --no-legend 'torrentproxy*'") == ""

    machine.run(f"bash {HERE}/deploy/uninstall.sh --yes --purge", timeout=PATIENCE)

    assert machine.says("ls -d /var/lib/oci-torrent-proxy /etc/oci-torrent-proxy 2>/dev/null || true") == ""
    left = machine.says("ls /var/backups/oci-torrent-proxy").split()
    assert {"before-upgrade.dump", "box-20260101T000000Z.age"} <= set(left)
