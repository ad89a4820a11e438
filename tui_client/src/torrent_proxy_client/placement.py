"""Where fetched files go on this machine: below the directory that the person chose, and only there."""

import shutil
from pathlib import Path

from torrent_proxy_client import words
from torrent_proxy_client.errors import DownloadFailed, NotEnoughSpace
from torrent_proxy_client.models import TorrentFile
from torrent_proxy_client.names import local_paths, safe_name
from torrent_proxy_client.partfile import part_size


def layout(torrent_name: str, paths: list[str]) -> list[tuple[str, ...]]:
    """Where the files of a whole torrent go, below the directory that the person chose.

    One file without a folder goes there directly. Else a folder of the torrent's name holds them; where the
    torrent's paths begin with that very folder, it is not doubled.
    """
    local = local_paths(paths)
    if len(local) == 1 and len(local[0]) == 1:
        return local
    root = safe_name(torrent_name)
    if all(len(parts) > 1 and parts[0].casefold() == root.casefold() for parts in local):
        return local
    return [(root, *parts) for parts in local]


def make_directory(directory: Path) -> Path:
    directory = directory.expanduser()
    directory.mkdir(parents=True, exist_ok=True)
    return directory.resolve()


def make_folder(directory: Path, parts: tuple[str, ...]) -> Path:
    """Create the folders of safe names `parts` below `directory`, through no symlink that leads out of it."""
    folder = directory
    for part in parts:
        folder = folder / part
        if folder.is_symlink() and not folder.resolve().is_relative_to(directory):
            raise DownloadFailed(
                f"{folder} is a link to somewhere else. Remove it, or choose another directory."
            )
        if folder.exists() and not folder.is_dir():
            raise DownloadFailed(
                f"{folder} is a file where a folder is needed. Move it, or choose another place."
            )
        folder.mkdir(exist_ok=True)
    return folder


def check_space(directory: Path, wanted: list[tuple[TorrentFile, tuple[str, ...]]]) -> None:
    """An estimate: files of the right size and unfinished parts count as here."""
    needed = 0
    for file, parts in wanted:
        target = directory.joinpath(*parts)
        if not (target.is_file() and target.stat().st_size == file.size):
            needed += max(file.size - part_size(target), 0)
    free = shutil.disk_usage(directory).free
    if needed > free:
        raise NotEnoughSpace(
            f"Not enough space in {directory}: {words.size(needed)} needed, {words.size(free)} free. "
            "Make room, or choose another directory."
        )
