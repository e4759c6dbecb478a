"""What is made of generated requests, of repeated ones, and of a provider's own page."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from conformance.judging import judge
from conformance.model import Case, Exchange, Judgement, Response, Verdict
from conformance.profiles import Profile
from conformance.reporting.summary import run_verdict

from .runs import (
    CASES,
    CHUNKS,
    COMPLETION,
    ERROR,
    MODELS,
    answer,
    claim,
    exchange,
    generated,
    ledger,
    minimised,
    page,
    sse,
    verdicts,
    wrong,
)

FINE = answer(COMPLETION)
OBSCURE = answer({"error": {"message": "Bad request.", "type": "invalid"}}, 400)
POOR = {"error": {"message": "Insufficient balance.", "type": "t", "param": None, "code": "insufficient_quota"}}
TOO_FEW = {"error": {"message": "'max_tokens' must be at least 16.", "type": "t", "param": "max_tokens", "code": None}}
BROKEN = answer({"error": {"message": "oops", "type": "server_error", "code": "internal"}}, 500)
ACCEPTED = "generated.valid.accepted"
NO_5XX = "generated.valid.no-5xx"
MINIMAL = CASES["chat/minimal"]


def refusing(part: str, status: int = 400) -> Response:
    """A plain refusal of one part of a request."""
    return answer({"error": {"message": f"{part} is not supported", "type": "invalid", "param": part}}, status)


def judged(rule: str, *exchanges: Exchange, profile: Profile | None = None, **changes: Any) -> Judgement:
    """What one rule says of these exchanges."""
    (judgement,) = judge(ledger(exchanges, **changes), [rule], profile)
    return judgement


def of(rule: str, case: Case, response: Response | None, kind: str = "") -> Verdict:
    """The verdict of one rule on one exchange."""
    return judged(rule, exchange(case, response, kind, "no byte for 30 s" if kind else "")).verdict


GOOD, BAD = generated(n=2, stop="a"), wrong()
RECOVERY = generated(max_tokens=4, probes=frozenset({"generated", "recovery"}))
HTML = answer(b"<!doctype html>")
INVALID_CODE = answer({"error": {"message": "bad", "code": "invalid_request"}}, 500)


@pytest.mark.parametrize(
    ("rule", "case", "response", "verdict"),
    [
        (ACCEPTED, GOOD, FINE, Verdict.PASS),
        (ACCEPTED, GOOD, OBSCURE, Verdict.FAIL),
        (ACCEPTED, GOOD, refusing("n"), Verdict.UNSUPPORTED),
        (ACCEPTED, GOOD, refusing("stop", 422), Verdict.UNSUPPORTED),
        (ACCEPTED, GOOD, refusing("seed"), Verdict.FAIL),
        (ACCEPTED, GOOD, refusing("messages"), Verdict.FAIL),
        (ACCEPTED, GOOD, BROKEN, Verdict.INCONCLUSIVE),
        (ACCEPTED, GOOD, refusing("n", 500), Verdict.INCONCLUSIVE),
        (ACCEPTED, GOOD, answer({}, 429), Verdict.INCONCLUSIVE),
        (ACCEPTED, GOOD, answer({"error": {"message": "insufficient quota"}}, 403), Verdict.INCONCLUSIVE),
        (ACCEPTED, GOOD, answer(b"", 301), Verdict.FAIL),
        (NO_5XX, GOOD, FINE, Verdict.PASS),
        (NO_5XX, GOOD, OBSCURE, Verdict.PASS),
        (NO_5XX, GOOD, BROKEN, Verdict.FAIL),
        (NO_5XX, GOOD, answer({}, 501), Verdict.FAIL),
        *((NO_5XX, GOOD, answer({}, busy), Verdict.NOT_APPLICABLE) for busy in (502, 503, 504, 520, 529, 530)),
        ("generated.invalid.refused", BAD, OBSCURE, Verdict.PASS),
        ("generated.invalid.refused", BAD, FINE, Verdict.WARN),
        ("generated.invalid.refused", BAD, BROKEN, Verdict.PASS),
        ("generated.invalid.no-5xx", BAD, OBSCURE, Verdict.PASS),
        ("generated.invalid.no-5xx", BAD, FINE, Verdict.PASS),
        ("generated.invalid.no-5xx", BAD, BROKEN, Verdict.FAIL),
        ("generated.invalid.no-5xx", BAD, answer({}, 503), Verdict.NOT_APPLICABLE),
        ("generated.invalid.in-time", BAD, OBSCURE, Verdict.PASS),
        ("generated.invalid.named", BAD, OBSCURE, Verdict.NOTE),
        ("generated.invalid.named", BAD, refusing("n"), Verdict.PASS),
        ("generated.invalid.named", BAD, refusing("user"), Verdict.NOTE),
        ("generated.invalid.named", wrong(mutation="missing /messages/0/role"), refusing("messages[0]"), Verdict.PASS),
        ("generated.invalid.named", BAD, FINE, Verdict.NOT_APPLICABLE),
        ("generated.invalid.named", BAD, answer([], 400), Verdict.NOT_APPLICABLE),
        ("generated.invalid.named", wrong(mutation="wrong-type /"), OBSCURE, Verdict.PASS),
        ("generated.invalid.recovers", RECOVERY, FINE, Verdict.PASS),
        ("generated.invalid.recovers", RECOVERY, OBSCURE, Verdict.FAIL),
        ("generated.invalid.recovers", RECOVERY, BROKEN, Verdict.FAIL),
        ("generated.invalid.recovers", RECOVERY, answer({}, 429), Verdict.NOT_APPLICABLE),
        ("generated.invalid.recovers", RECOVERY, answer({}, 503), Verdict.NOT_APPLICABLE),
        ("generated.invalid.recovers", RECOVERY, answer(POOR, 402), Verdict.NOT_APPLICABLE),
        ("generated.invalid.recovers", RECOVERY, answer(POOR, 401), Verdict.NOT_APPLICABLE),
        ("generated.invalid.recovers", RECOVERY, answer(TOO_FEW, 400), Verdict.PASS),
    ],
)
def test_the_answer_to_a_generated_request_has_a_verdict(
    rule: str, case: Case, response: Response, verdict: Verdict
) -> None:
    assert of(rule, case, response) is verdict


@pytest.mark.parametrize(
    ("rule", "kind", "verdict"),
    [
        (ACCEPTED, "timeout", Verdict.INCONCLUSIVE),
        (NO_5XX, "timeout", Verdict.NOT_APPLICABLE),
        (NO_5XX, "unsent", Verdict.INCONCLUSIVE),
    ],
)
def test_a_good_request_without_an_answer_shows_nothing(rule: str, kind: str, verdict: Verdict) -> None:
    assert of(rule, GOOD, None, kind) is verdict


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [("timeout", Verdict.FAIL), ("idle", Verdict.FAIL), ("reset", Verdict.PASS), ("unsent", Verdict.INCONCLUSIVE)],
)
def test_a_bad_request_that_hangs_is_a_failure(kind: str, verdict: Verdict) -> None:
    found = judged("generated.invalid.in-time", exchange(BAD, None, kind, "no byte for 30 s"))

    assert found.verdict is verdict
    if verdict is Verdict.FAIL:
        assert (found.findings[0].actual, found.findings[0].message) == ("no byte for 30 s", "wrong-type /n")


def test_a_mutation_without_a_field_cannot_be_named() -> None:
    assert judge(ledger([exchange(wrong(mutation="malformed-json"), OBSCURE)]), ["generated.invalid.named"]) == []


def test_an_internal_error_that_calls_the_request_invalid_is_known() -> None:
    found = judged("generated.invalid.no-5xx", exchange(BAD, INVALID_CODE))

    assert [finding.deviation for finding in found.findings] == ["validation-500"]
    assert found.findings[0].message == "wrong-type /n: bad"
    assert judged("generated.invalid.no-5xx", exchange(BAD, BROKEN)).findings[0].deviation == ""


# A sample


@pytest.mark.parametrize("rule", [ACCEPTED, NO_5XX, "generated.invalid.refused"])
def test_a_few_that_were_not_answered_leave_no_mark_on_a_sample(rule: str) -> None:
    make, good = (wrong, OBSCURE) if "invalid" in rule else (generated, FINE)
    fine = [exchange(make(f"chat/generated-{number}", n=2), good) for number in range(10)]
    silent = [
        exchange(make("chat/generated-t", n=2), None, "timeout"),
        exchange(make("chat/generated-b"), answer({}, 429)),
    ]

    assert judged(rule, *fine, *silent).verdict is Verdict.PASS
    assert judged(rule, *fine, exchange(make("chat/generated-u"), None, "unsent")).verdict is Verdict.PASS
    assert judged(ACCEPTED, exchange(GOOD, None, "timeout")).verdict is Verdict.INCONCLUSIVE


def test_a_few_that_were_not_answered_do_not_hide_a_failure() -> None:
    exchanges = [exchange(generated("chat/generated-2"), None, "timeout"), exchange(GOOD, OBSCURE)]
    found = judged(ACCEPTED, *exchanges)

    assert found.verdict is Verdict.FAIL
    assert [finding.exchange for finding in found.findings] == ["chat/generated-1"]


def test_a_fixed_request_that_is_not_answered_still_leaves_its_mark() -> None:
    again = CASES["chat/utf8"]

    assert judged("chat.request.accepted", exchange(MINIMAL, FINE), exchange(again, None, "reset")).verdict is (
        Verdict.INCONCLUSIVE
    )


def test_whether_a_generated_request_is_accepted_is_one_rule_s_matter() -> None:
    case = generated(probes=frozenset({"generated", "n", "stop"}), feature="n", n=2)
    found = verdicts(ledger([exchange(case, OBSCURE)]))

    assert [rule for (rule, _), each in found.items() if each.verdict is Verdict.FAIL] == [ACCEPTED]
    assert not [rule for rule, _ in found if rule.endswith("accepted") and rule != ACCEPTED]


def test_a_part_that_is_plainly_refused_is_said_with_each_exchange() -> None:
    first, second = generated("chat/generated-1", n=2), generated("chat/generated-2", seed=1)
    found = judged(ACCEPTED, exchange(first, refusing("n")), exchange(second, refusing("seed")))

    assert found.verdict is Verdict.UNSUPPORTED
    assert [(finding.exchange, finding.actual) for finding in found.findings] == [(first.id, "n"), (second.id, "seed")]


def test_a_generated_answer_is_held_to_every_rule_about_answers() -> None:
    found = verdicts(ledger([exchange(generated(n=2), answer(COMPLETION | {"id": 5}))]))

    assert found["chat.response.compat", "chat"].verdict is Verdict.FAIL
    assert "chat.request.accepted" not in {rule for rule, _ in found}


# What did not come again


def test_what_did_not_come_again_is_inconclusive_and_says_so() -> None:
    again = minimised(GOOD, GOOD, FINE, NO_5XX, reproduced=False, smallest=0)
    found = judged(NO_5XX, exchange(GOOD, BROKEN), minimised=(again,))

    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.findings[0].message.startswith("found once, but not again")
    assert (found.findings[1].at, found.findings[1].actual) == ("status", 500)


def test_what_came_again_stays_a_failure() -> None:
    again = minimised(GOOD, generated(n=2), BROKEN, NO_5XX)

    assert judged(NO_5XX, exchange(GOOD, BROKEN), minimised=(again,)).verdict is Verdict.FAIL


def test_only_the_case_and_the_rule_that_were_tried_are_excused() -> None:
    again = minimised(GOOD, GOOD, FINE, NO_5XX, reproduced=False, smallest=0)
    other = exchange(generated("chat/generated-2", seed=1), BROKEN)

    assert judged(NO_5XX, exchange(GOOD, BROKEN), other, minimised=(again,)).verdict is Verdict.FAIL
    assert judged(ACCEPTED, exchange(GOOD, OBSCURE), minimised=(again,)).verdict is Verdict.FAIL
    assert judged(NO_5XX, exchange(GOOD, FINE), minimised=(again,)).verdict is Verdict.PASS


def test_a_sample_with_a_failure_that_did_not_come_again_is_inconclusive() -> None:
    again = minimised(GOOD, GOOD, FINE, NO_5XX, reproduced=False, smallest=0)
    run = ledger(
        [exchange(GOOD, BROKEN), exchange(generated("chat/generated-2"), FINE)], rules=(NO_5XX,), minimised=(again,)
    )

    (judgement,) = judge(run)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert {found.exchange for found in judgement.findings} == {GOOD.id}
    assert run_verdict(judge(run), run, strict=False) == "inconclusive"


def test_what_does_not_come_again_is_inconclusive_for_every_kind_of_rule() -> None:
    talkative = json.loads(json.dumps(COMPLETION))
    talkative["choices"][0]["logprobs"] = {"content": [{"token": "OK", "logprob": -1.0}]}
    again = minimised(GOOD, GOOD, FINE, "chat.logprobs.unasked", reproduced=False, smallest=0)
    others = exchange(generated("chat/generated-2"), FINE)
    run = ledger([exchange(GOOD, answer(talkative)), others], rules=("chat.logprobs.unasked",), minimised=(again,))

    assert [each.verdict for each in judge(run)] == [Verdict.INCONCLUSIVE]
    assert [each.verdict for each in judge(replace(run, minimised=()))] == [Verdict.FAIL]


@pytest.mark.parametrize("content", [5, True, "abc", [1], {"a": 1}])
def test_log_probabilities_of_another_shape_are_none(content: Any) -> None:
    odd = json.loads(json.dumps(COMPLETION))
    odd["choices"][0]["logprobs"] = {"content": content}
    asked = generated(logprobs=True)
    run = ledger([exchange(asked, answer(odd))], rules=("chat.logprobs",))

    assert {each.rule: each.verdict for each in judge(run)} == {
        "chat.logprobs.present": Verdict.WARN,
        "chat.logprobs.top-count": Verdict.PASS,
    }


# A provider's own page

STATED = {
    "type": "object",
    "required": ["id", "balance"],
    "x-source": "their.txt:9",
    "properties": {
        "balance": {"type": "integer", "x-source": "their.txt:12"},
        "created": {"type": "string", "x-source": "their.txt:14", "x-weak": True},
    },
}


def test_without_a_page_nothing_is_said_of_one() -> None:
    rules = {judgement.rule for judgement in judge(ledger([exchange(MINIMAL, FINE)]))}

    assert not {rule for rule in rules if "documented" in rule}
    assert judge(ledger([exchange(MINIMAL, FINE)]), ["response.documented"]) == []


def test_a_page_that_says_nothing_of_an_operation_is_not_asked() -> None:
    models = exchange(CASES["models.list/list"], answer(MODELS))
    found = verdicts(ledger([exchange(MINIMAL, FINE), models]), profile=page(response=STATED))

    assert {key for key in found if "documented" in key[0]} == {
        ("response.documented", "chat"),
        ("response.example.documented", "chat"),
    }


def test_what_the_page_states_is_a_must_and_what_it_shows_a_should() -> None:
    found = verdicts(ledger([exchange(MINIMAL, FINE)]), profile=page(response=STATED))
    stated, shown = found["response.documented", "chat"], found["response.example.documented", "chat"]

    assert (stated.verdict, shown.verdict) == (Verdict.FAIL, Verdict.WARN)
    (absent,) = stated.findings
    assert (absent.at, absent.expected, absent.actual) == ("/balance", "present", "absent")
    assert absent.message == "'balance' is missing; their.txt:12 says so"
    (text,) = shown.findings
    assert (text.at, text.expected, text.actual) == ("/created", "string", COMPLETION["created"])
    assert text.message.endswith("; their.txt:14 says so")


def test_an_answer_that_is_as_documented_passes() -> None:
    kept = answer(COMPLETION | {"balance": 5, "created": "now"})
    found = verdicts(ledger([exchange(MINIMAL, kept)]), ["response"], page(response=STATED))

    assert {rule: each.verdict for (rule, _), each in found.items()} == {
        "response.documented": Verdict.PASS,
        "response.example.documented": Verdict.PASS,
    }


def test_a_page_without_a_source_is_quoted_without_one() -> None:
    found = judged("response.documented", exchange(MINIMAL, FINE), profile=page(response={"required": ["x"]}))

    assert found.findings[0].message == "'x' is missing"


def test_two_pages_are_not_mixed_up() -> None:
    run = ledger([exchange(MINIMAL, FINE)])
    one, other = page(response={"required": ["x"]}), page(response={"required": ["y"]}, digest="e" * 64)

    found = [judge(run, ["response.documented"], each)[0].findings[0].at for each in (one, other, one)]

    assert found == ["/x", "/y", "/x"]


NAMES = page(claim("List models", "models.list"), claim("Chat", "chat"), claim("Paint", "images"))
LIST, AGAIN = CASES["models.list/list"], CASES["models.list/again"]
MISSING = answer(ERROR, 404)


@pytest.mark.parametrize("gone", [MISSING, answer(ERROR, 405), answer(ERROR, 501), HTML, answer(b"<html></html>")])
def test_an_operation_that_the_page_names_and_that_is_not_there_is_a_failure(gone: Response) -> None:
    found = judged("documented.operation.offered", exchange(LIST, gone), profile=NAMES)

    assert (found.verdict, found.operation) == (Verdict.FAIL, "models.list")
    assert found.findings[0].expected == "an answer: the page names List models (page, line 7)"


def test_an_operation_that_is_answered_at_all_is_offered() -> None:
    run = ledger([exchange(LIST, MISSING), exchange(AGAIN, answer(MODELS)), exchange(MINIMAL, FINE)])
    found = verdicts(run, ["documented"], NAMES)

    assert {operation: each.verdict for (_, operation), each in found.items()} == {
        "models.list": Verdict.PASS,
        "chat": Verdict.PASS,
    }


@pytest.mark.parametrize("status", [403, 429, 502, 503, 520])
def test_an_error_page_of_a_gateway_does_not_show_that_an_operation_is_missing(status: int) -> None:
    run = ledger([exchange(CASES["models.list/list"], replace(HTML, status=status))])
    found = judge(run, ["documented"], page(claim("List models", "models.list")))

    assert [each.verdict for each in found] in ([Verdict.PASS], [Verdict.NOT_APPLICABLE])


def test_guesses_do_not_crowd_out_what_is_stated() -> None:
    weak = {f"w{number}": {"type": "string", "x-source": "a:1", "x-weak": True} for number in range(25)}
    stated = {"type": "object", "properties": {**weak, "zz": {"type": "integer", "x-source": "a:2"}}}
    body = {**COMPLETION, **dict.fromkeys(weak, 1), "zz": "x"}
    run = ledger([exchange(CASES["chat/minimal"], answer(body))])
    found = {each.rule: each.verdict for each in judge(run, ["response"], page(response=stated))}

    assert found == {"response.documented": Verdict.FAIL, "response.example.documented": Verdict.WARN}


def test_a_refusal_shows_that_an_operation_is_there() -> None:
    refused = answer({"error": {"message": "no such model", "code": "model_not_found"}}, 404)

    assert judged("documented.operation.offered", exchange(MINIMAL, refused), profile=NAMES).verdict is Verdict.PASS
    assert judged("documented.operation.offered", exchange(LIST, answer({}, 401)), profile=NAMES).verdict is (
        Verdict.PASS
    )


def test_an_operation_that_was_never_answered_may_be_offered() -> None:
    silent = judged("documented.operation.offered", exchange(LIST, None, "timeout"), profile=NAMES)
    unsent = judged("documented.operation.offered", exchange(LIST, None, "unsent"), profile=NAMES)

    assert silent.verdict is Verdict.NOT_APPLICABLE
    assert unsent.verdict is Verdict.INCONCLUSIVE


def test_what_the_page_does_not_name_may_be_missing() -> None:
    run = ledger([exchange(LIST, MISSING)])

    assert judge(run, ["documented.operation"], page(claim("Chat", "chat"))) == []
    assert verdicts(run, ["models.list"], NAMES)["models.list.compat", "models.list"].verdict is Verdict.UNSUPPORTED


# What is asked of the form of an answer

JSON = {"type": "json_object"}


def said(content: Any, finish: str = "stop", **choice: Any) -> Response:
    """An answer that says this."""
    message = {"role": "assistant", "content": content}
    return answer(COMPLETION | {"choices": [{"index": 0, "message": message, "finish_reason": finish, **choice}]})


def tokens(*tops: int) -> dict[str, Any]:
    """Log probabilities of a choice, with so many alternatives for each token."""
    entry = {"token": "a", "logprob": -1, "bytes": None}
    return {"logprobs": {"content": [{**entry, "top_logprobs": [entry] * top} for top in tops], "refusal": None}}


@pytest.mark.parametrize(
    ("rule", "fields", "response", "verdict"),
    [
        ("chat.response-format.json", {"response_format": JSON}, said('{"a": 1}'), Verdict.PASS),
        ("chat.response-format.json", {"response_format": JSON}, said("Hello"), Verdict.FAIL),
        ("chat.response-format.json", {"response_format": JSON}, said("[1]"), Verdict.FAIL),
        ("chat.response-format.json", {"response_format": JSON}, said('{"a', "length"), Verdict.NOT_APPLICABLE),
        ("chat.response-format.json", {"response_format": JSON}, said(None), Verdict.NOT_APPLICABLE),
        ("chat.logprobs.present", {"logprobs": True}, said("OK"), Verdict.WARN),
        ("chat.logprobs.present", {"logprobs": True}, said("OK", **tokens(0)), Verdict.PASS),
        ("chat.logprobs.present", {"logprobs": True}, said("OK", **tokens()), Verdict.WARN),
        ("chat.logprobs.present", {"logprobs": True}, said(None), Verdict.NOT_APPLICABLE),
        ("chat.logprobs.unasked", {}, said("OK", **tokens(0)), Verdict.FAIL),
        ("chat.logprobs.unasked", {"logprobs": False}, said("OK", **tokens()), Verdict.PASS),
        ("chat.logprobs.unasked", {}, said("OK"), Verdict.PASS),
        ("chat.logprobs.top-count", {"logprobs": True, "top_logprobs": 2}, said("OK", **tokens(2, 1)), Verdict.PASS),
        ("chat.logprobs.top-count", {"logprobs": True, "top_logprobs": 2}, said("OK", **tokens(2, 3)), Verdict.FAIL),
        ("chat.logprobs.top-count", {"logprobs": True}, said("OK", **tokens(1)), Verdict.FAIL),
        ("chat.logprobs.top-count", {"logprobs": True}, said("OK"), Verdict.PASS),
        ("chat.logprobs.top-count", {"logprobs": True}, said("OK", logprobs={"content": None}), Verdict.PASS),
    ],
)
def test_the_form_that_was_asked_for_is_given(
    rule: str, fields: dict[str, Any], response: Response, verdict: Verdict
) -> None:
    assert of(rule, generated(**fields), response) is verdict


@pytest.mark.parametrize(
    "fields",
    [{}, {"response_format": {"type": "text"}}, {"response_format": JSON, "stop": "}"}, {"response_format": 5}],
)
def test_nothing_is_said_of_json_that_was_not_asked_for_or_may_be_cut(fields: dict[str, Any]) -> None:
    assert judge(ledger([exchange(generated(**fields), said("Hello"))]), ["chat.response-format.json"]) == []


def test_the_form_of_a_stream_is_looked_at_too() -> None:
    case = generated("chat.stream/generated-1", stream=True, response_format=JSON, logprobs=True)
    bare = exchange(case, answer(sse(CHUNKS)))
    delta = CHUNKS[1]["choices"][0]
    with_tokens = [CHUNKS[0], CHUNKS[1] | {"choices": [delta | tokens(1)]}, *CHUNKS[2:]]
    rich = exchange(case, answer(sse(with_tokens)))

    assert judged("chat.response-format.json", bare).verdict is Verdict.FAIL
    assert judged("chat.logprobs.present", bare).verdict is Verdict.WARN
    assert judged("chat.logprobs.present", rich).verdict is Verdict.PASS
    assert judged("chat.logprobs.top-count", rich).verdict is Verdict.FAIL
