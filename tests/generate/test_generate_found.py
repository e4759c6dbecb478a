"""What generated requests find in relays with one fault: blamed, made smaller, and shown in the parameter matrix."""

import json

import pytest

from conformance.failing import worth_minimising
from conformance.judging import judge
from conformance.model import Limits, Provider, Verdict
from conformance.planning import PREFLIGHT, plan
from conformance.redaction import Secrets
from conformance.relay import DEFAULT_KEY, DEFAULT_MODEL, BackgroundRelay
from conformance.resending import minimise
from conformance.send import record
from conformance.support import Support, parameter_support

SECRETS = Secrets({"RELAY_API_KEY": DEFAULT_KEY})
ACCEPTED, REFUSED = "generated.valid.accepted", "generated.invalid.refused"


def vetted(url, path, operation):
    """A run of generated requests of one operation."""
    every = plan(generated={operation: 40}, seed=5, dear=True)
    cases = [case for case in every if case.id in PREFLIGHT or "generated" in case.probes]
    provider = Provider(url, DEFAULT_MODEL, "RELAY_API_KEY")
    return record(cases, provider, path, secrets=SECRETS, limits=Limits(2_000, 100_000, timeout=10))


@pytest.fixture(scope="module")
def relay():
    with BackgroundRelay() as running:
        yield running


@pytest.mark.parametrize(
    ("fault", "operation", "rule", "left"),
    [
        ("truncation-refused", "responses", ACCEPTED, {"model", "input", "max_output_tokens", "truncation"}),
        ("rerank-unchecked", "rerank", REFUSED, {"model", "query", "documents", "?"}),
        ("top-k-refused", "messages", ACCEPTED, {"model", "max_tokens", "messages", "top_k"}),
        ("messages-unchecked", "messages", REFUSED, {"model", "max_tokens", "messages", "?"}),
        ("gemini-seed-refused", "gemini.generate", ACCEPTED, {"contents", "generationConfig"}),
        ("gemini-unchecked", "gemini.generate", REFUSED, {"contents", "generationConfig"}),
    ],
)
def test_a_fault_is_found_and_its_request_made_smaller(relay, tmp_path, fault, operation, rule, left):
    path = tmp_path / "ledger.jsonl"
    ledger = vetted(relay.variant(f"fault/{fault}"), path, operation)
    pairs = worth_minimising(judge(ledger), ledger)
    assert {found for _, found in pairs} == {rule}
    smaller = minimise(path, [pair for pair in pairs if ".stream" not in pair[0]], secrets=SECRETS).minimised
    (found,) = smaller
    assert found.reproduced
    assert found.complete
    body = json.loads(found.exchange.request.body)
    assert len(body) == len(left)
    assert body.keys() >= left - {"?"}
    if "generationConfig" in left and rule == ACCEPTED:
        assert set(body["generationConfig"]) == {"maxOutputTokens", "seed"}


def test_a_refused_field_of_a_form_is_blamed_and_shown(relay, tmp_path):
    ledger = vetted(relay.variant("fault/language-refused"), tmp_path / "l.jsonl", "audio.transcriptions")
    failed = {each.rule for each in judge(ledger) if each.verdict is Verdict.FAIL}
    assert failed == {ACCEPTED}
    assert worth_minimising(judge(ledger), ledger) == []
    rows = {row.parameter: row.support for row in parameter_support(ledger)}
    assert rows["audio.transcriptions: language"] is Support.BREAKS
    assert rows["audio.transcriptions: temperature"] is Support.ACCEPTED
    assert "max_tokens" in rows
    assert not any(name.startswith("embeddings") for name in rows)


def test_a_field_of_a_stream_is_shown_with_those_of_its_plain_twin(relay, tmp_path):
    ledger = vetted(relay.variant("fault/top-k-refused"), tmp_path / "l.jsonl", "messages")
    rows = {row.parameter: row for row in parameter_support(ledger)}
    assert rows["messages: top_k"].support is Support.BREAKS
    assert rows["messages: stream"].support is Support.ACCEPTED
