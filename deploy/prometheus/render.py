"""Writes the configuration of Prometheus and its companions for one machine: `python3 render.py [--root DIRECTORY]`.

It needs nothing but Python, is run as often as one likes, and prints the files that it changed, one a line. Every
machine gets the same but for what these variables of the environment say:

    SITE_ADDRESS       the site's name, as Caddy has it; empty: the site is not looked at
    SITE_CERTIFICATE   "public" (the default), "own" (which clients pin) or "none" (HTTP)
    DATABASE_NAME      the box's database; the default is proxy
    ALERT_EMAIL_TO     who is told of alerts by e-mail; then also
    ALERT_EMAIL_FROM, ALERT_SMTP_SERVER (HOST:PORT), ALERT_SMTP_USERNAME, ALERT_SMTP_PASSWORD
    ALERT_WEBHOOK_URL  an address that Alertmanager posts alerts to, as JSON
    ALERT_HEARTBEAT_URL  an address elsewhere that is called each minute while the box is well
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
STATIC = ("prometheus.yml", "blackbox.yml", "postgres-queries.yml")
CERTIFICATES = ("public", "own", "none")
GROUP = "prometheus"  # which the services run as, and which alone reads the password of the mail server


class WrongVariable(Exception):
    """The text names the variable and says what is wrong."""


def files(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is to stand where, by paths below the root. Raises WrongVariable."""
    for name in STATIC:
        yield f"etc/prometheus/{name}", (HERE / name).read_text()
    for rules in sorted((HERE / "rules").glob("*.yml")):
        yield f"etc/prometheus/rules/{rules.name}", rules.read_text()
    yield "etc/prometheus/alertmanager.yml", (HERE / "alertmanager.yml").read_text() + receivers(variables)
    yield "etc/prometheus/targets/site.yml", site(variables)
    for flags in sorted((HERE / "default").iterdir()):
        database = variables.get("DATABASE_NAME") or "proxy"
        yield f"etc/default/{flags.name}", flags.read_text().replace("DATABASE_NAME", database)


def site(variables: Mapping[str, str]) -> str:
    """The target of blackbox_exporter: this machine, asked for the site by its name."""
    address = (variables.get("SITE_ADDRESS") or "").split(",")[0].strip()
    if not address:
        return "[]\n"
    certificate = variables.get("SITE_CERTIFICATE") or "public"
    if certificate not in CERTIFICATES:
        raise WrongVariable(f"SITE_CERTIFICATE is one of {', '.join(CERTIFICATES)}, not {certificate!r}.")
    parts = urlsplit(address if "://" in address else f"https://{address}")
    if not parts.hostname:
        raise WrongVariable(f"SITE_ADDRESS names no host: {address!r}.")
    if parts.scheme == "http":
        certificate = "none"
    port = f":{parts.port}" if parts.port else ""
    target = f"{parts.scheme}://127.0.0.1{port}"
    return (
        f"- targets: [{json.dumps(target)}]\n"
        f"  labels: {{site: {json.dumps(parts.hostname)}, certificate: {certificate}}}\n"
    )


def receivers(variables: Mapping[str, str]) -> str:
    """The end of Alertmanager's configuration. JSON's strings are YAML's, whatever is in them."""
    lines = ["  - name: operator"]
    if to := variables.get("ALERT_EMAIL_TO"):
        lines += ["    email_configs:", f"      - to: {json.dumps(to)}", "        send_resolved: true"]
        for name, setting in (("ALERT_EMAIL_FROM", "from"), ("ALERT_SMTP_SERVER", "smarthost")):
            if not variables.get(name):
                raise WrongVariable(f"{name} is needed for ALERT_EMAIL_TO.")
            lines.append(f"        {setting}: {json.dumps(variables[name])}")
        if username := variables.get("ALERT_SMTP_USERNAME"):
            lines.append(f"        auth_username: {json.dumps(username)}")
            lines.append(f"        auth_password: {json.dumps(variables.get('ALERT_SMTP_PASSWORD', ''))}")
    if url := variables.get("ALERT_WEBHOOK_URL"):
        lines += ["    webhook_configs:", f"      - url: {json.dumps(url)}"]
    lines.append("  - name: heartbeat")
    if url := variables.get("ALERT_HEARTBEAT_URL"):
        lines += ["    webhook_configs:", f"      - url: {json.dumps(url)}", "        send_resolved: false"]
    return "\n".join(lines) + "\n"


def write(root: Path, variables: Mapping[str, str]) -> list[Path]:
    """Gives the files that were not yet as they should be. Rules that are no longer ours are taken away."""
    wanted = {root / name: text for name, text in files(variables)}
    changed = []
    for path, text in wanted.items():
        if path.is_file() and path.read_text() == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.new")
        draft.touch(mode=0o600)
        draft.chmod(0o640)  # whatever the umask is
        draft.write_text(text)
        if root == Path("/") and os.geteuid() == 0:
            shutil.chown(draft, "root", GROUP)
        draft.replace(path)
        changed.append(path)
    for path in sorted((root / "etc/prometheus/rules").glob("*.yml")):
        if path not in wanted:
            path.unlink()
            changed.append(path)
    return changed


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, default=Path("/"), help="write below this folder instead of /")
    try:
        for path in write(parser.parse_args().root, os.environ):
            print(path)
    except (WrongVariable, OSError, LookupError) as error:
        print(f"The configuration of Prometheus could not be written: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
