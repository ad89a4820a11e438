"""A server with something to look at: `python -m tui_client.tests.demo_server`; runs until Ctrl+C."""

import contextlib
import time

from tui_client.tests.demo_shows import add_shows
from tui_client.tests.fake_account import limits
from tui_client.tests.fake_server import FakeServer


def main() -> None:
    with FakeServer() as server:
        server.chunk_delay = 0.02
        server.limits = limits(
            disk=(61_000_000_000, 10**11), active=(2, 3), traffic=(412_000_000_000, 10**12)
        )
        debian = server.add_torrent(
            "debian-13.2.0-arm64-netinst.iso", {"debian-13.2.0.iso": bytes(50_000_000)}, label="linux"
        )
        debian.history = [
            {"kind": kind, "detail": detail, "at": f"2026-01-01T1{hour}:20:00Z"}
            for hour, kind, detail in (
                (3, "handed_over", "50 MB by HTTPS."),
                (2, "completed", ""),
                (1, "started", ""),
                (0, "added", "By your feed: Debian releases"),
            )
        ]
        season = {f"[judas] Show/Show - {number:02}.mkv": bytes(8_000_000 + number) for number in range(1, 9)}
        server.add_torrent("[judas] Show", season)
        server.add_torrent("a [/b] z", state="paused", size=734_000_000, progress=0.4)
        server.add_torrent(
            "進撃の巨人 The Final Season", state="stalled", size=12_300_000_000, progress=0.02, label="anime"
        )
        server.add_torrent(
            "Sintel", state="error", message="The disk of the server is full. Delete something.", progress=0.8
        )
        server.add_torrent("magnet without a name", state="metadata", size=None, progress=0.0)
        server.add_torrent(
            "Cosmos Laundromat",
            {
                "Cosmos/film.mkv": bytes(9_000_000),
                "Cosmos/extras/poster.png": bytes(90_000),
                "Cosmos/read me.txt": b"x",
            },
            state="waiting",
            progress=0.0,
            waits_for="user_disk",
            message="It needs 45 GiB, and 36 GiB of your 93 GiB are left. Remove what you no longer need, and it "
            "starts by itself.",
        )
        going = server.add_torrent(
            "ubuntu-26.04-desktop-amd64.iso",
            state="downloading",
            size=5_900_000_000,
            progress=0.0,
            seeds=12,
            peers=31,
            label="linux",
        )
        going.swarm = {
            "trackers_working": 2,
            "trackers_failing": 1,
            "trackers_waiting": 0,
            "known_seeds": 1412,
            "availability": 14.3,
            "connected_seeds": 12,
            "connected_peers": 31,
            "age": 1.2,
        }
        shows = server.feeds.add_feed("Shows", title="All the shows")
        server.feeds.add_feed(
            "Films", health="failing", message="The server answers 404.", failing_since="2026-01-03T10:00:00Z"
        )
        server.feeds.add_rule("Lighthouse", resolutions=["1080p"])
        for number in range(1, 80):
            title = f"[Lumen] {('Lighthouse', 'Harbour')[number % 2]} - {number:02} [1080p]"
            server.feeds.add_item(shows, title, size=700_000_000 + number)
        add_shows(server.watchlist, debian.id)
        print(f"{server.url}  user alice, password {server.password}", flush=True)
        for step in range(100_000):
            time.sleep(1)
            fraction = min(step / 300, 1.0)
            server.update(
                going.id,
                progress=fraction,
                download_speed=19_600_000 + step * 1000,
                upload_speed=1_200_000,
                eta=max(300 - step, 0),
                state="downloading" if fraction < 1 else "finished",
            )


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
