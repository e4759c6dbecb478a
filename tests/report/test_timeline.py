"""The drawing of one stream."""

from __future__ import annotations

import pytest

from conformance.reporting.timeline import HEIGHT, WIDTH, timeline

from .samples import answer, exchange, says, stream


def test_a_stream_is_drawn_and_told() -> None:
    found = timeline(exchange("chat.stream/x", stream(says("a"), says("b")), seconds=0.5))
    assert found

    assert found.marks == "M132 24v16M257 24v16M383 24v16"
    assert (found.first_byte.place, found.end.place) == ("132", "634")
    assert found.gap
    assert found.gap.after in {0, 1}
    assert found.gap.seconds == pytest.approx(0.1)
    assert found.said.en == (
        "┆ first byte after 0.100 s  ▲ first content after 0.100 s  | 3 events, the last after 0.300 s  "
        f"⊓ longest gap 0.100 s, after event {found.gap.after}  ◆ [DONE] after 0.300 s  ▌ end after 0.500 s"
    )
    assert "首字节于 0.100 秒" in found.said.zh


def test_what_did_not_come_is_not_drawn() -> None:
    found = timeline(exchange("chat.stream/x", stream({"choices": []}, done=False)))
    assert found

    assert (found.first_content, found.done, found.gap) == (None, None, None)
    assert "no [DONE]" in found.said.en
    assert "first content" not in found.said.en


def test_where_nothing_was_streamed_there_is_nothing_to_draw() -> None:
    assert timeline(exchange()) is None
    assert timeline(exchange(response=None)) is None
    assert timeline(exchange("chat.stream/x", answer(body=b"", headers=()))) is None


def test_events_that_all_come_at_once_have_no_gap_and_odd_clocks_stay_inside() -> None:
    at_once = exchange("chat.stream/x", stream(says("a"), says("b")), seconds=0.0)
    found = timeline(at_once)
    assert found

    for path in found.marks.split("M")[1:]:
        assert 0 <= float(path.split()[0]) <= WIDTH
    assert HEIGHT > 52


def test_the_length_of_a_gap_at_the_edge_stays_inside() -> None:
    found = timeline(exchange("chat.stream/x", stream(says("a"), done=True), seconds=30.0))
    assert found
    assert found.gap

    assert float(found.gap.label) >= 40
