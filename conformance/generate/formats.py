"""The formats of JSON Schema that requests use, as strategies; an unknown format is a plain string."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from conformance.generate.letters import texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypothesis.strategies import SearchStrategy

_FIRST, _LAST = date(2000, 1, 1), date(2099, 12, 31)
_WORD = texts("abcdefghijklmnopqrstuvwxyz", 1, 8)
_HOST = _WORD.map(lambda word: f"{word}.example.com")
_TIMES = st.datetimes(datetime(_FIRST.year, 1, 1), datetime(_LAST.year, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis wants bounds without a zone

FORMATS: Mapping[str, SearchStrategy[str]] = {
    "date-time": _TIMES.map(lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ")),
    "date": st.dates(_FIRST, _LAST).map(date.isoformat),
    "time": _TIMES.map(lambda time: time.strftime("%H:%M:%SZ")),
    "email": st.tuples(_WORD, _HOST).map("@".join),
    "hostname": _HOST,
    "uri": st.tuples(_HOST, _WORD).map(lambda pair: f"https://{pair[0]}/{pair[1]}"),
    "url": st.tuples(_HOST, _WORD).map(lambda pair: f"https://{pair[0]}/{pair[1]}"),
    "uri-reference": _WORD.map(lambda word: f"/{word}"),
    "uuid": st.uuids().map(str),
    "ipv4": st.ip_addresses(v=4).map(str),
    "ipv6": st.ip_addresses(v=6).map(str),
}
