"""Generated cases: what schemas and an honest relay accept, what they must refuse, in what order, at what cost."""

import hashlib
import json
import subprocess
import sys
import time

import jsonschema
import pytest

from conformance.errors import DataError, UsageError
from conformance.fixtures import load_cases
from conformance.generate import coverage, generate_cases, reference_schema
from conformance.generate.documents import Document
from conformance.generate.mutations import is_invalid
from conformance.generate.parts import NEVER
from conformance.judging import judge
from conformance.materialise import Target, materialise
from conformance.model import Expectation, Limits, Phase, Provider, Verdict
from conformance.planning import plan
from conformance.redaction import Secrets
from conformance.relay import DEFAULT_KEY, DEFAULT_MODEL, BackgroundRelay
from conformance.relay.call import Refusal
from conformance.relay.validate import validate
from conformance.send import record

SEEDS = (1, 2, 2026)
PLANS = {seed: generate_cases(100, seed) for seed in SEEDS}
TARGET = Target("http://relay.invalid/v1", Provider("http://relay.invalid/v1", DEFAULT_MODEL, key_env=""), Secrets({}))
REFERENCE = jsonschema.Draft202012Validator(reference_schema())
PROVIDER = {
    "type": "object",
    "required": ["model", "messages", "stream", "region"],
    "properties": {
        "model": {"type": "string"},
        "messages": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["role", "content"],
                "properties": {"role": {"type": "string", "enum": ["system", "user"]}, "content": {"type": "string"}},
            },
        },
        "stream": {"type": "boolean"},
        "temperature": {"type": "integer", "minimum": 0, "maximum": 1},
        "n": {"type": "integer", "maximum": 2},
        "stop": {"type": "string"},
        "logit_bias": {"type": "array"},
        "region": {"type": "string", "enum": ["cn", "us"]},
        "trace": {"type": "string", "pattern": "^[0-9a-f]{8}$"},
        "tools": {"type": "array"},
        "verbosity": {"type": "object"},
    },
}


def sent(case):
    """The bytes of a case's body."""
    return materialise(case, TARGET).body


def good(cases):
    return [case for case in cases if case.expect is Expectation.SUCCESS]


def bad(cases):
    return [case for case in cases if case.expect is Expectation.REFUSAL]


@pytest.fixture(params=SEEDS)
def cases(request):
    return PLANS[request.param]


def test_good_requests_satisfy_schema_and_relay(cases):
    for case in good(cases):
        body = json.loads(sent(case))
        assert REFERENCE.is_valid(body), case.id
        validate(body, [DEFAULT_MODEL])


def test_bad_requests_break_the_schema_and_the_relay_notices(cases):
    for case in bad(cases):
        try:
            body = json.loads(sent(case))
        except ValueError:
            continue
        assert not REFERENCE.is_valid(body), case.id
        if isinstance(body, dict):
            with pytest.raises(Refusal):
                validate(body, [DEFAULT_MODEL])


def test_a_hundred_cases_cover_what_the_schema_names(cases):
    found = coverage([case.body for case in good(cases)], reference_schema())
    assert not [part.id for part in found.missing if part.kind != "pair"]
    assert found.share("pair") >= 0.95
    assert found.share() == pytest.approx(len(found.covered) / len(found.parts))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 20, 47, 100])
def test_there_are_as_many_as_asked_for(count):
    found = generate_cases(count, 5)
    assert len(found) == count
    assert [case.id.split("generated-")[1] for case in found] == [f"{number:03}" for number in range(1, count + 1)]
    invalid = [case for case in found if case.phase is Phase.INVALID]
    assert found[len(found) - len(invalid) :] == invalid
    assert len(invalid) <= count // 4


def test_more_bad_requests_than_there_are_mistakes_make_room_for_good_ones():
    found = generate_cases(1500, 1)
    assert len(found) == 1500
    assert len({(case.purpose) for case in bad(found)}) == len(bad(found))
    assert len(bad(found)) < 300


def test_ids_say_the_operation(cases):
    for case in cases:
        streamed = (case.body or {}).get("stream") is True
        assert case.operation == ("chat.stream" if streamed else "chat")
        assert case.id.startswith(f"{case.operation}/generated-")
        assert "generated" in case.probes
        assert case.purpose
        assert case.zh
        assert case.source.startswith("openai:chat/create")


def test_ids_differ_from_those_of_fixtures(cases):
    ids = [case.id for case in (*load_cases(), *cases)]
    assert len(ids) == len(set(ids))


def test_chains_of_bad_requests_end_with_a_good_one(cases):
    chain: list = []
    for case in (case for case in cases if case.phase is Phase.INVALID):
        assert case.follows == (chain[0].id if chain else "")
        chain.append(case)
        if case.expect is Expectation.SUCCESS:
            assert case.probes == {"generated", "recovery"}
            assert 2 <= len(chain) <= 5
            assert case.output_tokens <= 4
            chain = []
        else:
            assert case.probes == {"generated", "generated-invalid"}
            assert case.mutation.split(" ")[0] in case.purpose
    assert not chain
    assert not [case for case in cases if case.phase is Phase.VALID and (case.follows or case.mutation)]


def test_every_request_has_a_limit_and_its_cost_is_known(cases):
    for case in good(cases):
        limits = [case.body[name] for name in ("max_tokens", "max_completion_tokens") if name in case.body]
        assert len(limits) == 1
        assert 1 <= limits[0] <= 16
        count = case.body.get("n") or 1
        assert case.output_tokens == limits[0] * count
        assert count <= 3 or limits == [1]
    assert len([case for case in good(cases) if (case.body.get("n") or 1) > 3]) == 1
    assert sum(case.output_tokens for case in cases) < 1500


def text_of(message):
    parts = message["content"] if isinstance(message["content"], list) else [{"text": message["content"]}]
    return "".join(part.get("text", "") for part in parts)


def test_conversations_make_sense(cases):
    texts = []
    for case in good(cases):
        roles = [message["role"] for message in case.body["messages"]]
        turns = roles[1:] if roles[0] in {"system", "developer"} else roles
        assert turns == ["user", "assistant"] * (len(turns) // 2) + ["user"]
        said = [text_of(message) for message in case.body["messages"]]
        assert all(said[number].strip() for number, role in enumerate(roles) if role == "user")
        assert all(len(text) <= 650 and "\0" not in text and text.encode() is not None for text in said)
        wants = (case.body.get("response_format") or {}).get("type", "text")
        assert wants == "text" or "JSON" in said[-1]
        texts += said
    every = "".join(texts)
    assert "" in texts
    assert max(map(len, texts)) > 200
    for low, high in (("\u4e00", "\u9fff"), ("\u0590", "\u06ff"), ("\U0001f300", "\U0010ffff"), ("\u200d", "\u200d")):
        assert any(low <= character <= high for character in every)
    assert any(character < " " for character in every)


def test_fields_come_with_what_they_need(cases):
    for case in good(cases):
        assert "stream_options" not in case.body or case.body["stream"] is True
        assert "top_logprobs" not in case.body or case.body["logprobs"] is True


def test_what_not_every_model_takes_stands_alone(cases):
    pictures = [case for case in good(cases) if "image_url" in json.dumps(case.body)]
    developers = [case for case in good(cases) if case.body["messages"][0]["role"] == "developer"]
    assert len(pictures) == 3
    assert {case.feature for case in pictures} == {"image_url"}
    assert {case.feature for case in developers} == {"developer"}
    for case in (*pictures, *developers):
        assert set(case.body) == {"model", "messages", "max_tokens"}


def test_probes_say_what_a_case_shows(cases):
    for case in good(cases):
        body, fields = case.body, set(case.body) - {"model", "messages", "max_tokens"}
        streamed = body.get("stream") is True
        usage = streamed and bool((body.get("stream_options") or {}).get("include_usage"))
        assert ("stop" in case.probes) == bool(body.get("stop"))
        assert ("n" in case.probes) == ((body.get("n") or 1) > 1)
        assert ("include-usage" in case.probes) == usage
        assert ("no-usage-asked" in case.probes) == (streamed and not usage)
        assert ("max-completion-tokens" in case.probes) == ("max_completion_tokens" in body)
        for probe, field in (("stop-array", "stop"), ("temperature", "temperature"), ("logit-bias", "logit_bias")):
            assert probe not in case.probes or fields == {field}
        assert "nulls" not in case.probes or {body[name] for name in fields} <= {None, True}
        assert not fields - {"stream"} or case.feature in fields


def test_the_order_of_keys_varies(cases):
    assert len({next(iter(case.body)) for case in good(cases)}) > 2


def test_seeds_make_different_plans():
    bodies = [[sent(case) for case in PLANS[seed]] for seed in SEEDS]
    assert bodies[0] != bodies[1]
    assert bodies[0][:20] != bodies[1][:20]
    assert bodies[0][60:75] != bodies[1][60:75]
    assert [case.mutation for case in PLANS[1]] != [case.mutation for case in PLANS[2]]
    assert PLANS[1] == generate_cases(100, 1)


SCRIPT = """
import sys, hashlib
{imports}
from conformance.generate import generate_cases
cases = [(case.id, case.body, case.raw, sorted(case.probes), case.purpose) for case in generate_cases(60, 9)]
print(hashlib.sha256(repr(cases).encode()).hexdigest())
"""


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_a_seed_means_the_same_in_every_process(tmp_path, hash_seed):
    (tmp_path / "mine.py").write_text("WORDS = ['zebra', 'quagga', 'okapi']\nNUMBERS = [123456789, 7.25, -31337]\n")
    imports = ["import mine, decimal, xml.dom.minidom, conformance.cli, conformance.relay", ""][int(hash_seed)]
    environment = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT.format(imports=imports)],
        capture_output=True, text=True, check=True, cwd=tmp_path, env=environment,
    )  # fmt: skip
    here = [(case.id, case.body, case.raw, sorted(case.probes), case.purpose) for case in generate_cases(60, 9)]
    assert done.stdout.strip() == hashlib.sha256(repr(here).encode()).hexdigest()
    assert not (tmp_path / ".hypothesis").exists()


def test_a_case_costs_little_time():
    started = time.process_time()
    generate_cases(200, 3)
    assert (time.process_time() - started) / 200 < 0.005


def test_with_a_provider_every_schema_holds():
    found = generate_cases(80, 4, [reference_schema(), PROVIDER])
    provider = jsonschema.Draft202012Validator(PROVIDER)
    assert len(found) == 80
    for case in found:
        body = sent(case)
        if case.expect is Expectation.REFUSAL:
            assert is_invalid(body.decode(), [Document(reference_schema())])
            assert is_invalid(body.decode(), [Document(PROVIDER)])
        elif "recovery" not in case.probes:
            assert REFERENCE.is_valid(json.loads(body))
            assert provider.is_valid(json.loads(body))
            assert case.body["region"] in {"cn", "us"}
    fields = {name for case in good(found) for name in case.body}
    assert {"region", "trace", "temperature", "stop", "user"} <= fields
    assert not {"tools", "verbosity", "logit_bias"} & fields
    assert max((case.body.get("n") or 1) for case in good(found)) <= 2


@pytest.mark.parametrize(
    "provider",
    [
        {"type": "object", "required": ["prompt"], "properties": {"model": {}}},
        False,
        {"properties": {"messages": {"maxItems": 0}}},
    ],
)
def test_a_provider_that_fits_nothing_is_named(provider):
    with pytest.raises(DataError, match="no request satisfies"):
        generate_cases(10, 1, [reference_schema(), provider])


def test_a_field_that_cannot_be_drawn_is_left_out():
    provider = {"properties": {"odd": {"type": "string", "minLength": 3, "maxLength": 1}, "even": {"type": "boolean"}}}
    found = generate_cases(60, 1, [reference_schema(), provider])
    fields = {name for case in good(found) for name in case.body}
    assert "even" in fields
    assert "odd" not in fields


def test_a_negative_count_is_refused():
    with pytest.raises(UsageError, match="-1"):
        generate_cases(-1, 1)


def test_an_honest_relay_is_not_accused(tmp_path):
    cases = generate_cases(100, 11)
    with BackgroundRelay() as relay:
        run = record(
            [*plan(), *cases],
            Provider(relay.base_url, DEFAULT_MODEL),
            tmp_path / "ledger.jsonl",
            secrets=Secrets({"RELAY_API_KEY": DEFAULT_KEY}),
            limits=Limits(requests=1000, output_tokens=100_000),
        )
    for exchange in run.exchanges:
        if "generated" in exchange.case.probes:
            expected = range(200, 201) if exchange.case.expect is Expectation.SUCCESS else range(400, 500)
            assert exchange.status in expected, exchange.case.purpose
    assert not [each for each in judge(run) if each.verdict > Verdict.UNSUPPORTED]


def test_parts_that_are_never_generated_have_reasons():
    assert all(len(reason) > 10 for reason in NEVER.values())
