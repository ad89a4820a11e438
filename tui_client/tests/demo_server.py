"""A server with something to look at: `python -m tui_client.tests.demo_server`; runs until Ctrl+C."""

import contextlib
import time

from tui_client.tests.fake_server import FakeServer


def main() -> None:
    with FakeServer() as server:
        server.chunk_delay = 0.02
        server.add_torrent("debian-13.2.0-arm64-netinst.iso", {"debian-13.2.0.iso": bytes(50_000_000)})
        season = {f"[judas] Show/Show - {number:02}.mkv": bytes(8_000_000 + number) for number in range(1, 9)}
        server.add_torrent("[judas] Show", season)
        server.add_torrent("a [/b] z", state="paused", size=734_000_000, progress=0.4)
        server.add_torrent("進撃の巨人 The Final Season", state="stalled", size=12_300_000_000, progress=0.02)
        server.add_torrent(
            "Sintel", state="error", message="The disk of the server is full. Delete something.", progress=0.8
        )
        server.add_torrent("magnet without a name", state="metadata", size=None, progress=0.0)
        going = server.add_torrent(
            "ubuntu-26.04-desktop-amd64.iso",
            state="downloading",
            size=5_900_000_000,
            progress=0.0,
            seeds=12,
            peers=31,
        )
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
