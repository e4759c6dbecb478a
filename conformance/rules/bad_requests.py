"""What every rule about one bad request says: it is refused with a 4xx status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.model import Finding
from conformance.refusals import message_of
from conformance.rules.views import SUCCESS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.model import Exchange

_REFUSED = range(400, 500)


def must_be_4xx(exchange: Exchange) -> Iterator[Finding]:
    """A finding where a bad request is answered, or met by a 5xx."""
    if exchange.status in _REFUSED:
        return
    code = str((exchange.error or {}).get("code"))
    label = "validation-500" if exchange.status == 500 and code.startswith("invalid") else ""
    label = "params-unchecked" if exchange.status in SUCCESS else label
    yield Finding("status", "4xx", exchange.status, message_of(exchange), deviation=label)
