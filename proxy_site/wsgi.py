"""What gunicorn serves: Django, but for what is asked every second."""

import os
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proxy_site.settings")
_django = get_wsgi_application()
# By their names, as urls.py names what it includes.
_quick_answer = import_string("torrents.api.polling.answer")
_count_quick_answer = import_string("monitoring.metrics.http.count_quick_answer")


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    connection.close_if_unusable_or_obsolete()  # as Django does before each request
    began = time.perf_counter()
    found = _quick_answer(environ)
    if found is None:
        return _django(environ, start_response)
    _count_quick_answer(environ["PATH_INFO"], time.perf_counter() - began)
    headers, body = found
    start_response("200 OK", headers)
    return [body]
