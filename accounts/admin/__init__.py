"""The pages for admins, at /admin/. They must make sense to somebody who never saw Django."""

from django.contrib import admin
from django.contrib.auth.models import Group

from accounts.admin import lockouts, logs, users  # noqa: F401  they register themselves
from accounts.forms import LoginForm

admin.site.login_form = LoginForm
admin.site.unregister(Group)  # grants nothing here
