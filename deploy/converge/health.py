"""Whether the box does its work, asked as its users' requests are: by HTTP."""

import http.client
import json
import time
from collections.abc import Iterable

from deploy.converge import places
from deploy.converge.commands import InstallError
from deploy.converge.systemd import properties, seconds

# The worker is well when its first task has ended, and tasks are due once a minute.
READY_SECONDS = 240.0
STEADY_SECONDS = 10.0


def unwell() -> list[str]:
    """What /health/ready complains about, each as "part: sentence"; empty: all is well."""
    connection = http.client.HTTPConnection("127.0.0.1", places.WEB_PORT, timeout=10)
    try:
        connection.request("GET", "/health/ready")
        response = connection.getresponse()
        answer = json.loads(response.read() or b"{}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return [f"web: it does not answer ({error})."]
    finally:
        connection.close()
    if response.status == 200:
        return []
    checks = answer.get("checks", []) if isinstance(answer, dict) else []
    told = [f"{one.get('name')}: {one.get('message')}" for one in checks if not one.get("ok")]
    return told or [f"web: it answers with status {response.status}."]


def unsteady(names: Iterable[str]) -> list[str]:
    """Services that have not run for a while without ending: what rows tell of them may be of their predecessors."""
    found = []
    for name in names:
        if not name.endswith(".service"):
            continue
        shown = properties(name, "Type", "ActiveState", "ActiveEnterTimestamp")
        since = seconds(shown.get("ActiveEnterTimestamp", ""))
        steady = (
            shown.get("ActiveState") == "active"
            and since is not None
            and time.time() - since >= STEADY_SECONDS
        )
        if shown.get("Type") != "oneshot" and not steady:
            found.append(f"{name}: it does not keep running. `journalctl -u {name} -n 50` says why.")
    return found


def wait_until_ready(services: Iterable[str], patience: float = READY_SECONDS) -> None:
    """Raises InstallError with what is still wrong."""
    names = list(services)
    deadline = time.monotonic() + patience
    while complaints := [*unwell(), *unsteady(names)]:
        if time.monotonic() > deadline:
            told = "\n".join(f"    {line}" for line in complaints)
            raise InstallError(f"The box is not well {patience:.0f} seconds after its start:\n{told}")
        time.sleep(1)
