"""An installation that was cut off goes on where it was, by running it again."""

import pytest

from tests.machine.installed import CHECKOUT, SERVICES, InstalledBox
from tests.machine.machine import Machine

pytestmark = pytest.mark.timeout(2400)

INSTALL = f"bash {CHECKOUT}/deploy/install.sh --domain 10.0.0.2 --internal-tls"
START = f"setsid {INSTALL} >>/root/said 2>&1 & pid=$!"
# What the installer says when it begins with something that is bad to be cut off in.
MOMENTS = (
    "install caddy",
    "install its Python packages there",
    "bring the database up to date",
    "start torrentproxy-worker",
)


def cut_off(box: InstalledBox, moment: str, *, then: str) -> None:
    """Run the installer until it begins with that, then do `then` to it."""
    box.machine.run(
        f"{START}; until grep -q '{moment}' /root/said; do kill -0 $pid || exit 3; sleep 0.05; done; {then}",
        timeout=900,
    )


def test_killed_at_bad_moments_and_by_a_power_cut_it_is_completed_by_the_next_run(machine: Machine) -> None:
    machine.copy_checkout(CHECKOUT)
    box = InstalledBox(machine)

    for moment in MOMENTS:
        cut_off(box, moment, then="kill -KILL -- -$pid")
    cut_off(box, "start torrentproxy-sftp", then="true")
    machine.cut_power()
    machine.start()
    box.install()

    assert box.admin_password
    assert box.fingerprint
    box.wait_until_running()
    states = {
        name: machine.says(f"systemctl is-active torrentproxy-{name}", check=False) for name in SERVICES
    }
    assert states == dict.fromkeys(SERVICES, "active")
    assert "Nothing was changed" in box.install(step="second run")

    async def log_in() -> str:
        async with box.client() as api:
            return (await api.log_in("admin", box.admin_password)).username

    assert box.elsewhere(log_in) == "admin"
