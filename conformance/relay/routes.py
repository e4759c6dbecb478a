"""Which path of the API is answered by what; the modules are imported when they are first asked for."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from conformance.relay.call import Call, Hook


class Route(NamedTuple):
    """One path of the API."""

    method: str
    path: str
    """A pattern of the whole path; the group `name` is what the path names."""
    handler: str
    """`module:function` below this package; the function takes the call and fills its answer."""
    dialect: str = "openai"


_TABLE = (
    Route("POST", r"/v1/chat/completions", "chat:complete"),
    Route("GET", r"/v1/models", "models:give_list"),
    Route("GET", r"/v1/models/(?P<name>.+)", "models:give_one"),
    Route("POST", r"/v1/completions", "completions:answer"),
    Route("POST", r"/v1/embeddings", "embeddings:answer"),
    Route("POST", r"/v1/rerank", "rerank:answer"),
    Route("POST", r"/v1/moderations", "moderations:answer"),
    Route("POST", r"/v1/responses", "responses:answer"),
    Route("POST", r"/v1/messages", "messages:answer", "anthropic"),
    Route("POST", r"/v1beta/models/(?P<name>[^:]+):generateContent", "gemini:answer", "gemini"),
    Route("POST", r"/v1beta/models/(?P<name>[^:]+):streamGenerateContent", "gemini:answer_streamed", "gemini"),
    Route("POST", r"/v1beta/models/(?P<name>[^:]+):countTokens", "gemini:count_tokens", "gemini"),
    Route("POST", r"/v1/audio/speech", "speech:answer"),
    Route("POST", r"/v1/audio/transcriptions", "transcription:answer"),
    Route("POST", r"/v1/audio/translations", "transcription:answer_translated"),
    Route("POST", r"/v1/images/generations", "images:generate"),
    Route("POST", r"/v1/images/edits", "images:edit"),
    Route("POST", r"/v1/images/variations", "images:vary"),
    Route("GET", r"/v1/files/pictures/(?P<name>[\w.-]+)", "images:give_picture"),
    Route("GET", r"(/v1)?/dashboard/billing/usage", "billing:give_usage"),
    Route("GET", r"(/v1)?/dashboard/billing/subscription", "billing:give_subscription"),
    Route("GET", r"/api/usage/token", "billing:give_token"),
)
PUBLIC = r"/v1/files/pictures/.+"
"""Paths that need no key: an address in an answer is all that one has of a picture."""


@cache
def _compiled() -> list[tuple[re.Pattern[str], Route]]:
    return [(re.compile(route.path), route) for route in _TABLE]


def find_route(path: str) -> tuple[Route, str] | None:
    """The route of a path and the name in it; None when there is nothing there."""
    for pattern, route in _compiled():
        match = pattern.fullmatch(path)
        if match:
            return route, match.groupdict().get("name", "")
    return None


@cache
def handler(route: Route) -> Hook:
    """What answers on a route."""
    module, _, function = route.handler.partition(":")
    found: Hook = getattr(import_module(f"conformance.relay.{module}"), function)
    return found


def is_public(path: str) -> bool:
    """Whether a path is answered without a key."""
    return re.fullmatch(PUBLIC, path) is not None


def answer(call: Call, route: Route) -> None:
    """Let the route's module answer."""
    handler(route)(call)
