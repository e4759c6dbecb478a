"""How a client fares follows from what it read, what the answers say, and which requirements they break."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from clients.recorded import CALL, CHUNKS, completion, exchange, ledger, sse
from conformance.clients.comparing import KINDS, State
from conformance.clients.expected import expected
from conformance.clients.readings import ClientRun, Content, Reading, ToolCall
from conformance.clients.rules import VERDICTS, client_rules
from conformance.clients.table import CLIENTS
from conformance.clients.verdicts import ClientVerdict, client_verdicts
from conformance.model import Exchange, Finding, Judgement, Severity, Verdict
from conformance.reporting.client_rows import INSTALL, STATES, TROUBLES, client_rows
from conformance.rules.base import catalogue

GOOD = Content(texts=("Hi there",), finishes=("stop",), usage=(8, 2))
PLAIN = exchange("chat/a", completion())
TOOLS = exchange("chat/a", completion("", "tool_calls", tool_calls=[CALL]))
CALLED = Content(("",), (ToolCall("weather", '{"city": "Paris"}', "call_1"),), ("tool_calls",), (8, 2))
FORCED = exchange("chat/a", completion("", "stop", tool_calls=[CALL]))
NO_ID = exchange("chat/a", completion("", "tool_calls", tool_calls=[CALL | {"id": None}]))
NO_USAGE = exchange("chat/a", completion(usage=None))
NO_FINISH = exchange("chat/a", completion(finish=None))
STREAM = exchange("chat.stream/a", sse(CHUNKS))
COUNTED = exchange("chat.stream/a", sse(CHUNKS), asked={"stream_options": {"include_usage": True}})
MODELS = exchange("models.list/a", {"data": [{"id": "m"}]})
REFUSED = exchange("chat/a", {"error": {"message": "no"}}, 404)
EVENT = exchange("chat.stream/a", sse([*CHUNKS[:2], {"error": {"message": "no"}}]))


def read(**changes: Any) -> Reading:
    """A reading of the good answer, but for these parts."""
    return Reading("", "read", replace(GOOD, **changes))


def failed(outcome: str, status: int = 0) -> Reading:
    return Reading("", outcome, error="SomeError", status=status, message="why")


def verdict(each: Exchange, reading: Reading, *judgements: Judgement, client: str = "openai") -> ClientVerdict:
    run = ClientRun(client, "1.0", (replace(reading, case=each.case.id),))
    found = {one.client.name: one for one in client_verdicts(ledger(each), [run], judgements)}
    return found[client]


FINE: dict[str, tuple[Exchange, Reading]] = {
    "the-same": (PLAIN, read()),
    "tools": (TOOLS, Reading("", "read", CALLED)),
    "forced-call-mended": (FORCED, Reading("", "read", CALLED)),
    "stream-without-usage": (STREAM, read(usage=None)),
    "error-event": (EVENT, failed("refused")),
    "not-given-by-the-client": (
        PLAIN,
        Reading("", "read", Content(unsaid=("texts", "tools", "finishes", "usage", "items"))),
    ),
    "no-usage-and-none-given": (NO_USAGE, read(usage=None, unsaid=("usage",))),
}


@pytest.mark.parametrize("name", FINE)
def test_a_client_that_gets_what_is_there_works(name: str) -> None:
    found = verdict(*FINE[name])

    assert (found.state, found.troubles, found.read) == (State.WORKS, (), 1)


@pytest.mark.parametrize("status", [404, 400, 0])
def test_a_refusal_that_becomes_an_error_is_right_and_shows_nothing_else(status: int) -> None:
    found = verdict(REFUSED, failed("refused", status))

    assert (found.state, found.troubles, found.read) == (State.NOTHING_TO_READ, (), 0)


WRONG: dict[str, tuple[Exchange, Reading, str, str]] = {
    "raises": (PLAIN, failed("raised"), "raises", "SomeError: why"),
    "own-error-on-a-good-answer": (PLAIN, failed("refused"), "raises", "SomeError: why"),
    "hangs": (PLAIN, failed("hung"), "hangs", "why"),
    "error-not-seen": (REFUSED, read(), "error-not-seen", ""),
    "error-as-something-else": (EVENT, failed("raised"), "error-as-something-else", "SomeError: why"),
    "wrong-kind-of-error": (REFUSED, failed("refused", 500), "wrong-kind-of-error", "SomeError (500) for HTTP 404"),
    "nonsense": (exchange("chat/a", b"<html>"), read(), "nonsense-accepted", ""),
    "text-lost": (PLAIN, read(texts=("",)), "texts-lost", ""),
    "no-text-at-all": (PLAIN, read(texts=()), "texts-lost", ""),
    "text-changed": (PLAIN, read(texts=("H" * 90,)), "texts-changed", "H" * 60 + "… for Hi there"),
    "tools-lost": (TOOLS, Reading("", "read", replace(CALLED, tools=())), "tools-lost", ""),
    "tools-changed": (
        TOOLS,
        Reading("", "read", replace(CALLED, tools=(ToolCall("weather", "{}", "call_1"),))),
        "tools-changed",
        "('weather', '{}') for ('weather', '{\"city\": \"Paris\"}')",
    ),
    "tool-id-missing": (
        NO_ID,
        Reading("", "read", replace(CALLED, tools=(ToolCall(*CALLED.tools[0][:2], ""),))),
        "tool-id-missing",
        "",
    ),
    "tool-id-invented": (NO_ID, Reading("", "read", CALLED), "tool-id-invented", ""),
    "usage-lost": (PLAIN, read(usage=None), "usage-lost", "none for 8 + 2"),
    "usage-changed": (PLAIN, read(usage=(48, 2)), "usage-changed", "48 + 2 for 8 + 2"),
    "usage-invented": (NO_USAGE, read(usage=(0, 0)), "usage-invented", "0 + 0 for none"),
    "usage-missing": (NO_USAGE, read(usage=None), "usage-missing", ""),
    "usage-missing-in-a-stream": (COUNTED, read(usage=None), "usage-missing", ""),
    "finish-lost": (PLAIN, read(finishes=("",)), "finishes-lost", ""),
    "finish-changed": (PLAIN, read(finishes=("stopstop",)), "finishes-changed", "stopstop for stop"),
    "finish-invented": (NO_FINISH, read(), "finishes-invented", "stop for nothing"),
    "finish-missing": (NO_FINISH, read(finishes=("",)), "finishes-missing", ""),
    "items-lost": (MODELS, Reading("", "read", Content()), "items-lost", ""),
    "items-changed": (MODELS, Reading("", "read", Content(items=("n",))), "items-changed", "n for m"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_goes_wrong_is_named_and_weighed(name: str) -> None:
    each, reading, kind, detail = WRONG[name]

    found = verdict(each, reading)

    assert [(trouble.kind, trouble.detail) for trouble in found.troubles] == [(kind, detail)]
    assert found.state is KINDS[kind]
    assert found.troubles[0].cases == (each.case.id,)


def test_every_kind_has_a_test_a_weight_and_words() -> None:
    assert {kind for _, _, kind, _ in WRONG.values()} == set(KINDS) == set(TROUBLES)
    assert set(STATES) == set(VERDICTS) == set(State)


def judgement(rule: str, verdict: Verdict, case: str = "chat/a") -> Judgement:
    return Judgement(rule, "chat", Severity.MUST, verdict, (case,), (Finding(exchange=case),))


BROKEN = (
    judgement("chat.usage.adds-up", Verdict.NOTE),
    judgement("chat.answer.first", Verdict.WARN),
    judgement("chat.answer.second", Verdict.FAIL),
    judgement("chat.answer.held", Verdict.PASS),
    judgement("chat.answer.elsewhere", Verdict.FAIL, "chat/b"),
)


@pytest.mark.parametrize(
    ("reading", "rules"),
    [
        (read(usage=(1, 1)), ("chat.usage.adds-up",)),
        (read(texts=("",)), ("chat.answer.second", "chat.answer.first")),
        (read(finishes=("",)), ("chat.answer.second", "chat.answer.first")),
    ],
)
def test_the_requirements_that_the_same_answer_breaks_are_named(reading: Reading, rules: tuple[str, ...]) -> None:
    assert verdict(PLAIN, reading, *BROKEN).troubles[0].rules == rules


def test_problems_of_a_kind_stand_together_the_worst_first() -> None:
    cases = [exchange(f"chat/{name}", completion()) for name in "abc"]
    readings = [
        replace(read(finishes=("",)), case="chat/a"),
        replace(read(texts=("",)), case="chat/b"),
        replace(read(finishes=("",), texts=("",)), case="chat/c"),
        replace(read(), case="chat/in-no-ledger"),
    ]
    found = client_verdicts(ledger(*cases), [ClientRun("openai", "1.0", tuple(readings), "it hung")], ())[0]

    assert [(each.kind, each.cases) for each in found.troubles] == [
        ("texts-lost", ("chat/b", "chat/c")),
        ("finishes-lost", ("chat/a", "chat/c")),
    ]
    assert (found.read, found.operations, found.reason) == (3, ("chat",), "it hung")


def test_there_is_a_row_for_every_client() -> None:
    runs = [
        ClientRun("openai", "3.54.0", (replace(read(texts=("",)), case="chat/a"),), "it hung on chat/b"),
        ClientRun("anthropic", "", (), "No module named 'anthropic'"),
        ClientRun("litellm", "1.106.2"),
    ]
    rules = tuple(judgement(f"chat.answer.r{number}", Verdict.FAIL) for number in range(7))

    rows = client_rows(client_verdicts(ledger(PLAIN), runs, rules))

    assert [row.rule for row in rows] == [f"client.{name}.reads-it" for name in CLIENTS]
    assert [row.word.en for row in rows] == ["breaks", "not run", "nothing to read", "not run"]
    assert rows[0].title == "OpenAI SDK (Python) 3.54.0"
    assert rows[0].read.en == "read 1 answer: chat; it hung on chat/b"
    assert (rows[0].lines[0].count, len(rows[0].lines[0].rules), rows[0].lines[0].more) == (1, 5, 2)
    assert INSTALL in rows[1].read.en
    assert INSTALL in rows[1].read.zh
    assert rows[3].read.en == "it was not asked to read"


def test_a_client_that_did_not_start_says_why() -> None:
    rows = client_rows(client_verdicts(ledger(), [ClientRun("openai", "", (), "it did not start")], ()))

    assert rows[0].read == ("it did not start", "it did not start")


def test_the_rules_of_clients_are_like_any_rule_and_beside_the_catalogue() -> None:
    rules = client_rules()

    assert list(rules) == [client.rule for client in CLIENTS.values()]
    assert not set(rules) & set(catalogue())
    for rule in rules.values():
        assert rule.text.startswith(rule.requirement + "\n")
        assert len(rule.requirement) <= 100
        assert rule.severity is Severity.SHOULD
        assert list(rule.check(PLAIN)) == []
        assert rule.cases(PLAIN.case)


def test_the_expected_content_of_the_samples_is_what_is_compared() -> None:
    assert expected(PLAIN).content == GOOD
    assert expected(TOOLS).content == CALLED
