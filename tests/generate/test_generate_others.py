"""Generated cases of operations beside chat: what their schemas accept and forbid, what they cost, how they differ."""

import json
import subprocess
import sys
import time

import jsonschema
import pytest

from conformance.amounts import GENERATED_OPERATIONS
from conformance.errors import UsageError
from conformance.generate import generate_other_cases, operation_coverage, request_schema
from conformance.generate.surfaces import SURFACES
from conformance.judging import judge
from conformance.materialise import Target, materialise
from conformance.model import Expectation, Limits, Phase, Price, Provider, Verdict
from conformance.operations import OPERATIONS
from conformance.planning import PREFLIGHT, plan
from conformance.redaction import Secrets
from conformance.refusals import optional_parts
from conformance.relay import DEFAULT_KEY, DEFAULT_MODEL, BackgroundRelay
from conformance.roles import ROLES
from conformance.send import record

SEEDS = (1, 2, 2026)
OTHERS = [name for name in GENERATED_OPERATIONS if name != "chat"]
FORMS = [name for name in OTHERS if SURFACES[name].files]
BODIES = [name for name in OTHERS if name not in FORMS]
TARGET = Target(
    "http://relay.invalid/v1",
    Provider("http://relay.invalid/v1", DEFAULT_MODEL, key_env=""),
    Secrets({}),
    models=dict.fromkeys(ROLES, "any-model"),
)
MOST_OUTPUT = {"completions": 16 * 3 * 3, "responses": 16, "messages": 16, "gemini.generate": 16}
PLANS = {(name, seed): generate_other_cases(name, 60, seed) for name in OTHERS for seed in SEEDS}
VALIDATORS = {name: jsonschema.Draft202012Validator(request_schema(name)) for name in OTHERS}


def of(name, *, valid):
    """All cases of an operation that are good, or wrong."""
    wanted = Expectation.SUCCESS if valid else Expectation.REFUSAL
    return [case for seed in SEEDS for case in PLANS[name, seed] if case.expect is wanted]


def read(case):
    """The body of a case as it is sent; None for what is no JSON."""
    try:
        return json.loads(materialise(case, TARGET).body)
    except ValueError:
        return None


def fields(case):
    """The fields of a form as its schema writes them."""
    named = {name.removesuffix("[]"): value for name, value in case.form.items()}
    return {name: value["asset"] if isinstance(value, dict) else value for name, value in named.items()}


def test_every_operation_with_requests_is_known():
    assert list(SURFACES) == OTHERS


@pytest.mark.parametrize("name", BODIES)
def test_good_requests_satisfy_the_schema_and_bad_ones_do_not(name):
    good, bad = of(name, valid=True), of(name, valid=False)
    assert good
    assert bad
    for case in good:
        VALIDATORS[name].validate(read(case))
    for case in bad:
        found = read(case)
        assert found is None or not VALIDATORS[name].is_valid(found), case.mutation


@pytest.mark.parametrize("name", FORMS)
def test_good_forms_satisfy_the_schema_and_have_their_files(name):
    for case in of(name, valid=True):
        VALIDATORS[name].validate(fields(case))
        assert case.body is None
        assert all(
            case.form[field] == {"asset": asset} for field, asset in SURFACES[name].files.items() if field in case.form
        )
        assert b"Content-Disposition: form-data" in materialise(case, TARGET).body


@pytest.mark.parametrize("name", FORMS)
def test_bad_forms_are_wrong_however_their_text_is_read(name):
    mistakes = {case.mutation for case in of(name, valid=False)}
    for case in of(name, valid=False):
        pointer = case.mutation.partition("/")[2]
        value = case.form.get(pointer)
        if pointer in SURFACES[name].files:
            assert value is None or isinstance(value, str | int | float)
        elif value is not None:
            texts = [str(value), value] if isinstance(value, str) else [json.dumps(value), value]
            assert not any(VALIDATORS[name].is_valid({**fields(case), pointer: text}) for text in texts)
        materialise(case, TARGET)
    needed = "image" if name.startswith("images") else "file"
    assert f"missing-required /{needed}" in mistakes | {case.mutation for case in generate_other_cases(name, 400, 1)}


@pytest.mark.parametrize("name", OTHERS)
def test_each_bad_request_makes_a_mistake_that_it_names(name):
    for case in of(name, valid=False):
        assert case.mutation.partition(" ")[2].startswith("/")
        assert case.mutation.partition(" ")[0] in case.purpose


@pytest.mark.parametrize("name", OTHERS)
def test_bad_requests_come_in_chains_with_a_plain_one_after_each(name):
    for seed in SEEDS:
        cases = [case for case in PLANS[name, seed] if case.phase is Phase.INVALID]
        assert "recovery" in cases[-1].probes
        length = 0
        for case in cases:
            length = 0 if "recovery" in case.probes else length + 1
            assert length <= 4
            assert (case.follows == "") == (length == 1)


@pytest.mark.parametrize("name", OTHERS)
def test_the_same_seed_makes_the_same_cases_and_another_seed_others(name):
    assert generate_other_cases(name, 60, 1) == PLANS[name, 1]
    assert PLANS[name, 1] != PLANS[name, 2]


def test_another_process_makes_the_same_cases():
    code = "from conformance.generate import generate_other_cases as g; print([c.body for c in g('responses', 20, 7)])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8")
    assert found.stdout.strip() == str([case.body for case in generate_other_cases("responses", 20, 7)])


@pytest.mark.parametrize("name", OTHERS)
def test_no_good_request_is_sent_twice(name):
    sent = [materialise(case, TARGET).body for case in PLANS[name, 1] if case.phase is Phase.VALID]
    assert len(set(sent)) == len(sent)


@pytest.mark.parametrize("name", OTHERS)
def test_cases_cost_little_and_say_so(name):
    for seed in SEEDS:
        for case in PLANS[name, seed]:
            assert case.output_tokens <= MOST_OUTPUT.get(name, 0)
            assert case.output_tokens or not OPERATIONS[name].writes
            assert case.price == Price(OPERATIONS[name].price)
            assert case.operation in {name, f"{name.partition('.')[0]}.stream"}
            assert case.id.startswith(f"{case.operation}/generated-")


@pytest.mark.parametrize("name", ["completions", "responses", "messages"])
def test_a_request_for_a_stream_is_one_of_the_streamed_operation(name):
    for case in of(name, valid=True):
        assert (case.operation == f"{name}.stream") == (case.body.get("stream") is True)
    assert any(case.operation.endswith(".stream") for case in of(name, valid=True))


@pytest.mark.parametrize("name", OTHERS)
def test_every_optional_field_that_is_sent_can_be_refused_by_name(name):
    for case in of(name, valid=True):
        if case.feature:
            assert case.feature in optional_parts(case)
    plain = [case for case in of(name, valid=True) if "recovery" in case.probes]
    always = {"max_tokens", "max_output_tokens"}
    assert all(set(optional_parts(case)) <= always for case in plain)


def test_fields_that_need_another_have_it_and_such_as_clash_do_not_meet():
    for case in of("completions", valid=True):
        assert "stream_options" not in case.body or case.body["stream"] is True
        assert not ("best_of" in case.body and "stream" in case.body)
    for case in of("audio.transcriptions", valid=True):
        assert "timestamp_granularities[]" not in case.form or case.form["response_format"] == "verbose_json"
        assert ("other-form" in case.probes) == (case.form.get("response_format", "json") != "json")


@pytest.mark.parametrize("name", OTHERS)
def test_so_many_as_were_asked_for(name):
    assert generate_other_cases(name, 0, 1) == []
    assert len(generate_other_cases(name, 1, 1)) == 1
    assert len(generate_other_cases(name, 20, 1)) == 20


def test_where_the_schema_leaves_no_more_to_ask_there_are_fewer():
    assert len(generate_other_cases("audio.translations", 5_000, 1)) < 1_000


@pytest.mark.parametrize(("name", "count"), [("embeddings", -1), ("chat", 3), ("embeddings.stream", 3)])
def test_what_makes_no_sense_is_refused(name, count):
    with pytest.raises(UsageError):
        generate_other_cases(name, count, 1)


@pytest.mark.parametrize("name", OTHERS)
def test_most_of_what_may_be_sent_is_sent(name):
    good = [case for case in generate_other_cases(name, 150, 1) if case.phase is Phase.VALID]
    found = operation_coverage(name, good)
    assert found.parts
    assert found.share("property") > 0.4
    assert all(part.kind != "pair" for part in found.parts)
    assert operation_coverage(name, []).covered == frozenset()


def test_a_case_takes_less_than_five_milliseconds():
    began = time.process_time()
    made = sum(len(generate_other_cases(name, 40, 99)) for name in OTHERS)
    assert (time.process_time() - began) / made < 0.005


@pytest.mark.parametrize("seed", [11, 12])
def test_an_honest_relay_is_blamed_for_nothing(tmp_path, seed):
    cases = [
        case
        for case in plan(generated=dict.fromkeys(OTHERS, 20), seed=seed, dear=True)
        if case.id in PREFLIGHT or "generated" in case.probes
    ]
    secrets = Secrets({"RELAY_API_KEY": DEFAULT_KEY})
    with BackgroundRelay() as relay:
        provider = Provider(relay.base_url, DEFAULT_MODEL, "RELAY_API_KEY")
        ledger = record(cases, provider, tmp_path / "l.jsonl", secrets=secrets, limits=Limits(2_000, 100_000))
    judgements = judge(ledger)
    blamed = {(each.rule, each.operation) for each in judgements if each.verdict in {Verdict.FAIL, Verdict.WARN}}
    assert blamed == set()
    judged = [each for each in judgements if each.rule == "generated.valid.accepted"]
    assert {each.verdict for each in judged} == {Verdict.PASS}
    assert {each.operation for each in judged} >= set(OTHERS)
