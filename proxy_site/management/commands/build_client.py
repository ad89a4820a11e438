"""`manage.py build_client`: the client, for people to install from this server."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from proxy_site.client_wheel import WheelNotBuilt, build_wheel


class Command(BaseCommand):
    help = "Pack the client as a wheel, which /client/ offers. Does nothing where it is packed already."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(str(build_wheel()))
        except WheelNotBuilt as error:
            raise CommandError(f"The client could not be packed: {error}") from error
