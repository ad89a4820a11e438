"""The cloud's description is free of charge, opens what the box needs, and installs it until that succeeded.

The provider cannot be had here, so nothing is planned against Oracle: what can be known without it is.
"""

import base64
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml

MODULE = Path(__file__).resolve().parent.parent / "deploy" / "opentofu"
SOURCES = sorted(MODULE.glob("*.tf"))
TOFU = shutil.which("tofu") or shutil.which("terraform")
needs_tofu = pytest.mark.skipif(TOFU is None, reason="neither tofu nor terraform is installed")
ANSWERS = {
    "region": "eu-frankfurt-1",
    "tenancy_ocid": "ocid1.tenancy.oc1..a",
    "ssh_public_key": "ssh-ed25519 AAAA",
    "domain": "box.example.org",
    "email": "you@example.org",
    "repository": "https://git.example.org/box.git",
}


def parsed() -> dict[str, list[Any]]:
    """All files together: kinds of blocks and their contents."""
    blocks: dict[str, list[Any]] = {}
    for source in SOURCES:
        with source.open() as file:
            for kind, found in unquoted(hcl2.load(file)).items():
                blocks.setdefault(kind, []).extend(found if isinstance(found, list) else [found])
    return blocks


def unquoted(value: Any) -> Any:
    if isinstance(value, dict):
        return {unquoted(name): unquoted(held) for name, held in value.items()}
    if isinstance(value, list):
        return [unquoted(held) for held in value]
    return (
        value[1:-1] if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"' else value
    )


def resource(kind: str) -> dict[str, Any]:
    """The one of its kind, or the first."""
    return next(next(iter(block[kind].values())) for block in parsed()["resource"] if kind in block)


def default(variable: str) -> Any:
    return next(block[variable]["default"] for block in parsed()["variable"] if variable in block)


def ran(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    assert TOFU is not None
    return subprocess.run(
        [TOFU, *arguments],
        cwd=folder,
        env={**os.environ, "TF_CLI_CONFIG_FILE": os.devnull, "TF_IN_AUTOMATION": "1", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def without_provider(tmp_path: Path) -> Path:
    """The part of the module that asks Oracle nothing: variables, and what the machine is told."""
    for name in ("variables.tf", "user-data.tf", "cloud-init.yaml.tftpl", "first-boot.sh"):
        shutil.copy(MODULE / name, tmp_path)
    shutil.copy(MODULE / "torrentproxy-first-boot.service", tmp_path)
    (tmp_path / "out.tf").write_text('output "user_data" {\n  value = local.user_data\n}\n')
    (tmp_path / "terraform.tfvars.json").write_text(json.dumps(ANSWERS))
    assert ran("init", "-input=false", folder=tmp_path).returncode == 0
    return tmp_path


@needs_tofu
def test_it_is_formatted_as_the_tool_does() -> None:
    assert ran("fmt", "-check", "-diff", folder=MODULE).stdout == ""


def test_everything_that_is_referred_to_is_declared() -> None:
    blocks = parsed()
    declared = {f"var.{name}" for block in blocks["variable"] for name in block}
    declared |= {f"local.{name}" for block in blocks["locals"] for name in block}
    for prefix, kind in (("", "resource"), ("data.", "data")):
        declared |= {
            f"{prefix}{type_}.{name}"
            for block in blocks[kind]
            for type_, named in block.items()
            for name in named
        }
    text = "\n".join(re.sub(r"#.*", "", source.read_text()) for source in SOURCES)
    used = set(re.findall(r"\b(?:var|local)\.\w+", text))
    used |= set(re.findall(r"\b(?:data\.)?oci_\w+\.\w+", text))

    assert used - declared == set()
    assert {name for name in declared if name.startswith("var.")} - used == set()


def test_what_it_asks_for_is_what_is_free() -> None:
    instance = resource("oci_core_instance")
    assert instance["shape"] == "VM.Standard.A1.Flex"
    assert (default("ocpus"), default("memory_gb"), default("boot_volume_gb")) == (2, 12, 200)
    kinds = {kind for block in parsed()["resource"] for kind in block}
    assert not {
        kind for kind in kinds if "volume" in kind or "load_balancer" in kind or "nat_gateway" in kind
    }


@needs_tofu
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ocpus", 4),
        ("memory_gb", 24),
        ("boot_volume_gb", 250),
        ("bucket_days", 30),
        ("availability_domain", 0),
    ],
)
def test_what_would_cost_money_or_backups_is_refused(
    without_provider: Path, variable: str, value: int
) -> None:
    done = ran("plan", "-input=false", "-var", f"{variable}={value}", folder=without_provider)
    assert done.returncode == 1
    assert "Invalid value for variable" in done.stderr


def test_the_ports_that_the_box_listens_on_are_open_and_no_others() -> None:
    rules = resource("oci_core_security_list")
    ports = next(block["ports"] for block in parsed()["locals"] if "ports" in block)
    opened = {(rule["protocol"], rule["port"]) for rule in ports.values()}
    fixed = [
        rule["tcp_options"][0]["min"] for rule in rules["ingress_security_rules"] if "tcp_options" in rule
    ]
    icmp = [rule["icmp_options"][0] for rule in rules["ingress_security_rules"] if "icmp_options" in rule]

    assert opened == {("tcp", 80), ("tcp", 443), ("tcp", 8022), ("tcp", 51413), ("udp", 51413)}
    assert fixed == [22]
    assert [(rule["type"], rule["code"]) for rule in icmp] == [(3, 4)]
    assert [rule["protocol"] for rule in rules["egress_security_rules"]] == ["all"]


def test_the_bucket_is_private_and_forgets_only_what_the_box_forgot() -> None:
    assert resource("oci_objectstorage_bucket")["access_type"] == "NoPublicAccess"
    rules = resource("oci_objectstorage_object_lifecycle_policy")["rules"]
    assert [(rule["target"], rule["action"]) for rule in rules] == [
        ("multipart-uploads", "ABORT"),
        ("objects", "DELETE"),
    ]
    assert default("bucket_days") > 7 * 31  # six monthly backups, and the month that runs


def test_every_output_that_holds_a_secret_is_marked() -> None:
    secret = {
        name
        for block in parsed()["output"]
        for name, output in block.items()
        if "secret_key" in output["value"] and not output.get("sensitive")
    }
    assert secret == set()


@needs_tofu
def test_the_machine_is_told_what_to_fetch(without_provider: Path) -> None:
    assert ran("apply", "-auto-approve", "-input=false", folder=without_provider).returncode == 0
    user_data = ran("output", "-raw", "user_data", folder=without_provider).stdout
    assert user_data.startswith("#cloud-config\n")
    told = yaml.safe_load(user_data)
    files = {entry["path"]: entry["content"] for entry in told["write_files"]}

    assert all(entry["encoding"] == "b64" for entry in told["write_files"])
    assert decoded(files["/etc/torrentproxy-first-boot/source"]) == (
        "REPOSITORY=https://git.example.org/box.git\nREF=main\n"
    )
    assert decoded(files["/etc/torrentproxy-first-boot/arguments"]) == (
        "--domain\nbox.example.org\n--email\nyou@example.org\n"
    )
    script = decoded(files["/usr/local/sbin/torrentproxy-first-boot"])
    assert script == (MODULE / "first-boot.sh").read_text()
    assert len(user_data) < 16 * 1024  # Oracle takes 32,000 bytes of metadata; base64 makes a third more


@needs_tofu
@pytest.mark.skipif(shutil.which("cloud-init") is None, reason="cloud-init is not installed")
def test_cloud_init_understands_what_the_machine_is_told(without_provider: Path, tmp_path: Path) -> None:
    ran("apply", "-auto-approve", "-input=false", folder=without_provider)
    file = tmp_path / "user-data"
    file.write_text(ran("output", "-raw", "user_data", folder=without_provider).stdout)
    checked = subprocess.run(
        ["cloud-init", "schema", "--config-file", file], capture_output=True, text=True, timeout=60
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def decoded(content: str) -> str:
    return base64.b64decode(content).decode()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_the_unit_says_nothing_that_systemd_does_not_know(tmp_path: Path) -> None:
    unit = (MODULE / "torrentproxy-first-boot.service").read_text()
    named = tmp_path / "torrentproxy-first-boot.service"
    named.write_text(unit.replace("/usr/local/sbin/torrentproxy-first-boot", str(MODULE / "first-boot.sh")))
    done = subprocess.run(["systemd-analyze", "verify", named], capture_output=True, text=True)

    assert "ConditionPathExists=!/var/lib/torrentproxy-first-boot/done" in unit
    assert [line for line in done.stderr.splitlines() if "first-boot" in line] == []


class Boots:
    """A machine that boots again and again: its state, a repository, and an installer that fails at first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = folder / "repository"
        self.log = folder / "install.log"
        (folder / "asked").mkdir()
        (folder / "asked" / "source").write_text(f"REPOSITORY={self.repository}\nREF=main\n")
        (folder / "asked" / "arguments").write_text("--domain\nbox.example.org\n--note\ntwo words $HOME\n")
        (self.repository / "deploy").mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.publish(f'[ -e {folder}/works ] || exit 1; printf "[%s]" "$@" >>{folder}/installed')

    def git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=Alice", "-c", "user.email=alice@example.org"]
        subprocess.run(["git", *identity, *arguments], cwd=self.repository, check=True, capture_output=True)

    def publish(self, script: str) -> None:
        (self.repository / "deploy" / "install.sh").write_text(f"echo first password\n{script}\n")
        self.git("add", "deploy")
        self.git("commit", "--quiet", "--message=installer")

    def boot(self) -> int:
        environment = {
            "FIRST_BOOT_CONFIGURATION": str(self.folder / "asked"),
            "FIRST_BOOT_LOG": str(self.log),
            "STATE_DIRECTORY": str(self.folder / "state"),
        }
        done = subprocess.run(
            ["bash", MODULE / "first-boot.sh"],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "first password" not in done.stdout + done.stderr
        return done.returncode


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_each_boot_tries_again_until_the_box_is_installed(tmp_path: Path) -> None:
    boots = Boots(tmp_path)
    done = tmp_path / "state" / "done"
    assert boots.boot() != 0
    assert not done.exists()
    shutil.rmtree(tmp_path / "state" / "source" / ".git")  # half a clone
    assert boots.boot() != 0

    (tmp_path / "works").touch()
    boots.publish(f'printf "[%s]" "$@" >>{tmp_path}/installed')  # newer code is fetched
    assert boots.boot() == 0
    assert done.exists()
    assert (tmp_path / "installed").read_text() == "[--domain][box.example.org][--note][two words $HOME]"
    assert boots.log.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_repository_that_does_not_answer_is_asked_again_at_the_next_boot(tmp_path: Path) -> None:
    boots = Boots(tmp_path)
    boots.repository.rename(tmp_path / "away")
    assert boots.boot() != 0
    (tmp_path / "away").rename(boots.repository)
    (tmp_path / "works").touch()
    assert boots.boot() == 0


def until_capacity(folder: Path, answers: list[tuple[str, int]]) -> tuple[int, list[str]]:
    """Exit code, and the arguments of each apply; Oracle gives these answers, one after the other."""
    for number, (text, code) in enumerate(answers):
        (folder / f"answer{number}").write_text(f'echo "{text}"\nexit {code}\n')
    tofu = folder / "tofu"
    tofu.write_text(
        f'#!/bin/sh\necho "$@" >>{folder}/calls\nset -- $(wc -l <{folder}/calls)\n. {folder}/answer$(($1 - 1))\n'
    )
    tofu.chmod(0o755)
    done = subprocess.run(
        ["bash", MODULE / "until-capacity.sh", "-var-file=mine.tfvars"],
        env={**os.environ, "TOFU": str(tofu), "PAUSE": "0", "ATTEMPTS": str(len(answers))},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, (folder / "calls").read_text().splitlines()


def test_a_machine_is_asked_for_in_each_availability_domain_until_there_is_one(tmp_path: Path) -> None:
    full = ("Error: 500-InternalError, Out of host capacity.", 1)
    code, calls = until_capacity(
        tmp_path, [full, ("429-TooManyRequests", 1), full, full, ("Apply complete!", 0)]
    )
    assert code == 0
    assert [re.findall(r"availability_domain=(\d)", call)[0] for call in calls] == ["1", "2", "3", "1", "2"]
    assert all(call.endswith("-var-file=mine.tfvars") for call in calls)


def test_any_other_error_ends_it_at_once(tmp_path: Path) -> None:
    code, calls = until_capacity(tmp_path, [("Error: 401-NotAuthenticated", 1), ("Apply complete!", 0)])
    assert (code, len(calls)) == (1, 1)


def test_it_does_not_ask_for_ever(tmp_path: Path) -> None:
    code, calls = until_capacity(tmp_path, [("Out of host capacity", 1)] * 3)
    assert (code, len(calls)) == (1, 3)
