"""JSON that is written, and agreed on, without detours: what is asked once a second spends little else in Python."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request


class FastJSONRenderer(JSONRenderer):
    """The same JSON, by orjson; indented, if somebody asks for that, by Python."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        if data is None or self.get_indent(accepted_media_type or "", renderer_context or {}):
            return super().render(data, accepted_media_type, renderer_context)
        # Moments as REST framework writes them, as everything else that orjson does not know.
        options = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS
        return orjson.dumps(data, default=self.encoder_class().default, option=options)


class FirstFits(DefaultContentNegotiation):
    """REST framework's, with its answer at hand for clients that take anything or just what we have."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        wanted = request.META.get("HTTP_ACCEPT", "*/*")
        if wanted in ("*/*", first.media_type) and not format_suffix and "format" not in request.query_params:
            return first, str(first.media_type)
        chosen: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix)
        return chosen
