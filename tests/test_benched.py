"""Relays that bench their upstream after a bad request: nothing is charged to what comes next."""

import pytest

from conformance import relay
from conformance.judging import judge
from conformance.model import Limits, Phase, Provider, Verdict
from conformance.planning import plan
from conformance.redaction import Secrets
from conformance.send import record

KEY = "RELAY_API_KEY"
FEW = ("error.missing-field", "error.malformed-json", "chat.stream.at-once")
QUICK = {"backoff": 0.02, "longest_wait": 2.0}


@pytest.fixture(scope="module")
def benching():
    quirks = relay.Quirks(0, only=("bench",), latency=0.0, bench=0.2)
    with relay.BackgroundRelay(relay.create_app(quirks=quirks)) as background:
        yield background


def vet(base_url, path, **options):
    provider = Provider(base_url, relay.DEFAULT_MODEL, KEY)
    limits = Limits(**QUICK, **options.pop("limits", {}))
    return record(plan(FEW), provider, path, secrets=Secrets({KEY: relay.DEFAULT_KEY}), limits=limits, **options)


def test_every_case_is_answered_in_the_end_and_nothing_is_found_wrong(benching, tmp_path):
    ledger = vet(benching.base_url, tmp_path / "ledger.jsonl")
    assert [each.case.id for each in ledger.exchanges if each.status in {0, 429}] == []
    assert max(judgement.verdict for judgement in judge(ledger)) <= Verdict.UNSUPPORTED


def test_one_request_at_a_time_ends_as_well(benching, tmp_path):
    ledger = vet(benching.base_url, tmp_path / "ledger.jsonl", limits={"concurrency": 1})
    left_out = [each for each in ledger.exchanges if each.failure]
    assert {each.failure.detail for each in left_out} == {"needs --concurrency 2 or more"}
    assert ledger.complete


def test_a_resumed_run_that_lacks_only_bad_requests_ends(benching, tmp_path):
    path = tmp_path / "ledger.jsonl"
    whole = vet(benching.base_url, path)
    invalid = {case.id for case in whole.plan if case.phase is Phase.INVALID}
    lines = path.read_bytes().splitlines(keepends=True)[:-1]
    path.write_bytes(b"".join(line for line in lines if not any(f'"case":"{id_}"'.encode() in line for id_ in invalid)))
    ledger = vet(benching.base_url, path, resume=True)
    assert ledger.complete
    assert {each.case.id for each in ledger.exchanges} == {case.id for case in whole.plan}
