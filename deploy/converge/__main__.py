"""`deploy/install.sh`, as a program: its arguments, its lock, its log and its exit code."""

import argparse
import fcntl
import logging
import os
import platform
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from deploy.converge import admin, places
from deploy.converge.answers import Answers, read_answers, told
from deploy.converge.commands import InstallError
from deploy.converge.install import Installation
from deploy.converge.restoring import Takeover
from deploy.converge.run import Run, logger

CHECKOUT = Path(__file__).resolve().parent.parent.parent
NEEDED_SPACE = 3 * 1024**3  # bytes, for packages and a release
WRONG_USE = 2

DESCRIPTION = """Makes this machine (Ubuntu 24.04, Debian 12 or 13; amd64 or arm64) into a box: everything is installed,
set up, started, and looked at until it is well. Run it again as often as you like: what is as it should be is left
alone, and what a killed run left undone is done. From a newer checkout it upgrades: a backup first, and back to what
was before if the new release does not work.

  sudo bash deploy/install.sh --domain box.example.org --email you@example.org
  sudo bash deploy/install.sh --domain 203.0.113.7 --internal-tls      no name: a certificate of its own
  sudo bash deploy/install.sh                                          as it was told the last time
"""
EPILOG = f"""The answers file is TOML, with the names of the options (internal_tls = true) and a table [box] of settings
of .env.example. What was answered is kept in {places.ANSWERS}. Behind a package index of your own,
configure pip and apt as usual: /etc/pip.conf, PIP_INDEX_URL (sudo --preserve-env=PIP_INDEX_URL) and apt's sources are
used as they are.

Everything is logged to {places.LOG}, without secrets. Exit codes: 0 done, 1 failed (the last lines say why and what
to do), 2 wrong use. docs/install.md tells the rest.
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="install.sh",
        usage="sudo bash deploy/install.sh [--domain NAME --email ADDRESS | --answers FILE] [options]",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--domain", metavar="NAME", help="the name people reach this machine by; it has to point here")
    add(
        "--email", metavar="ADDRESS", help="where the certificate authority writes to when something is wrong"
    )
    add("--internal-tls", action=argparse.BooleanOptionalAction, help="a certificate of its own, whose fingerprint "
        "people compare; --domain may then be an IPv4 address")  # fmt: skip
    add("--admin", metavar="NAME", help="the first account (default: admin)")
    add(
        "--monitoring",
        action=argparse.BooleanOptionalAction,
        help="Prometheus and its companions (default: yes)",
    )
    add("--grafana-repository", metavar="URL", help="an apt repository that has the package grafana")
    add("--grafana-key", metavar="KEY", type=place, help="what signs it: the address or the file of its key")
    add("--answers", metavar="FILE", type=Path, help="all of this from a file")
    add(
        "--restore-from",
        metavar="ARCHIVE",
        type=place,
        help="go on from a backup: a file, or s3://BUCKET/NAME",
    )
    add(
        "--backup-key-file",
        metavar="FILE",
        type=Path,
        help="holds the key of that backup (AGE-SECRET-KEY-1…)",
    )
    add("--dry-run", action="store_true", help="say what would be done, and do nothing")
    return parser.parse_args()


def place(text: str) -> str:
    """An address as it is; a file by its whole path, which means the same wherever the programs that read it start."""
    return text if "://" in text else str(Path(text).absolute())


def main() -> int:
    given = arguments()
    if os.geteuid() != 0:
        return complain(
            "This changes the machine: run it as root (sudo bash deploy/install.sh …).", WRONG_USE
        )
    os.umask(0o022)  # others read releases; what they may not read gets a mode of its own
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    try:
        log_to_screen()
        if not given.dry_run:
            log_to_file()
        with only_one():
            answers = answered(given)
            if problems := answers.problems():
                return complain(
                    "\n".join([*problems, "bash deploy/install.sh --help tells everything."]), WRONG_USE
                )
            look_at_machine()
            takeover = takeover_of(given, answers)
            lines = Installation(Run(dry=given.dry_run), answers, CHECKOUT, takeover).run()
    except InstallError as error:
        return complain(str(error), 1)
    except KeyboardInterrupt:
        return complain("Interrupted. Run it again to go on.", 1)
    except OSError as error:
        logger.debug("", exc_info=True)
        return complain(
            f"This machine refused: {error}. See that its disk has space (df -h) and can be written to, then "
            "run this again.",
            1,
        )
    except Exception as error:
        logger.debug("", exc_info=True)
        return complain(
            f"A mistake of the installer's: {error!r}. {places.LOG} has the details; it may be run again.", 1
        )
    sys.stdout.write("\n".join(lines) + "\n")  # not by the log: there may be secrets in it
    sys.stdout.flush()
    if not given.dry_run:
        admin.was_shown()
        logger.debug("done")
    return 0


def complain(text: str, code: int) -> int:
    logger.debug("exit code %d: %s", code, text)
    sys.stderr.write(f"\nError: {text}\n")
    return code


def interrupted(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def log_to_screen() -> None:
    logger.setLevel(logging.DEBUG)
    screen = logging.StreamHandler(sys.stdout)
    screen.setLevel(logging.INFO)
    logger.addHandler(screen)


def log_to_file() -> None:
    places.LOG.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    descriptor = os.open(places.LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    file = logging.StreamHandler(os.fdopen(descriptor, "a", encoding="utf-8"))
    file.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%S"))
    logger.addHandler(file)
    logger.debug("---- install.sh %s", " ".join(sys.argv[1:]))


@contextmanager
def only_one() -> Iterator[None]:
    """Raises InstallError while another run is under way. The lock goes with its process."""
    places.LOCK.parent.mkdir(parents=True, exist_ok=True)
    with places.LOCK.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InstallError(
                "Another installation is under way on this machine. Wait until it has ended."
            ) from None
        yield


def answered(given: argparse.Namespace) -> Answers:
    known = Answers()
    if places.ANSWERS.exists():
        known = read_answers(places.ANSWERS)
    if given.answers is not None:
        known = read_answers(given.answers)
    return told(known, vars(given))


def look_at_machine() -> None:
    """Raises InstallError where it cannot become a box."""
    if not Path("/run/systemd/system").is_dir():
        raise InstallError(
            "This machine is not run by systemd; a box needs it. bash deploy/quickstart.sh works without."
        )
    if shutil.which("apt-get") is None:
        raise InstallError("This machine has no apt-get. A box needs Ubuntu 24.04, or Debian 12 or 13.")
    if platform.machine() not in ("x86_64", "aarch64"):
        raise InstallError(
            f"There are no packages for {platform.machine()}: a box needs an amd64 or arm64 machine."
        )
    free = shutil.disk_usage("/").free
    if free < NEEDED_SPACE:
        raise InstallError(
            f"Only {free // 1024**2} MB are free on /, and {NEEDED_SPACE // 1024**2} are needed. Make room, then run "
            "this again."
        )


def takeover_of(given: argparse.Namespace, answers: Answers) -> Takeover | None:
    if given.restore_from is None:
        return None
    if given.backup_key_file is None:
        raise InstallError("Backups are encrypted: name the file that holds the key by --backup-key-file.")
    try:
        lines = given.backup_key_file.read_text().split()
    except (OSError, UnicodeDecodeError) as error:
        raise InstallError(f"The key of the backup cannot be read: {error}") from error
    keys = [line for line in lines if line.startswith("AGE-SECRET-KEY-1")]
    if len(keys) != 1:
        raise InstallError(
            f"{given.backup_key_file} holds no key, or several: it begins with AGE-SECRET-KEY-1."
        )
    return Takeover(given.restore_from, keys[0], answers.box)


if __name__ == "__main__":
    sys.exit(main())
