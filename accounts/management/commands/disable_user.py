"""`manage.py disable_user`: somebody is locked out at once, or let in again."""

from typing import Any

from django.core.management.base import CommandParser

from accounts import services
from accounts.management.person_command import EXIT_CODES, PersonCommand
from accounts.models import Role, User


class Command(PersonCommand):
    help = f"""Lock a person out at once: sessions, signed links, SFTP connections and transfer credentials end.
Their torrents, feeds and lists stay, and go on. --enable takes it back: they log in anew with their old password
and keys. The audit log at /admin/ keeps who was disabled when.

With --json the object has username, active, and changed (false where it was so already).
{EXIT_CODES}
"""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--enable", action="store_true", help="let the person log in again")

    def handle(self, *args: Any, **options: Any) -> None:
        user, enable = self.person(options), options["enable"]
        changed = (services.enable_user if enable else services.disable_user)(user=user)
        if not changed:
            sentence = f"{user} was {'active' if enable else 'disabled'} already. Nothing was changed."
        elif enable:
            sentence = f"{user} may log in again."
        else:
            sentence = f"Disabled {user} and logged them out. --enable takes it back."
            if user.role == Role.ADMIN and not User.objects.may_administer().exists():
                sentence += " Nobody can administer the box at /admin/ now: that was the last admin."
        self.tell(options, sentence, {"username": user.username, "active": enable, "changed": changed})
