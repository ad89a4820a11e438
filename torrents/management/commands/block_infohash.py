"""`manage.py block_infohash`: a takedown from the command line."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from torrents import blocking


class Command(BaseCommand):
    help = (
        "Block a torrent: nobody can add it any more, and whoever has it loses it, data included, at once. "
        "Its other infohash is blocked too where it is known. Admins find the same at /admin/."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("infohash", metavar="INFOHASH", help="v1 (40 hexadecimal digits) or v2 (64)")
        parser.add_argument("--reason", default="", help="for admins; people only see that it is blocked")
        parser.add_argument("--unblock", action="store_true", help="let people add it again")

    def handle(self, *args: Any, **options: Any) -> None:
        infohash: str = options["infohash"]
        try:
            if not options["unblock"]:
                ended = blocking.block_infohash(infohash=infohash, reason=options["reason"])
                self.stdout.write(
                    f"Blocked. {ended or 'Nobody'} had it; its data is deleted within a minute."
                )
            elif blocking.unblock_infohash(infohash=infohash):
                self.stdout.write("Unblocked. Whoever wants it has to add it again.")
            else:
                raise CommandError("This infohash is not blocked. Nothing was changed.")
        except blocking.NotAnInfohash as error:
            raise CommandError(f"{error} Nothing was changed.") from None
