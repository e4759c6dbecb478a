"""Which header of an endpoint holds the key."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.derive.nouns import Header
from conformance.derive.reference import KEY_HEADER


def shown_key(headers: Sequence[Header]) -> tuple[int, str]:
    """The line of the header that holds the key, and its name where that is not Authorization.

    Another header counts where it is required, or curl sends it; (0, "") where none holds a key.
    """
    for each in headers:
        if each.name.lower() == "authorization":
            return each.line, ""
    sent = (each for each in headers if each.required or each.evidence == "curl")
    other = next((each for each in sent if KEY_HEADER.fullmatch(each.name)), None)
    return (other.line, other.name) if other else (0, "")
