"""Pictures as rules read them: in the answer itself, or at the address that the answer gives."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.model import Case, Exchange
from conformance.refusals import OTHER_FORM
from conformance.rules.views import SUCCESS, is_json

if TYPE_CHECKING:
    from conformance.media import Picture

PICTURES = ("images.generations", "images.edits", "images.variations")
_GPT_IMAGE = re.compile(r"(?:.*/)?(?:chat)?gpt-image", re.DOTALL | re.IGNORECASE)
_MOST_PICTURES = 4
"""Pictures of one answer that are decoded: twice what any of our requests asks for."""
_SHOWN = 60
_MEMO = "pictures"


class _Seen(NamedTuple):
    """One picture of an answer: where it stands, its bytes, and what they are; None for what cannot be read."""

    at: str
    data: bytes | None
    picture: Picture | None
    given: str


def entries(exchange: Exchange) -> list[dict[str, Any]]:
    """The entries of `data`, which has the right shape behind `needs`."""
    return exchange.json.get("data") or []


def seen_pictures(exchange: Exchange) -> list[_Seen]:
    """The pictures that an answer itself holds; of a file that an answer pointed to, that file."""
    if _MEMO not in exchange.memo:
        exchange.memo[_MEMO] = list(islice(_read(exchange), _MOST_PICTURES))
    found: list[_Seen] = exchange.memo[_MEMO]
    return found


def _read(exchange: Exchange) -> Iterator[_Seen]:
    from conformance.media import picture  # noqa: PLC0415 - Pillow takes a while to import

    if exchange.case.operation == "media":
        body = exchange.response.body if exchange.response else b""
        yield _Seen("", body, picture(body), body[:_SHOWN].decode("latin-1"))
        return
    for place, entry in enumerate(entries(exchange)):
        text = entry.get("b64_json")
        if text:
            decoded = _decoded(text)
            kind = picture(decoded) if decoded else None
            yield _Seen(f"/data/{place}/b64_json", decoded, kind, text[:_SHOWN])


def _decoded(text: str) -> bytes | None:
    """The bytes that a base64 text stands for; line breaks are passed over, as clients do."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        return None


def is_plain(case: Case) -> bool:
    """The answer is to be one JSON text, not a stream; or it is a picture that such an answer pointed to."""
    return OTHER_FORM not in case.probes and (case.operation != "media" or "address" in case.probes)


def has_pictures(exchange: Exchange) -> bool:
    """There is something that has to be a picture; an address that sends elsewhere gives none."""
    if exchange.status not in SUCCESS:
        return False
    return exchange.case.operation == "media" or (is_json(exchange) and bool(seen_pictures(exchange)))


def has_entries(exchange: Exchange) -> bool:
    """There is a body with at least one entry."""
    return is_json(exchange) and bool(entries(exchange))


def is_gpt_image(exchange: Exchange) -> bool:
    """The model is one of OpenAI's GPT image models, by its name."""
    return bool(_GPT_IMAGE.match(exchange.model))
