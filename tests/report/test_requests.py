"""What the reports say of requests: parameters, the page's endpoints, coverage, smallest failing requests."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from judging.runs import CASES, COMPLETION, ERROR, answer, claim, generated, minimised, page, wrong
from judging.runs import exchange as exchanged
from judging.runs import ledger as run_of
from rich.console import Console

from conformance.contract import schema_errors
from conformance.fixtures import load_cases
from conformance.generate import generate_other_cases
from conformance.judging import judge
from conformance.model import Finding, Provider, Verdict
from conformance.reporting import report
from conformance.reporting.html import html_text
from conformance.reporting.requests import claim_rows, coverage_lines, parameter_rows, smallest
from conformance.reporting.results import results, results_text
from conformance.reporting.summary import spent
from conformance.reporting.terminal import print_smallest, print_summary
from conformance.reporting.visible import is_harmless
from conformance.rules.base import catalogue

from .samples import HOSTILE, judgement
from .test_html import Page

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.model import Case, Judgement, Ledger, Response
    from conformance.profiles import Profile

FORMAT = "formats/results.json"
BROKEN = answer({"error": {"message": "oops", "type": "server_error"}}, 500)
FINE = answer(COMPLETION)
FIXTURES = {case.id: case for case in load_cases()}
NO_5XX = "generated.valid.no-5xx"
LONG = generated(n=2, stop=["a"], seed=1, user="u", max_tokens=5)
SHORT = generated(n=2, stop=["a"])
SECRET = "sk-reference-relay"  # noqa: S105 - the key of tests


def failing(**changes: Any) -> Ledger:
    """A run with one generated request that fails, and what is left of it."""
    found = minimised(LONG, SHORT, BROKEN, NO_5XX, **changes)
    good = exchanged(generated("chat/generated-2", user="x"), FINE)
    return run_of([exchanged(LONG, BROKEN), good], minimised=(found,), resent=found.exchanges)


def html(run: Ledger, profile: Profile | None = None, found: list[Judgement] | None = None) -> Page:
    """The page of a run."""
    judgements = judge(run, (), profile) if found is None else found
    return Page(html_text(judgements, run, catalogue(), profile=profile))


def told(run: Ledger, case: str = LONG.id, rule: str = NO_5XX) -> str:
    """What a terminal shows of the smallest request."""
    paper = io.StringIO()
    print_smallest(run, case, rule, Console(file=paper, width=80))
    return paper.getvalue()


def words(text: str) -> str:
    """The text in one line."""
    return " ".join(text.split())


# Parameters


def test_each_parameter_has_a_row_with_its_look_and_its_evidence() -> None:
    rows = {row.parameter: row for row in parameter_rows(failing(), {})}

    assert {name: (row.look, row.sent, row.beside) for name, row in rows.items()} == {
        "n": ("fail", 1, "stop"),
        "stop": ("fail", 1, "n"),
        "user": ("pass", 1, ""),
    }
    assert rows["user"].shown == "chat/generated-2"


def test_the_matrix_is_shown_with_links_to_its_evidence() -> None:
    shown = html(failing())

    assert "parameters" in shown.ids
    assert "together with stop" in shown.shown
    assert "与 stop 一起时" in shown.shown
    assert "#exchange--chat--generated-2" in {link.get("href") for link in shown.all("a")}


def test_a_run_without_generated_requests_shows_no_matrix() -> None:
    shown = html(run_of([exchanged(CASES["chat/two-choices"], FINE)]))

    assert not {"parameters", "coverage", "page"} & set(shown.ids)


def test_a_run_whose_generated_requests_were_all_bad_shows_none_either() -> None:
    assert not {"parameters", "coverage"} & set(html(run_of([exchanged(wrong(), BROKEN)])).ids)


# The smallest failing request


def test_the_smallest_request_is_shown_with_its_card_and_without_the_key() -> None:
    found = smallest(failing())[NO_5XX, "chat"]

    assert json.loads(found.body) == {**(SHORT.body or {}), "model": "mock-chat"}
    assert '"$RELAY_API_KEY"' in found.curl
    assert (found.requests, found.complete, found.key) == (7, True, "RELAY_API_KEY")
    assert SECRET not in repr(found)


def test_the_shortest_of_several_is_shown() -> None:
    other = generated("chat/generated-2", n=2, stop=["a"], seed=1)
    run = run_of(
        [exchanged(LONG, BROKEN), exchanged(other, BROKEN)],
        minimised=(
            minimised(LONG, SHORT, BROKEN, NO_5XX),
            minimised(other, other, BROKEN, NO_5XX),
        ),
    )

    assert "seed" not in smallest(run)[NO_5XX, "chat"].body


def test_what_is_asked_for_is_told_though_another_case_has_a_shorter_one() -> None:
    other = generated("chat/generated-2", n=2, stop=["a"], seed=1)
    run = run_of([], minimised=(minimised(LONG, SHORT, BROKEN, NO_5XX), minimised(other, other, BROKEN, NO_5XX)))

    assert '"seed": 1' in told(run, other.id)
    assert '"seed": 1' not in told(run, LONG.id)


def test_each_operation_shows_a_request_of_its_own() -> None:
    streamed = generated("chat.stream/generated-3", stream=True, seed=1)
    run = failing()
    both = run_of([*run.exchanges, exchanged(streamed, BROKEN)], minimised=run.minimised)

    assert set(smallest(both)) == {(NO_5XX, "chat")}
    assert html(both).shown.count("The smallest request that still fails") == 1


def test_a_search_that_was_cut_short_says_so() -> None:
    shown = html(failing(complete=False)).shown

    assert "found with 7 further requests" in shown
    assert "the budget ended the search, a smaller one may exist" in shown
    assert "the budget ended the search" not in html(failing()).shown
    assert "the budget ended the search" in words(told(failing(complete=False)))


def test_what_did_not_come_again_has_no_smallest_request() -> None:
    run = failing(reproduced=False, smallest=0)

    assert smallest(run) == {}
    assert "did not break generated.valid.no-5xx again (7 requests)" in words(told(run))


def test_a_case_without_an_answer_says_so() -> None:
    assert "got no answer that could be judged" in words(told(run_of([])))


def test_what_is_printed_can_be_copied() -> None:
    text = told(failing())
    body, line = text.split("\n\n")

    assert json.loads(body.partition(":\n")[2]) == {**(SHORT.body or {}), "model": "mock-chat"}
    assert line.startswith("curl -sS ")
    assert max(map(len, line.splitlines())) > 80
    assert '"$RELAY_API_KEY"' in line
    assert SECRET not in text


def test_a_request_that_is_too_long_for_a_line_is_in_the_ledger() -> None:
    long = generated(user="u" * 70_000)
    run = run_of([], minimised=(minimised(LONG, long, BROKEN, NO_5XX),))

    assert smallest(run)[NO_5XX, "chat"].curl == ""
    assert "it is in the ledger" in told(run)
    assert "it is in the ledger" in html(run_of([exchanged(LONG, BROKEN)], minimised=run.minimised)).shown


def test_a_body_that_is_no_json_is_shown_as_it_is() -> None:
    odd = generated(raw="{broken \x1b[31m", body=None)
    found = minimised(LONG, odd, BROKEN, NO_5XX)
    run = run_of([exchanged(LONG, BROKEN)], minimised=(found,))

    assert is_harmless(told(run), lines=True)
    assert smallest(run)[NO_5XX, "chat"].body.startswith("{broken ")


def test_the_summary_shows_what_is_left_in_one_line() -> None:
    run, paper = failing(), io.StringIO()
    print_summary(judge(run), run, {}, strict=False, console=Console(file=paper, width=100))

    assert paper.getvalue().count("  smallest ") == 1
    assert '"n": 2' in paper.getvalue()


def test_further_requests_are_counted_in_what_was_spent() -> None:
    run = failing()
    without = run_of(run.exchanges)

    assert spent(run).requests == spent(without).requests + 2 == 4
    assert results([], run)["spent"]["requests"] == 4
    assert "4 requests" in html(run).shown


# The page


def rows(*judgements: Judgement) -> dict[str, tuple[str, str]]:
    """State and look by title."""
    told_of = page(
        claim("Chat", "chat", method="POST"),
        claim("List models", "models.list"),
        claim("One model", "models.retrieve"),
        claim("Paint", "images"),
        claim("Chat with pictures", "chat", variant="vision"),
        claim("Nameless"),
        claim("About us", kind="text"),
    )
    return {row.title: (row.state, row.look) for row in claim_rows(told_of, judgements)}


def test_each_endpoint_that_the_page_names_is_judged_missing_or_unchecked() -> None:
    found = rows(
        judgement(verdict=Verdict.WARN),
        judgement("chat.id.fresh"),
        judgement("documented.operation.offered", Verdict.FAIL, operation="models.list"),
        judgement("models.list.compat", Verdict.UNSUPPORTED, operation="models.list"),
        judgement("documented.operation.offered", operation="models.retrieve"),
    )

    assert found == {
        "Chat": ("checked", "warn"),
        "Chat with pictures": ("variant", "not-applicable"),
        "List models": ("missing", "fail"),
        "One model": ("checked", "pass"),
        "Paint": ("unchecked", "not-applicable"),
        "Nameless": ("unchecked", "not-applicable"),
    }


@pytest.mark.parametrize("verdict", [Verdict.INCONCLUSIVE, Verdict.NOT_APPLICABLE, Verdict.UNSUPPORTED])
def test_what_could_not_be_judged_is_not_called_checked(verdict: Verdict) -> None:
    assert rows(judgement(verdict=verdict))["Chat"] == ("unchecked", "not-applicable")


def test_without_a_page_there_are_no_rows() -> None:
    assert claim_rows(None, [judgement()]) == []


def variants(*asked: tuple[str, Response], found: tuple[Judgement, ...] = ()) -> dict[str, tuple[str, str]]:
    """State and look of a page's variants by title, in a run in which these cases were answered so."""
    told_of = page(
        claim("See", "chat", variant="gpt-4-vision-preview"),
        claim("Think", "chat", variant="聊天接口(o1系列模型)"),
        claim("Sing", "chat", variant="Suno"),
        claim("Paint", "images.generations", variant="DALL·E 3"),
    )
    run = run_of([exchanged(FIXTURES[name], response) for name, response in asked])
    judgements = (judgement(), judgement(operation="images.generations"), *found)
    return {row.title: (row.state, row.look) for row in claim_rows(told_of, judgements, run)}


def test_a_variant_is_checked_where_the_model_that_stands_for_it_answered() -> None:
    broken = Finding(exchange="chat/variant-o1")
    beside = Finding(exchange="chat/minimal")
    found = variants(
        ("chat/vision-red", FINE),
        ("chat/variant-o1", FINE),
        ("chat/variant-claude", BROKEN),
        found=(
            judgement("variants.o1.reasons", Verdict.WARN, findings=(broken,)),
            judgement(verdict=Verdict.FAIL, findings=(beside,)),
            judgement(verdict=Verdict.UNSUPPORTED, findings=(broken,)),
        ),
    )

    assert found == {
        "See": ("checked", "pass"),
        "Think": ("checked", "warn"),
        "Sing": ("variant", "not-applicable"),
        "Paint": ("variant", "not-applicable"),
    }


@pytest.mark.parametrize("asked", ["chat/vision-control", "chat/minimal"])
def test_a_variant_is_not_checked_by_a_request_that_shows_nothing_of_it(asked: str) -> None:
    assert variants((asked, FINE))["See"] == ("variant", "not-applicable")


def test_a_variant_whose_model_refused_is_not_called_checked() -> None:
    assert variants(("chat/variant-o1", BROKEN))["Think"] == ("variant", "not-applicable")


SHAPE = {"required": ["balance"], "x-source": "a.txt:3"}


def test_the_documented_column_and_the_page_s_endpoints_are_shown() -> None:
    run = run_of([exchanged(CASES["chat/minimal"], FINE), exchanged(CASES["models.list/list"], answer(ERROR, 404))])
    held = page(claim("Chat", "chat", method="POST"), claim("List", "models.list"), response=SHAPE)
    shown = html(run, held)

    assert "what the provider's own page promises" in shown.shown
    assert "named by the page, not offered" in shown.shown
    assert "'balance' is missing; a.txt:3 says so" in shown.shown
    assert "documented (the provider's own page, Their page)" in shown.shown
    assert "what the provider's own page promises" not in html(run).shown
    assert "page" in shown.ids
    assert "page" not in html(run).ids


def test_hostile_texts_of_a_page_are_escaped() -> None:
    held = page(claim(HOSTILE, HOSTILE, method=HOSTILE), response=SHAPE, title=HOSTILE, name="page")
    run = run_of([exchanged(CASES["chat/minimal"], FINE)], provider=Provider("http://h/v1", "m", profile="page"))
    shown = html(run, held)
    paper = io.StringIO()
    print_summary(judge(run, (), held), run, {}, strict=False, console=Console(file=paper, width=100))

    assert len(shown.all("script")) == 1
    assert not shown.all("img")
    assert is_harmless(shown.text.encode(errors="surrogatepass").decode(errors="replace"), lines=True)
    assert "49" not in shown.shown.partition("Entry")[2][:500]
    assert is_harmless(paper.getvalue(), lines=True)


def test_hostile_parameters_and_smallest_requests_are_escaped() -> None:
    sendable = HOSTILE.replace("\ud800", "")
    odd: Case = generated(**{sendable: sendable}, seed=1)
    found = minimised(odd, generated(**{sendable: sendable}), BROKEN, NO_5XX)
    run = run_of([exchanged(odd, BROKEN)], minimised=(found,))
    shown, text = html(run), told(run)

    assert len(shown.all("script")) == 1
    assert not shown.all("img")
    assert is_harmless(text, lines=True)


# Coverage


def test_coverage_says_what_is_covered_and_what_is_not() -> None:
    lines = {line.kind.en: line for line in coverage_lines([SHORT, wrong()], None)}
    pairs = lines["pairs of optional fields"]

    assert pairs.covered == 1
    assert len(pairs.missing) + pairs.more == pairs.total - 1
    assert 0 < len(pairs.missing) <= 12


def test_more_requests_cover_more_and_a_page_asks_for_more() -> None:
    asked = {"type": "object", "properties": {"model": {}, "messages": {}, "top_k": {"type": "integer", "minimum": 1}}}
    few, many = (sum(line.covered for line in coverage_lines(cases, None)) for cases in ([SHORT], [SHORT, LONG]))
    total, held = (
        {line.kind.en: line.total for line in coverage_lines([SHORT], told_of)}
        for told_of in (None, page(request=asked))
    )

    assert few < many
    assert held["bounds"] == total["bounds"] + 1


@pytest.mark.parametrize("cases", [[], [wrong()], [CASES["chat/minimal"]], [generated(body=None)]])
def test_without_good_generated_requests_there_is_no_coverage(cases: list[Case]) -> None:
    assert coverage_lines(cases, None) == []


def test_coverage_is_shown() -> None:
    shown = html(failing())

    assert "coverage" in shown.ids
    assert "the 2 valid generated requests that were answered cover" in shown.shown
    assert "pairs of optional fields" in shown.shown


# Files

HELD = page(claim("Chat", "chat", method="POST"), claim("Paint"), response=SHAPE)


@pytest.mark.parametrize("profile", [None, HELD])
@pytest.mark.parametrize(
    "changes", [{}, {"complete": False}, {"reproduced": False, "smallest": 0}, {"exchanges": None}], ids=str
)
def test_results_follow_their_format(profile: Profile | None, changes: dict[str, Any]) -> None:
    run = run_of([exchanged(LONG, BROKEN)]) if "exchanges" in changes else failing(**changes)
    written = json.loads(results_text(judge(run, (), profile), run, profile=profile))

    assert schema_errors(FORMAT, written) == []
    assert written["contracts"] == [*(["documented"] if profile else []), "compat", "strict"]
    assert (written["profile"] is None) == (profile is None)


def test_results_say_what_was_found() -> None:
    run = failing()
    written = results(judge(run, (), HELD), run, profile=HELD)

    assert written["minimised"] == [
        {
            "case": LONG.id,
            "rule": NO_5XX,
            "requests": 7,
            "reproduced": True,
            "complete": True,
            "body": {**(SHORT.body or {})},
        }
    ]
    assert written["profile"] == {
        "name": "page",
        "title": "Their page",
        "digest": "d" * 64,
        "claims": [
            {"title": "Chat", "operation": "chat", "method": "POST", "state": "checked"},
            {"title": "Paint", "operation": "", "method": "", "state": "unchecked"},
        ],
    }
    assert written["parameters"][0] == {
        "parameter": "n",
        "support": "breaks",
        "sent": 1,
        "exchange": LONG.id,
        "refused": 0,
        "beside": ["stop"],
    }
    assert results([], failing(reproduced=False, smallest=0))["minimised"][0]["body"] is None


def test_the_files_of_a_run_with_a_page_are_the_same_twice(tmp_path: Path) -> None:
    run = failing()
    texts = []
    for folder in ("one", "two"):
        files = report(judge(run, (), HELD), run, tmp_path / folder, profile=HELD)
        texts.append({name: path.read_text("utf-8") for name, path in files.items()})

    assert texts[0] == texts[1]


def test_a_hostile_answer_is_written_in_a_format_that_holds() -> None:
    response: Response = answer({HOSTILE: HOSTILE})
    run = run_of([exchanged(LONG, response)], minimised=(minimised(LONG, SHORT, response, HOSTILE),))

    text = results_text(judge(run, (), HELD), run, profile=page(claim(HOSTILE, "chat"), title=HOSTILE))

    assert text.isascii()
    assert schema_errors(FORMAT, json.loads(text)) == []


def test_other_operations_have_one_line_each() -> None:
    """Whatever kinds of parts their requests have; without a chat there is no other line."""
    cases = [*generate_other_cases("responses", 20, 1), *generate_other_cases("audio.translations", 20, 1)]
    lines = coverage_lines(cases, None)

    assert [line.kind.en for line in lines] == ["parts of responses requests", "parts of audio.translations requests"]
    assert all(0 < line.covered <= line.total for line in lines)
    assert all(line.total - line.covered == len(line.missing) + line.more for line in lines)
    assert len(coverage_lines([SHORT, *cases], None)) > len(lines)
