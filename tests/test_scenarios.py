"""Cases of several steps, sent to the reference relay and to relays that answer nonsense."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from conformance import relay
from conformance.errors import DataError
from conformance.judging import judge
from conformance.materialise import Target, asset, materialise
from conformance.model import Exchange, Ledger, Limits, Provider, Request, Response, Verdict
from conformance.planning import PREFLIGHT, plan
from conformance.redaction import Secrets
from conformance.scenarios import SCENARIOS, advance, begin, check, literal
from conformance.send import record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conformance.model import Case

KEY = "RELAY_API_KEY"
CASES = {case.id: case for case in plan(dear=True)}
STEPS = {name: [case for case in CASES.values() if case.scenario == name] for name in SCENARIOS}


def answered(case: Case, value: Any, status: int = 200) -> Exchange:
    """The exchange of a step that was answered like this."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    response = Response(status, (("content-type", "application/json"),), body, 0.1)
    return Exchange(case, "m", Request(case.method, "http://r/v1", (), b"{}"), response, None, 1.0, 0.1)


def next_step(name: str, value: Any, status: int = 200) -> Case | None:
    """What a scenario asks after its first answer."""
    running = begin(STEPS[name])
    return advance(running, answered(next(running), value, status))


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    with relay.BackgroundRelay() as background:
        cases = [case for case in CASES.values() if case.id in PREFLIGHT or case.scenario]
        path = tmp_path_factory.mktemp("run") / "ledger.jsonl"
        yield sent(cases, background.base_url, path)


def sent(cases: list[Case], base_url: str, path: Path, *, resume: bool = False) -> Ledger:
    secrets = Secrets({KEY: relay.DEFAULT_KEY})
    return record(cases, Provider(base_url, relay.DEFAULT_MODEL, KEY), path, secrets=secrets, resume=resume)


def test_every_scenario_has_steps_that_are_numbered_from_one():
    for name, steps in STEPS.items():
        assert sorted(case.step for case in steps) == list(range(1, len(steps) + 1)), name


def test_a_scenario_that_there_is_not_is_refused():
    case = replace(next(iter(CASES.values())), scenario="round-trip")
    with pytest.raises(DataError, match="there is no scenario 'round-trip'"):
        check([case])


def test_the_honest_relay_is_asked_every_step(honest: Ledger):
    held_back = [exchange.case.id for exchange in honest.exchanges if not exchange.was_sent]
    # A picture that came in the answer itself is not fetched.
    assert set(held_back) <= {case.id for case in STEPS["generate-then-edit"]}
    assert all(exchange.status == 200 for exchange in honest.exchanges if exchange.was_sent)


@pytest.mark.parametrize("name", sorted(SCENARIOS))
@pytest.mark.parametrize("answer", [b"no JSON", [], {}, {"data": []}, {"choices": None}, {"id": 7}, {"data": [{}]}])
def test_nonsense_ends_a_scenario(name: str, answer: Any):
    running = begin(STEPS[name])
    step: Case | None = next(running)
    asked = 0
    while step is not None and asked < 10:
        asked += 1
        step = advance(running, answered(step, answer))
    assert asked <= len(STEPS[name])


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_refusal_leaves_nothing_to_go_on_with(status: int):
    assert next_step("models-then-retrieve", {"data": [{"id": "m"}]}, status) is None
    assert next_step("previous-response", {"id": "resp_1"}, status) is None


def test_the_next_steps_of_a_scenario_that_ended_are_not_run(tmp_path: Path):
    steps = STEPS["speech-then-transcription"]
    cases = [case for case in CASES.values() if case.id in PREFLIGHT or case in steps]
    with relay.BackgroundRelay(relay.create_app(models=["mock-chat", "mock-whisper"])) as background:
        ledger = sent(cases, background.base_url, tmp_path / "ledger.jsonl")
    kinds = [failure.kind for case in steps if (failure := ledger.by_case[case.id].failure)]
    assert kinds == ["no-model", "no-basis"]
    found = [judgement for judgement in judge(ledger) if judgement.operation.startswith("audio.")]
    assert found
    assert {judgement.verdict for judgement in found} == {Verdict.NOT_RUN}


def test_a_name_from_a_list_becomes_one_step_of_a_path():
    step = next_step("models-then-retrieve", {"data": [{"id": "a b?c#d/e\n"}]})
    assert step is not None
    assert step.path == "/models/a%20b%3Fc%23d/e%0A"


@pytest.mark.parametrize("text", ["$model", "$data:red.png", "$data:/etc/passwd", "$$", "plain"])
def test_what_an_answer_says_is_never_a_placeholder(text: str):
    step = next_step("previous-response", {"id": text})
    assert step is not None
    provider = Provider("http://r/v1", "the-model", KEY)
    target = Target(provider.base_url, provider, Secrets({KEY: "sk-0123456789"}))
    assert json.loads(materialise(step, target).body)["previous_response_id"] == text


def test_half_a_character_cannot_be_sent():
    with pytest.raises(ValueError, match="surrogates"):
        literal({"a": ["\ud800"]})
    assert next_step("previous-response", {"id": "\ud800"}) is None


def test_an_interrupted_scenario_goes_on_from_what_is_recorded(tmp_path: Path):
    with relay.BackgroundRelay() as background:
        cases = [case for case in CASES.values() if case.id in PREFLIGHT or case.scenario == "tool-round"]
        path = tmp_path / "ledger.jsonl"
        whole = sent(cases, background.base_url, path)
        first, second = (whole.by_case[case.id] for case in STEPS["tool-round"])
        lines = path.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if f'"case":"{second.case.id}"'.encode() not in line and b'"footer"' not in line]
        path.write_bytes(b"".join(kept))
        resumed = sent(cases, background.base_url, path, resume=True)
    again = resumed.by_case[second.case.id]
    assert resumed.by_case[first.case.id] == first
    assert json.loads(again.request.body)["messages"] == json.loads(second.request.body)["messages"]
    assert {each.verdict for each in judge(resumed, ["chat.tool-result"])} == {Verdict.PASS}


def test_limits_hold_for_steps_as_well(tmp_path: Path):
    with relay.BackgroundRelay() as background:
        ledger = record(
            [case for case in CASES.values() if case.id in PREFLIGHT or case.scenario == "tool-round"],
            Provider(background.base_url, relay.DEFAULT_MODEL, KEY),
            tmp_path / "ledger.jsonl",
            secrets=Secrets({KEY: relay.DEFAULT_KEY}),
            limits=Limits(requests=3),
        )
    assert [ledger.by_case[case.id].was_sent for case in STEPS["tool-round"]] == [True, False]


@pytest.mark.parametrize(
    ("sound", "name"),
    [(b"RIFF\x00\x00\x00\x00WAVEfmt ", "speech.wav"), (b"OggS\x00\x02", "speech.ogg"), (b"\xff\xfb\x90", "speech.mp3")],
)
def test_a_sound_is_sent_back_by_its_own_name(sound: bytes, name: str):
    step = next_step("speech-then-transcription", sound)
    assert step is not None
    assert step.form is not None
    assert step.form["file"]["name"] == name


def test_what_a_vendor_signed_goes_back_with_the_call():
    call = {"id": "call_1", "function": {"name": "f", "arguments": "{}"}, "extra_content": {"google": {"s": "x"}}}
    step = next_step("tool-round", {"choices": [{"message": {"content": None, "tool_calls": [call]}}]})
    assert step is not None
    assert step.body is not None
    assert step.body["messages"][-2]["tool_calls"][0]["extra_content"] == {"google": {"s": "x"}}


@pytest.mark.parametrize("name", ["none.png", "../chat/minimal.json"])
def test_an_asset_that_there_is_not_is_refused(name: str):
    with pytest.raises(DataError, match="there is no asset"):
        asset(name)
