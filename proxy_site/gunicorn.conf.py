"""gunicorn, as `manage.py up` and a server's unit start it: `gunicorn -c proxy_site/gunicorn.conf.py`."""

import gc
import io
import os
import sys
from pathlib import Path
from typing import Any

chdir = str(Path(__file__).resolve().parent.parent)
sys.path.insert(0, chdir)  # gunicorn changes directory only after it has read this file
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proxy_site.settings")

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.utils.module_loading import import_string

from proxy_site.logs import HideLinkTokens
from proxy_site.web_counts import counts_directory

try:
    bind = settings.WEB_ADDRESS
except ImproperlyConfigured as problem:
    sys.exit(str(problem))

# Its processes count together, in files. Before anything imports prometheus_client, which looks for it once.
try:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(counts_directory(settings.DATA_DIR, bind))
except OSError as problem:
    sys.exit(f"DATA_DIR ({settings.DATA_DIR}) cannot be used: {problem}.")
settings.DATABASES["default"]["ENGINE"] = (
    "monitoring.postgresql"  # counts queries; the other processes do not
)

wsgi_app = "proxy_site.wsgi"
workers = settings.WEB_WORKERS
# Threads, because a sync worker is killed at `timeout` in the middle of a long download; a thread is not.
worker_class = "proxy_site.web_worker.Worker" if sys.platform == "linux" else "gthread"
threads = settings.WEB_THREADS
timeout = settings.WEB_TIMEOUT
graceful_timeout = 10
keepalive = 5
preload_app = True
control_socket_disable = True
accesslog = None
# Caddy is the only one that may say what the client's address and scheme were.
forwarded_allow_ips = "127.0.0.1,::1"


def on_starting(server: Any) -> None:
    import django

    django.setup()
    server.log.error_log.addFilter(HideLinkTokens())  # it names the address of a request that went wrong
    try:
        call_command("check", stdout=io.StringIO())
    except SystemCheckError as problem:
        sys.exit(str(problem))


def when_ready(server: Any) -> None:
    gc.collect()
    gc.freeze()  # what is loaded by now stays: collections need not look at it, nor workers copy its memory


def post_worker_init(worker: Any) -> None:
    import_string("monitoring.metrics.batched.keep_counting")()  # by its name, as in wsgi.py


def child_exit(server: Any, worker: Any) -> None:
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
