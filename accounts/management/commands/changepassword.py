"""`manage.py changepassword`: in place of Django's own, which would end no session or link and note nothing."""

from accounts.management.commands.reset_password import Command

__all__ = ["Command"]
