"""Ledgers: what is written is read back, and what is no ledger is refused with its line."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.errors import LedgerError, UsageError
from conformance.ledger import LedgerWriter, cut_torn_line, read_ledger
from conformance.model import (
    Attempt,
    Auth,
    Case,
    Exchange,
    Failure,
    Ledger,
    Limits,
    Minimised,
    Provider,
    Request,
    Response,
    Stop,
)
from conformance.planning import plan
from conformance.redaction import Secrets

always = settings(derandomize=True, database=None, deadline=None, max_examples=60)
CASES = tuple(plan())
PROVIDER = Provider("http://h/v1", "m", "KEY", "name", {"X-A": "B"})
SECRETS = Secrets({"KEY": "sk-secret-key"})

headers = st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=3).map(tuple)
seconds = st.floats(0, 1e6).map(lambda number: round(number, 3))
requests = st.builds(
    Request, method=st.text(max_size=4), url=st.text(max_size=9), headers=headers, body=st.binary(max_size=40)
)
responses = st.builds(
    Response,
    status=st.integers(100, 599),
    headers=headers,
    body=st.binary(max_size=60) | st.text(max_size=20).map(str.encode),
    first_byte=seconds,
    arrivals=st.lists(st.tuples(seconds, st.integers(0, 99)), max_size=3).map(tuple),
)
failures = st.none() | st.builds(Failure, kind=st.sampled_from(["idle", "unsent"]), detail=st.text(max_size=9))
attempts = st.lists(
    st.builds(Attempt, status=st.just(429), headers=headers, failure=failures, waited=seconds), max_size=2
)
exchanges = st.builds(
    Exchange,
    case=st.sampled_from(CASES),
    model=st.text(max_size=5),
    request=requests,
    response=st.none() | responses,
    failure=failures,
    started=seconds,
    seconds=seconds,
    attempts=attempts.map(tuple),
)


def written(path: Path, *found: Exchange, cases: tuple[Case, ...] = CASES, stop: Stop | None = None) -> Ledger:
    """Write a ledger and read it."""
    with LedgerWriter(path, SECRETS) as writer:
        writer.header(PROVIDER, Limits(requests=7), cases, ("chat",), 12.5)
        writer.resolved("http://h", "max_tokens")
        for exchange in found:
            assert writer.exchange(exchange) == exchange
        writer.footer(3.25, stop)
    return read_ledger(path)


@always
@given(st.lists(exchanges, max_size=3, unique_by=lambda exchange: exchange.case.id))
def test_what_is_written_is_read_back(found: list[Exchange]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ledger = written(Path(folder) / "ledger.jsonl", *found)

    assert sorted(ledger.exchanges, key=lambda exchange: exchange.case.id) == sorted(
        found, key=lambda each: each.case.id
    )
    assert ledger.plan == CASES
    assert ledger.provider == replace(PROVIDER, base_url="http://h")
    assert (ledger.limits, ledger.rules, ledger.started, ledger.seconds) == (Limits(requests=7), ("chat",), 12.5, 3.25)
    assert ledger.complete


@pytest.mark.parametrize(
    "change",
    [
        {"mutation": "wrong-type /n"},
        {"body": {}},
        {"raw": ""},
        {"headers": {"A": "b"}},
        {"auth": Auth.NONE},
        {"probes": frozenset({"x"})},
    ],
)
def test_every_field_of_a_case_is_kept(change: dict[str, Any], tmp_path: Path) -> None:
    cases = (replace(CASES[0], **change), *CASES[1:])

    assert written(tmp_path / "a", cases=cases).plan == cases


def made(case: Case = CASES[0], **more: Any) -> Exchange:
    """A small exchange."""
    fields = {"response": Response(200, (), b"{}", 0.1), "failure": None, "started": 20.0, "seconds": 1.0, **more}
    return Exchange(case=case, model="m", request=Request("GET", "http://h/v1", (), b""), **fields)


def test_a_later_exchange_of_the_same_case_counts(tmp_path: Path) -> None:
    ledger = written(tmp_path / "a", made(), made(started=30.0))

    assert [exchange.started for exchange in ledger.exchanges] == [30.0]


def test_why_a_run_stopped_is_kept(tmp_path: Path) -> None:
    stop = Stop("x", "lone \ud800 half", "半", "hint")

    assert written(tmp_path / "a", stop=stop).stop == stop


def test_everything_that_can_hold_a_secret_is_masked(tmp_path: Path) -> None:
    key = "sk-secret-key"
    secret = (("A", key), (key, "B"))
    exchange = replace(
        made(failure=Failure("reset", "x" * 195 + key)),
        request=Request("POST", f"http://h/{key}", secret, key.encode()),
        response=Response(200, secret, key.encode(), 0.1),
        attempts=(Attempt(429, secret, Failure("reset", key), 0.1), Attempt(0, (), None, 0.1)),
    )

    with LedgerWriter(tmp_path / "a", SECRETS) as writer:
        writer.exchange(exchange, preflight=True)

    text = (tmp_path / "a").read_text()
    assert text.count("<KEY*") == 11
    assert "sk-se" not in text


def test_an_interrupted_run_lasted_until_its_last_exchange(tmp_path: Path) -> None:
    written(tmp_path / "a", made())
    lines = (tmp_path / "a").read_bytes().splitlines(keepends=True)
    (tmp_path / "a").write_bytes(b"".join(lines[:-1]))

    ledger = read_ledger(tmp_path / "a")

    assert not ledger.complete
    assert ledger.seconds == 8.5


def test_exchanges_of_unknown_cases_are_passed_over(tmp_path: Path) -> None:
    written(tmp_path / "a", made())
    text = (tmp_path / "a").read_text().replace('"case":"models.list/list"', '"case":"gone"')
    (tmp_path / "a").write_text(text)

    assert read_ledger(tmp_path / "a").exchanges == ()


def test_a_torn_line_is_cut_and_a_whole_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for content in (b"one\ntwo", b"one\n"):
        path.write_bytes(content)
        cut_torn_line(path)
        assert path.read_bytes() == b"one\n"


def test_a_file_that_is_not_there_and_a_folder_are_no_ledgers(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(LedgerError) as refusal:
            read_ledger(path)
        assert refusal.value.hint


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(UsageError, match="cannot be written"):
        LedgerWriter(tmp_path / "file" / "ledger.jsonl", SECRETS)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values inside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value[:2]) if isinstance(value, list) else ()
    return [path, *(leaf for key, child in inner for leaf in leaves(child, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """The value with another one at a path."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put(value[path[0]], path[1:], new)
    return copy


NEW: list[Any] = [None, -1, 0, 1e300, "", "\ud800", [], {}, True, "x" * 10, 10**30]


@pytest.mark.parametrize("number", range(4))
def test_an_edit_anywhere_gives_a_ledger_or_a_clear_refusal(number: int, tmp_path: Path) -> None:
    written(tmp_path / "a", made(failure=Failure("idle", "x"), attempts=(Attempt(429, (("a", "b"),), None, 0.1),)))
    lines = [json.loads(line) for line in (tmp_path / "a").read_bytes().splitlines()]
    lines[0]["plan"] = lines[0]["plan"][:1]
    for path in leaves(lines[number]):
        for new in NEW:
            edited = [*lines[:number], put(lines[number], path, new), *lines[number + 1 :]]
            (tmp_path / "b").write_text("".join(json.dumps(line) + "\n" for line in edited))
            check_refusal(lambda: read_ledger(tmp_path / "b"))


def check_refusal(read: Callable[[], Ledger]) -> None:
    """It is read, or refused in words."""
    try:
        read()
    except LedgerError as error:
        assert "line" in error.message or "format" in error.message  # noqa: PT017 - both ends are right
        assert error.hint  # noqa: PT017 - the same


SMALLER = replace(CASES[1], body={"a": 1})


def searched(path: Path, count: int = 2, **more: Any) -> Ledger:
    """A ledger with a search for a smaller case after its end, written and read."""
    exchanges = (made(CASES[1]), made(SMALLER, started=21.0))
    with LedgerWriter(path, SECRETS) as writer:
        writer.header(PROVIDER, Limits(), CASES, (), 12.5)
        writer.footer(3.25, None)
        for exchange in exchanges[:count]:
            assert writer.minimising(exchange, "a.rule") == exchange
        fields = {"requests": 2, "reproduced": True, "complete": False, "smallest": 1, "exchanges": exchanges, **more}
        writer.minimised(Minimised(CASES[1].id, "a.rule", **fields))
    return read_ledger(path)


def test_a_search_for_a_smaller_case_is_read_back(tmp_path: Path) -> None:
    ledger = searched(tmp_path / "a")

    (found,) = ledger.minimised
    assert ledger.complete
    assert ledger.seconds == 3.25
    assert (found.case, found.rule, found.requests) == (CASES[1].id, "a.rule", 2)
    assert (found.reproduced, found.complete) == (True, False)
    assert found.result == SMALLER
    assert found.exchange.started == 21.0
    assert ledger.resent == found.exchanges
    assert ledger.exchanges == ()


@pytest.mark.parametrize("wrong", [{"count": 1}, {"count": 0}, {"smallest": 2}])
def test_a_search_that_says_more_than_there_is_is_refused(wrong: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="are announced"):
        searched(tmp_path / "a", **wrong)


def test_an_edit_anywhere_in_a_search_gives_a_ledger_or_a_clear_refusal(tmp_path: Path) -> None:
    searched(tmp_path / "a")
    lines = [json.loads(line) for line in (tmp_path / "a").read_bytes().splitlines()]
    lines[0]["plan"] = lines[0]["plan"][:1]
    for number in (2, 4):
        for path in leaves(lines[number]):
            for new in NEW:
                edited = [*lines[:number], put(lines[number], path, new), *lines[number + 1 :]]
                (tmp_path / "b").write_text("".join(json.dumps(line) + "\n" for line in edited))
                check_refusal(lambda: read_ledger(tmp_path / "b"))


@pytest.mark.parametrize(
    ("torn", "complete"),
    [(b'{"kind":"minimising","case', True), (b'{"kind":"exchange","case', False), (b'{"ki', False)],
)
def test_what_was_cut_off_after_the_end_of_a_run(torn: bytes, tmp_path: Path, *, complete: bool) -> None:
    written(tmp_path / "a", made())
    (tmp_path / "a").write_bytes((tmp_path / "a").read_bytes() + torn)

    assert read_ledger(tmp_path / "a").complete == complete


def test_anything_that_was_cut_off_after_a_search_leaves_the_run_whole(tmp_path: Path) -> None:
    searched(tmp_path / "a")
    (tmp_path / "a").write_bytes((tmp_path / "a").read_bytes() + b'{"ki')

    assert read_ledger(tmp_path / "a").complete
