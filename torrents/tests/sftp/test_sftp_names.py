"""Where the API says that a file is in the SFTP tree, there the real server has it, however odd its name."""

from typing import Any

import asyncssh
import pytest

from accounts.models import User
from torrents.models import Claim
from torrents.tests.factories import add, client_of, finished
from torrents.tests.sftp.running import RunningServer, rows

pytestmark = pytest.mark.django_db(transaction=True)

NAMES = [
    "plain.txt",
    "進撃の巨人 é.txt",
    "e\u0301.txt",
    "\u00e9.txt",
    "שלום.txt",
    "gpj.\u202eexe",
    "two\nlines",
    "tab\tand\x07bell",
    "it's",
    'say "x"',
    "`id` $(id) ; rm",
    "-rf",
    "--help",
    "~",
    ".hidden",
    "dots...",
    "spaces   ",
    " in front",
    "con",
    "NUL.txt",
    "com1.tar.gz",
    "a:b*c?d",
    "back\\slash",
    "100%25",
    "Case",
    "case",
    "CASE",
    "l" * 255,
    "é" * 127,
    "l" * 250 + ".mkv",
    "😀" * 60,
]


def place_of(user: User, claim: Claim, index: int | None = None) -> Any:
    body = {} if index is None else {"index": index}
    answer = client_of(user).post(f"/api/v1/torrents/{claim.pk}/links/", body, format="json")
    assert answer.status_code == 201
    return answer.json()["sftp_path"]


async def content_at(client: asyncssh.SFTPClient, path: str) -> str:
    async with client.open(path, "r") as file:
        return str(await file.read())


async def test_each_file_of_a_folder(server: RunningServer, owner: User) -> None:
    files = {f"Top/s {number % 3}/{name}": name.encode() for number, name in enumerate(NAMES)}
    claim = await rows(finished, owner, files, name="Top \u202e'é'. ")
    places = [await rows(place_of, owner, claim, index) for index in range(len(NAMES))]
    assert len({place.casefold() for place in places}) == len(NAMES)
    top = await rows(place_of, owner, claim)
    async with server.connect() as connection, connection.start_sftp_client() as client:
        assert [await content_at(client, place) for place in places] == NAMES
        folders = [f"{top}/{name}" for name in await names_in(client, top)]
        assert {f"{path}/{name}" for path in folders for name in await names_in(client, path)} == set(places)


async def names_in(client: asyncssh.SFTPClient, path: str) -> list[str]:
    return [str(name) for name in await client.listdir(path) if name not in (".", "..")]


async def test_each_torrent_of_one_file(server: RunningServer, owner: User) -> None:
    claims = [await rows(finished, owner, {name: name.encode()}, name=name) for name in [*NAMES, "plain.txt"]]
    places = [await rows(place_of, owner, claim) for claim in claims]
    assert places == [await rows(place_of, owner, claim, 0) for claim in claims]
    async with server.connect() as connection, connection.start_sftp_client() as client:
        assert [await content_at(client, place) for place in places] == [*NAMES, "plain.txt"]
        assert {f"/{name}" for name in await names_in(client, "/")} == set(places)


async def test_what_is_not_finished_has_no_place(server: RunningServer, owner: User) -> None:
    claim = await rows(add, owner)
    answer = await rows(
        lambda: client_of(owner).post(f"/api/v1/torrents/{claim.pk}/links/", {}, format="json")
    )
    assert answer.status_code in (404, 409)


async def test_no_path_leads_to_the_disk(server: RunningServer, owner: User) -> None:
    claim = await rows(finished, owner, {"L/a": b"1", "L/b": b"2"}, name="L")
    on_disk = claim.torrent.data_dir / "L" / "a"
    async with server.connect() as connection, connection.start_sftp_client() as client:
        climbing = ["/../../etc/passwd", "/L/../../../etc/passwd", "//etc//passwd"]
        for path in (str(on_disk), f"/t/{claim.torrent_id}/L/a", *climbing):
            with pytest.raises(asyncssh.SFTPNoSuchFile):
                await client.open(path, "rb")
        assert await content_at(client, "/../L/./../L/a") == "1"
