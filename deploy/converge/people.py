"""System users and groups, and the directories that are theirs."""

import grp
import pwd
from dataclasses import dataclass
from pathlib import Path

from deploy.converge import places
from deploy.converge.commands import run
from deploy.converge.files import Directory, gid_of
from deploy.converge.run import Resource


@dataclass
class Group:
    name: str

    def differs(self) -> list[str]:
        return [] if gid_of(self.name) is not None else [f"make the group {self.name}"]

    def apply(self) -> None:
        run(["groupadd", "--system", self.name], failure=f"The group {self.name} could not be made:")


@dataclass
class SystemUser:
    """Nobody can log in as it; it has a group of its own name."""

    name: str
    home: Path

    def differs(self) -> list[str]:
        try:
            pwd.getpwnam(self.name)
        except KeyError:
            return [f"make the system user {self.name}"]
        return []

    def apply(self) -> None:
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        run(
            [*command, "--home-dir", self.home, self.name],
            failure=f"The system user {self.name} could not be made:",
        )


@dataclass
class Member:
    user: str
    group: str

    def differs(self) -> list[str]:
        try:
            among = self.user in grp.getgrnam(self.group).gr_mem
        except KeyError:
            among = False
        return [] if among else [f"put {self.user} into the group {self.group}"]

    def apply(self) -> None:
        run(
            ["usermod", "--append", "--groups", self.group, self.user],
            failure=f"{self.user} could not be put into the group {self.group}:",
        )


def people() -> list[Resource]:
    box, engine, data = places.BOX_USER, places.ENGINE_USER, places.DATA_GROUP
    return [
        Group(data),
        SystemUser(box, places.STATE),
        SystemUser(engine, places.ENGINE_DATA),
        Member(box, data),
        Member(engine, data),
        Member("caddy", data),
        Directory(places.CODE),
        Directory(places.RELEASES),
        Directory(places.ETC),
        Directory(places.STATE),
        Directory(places.DATA, box, box, 0o750),
        Directory(places.ENGINE_DATA, engine, engine, 0o700),
        # What either makes in it belongs to the group: the box deletes what qBittorrent wrote, Caddy reads it.
        Directory(places.DOWNLOADS, box, data, 0o2770),
        Directory(places.BACKUPS, box, box, 0o700),
        Directory(places.INSTALLER, mode=0o700),
    ]
