"""A qBittorrent of our own: its settings written before it starts, and its process kept running.

The settings contain it: the Web API on loopback with a password, nothing that runs programs or opens ports,
and an IP filter over all addresses that are not public, because a torrent may
name web seeds and trackers among them.
"""

import base64
import contextlib
import ctypes
import fcntl
import hashlib
import logging
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torrents.engines.ip_filter import ip_filter

logger = logging.getLogger(__name__)

Settings = Mapping[str, Mapping[str, str]]

STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
STOP_SECONDS = 20.0  # qBittorrent saves resume data when it is asked to stop
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0  # seconds between restarts
SETTLED_SECONDS = 60.0  # having lived this long, the next restart is again after FIRST_PAUSE
PBKDF2_ROUNDS = 100_000  # fixed in qBittorrent's source (base/utils/password.cpp)
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class ProfileError(Exception):
    """qBittorrent cannot be started; the text is a sentence for an admin that says what to change."""


class NoQBittorrent(ProfileError):
    """There is no such program: to try again is of no use."""


@dataclass(frozen=True)
class ProfileOptions:
    """What differs between one qBittorrent and another.

    `loopback_peers` are addresses of 127.0.0.0/8 that the IP filter lets through: only tests and the
    demonstration, whose swarm is on this machine, have any.
    """

    profile_dir: Path
    data_root: Path  # a torrent's files live in data_root/t/<uuid>/
    web_port: int
    username: str
    password: str = field(repr=False)
    torrent_port: int
    interface: str = ""  # "" for any, "lo" to stay on this machine
    discovery: bool = True  # DHT, peer exchange and local peer discovery
    loopback_peers: tuple[str, ...] = ()

    @property
    def config_file(self) -> Path:
        return self.profile_dir / "qBittorrent" / "config" / "qBittorrent.conf"

    @property
    def filter_file(self) -> Path:
        return self.profile_dir / "qBittorrent" / "config" / "not-public.dat"


def engine_version(binary: str = "qbittorrent-nox") -> tuple[int, int]:
    """The program's version, such as (4, 5).

    Raises NoQBittorrent where it is missing or is none.
    """
    if shutil.which(binary) is None:
        raise NoQBittorrent(
            f"There is no program {binary}. Install it (sudo apt-get install qbittorrent-nox), or name another with "
            "QBITTORRENT_BINARY. Where a qBittorrent of your own is running, set QBITTORRENT_MANAGED=false."
        )
    try:
        # It wants to write there even to say that, and a user of its own may not do so everywhere.
        with tempfile.TemporaryDirectory() as home:
            answer = subprocess.run(
                [binary, "--version"],
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
                env=_environment(Path(home)),
            )
    except OSError as error:
        raise NoQBittorrent(f"{binary} (QBITTORRENT_BINARY) cannot be run: {error.strerror}.") from error
    found = re.search(r"v(\d+)\.(\d+)", answer.stdout)
    if found is None:
        raise NoQBittorrent(
            f"{binary} (QBITTORRENT_BINARY) is no qBittorrent: asked for its version, it says "
            f"{answer.stdout.strip()[:100]!r}."
        )
    return int(found[1]), int(found[2])


def write_profile(options: ProfileOptions, version: tuple[int, int]) -> None:
    """Write our settings and the IP filter; every other setting of an existing profile stays.

    Only while qBittorrent is not running on it: it rewrites its settings from memory. Raises ProfileError.
    """
    options.profile_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    options.data_root.mkdir(parents=True, exist_ok=True)
    options.config_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    existing = ""
    with contextlib.suppress(FileNotFoundError):
        existing = options.config_file.read_text(encoding="utf-8", errors="surrogateescape")
    try:
        _replace(options.filter_file, ip_filter(options.loopback_peers))
    except ValueError as error:
        raise ProfileError(f"The addresses of loopback peers are wrong: {error}.") from error
    _replace(options.config_file, merge_settings(existing, _settings(options, version)))


def run(options: ProfileOptions, binary: str = "qbittorrent-nox") -> None:
    """Run qBittorrent in the foreground until SIGTERM, SIGINT or SIGHUP; start it again whenever it ends by itself.

    Its output goes to our standard output. Call it in the main thread of a process that has no other threads.
    Raises ProfileError where it cannot be started: port taken, profile in use, or, for good, NoQBittorrent.
    """
    version = engine_version(binary)
    with _only_one(options.profile_dir), _waiting_for_signals() as previous_mask:
        _require_free_ports(options)
        pause = FIRST_PAUSE
        while True:
            write_profile(options, version)
            started = time.monotonic()
            child = launch(options, binary, signal_mask=previous_mask)
            logger.info("qBittorrent %d.%d started as process %d.", *version, child.pid)
            if _asked_to_stop_before_end(child):
                _stop(child)
                return
            if time.monotonic() - started > SETTLED_SECONDS:
                pause = FIRST_PAUSE
            logger.error(
                "qBittorrent ended by itself (%s); starting it again in %.0f s.", child.returncode, pause
            )
            if signal.sigtimedwait(STOP_SIGNALS, pause) is not None:
                return
            pause = min(pause * 2, LONGEST_PAUSE)


def launch(
    options: ProfileOptions,
    binary: str = "qbittorrent-nox",
    *,
    signal_mask: Collection[int] = (),
    output: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start qBittorrent on a written profile. It is killed when the thread that called this ends.

    `output` is a descriptor for what it prints, ours by default; `signal_mask` the signals it shall not hear.
    """
    return subprocess.Popen(
        [binary, f"--profile={options.profile_dir}"],
        env=_environment(options.profile_dir),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,  # Ctrl-C in a terminal is for us, who ask it to stop
        preexec_fn=_tie_to(os.getpid(), frozenset(signal_mask)),
    )


def merge_settings(existing: str, ours: Settings) -> str:
    """An INI text with our values in place; sections, keys and lines that we do not set stay as they are."""
    sections: dict[str, list[str]] = {}
    lines = sections.setdefault("", [])
    for line in existing.splitlines():
        if line.startswith("[") and line.rstrip().endswith("]"):
            lines = sections.setdefault(line.strip()[1:-1], [])
        elif line.strip():
            lines.append(line)
    for name, values in ours.items():
        kept = [line for line in sections.get(name, []) if line.partition("=")[0].strip() not in values]
        sections[name] = [*kept, *(f"{key}={value}" for key, value in values.items())]
    headless = sections.pop("")
    blocks = ["\n".join(headless)] if headless else []
    blocks += ["\n".join([f"[{name}]", *lines]) for name, lines in sections.items()]
    return "\n\n".join(blocks) + "\n"


def ini_string(text: str) -> str:
    r"""A string value as Qt's QSettings reads it: quoted, and beyond ASCII as \x escapes of UTF-16 units.

    Qt 5 and Qt 6 differ in the file's encoding; escapes are the same in both.
    """
    units = text.encode("utf-16-be", "surrogatepass")
    escaped = ""
    for unit in (int.from_bytes(units[i : i + 2]) for i in range(0, len(units), 2)):
        char = chr(unit)
        # An escape takes in every hexadecimal digit that follows, so such a digit is escaped too.
        after_escape = re.search(r"\\x[0-9a-f]+$", escaped) is not None
        if not 0x20 <= unit < 0x7F or (after_escape and char in "0123456789abcdefABCDEF"):
            escaped += f"\\x{unit:x}"
        else:
            escaped += f"\\{char}" if char in '\\"' else char
    return f'"{escaped}"'


def _settings(options: ProfileOptions, version: tuple[int, int]) -> Settings:
    discovery = _ini_bool(options.discovery)
    web_ui = {
        "APIKey": "",  # since 5.2: a second way in, beside the password
        "Address": "127.0.0.1",
        "AlternativeUIEnabled": "false",
        "AuthSubnetWhitelistEnabled": "false",
        "CSRFProtection": "true",
        "ClickjackingProtection": "true",
        "CustomHTTPHeadersEnabled": "false",
        "Enabled": "true",
        r"HTTPS\Enabled": "false",
        "HostHeaderValidation": "true",
        "LocalHostAuth": "true",
        "Password_PBKDF2": f'"@ByteArray({_password_hash(options.password)})"',
        "Port": str(options.web_port),
        "ReverseProxySupportEnabled": "false",
        "ServerDomains": "localhost",  # beside 127.0.0.1, which is always right
        "UseUPnP": "false",
        "Username": ini_string(options.username),
    }
    return {
        "LegalNotice": {"Accepted": "true"},
        # A proxy would connect for it, and no filter sees to where.
        "Network": {"PortForwardingEnabled": "false", r"Proxy\Type": "None"},
        "AutoRun": {"enabled": "false", r"OnTorrentAdded\Enabled": "false"},
        "RSS": {r"Session\EnableProcessing": "false", r"AutoDownloader\EnableProcessing": "false"},
        "BitTorrent": {
            "ExcludedFileNamesEnabled": "false",
            "MergeTrackersEnabled": "false",
            "TrackerEnabled": "false",  # one of its own
            r"Session\AddExtensionToIncompleteFiles": "false",
            r"Session\AddTorrentPaused": "false",
            r"Session\AddTorrentStopped": "false",  # AddTorrentPaused, since 5.0
            r"Session\AddTrackersEnabled": "false",
            r"Session\AddTrackersFromURLEnabled": "false",
            # Off: private trackers refuse clients that hide what they are.
            r"Session\AnonymousModeEnabled": "false",
            r"Session\DHTEnabled": discovery,
            r"Session\DefaultSavePath": ini_string(str(options.data_root)),
            r"Session\DisableAutoTMMByDefault": "true",
            # The default, memory-mapped files, lets resident memory grow with the data.
            r"Session\DiskIOType": "SimplePreadPwrite" if version >= (5, 0) else "Posix",
            r"Session\FinishedTorrentBackupDirectoryEnabled": "false",  # FinishedTorrentExportDirectory, since 5.3
            r"Session\FinishedTorrentExportDirectory": ini_string(""),
            r"Session\I2P\Enabled": "false",
            r"Session\IPFilter": ini_string(str(options.filter_file)),
            r"Session\IPFilteringEnabled": "true",
            r"Session\Interface": ini_string(options.interface),
            r"Session\InterfaceAddress": ini_string(""),
            r"Session\InterfaceName": ini_string(options.interface),
            r"Session\LSDEnabled": discovery,
            r"Session\PeXEnabled": discovery,
            r"Session\Port": str(options.torrent_port),
            r"Session\Preallocation": "false",
            r"Session\QueueingSystemEnabled": "false",
            # Milliseconds, 1500 by default: a magnet that stopped with its metadata must not wait that long.
            r"Session\RefreshInterval": "500",
            r"Session\SSL\Enabled": "false",
            r"Session\SSRFMitigation": "true",
            r"Session\SaveResumeDataInterval": "1",  # minutes
            r"Session\StartPaused": "false",
            r"Session\TempPathEnabled": "false",
            r"Session\TorrentBackupEnabled": "false",  # TorrentExportDirectory, since 5.3
            r"Session\TorrentContentLayout": "Original",
            r"Session\TorrentContentRemoveOption": "Delete",  # not to a wastebasket
            r"Session\TorrentExportDirectory": ini_string(""),
            r"Session\TorrentStopCondition": "None",
            r"Session\TrackerFilteringEnabled": "true",
            r"Session\UseRandomPort": "false",
            r"Session\UseUnwantedFolder": "false",
            r"Session\ValidateHTTPSTrackerCertificate": "true",
        },
        "Preferences": {
            r"Connection\ResolvePeerCountries": "false",  # it would download a database
            r"DynDNS\Enabled": "false",
            r"MailNotification\enabled": "false",
            r"Search\SearchEnabled": "false",
            **{f"WebUI\\{key}": value for key, value in web_ui.items()},
        },
        "WebUI": web_ui,  # where 5.3 has them; it copies the others there once, at its first start
    }


def _ini_bool(value: bool) -> str:
    return "true" if value else "false"


def _password_hash(password: str) -> str:
    salt = secrets.token_bytes(16)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, PBKDF2_ROUNDS, 64)
    return f"{base64.b64encode(salt).decode()}:{base64.b64encode(key).decode()}"


def _replace(path: Path, text: str) -> None:
    """Write a private file so that a crash leaves the old one or the new one."""
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    draft.replace(path)


def _environment(home: Path) -> dict[str, str]:
    """What qBittorrent may know of ours: no secrets, no proxy, and a locale in which file names survive."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "LC_ALL": "C.UTF-8"}


@contextlib.contextmanager
def _only_one(profile_dir: Path) -> Iterator[None]:
    profile_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (profile_dir / "supervisor.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ProfileError(
                f"A qBittorrent is already being run on {profile_dir}. Stop that one first."
            ) from None
        yield


@contextlib.contextmanager
def _waiting_for_signals() -> Iterator[set[int]]:
    """Hold back the signals that `run` waits for; gives the mask as it was."""
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS | {signal.SIGCHLD})
    try:
        yield {int(number) for number in previous}
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)


def _require_free_ports(options: ProfileOptions) -> None:
    wanted = (
        ("127.0.0.1", options.web_port, "QBITTORRENT_URL", (socket.SOCK_STREAM,)),
        ("", options.torrent_port, "TORRENT_PORT", (socket.SOCK_STREAM, socket.SOCK_DGRAM)),
    )
    for host, port, setting, kinds in wanted:
        for kind in kinds:
            with socket.socket(socket.AF_INET, kind) as probe:
                if kind == socket.SOCK_STREAM:
                    # A port whose last connections are still in TIME_WAIT is free to listen on.
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((host, port))
                except OSError as error:
                    raise ProfileError(
                        f"qBittorrent cannot use port {port} ({error.strerror}). End the program that "
                        f"uses it, or choose another port with {setting}."
                    ) from None


def _tie_to(parent: int, signal_mask: Collection[int]) -> Callable[[], None]:
    """For the child before exec: it dies when we do, even if we are killed, and hears signals again."""

    def tie() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # we died before prctl took effect
            os._exit(1)
        signal.pthread_sigmask(signal.SIG_SETMASK, signal_mask)

    return tie


def _asked_to_stop_before_end(child: subprocess.Popen[bytes]) -> bool:
    while child.poll() is None:
        # The time-out is for a SIGCHLD that came between poll and wait of an earlier child.
        told = signal.sigtimedwait(STOP_SIGNALS | {signal.SIGCHLD}, 5)
        if told is not None and told.si_signo != signal.SIGCHLD:
            return True
    return False


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        logger.error("qBittorrent did not stop within %.0f s; killing it.", STOP_SECONDS)
        child.kill()
        child.wait()
