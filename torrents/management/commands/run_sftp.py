"""`manage.py run_sftp`: hands finished files over by SFTP and SCP. Runs until it is told to stop."""

import asyncio
import signal
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError

from proxy_site import life_signs
from proxy_site.sftp_endpoint import fingerprint, listen_address
from torrents.sftp.server import Server

ALIVE_EVERY = 20.0  # seconds


class Command(BaseCommand):
    help = (
        "Hand finished files over by SFTP and SCP, read-only. People log in with an SSH key or with a transfer "
        "credential as their password. Stop it with Ctrl-C or SIGTERM."
    )

    # Not all: those of the URLs would load the whole API, whose memory is better spent on those who connect.
    requires_system_checks = (Tags.security,)

    def handle(self, *args: Any, **options: Any) -> None:
        address = listen_address()
        if address is None:
            raise CommandError("SFTP_ADDRESS is empty: this box hands over by HTTPS only.")
        self.stdout.write(f"Listening on {address[0]} port {address[1]}, host key {fingerprint()}.")
        self.stdout.flush()
        try:
            asyncio.run(serve_until_told(*address))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {address[0]} port {address[1]} (SFTP_ADDRESS): {error}"
            ) from error


async def serve_until_told(host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    signs = asyncio.create_task(show_life())
    try:
        await Server().serve(host, port, stop)
    finally:
        signs.cancel()


async def show_life() -> None:
    while True:
        life_signs.alive()
        await asyncio.sleep(ALIVE_EVERY)
