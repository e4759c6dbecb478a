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


def test_twenty_cases_cover_only_some_of_what_the_schema_names(cases):
    found = coverage([case.body for case in good(cases)[:20]], reference_schema())
    assert 0.2 < found.share() < 0.9
    assert found.share() == pytest.approx(len(found.covered) / len(found.parts))
    assert found.share("pair") < found.share("property") <= 1
    assert found.share("no such kind") == 1
    assert {part.id for part in found.missing} == {part.id for part in found.parts} - found.covered


TOGETHER = {
    "several answers and a list of stops": lambda body: (
        (body.get("n") or 1) >= 2 and isinstance(body.get("stop"), list)
    ),
    "both penalties": lambda body: {"presence_penalty", "frequency_penalty"} <= body.keys(),
    "temperature and top_p": lambda body: {"temperature", "top_p"} <= body.keys(),
    "a stream with log probabilities": lambda body: body.get("stream") is True and body.get("logprobs") is True,
}


@pytest.mark.parametrize("seed", range(10))
def test_whatever_the_seed_a_hundred_cases_combine_what_relays_confuse(seed):
    bodies = [case.body for case in good(generate_cases(100, seed))]
    assert not [name for name, holds in TOGETHER.items() if not any(map(holds, bodies))]
    assert not coverage(bodies, reference_schema()).missing


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 20, 47, 100])
def test_there_are_as_many_as_asked_for(count):
    found = generate_cases(count, 5)
    assert len(found) == count
    assert [case.id.split("generated-")[1] for case in found] == [f"{number:03}" for number in range(1, count + 1)]
    invalid = [case for case in found if case.phase is Phase.INVALID]
    assert found[len(found) - len(invalid) :] == invalid
    assert len(invalid) <= count // 4


def test_more_bad_requests_than_there_are_mistakes_make_room_for_good_ones():
    found = generate_cases(900, 1)
    assert len(found) == 900
    assert len({(case.purpose) for case in bad(found)}) == len(bad(found))
    assert len(bad(found)) < 900 // 4 - 900 // 20


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


PATTERNS = {"properties": {"trace": {"type": "string", "pattern": "^[^a]+-\\w*.$"}, "span": {"enum": ["a", "b"]}}}
SCRIPT = """
import hashlib, json, sys
{imports}
from conformance.generate import generate_cases, reference_schema
found = generate_cases(60, 9, [reference_schema(), json.loads(sys.argv[1])])
cases = [(case.id, case.body, case.raw, sorted(case.probes), case.purpose) for case in found]
print(hashlib.sha256(repr(cases).encode()).hexdigest())
"""


def test_a_seed_means_the_same_in_every_process(tmp_path):
    (tmp_path / "mine.py").write_text("WORDS = ['zebra', 'quagga', 'okapi']\nNUMBERS = [123456789, 7.25, -31337]\n")
    imports = "import mine, decimal, xml.dom.minidom"
    environment = {"PYTHONHASHSEED": "1", "PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT.format(imports=imports), json.dumps(PATTERNS)],
        capture_output=True, text=True, check=True, cwd=tmp_path, env=environment,
    )  # fmt: skip
    found = generate_cases(60, 9, [reference_schema(), PATTERNS])
    here = [(case.id, case.body, case.raw, sorted(case.probes), case.purpose) for case in found]
    assert any("trace" in body for _, body, *_ in here if body)
    assert done.stdout.strip() == hashlib.sha256(repr(here).encode()).hexdigest()
    assert not (tmp_path / ".hypothesis").exists()


def test_a_case_costs_little_time():
    started = time.process_time()
    generate_cases(200, 3)
    assert (time.process_time() - started) / 200 < 0.01


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


def test_what_no_request_satisfies_is_said_soon():
    started = time.process_time()
    with pytest.raises(DataError, match="no request satisfies"):
        generate_cases(500, 1, [reference_schema(), {"required": ["prompt"]}])
    assert time.process_time() - started < 5


OWN = {
    "flag": {"type": "boolean"},
    "maybe": {"type": ["string", "null"]},
    "level": {"enum": ["low", "high"]},
    "limit": {"type": "integer", "minimum": 3, "maximum": 3},
    "capped": {"type": "integer", "maximum": 9},
    "low": {"type": "number", "minimum": 1},
    "high": {"type": "number", "maximum": 1},
    "weight": {"type": "number"},
    "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
    "thinking": {
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"enum": ["on", "off"]}, "budget": {"type": "integer", "minimum": 1}},
        "additionalProperties": False,
    },
    "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    "either": {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}}]},
}
UNTOLD = {
    "any": {},
    "anything": True,
    "bag": {"type": "object"},
    "bags": {"type": "array", "items": {"type": "object"}},
    "list": {"type": "array"},
    "deep": {"type": "object", "properties": {"a": {"type": "object"}}},
    "undescribed": {"type": "object", "required": ["b"], "properties": {"a": {"type": "string"}}},
    "impossible": {"type": "object", "properties": {"a": False}},
    "never": False,
    "mixed": {"anyOf": [{"type": "integer"}, {"type": "object"}]},
    "tools": {"type": "array", "items": {"type": "string"}},
}


def test_fields_of_a_provider_are_sent_where_its_page_says_what_they_take():
    provider = {"properties": OWN | UNTOLD}
    validator = jsonschema.Draft202012Validator(provider)
    found = good(generate_cases(150, 3, [reference_schema(), provider]))
    assert all(validator.is_valid(case.body) for case in found)
    values = {name: [case.body[name] for case in found if name in case.body] for name in OWN | UNTOLD}
    assert {name for name, sent in values.items() if sent} == OWN.keys()
    assert {type(value) for value in values["maybe"]} == {str, type(None)}
    assert {type(value) for value in values["either"]} == {int, list}
    assert {value["type"] for value in values["thinking"]} == {"on", "off"}
    assert max(map(len, values["tags"])) == 2
    assert any(values["labels"])
    alone = {next(iter(fields)) for case in found if len(fields := case.body.keys() & (OWN | UNTOLD).keys()) == 1}
    assert alone


def test_a_page_of_thousands_of_fields_or_values_ends_in_time():
    fields = {f"field{number}": {"type": "string", "enum": ["a", "b", "c"]} for number in range(3000)}
    started = time.process_time()
    found = generate_cases(60, 1, [reference_schema(), {"properties": fields}])
    sent = {int(name[5:]) for case in good(found) for name in case.body if name.startswith("field")}
    assert len(sent) > 20
    assert max(sent) < 60
    found = generate_cases(60, 1, [reference_schema(), {"properties": {"one": {"enum": list(range(30_000))}}}])
    assert any("one" in case.body for case in good(found))
    assert time.process_time() - started < 8


def test_a_field_is_left_out_when_what_it_needs_is_forbidden():
    found = generate_cases(60, 1, [reference_schema(), {"properties": {"logprobs": {"const": False}}}])
    fields = {name for case in good(found) for name in case.body}
    assert "logprobs" in fields
    assert "top_logprobs" not in fields


TEXTS_ONLY = {"type": "string"}
MESSAGES = {
    "texts only": {"content": TEXTS_ONLY},
    "few roles": {"role": {"enum": ["user", "assistant"]}},
    "texts only, no names": {"content": TEXTS_ONLY, "name": False},
    "no empty texts": {"content": {"type": "string", "minLength": 1}},
    "all of it": {
        "content": {"type": "string", "minLength": 1},
        "name": False,
        "role": {"enum": ["system", "user", "assistant"]},
    },
}


@pytest.mark.parametrize("name", MESSAGES)
def test_what_a_page_says_of_messages_holds_and_leaves_variety(name):
    page = {"properties": {"messages": {"items": {"properties": MESSAGES[name]}}}}
    validator = jsonschema.Draft202012Validator(page)
    found = good(generate_cases(70, 6, [reference_schema(), page]))
    assert all(validator.is_valid(case.body) for case in found if "recovery" not in case.probes)
    messages = [case.body["messages"] for case in found]
    assert {len(each) for each in messages} >= {1, 3, 5}
    assert {each["role"] for conversation in messages for each in conversation} >= {"user", "assistant"}
    said = "".join(text_of(each) for conversation in messages for each in conversation)
    for low, high in (("\u4e00", "\u9fff"), ("\u0590", "\u06ff"), ("\U0001f300", "\U0010ffff"), ("\x01", "\x08")):
        assert any(low <= character <= high for character in said)


def test_a_page_of_single_questions_leaves_their_texts():
    page = {"properties": {"messages": {"maxItems": 1, "items": {"properties": {"role": {"const": "user"}}}}}}
    found = good(generate_cases(60, 6, [reference_schema(), page]))
    assert {len(case.body["messages"]) for case in found} == {1}
    assert len({text_of(case.body["messages"][0]) for case in found}) > 15


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


@pytest.mark.parametrize(
    "impossible",
    [
        {"type": "integer", "minimum": 5, "maximum": 1},
        {"type": "string", "minLength": 5, "maxLength": 1},
        {"type": "array", "items": {"type": "string"}, "minItems": 4, "maxItems": 1},
    ],
)
def test_a_required_field_without_values_is_said_so(impossible):
    request = {"type": "object", "required": ["k"], "properties": {"k": impossible}}
    with pytest.raises(DataError, match="no request satisfies all schemas in force"):
        generate_cases(10, 1, [reference_schema(), request])
