"""gunicorn, as `manage.py up` and a server's unit start it: `gunicorn -c proxy_site/gunicorn.conf.py`."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proxy_site.settings")

from django.conf import settings
from django.core.management import call_command

wsgi_app = "proxy_site.wsgi"
bind = settings.WEB_ADDRESS
workers = settings.WEB_WORKERS
# Threads, because a sync worker is killed at `timeout` in the middle of a long download; a thread is not.
worker_class = "gthread"
threads = settings.WEB_THREADS
timeout = settings.WEB_TIMEOUT
graceful_timeout = 10
keepalive = 5
preload_app = True
control_socket_disable = True
accesslog = None
# Caddy is the only one that may say what the client's address and scheme were.
forwarded_allow_ips = "127.0.0.1,::1"


def on_starting(server: object) -> None:
    import django

    django.setup()
    call_command("check")
