"""What gunicorn serves: Django, but for what is asked every second."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proxy_site.settings")
_django = get_wsgi_application()
_quick_answer = import_string("torrents.api.polling.answer")  # by its name, as urls.py names what it includes


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    connection.close_if_unusable_or_obsolete()  # as Django does before each request
    found = _quick_answer(environ)
    if found is None:
        return _django(environ, start_response)
    headers, body = found
    start_response("200 OK", headers)
    return [body]
