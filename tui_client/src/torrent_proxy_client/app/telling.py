"""What the tabs of a torrent say: texts made of what the server told."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from torrent_proxy_client import amounts, words
from torrent_proxy_client.app.theme import BAD, BUSY, QUIET, STATE_COLOURS
from torrent_proxy_client.models import State, Torrent, TorrentFile
from torrent_proxy_client.reports import Swarm, TorrentHistory

_ORIGINS = {"feed": "by your feed", "watchlist": "by your watchlist", "user": "by you"}


Line = tuple[str, str, str]  # title, what, and the style of that; all empty: a gap
_GAP: Line = ("", "", "")


def overview(torrent: Torrent) -> RenderableType:
    return _table(_overview(torrent))


def _overview(torrent: Torrent) -> Iterable[Line]:
    colour = BAD if torrent.state == State.ERROR else STATE_COLOURS.get(torrent.state, "")
    yield "State", words.state(torrent), colour
    if why := words.why(torrent):
        yield "", why, ""
    if torrent.waits_for:
        yield "Waits for", words.waits_for(torrent.waits_for), ""
    known = torrent.size is not None
    done = (
        f"{words.percent(torrent.progress)} of {words.size(torrent.size)}" if known else "size not known yet"
    )
    yield "Done", done, ""
    if torrent.state != State.FINISHED:
        yield "Time left", words.duration(torrent.eta) or "not known", ""
    down, up = (words.speed(speed) or "0 B/s" for speed in (torrent.download_speed, torrent.upload_speed))
    yield "Speed", f"↓ {down}  ↑ {up}", ""
    ratio = words.ratio(torrent.uploaded, torrent.size)
    yield "Given", f"{words.size(torrent.uploaded)} to others{f', ratio {ratio}' if ratio else ''}", ""
    if torrent.handed_over:
        yield "Fetched", f"{words.size(torrent.handed_over)} by you", ""
    yield "Connected", f"{words.count(torrent.seeds, 'seed')}, {words.count(torrent.peers, 'peer')}", ""
    yield _GAP
    yield "Label", words.label(torrent.label) or "none", ""
    yield "Limits", limits(torrent), ""
    yield "Seeding", seeding(torrent), ""
    yield _GAP
    if torrent.added_at:
        origin = _ORIGINS.get(torrent.origin) or words.clean(torrent.origin)
        yield "Added", f"{words.moment(torrent.added_at)} {origin}".rstrip(), ""
    if torrent.completed_at:
        yield "Finished", words.moment(torrent.completed_at), ""
    for infohash in (torrent.infohash_v1, torrent.infohash_v2):
        if infohash:
            yield "Infohash", words.clean(infohash), ""
    if torrent.private:
        yield "Private", "yes, of a tracker that lets only its members in", ""


def limits(torrent: Torrent) -> str:
    """`download 500 kB/s, upload none, first piece first`"""
    speeds = [
        f"{way} {f'{amounts.speed_text(limit)}/s' if limit is not None else 'none'}"
        for way, limit in (("download", torrent.download_limit), ("upload", torrent.upload_limit))
    ]
    return ", ".join([*speeds, *(["from the first piece to the last"] if torrent.sequential else [])])


def seeding(torrent: Torrent) -> str:
    """`until ratio 2 or for 3 d`"""
    if torrent.seed_ratio is None and torrent.seed_seconds is None:
        return "as the server does by default"
    ratio, time = amounts.ratio_text(torrent.seed_ratio), amounts.time_text(torrent.seed_seconds)
    return (
        f"until ratio {ratio or 'of the server'}, for {time or 'the time of the server'} once it is complete"
    )


def choice(files: tuple[TorrentFile, ...], wanted: set[int]) -> str:
    """`3 of 8 files chosen, 2.1 GB of 5.9 GB`"""
    chosen = sum(file.size for file in files if file.index in wanted)
    total = words.size(sum(file.size for file in files))
    return f"{len(wanted)} of {words.count(len(files), 'file')} chosen, {words.size(chosen)} of {total}"


def consequence(torrent: Torrent, files: tuple[TorrentFile, ...], wanted: set[int]) -> str:
    """What saving another choice of files does."""
    before = {file.index for file in files if file.wanted}
    if not wanted:
        return "Choose at least one file. To be rid of all of them, delete the torrent."
    if torrent.state == State.FINISHED and wanted - before:
        return "It is finished again, and can be fetched, when the files that you add are there too."
    return "Only what is chosen is downloaded for you and can be fetched."


def given_up(files: tuple[TorrentFile, ...], wanted: set[int]) -> list[TorrentFile]:
    """Those that are complete on the server already, and were wanted until now."""
    return [
        file
        for file in files
        if file.wanted and file.index not in wanted and (file.ready or file.progress == 1.0)
    ]


def swarm(found: Swarm) -> RenderableType:
    message = Text(f"{words.clean(found.message)}\n" if found.message else "")
    if found.age is None:
        asking = Text("The server is asking who is there. This takes some seconds.", style=QUIET)
        return Group(message, asking)
    return Group(message, _table(_swarm(found, found.age)))


def _swarm(found: Swarm, age: float) -> Iterable[Line]:
    trackers = (
        (found.trackers_working, "answer"),
        (found.trackers_failing, "fail"),
        (found.trackers_waiting, "not asked yet, or being asked"),
    )
    yield "Trackers", ", ".join(f"{count} {what}" for count, what in trackers if count) or "none", ""
    connected = f"{words.count(found.connected_seeds, 'seed')}, {words.count(found.connected_peers, 'peer')}"
    yield "Connected", connected, ""
    known = f"{_known(found.known_seeds)} have all of it, {_known(found.known_peers)} have a part"
    yield "Known", known, ""
    copies = "not known" if found.availability is None else f"{found.availability:.2f}"
    yield "Copies", f"{copies} among those who are connected", ""
    yield "As of", f"{words.duration(age)} ago", ""


def history(told: TorrentHistory) -> RenderableType:
    if not told.events:
        return Text("Nothing is known of what became of it.", style=QUIET)
    table = Table.grid(padding=(0, 2, 0, 0))
    for event in told.events:
        when = words.moment(event.at) if event.at else ""
        table.add_row(
            Text(when, style=QUIET),
            Text(words.event(event.kind), style=BUSY),
            Text(words.clean(event.detail)),
        )
    older = "There is more before that, which is not shown here." if told.more else ""
    return Group(table, Text(older, style=QUIET))


def _known(count: int | None) -> str:
    return "not known how many" if count is None else str(count)


def _table(lines: Iterable[Line]) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=10, no_wrap=True)
    for title, what, style in lines:
        table.add_row(Text(title, style=QUIET), Text(what, style=style))
    return table
