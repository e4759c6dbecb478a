from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from conformance.deviations import DEVIATIONS
from conformance.model import Attempt, Failure, Finding, Judgement, Ledger, Response, Severity, Stop, Verdict
from conformance.reporting.html import html_text
from conformance.reporting.visible import is_harmless

from .samples import (
    HOSTILE,
    RULES,
    answer,
    case,
    exchange,
    finding,
    hostile_run,
    judgement,
    ledger,
    request,
    says,
    stream,
)

VOID = {"meta", "link", "input", "br"}

Attributes = list[tuple[str, str | None]]
Element = tuple[str, dict[str, str]]
Run = tuple[list[Judgement], Ledger]


class Page(HTMLParser):
    """What a browser would find in the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.open: list[str] = []
        self.inline: dict[str, list[str]] = {"style": [], "script": []}
        self.text = text
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.inline:
            self.inline[self.open[-1]].append(data)
        else:
            self.words.append(data)

    @property
    def shown(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page(judgements: list[Judgement], run: Ledger | None = None, **options: bool) -> Page:
    return Page(html_text(judgements, run or ledger(exchange()), RULES, **options))


def full_run() -> Run:
    """A run with one of everything."""
    refused = (Attempt(429, (), None, 1.5), Attempt(0, (), Failure("reset", "gone"), 0.5))
    unanswered = exchange("chat/late", None, attempts=refused, failure=Failure("timeout", "60 s"))
    run = ledger(
        exchange(),
        exchange("chat/system", answer({"choices": []}, headers=(("x", "y"),) * 70, first_byte=0.5)),
        unanswered,
        exchange("chat.stream/pair", stream(says("a"), says("b"))),
        exchange("chat.stream/plain", answer({"error": {}}, 400)),
        exchange("chat.stream/named", Response(200, (), b"event: ping\ndata: {}\n\n", 0.0)),
        preflight=(exchange(),),
        plan=(case(), case("chat/never")),
    )
    judgements = [
        judgement(verdict=Verdict.FAIL, findings=(finding(), finding(exchange="chat/system"), Finding())),
        judgement("made.warn", Verdict.WARN, severity=Severity.SHOULD, findings=many_findings()),
        judgement("made.error", Verdict.ERROR, exchanges=()),
        judgement("made.unclear", Verdict.INCONCLUSIVE, findings=(Finding(message="time-out", zh="超时"),)),
        judgement("made.note", Verdict.NOTE, severity=Severity.MAY, findings=(Finding(message="only English"),)),
        judgement("made.pass", exchanges=("chat/minimal", "chat/system", "chat.stream/pair")),
        judgement("made.documented", operation="chat.stream"),
        judgement("made.none", Verdict.NOT_APPLICABLE, exchanges=()),
    ]
    return judgements, run


def many_findings() -> tuple[Finding, ...]:
    seen = tuple(finding(actual=1, exchange=f"chat/{number}") for number in range(9))
    return seen + tuple(finding(actual=number, deviation="") for number in range(10, 20))


@pytest.mark.parametrize("run", [full_run(), hostile_run(), ([], ledger())], ids=["full", "hostile", "empty"])
def test_a_page_is_well_formed_and_loads_nothing(run: Run) -> None:
    found = page(*run)

    assert found.open == []
    assert len(found.all("script")) == len(found.all("style")) == 1
    for tag, attributes in found.elements:
        assert not [name for name in attributes if name.startswith("on") or name in {"style", "src", "srcdoc"}]
        assert re.fullmatch(r"#[A-Za-z0-9._-]+|data:,", attributes.get("href", "#x")), tag
    assert "url(" not in found.inline["style"][0]
    assert "@import" not in found.inline["style"][0]


@pytest.mark.parametrize("run", [full_run(), hostile_run()], ids=["full", "hostile"])
def test_every_link_leads_to_one_place(run: Run) -> None:
    found = page(*run)

    assert len(found.ids) == len(set(found.ids))
    targets = {link["href"][1:] for link in found.all("a")}
    assert targets <= set(found.ids)


def test_the_policy_allows_only_what_is_in_the_page() -> None:
    found = page(*full_run())
    policy = next(meta["content"] for meta in found.all("meta") if "http-equiv" in meta)

    for kind in ("style", "script"):
        digest = hashlib.sha256(found.inline[kind][0].encode()).digest()
        assert f"{kind}-src 'sha256-{base64.b64encode(digest).decode()}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert policy.endswith("; img-src data:; base-uri 'none'; form-action 'none'")


def test_hostile_text_is_shown_and_does_nothing() -> None:
    text = html_text(*hostile_run(), RULES)
    found = Page(text)

    assert is_harmless(text, lines=True)
    assert "<img" not in text
    assert found.inline["script"][0].count("alert") == 0
    assert "<script>alert(1)</script>" in found.shown
    assert "{{ 7*7 }}" in found.shown
    assert "\\u{202e}gnp.exe" in found.shown
    assert text.encode()


def test_everything_is_said_in_both_languages() -> None:
    text = html_text(*full_run(), RULES)

    assert text.count('<span lang="en">') == text.count('<span lang="zh-CN">') > 100
    assert "检测发现" in text


def test_the_first_screen_says_what_a_buyer_wants_to_know() -> None:
    shown = page(*full_run()).shown

    assert "Relay Example" in shown
    assert "https://api.relay.example/v1" in shown
    assert "2026-09-21 14:13 UTC" in shown
    assert "Billing" in shown
    assert "went wrong (errors: 1)" in shown
    assert "1 of 2 planned requests were not sent" in shown


def test_a_finding_is_told_once_for_all_its_exchanges() -> None:
    found = page(
        [judgement(verdict=Verdict.FAIL, findings=(finding(), finding(exchange="chat/system")))],
        full_run()[1],
    )

    assert found.shown.count("Actual") == 1
    assert "billing: clients that trust the total miscount" in found.shown
    assert "total-off-by-one" in found.shown
    assert "chat.usage.adds-up--chat" in found.ids


def test_findings_beyond_the_first_are_folded_and_counted() -> None:
    shown = page(*full_run()).shown

    assert "different elsewhere: 10" in shown
    assert "Further ones in results.json: 6" in shown


def test_a_stopped_run_says_why_and_what_to_do() -> None:
    run = ledger(stop=Stop("key-rejected", "the key is rejected", "", "is it copied whole?"), complete=False)

    shown = page([judgement(verdict=Verdict.INCONCLUSIVE)], run).shown

    assert "the key is rejected" in shown
    assert "is it copied whole?" in shown
    assert "请检查密钥" in shown
    assert "The test was interrupted" in shown
    assert "Nothing could be judged" in shown


def test_a_stop_that_nobody_knows_has_no_hint() -> None:
    assert "→" not in page([], ledger(stop=Stop("odd", "", "停止"))).shown


def test_a_clean_run_says_so() -> None:
    shown = page([judgement()]).shown

    assert "Conforms" in shown
    assert "No requirement or recommendation was found broken." in shown
    assert "There is nothing to report." in page([]).shown


def test_strict_selection_and_recorder_are_named() -> None:
    shown = page([judgement()], ledger(exchange(), rules=("chat",), tool="relay-conformance 0.0.1"), strict=True).shown

    assert "Recommendations count as requirements here" in shown
    assert "Only a selection of rules was tested:" in shown
    assert "recorded by" in shown


def test_many_minor_judgements_are_folded() -> None:
    few = [judgement(f"made.up{number}", Verdict.NOTE) for number in range(3)]
    many = [judgement(f"made.up{number}", Verdict.NOTE) for number in range(30)]

    assert "open" in next(item for item in page(few).all("details") if item.get("class") == "many")
    assert "open" not in next(item for item in page(many).all("details") if item.get("class") == "many")


def test_an_exchange_is_shown_once_with_all_that_happened() -> None:
    found = page(*full_run())

    assert found.ids.count("exchange--chat--minimal") == 1
    assert "preflight--chat--minimal" in found.ids
    assert "timeout: 60 s" in found.shown
    assert "HTTP 429, then 1.50 s of waiting" in found.shown
    assert "reset: gone, then 0.50 s of waiting" in found.shown
    assert "further headers in the ledger: 10" in found.shown
    assert "ping: {}" in found.shown


def test_an_exchange_that_was_recorded_twice_keeps_two_anchors() -> None:
    ids = page([judgement()], ledger(exchange(), exchange())).ids

    assert {"exchange--chat--minimal", "exchange--chat--minimal.2"} <= set(ids)


def test_large_bodies_and_streams_are_cut() -> None:
    big = answer({"text": "x" * 100_000})
    run = ledger(
        exchange("chat/big", big, request=request(b"y" * 50_000)),
        exchange("chat.stream/long", stream(*[says("word " * 20)] * 2_000)),
    )

    found = page([judgement(exchanges=("chat/big",), verdict=Verdict.FAIL)], run)

    assert len(found.text) < 300_000
    assert "further bytes in the ledger" in found.shown
    assert "further events in the ledger" in found.shown
    assert "The request is too long to print here" in found.shown


def test_a_single_huge_event_is_still_shown() -> None:
    run = ledger(*[exchange(f"chat.stream/{number}", stream(says("x" * 40_000))) for number in range(100)])

    assert len(page([judgement()], run).text) < 2_000_000


def test_a_thousand_judgements_stay_small() -> None:
    exchanges = [exchange(f"chat/{number}", answer({"text": '"' * 30_000})) for number in range(1_000)]
    judgements = [
        judgement(
            f"made.up{number}",
            Verdict.FAIL,
            exchanges=tuple(f"chat/{(number + step) % 1_000}" for step in range(5)),
            findings=tuple(finding(actual=step, exchange=f"chat/{(number + step) % 1_000}") for step in range(3)),
        )
        for number in range(1_000)
    ]

    assert len(html_text(judgements, ledger(*exchanges), RULES).encode()) < 10_000_000


def test_timing_is_drawn_and_told() -> None:
    found = page(*full_run())

    assert {item.get("aria-hidden") for item in found.all("svg")} == {"true"}
    assert "answers: 2, between 0.25 and 0.50 seconds, median 0.38" in found.shown
    assert "events: 3, from 0.10 to 0.30 seconds" in found.shown


def test_only_so_many_streams_are_drawn() -> None:
    run = ledger(*[exchange(f"chat.stream/{number}", stream(says("a"))) for number in range(45)])

    assert "Further streams in the ledger: 5" in page([judgement()], run).shown


def test_a_run_without_an_answer_has_nothing_to_time() -> None:
    assert "There was no successful answer to measure." in page([judgement()], ledger()).shown


def test_hostile_ids_become_anchors() -> None:
    assert [name for name in page(*hostile_run()).ids if name.startswith("exchange--chat--_3c_")]
    assert HOSTILE not in page(*hostile_run()).ids


def test_one_cause_is_one_item_with_a_line_for_each_rule() -> None:
    judgements = [
        judgement("made.one", Verdict.FAIL, findings=(finding(),)),
        judgement("made.two", Verdict.WARN, operation="chat.stream", findings=(finding(),)),
    ]
    found = page(judgements, ledger(exchange()))

    assert [item["id"] for item in found.all("article")] == ["cause--made.one--chat"]
    entries = [item for item in found.all("details") if "data-v" in item]
    assert [(item["id"], item["data-v"], item["data-op"]) for item in entries] == [
        ("made.one--chat", "fail", "chat"),
        ("made.two--chat.stream", "warn", "chat.stream"),
    ]
    assert ["open" in item for item in entries] == [True, False]
    assert "2 findings with 1 causes" in found.shown


def test_where_leads_to_the_marked_place_of_the_answer() -> None:
    header = finding(at="header:Content-Type", actual="x")
    status = finding(at="status", actual=200)
    missing = finding(at="/usage/details", actual="absent", deviation="")
    elsewhere = finding(at="/no/such/place")
    judgements = [
        judgement(f"made.r{number}", Verdict.FAIL, findings=(each,))
        for number, each in enumerate((finding(), header, status, missing, elsewhere))
    ]
    found = page(judgements, ledger(exchange()))

    marks = [item["id"] for item in found.all("mark")]
    assert sorted(marks) == [f"exchange--chat--minimal.at-{number}" for number in (1, 2, 3, 4)]
    assert {item["data-at"] for item in found.all("a") if "data-at" in item} == set(marks)
    assert "details is missing here" in found.shown
    assert '<mark id="exchange--chat--minimal.at-1">&quot;total_tokens&quot;: 12</mark>' in found.text.replace(
        '"total_tokens"', "&quot;total_tokens&quot;"
    )


def test_the_events_that_findings_point_at_are_shown_and_marked() -> None:
    events = [says("word " * 50) for _ in range(300)]
    run = ledger(exchange("chat.stream/long", stream(*events)))
    inside = finding(at="/events/250/choices/0/delta/content", exchange="chat.stream/long")
    whole = finding(at="/events/260", exchange="chat.stream/long")
    found = page([judgement("made.one", Verdict.FAIL, operation="chat.stream", findings=(inside, whole))], run)

    assert [item["id"] for item in found.all("mark")] == ["exchange--chat.stream--long.at-1"]
    rows = [item["id"] for item in found.all("tr") if item.get("class") == "pointed"]
    assert rows == ["exchange--chat.stream--long.at-2"]


def test_events_with_names_and_events_that_are_no_json_are_marked_or_left_alone() -> None:
    body = b'event: ping\ndata: {"a": 1}\n\ndata: {broken\n\n'
    run = ledger(exchange("chat.stream/odd", Response(200, (("content-type", "text/event-stream"),), body, 0.1)))
    findings = tuple(finding(at=f"/events/{place}/a", exchange="chat.stream/odd") for place in range(2))
    found = page([judgement("made.one", Verdict.FAIL, operation="chat.stream", findings=findings)], run)

    assert len(found.all("mark")) == 1
    assert "{broken" in found.shown


def test_places_in_more_events_than_are_marked_are_bounded() -> None:
    run = ledger(exchange("chat.stream/long", stream(*[says("a")] * 60)))
    findings = tuple(finding(at=f"/events/{place}", exchange="chat.stream/long") for place in range(60))
    found = page([judgement("made.one", Verdict.FAIL, findings=findings)], run)

    assert len([item for item in found.all("tr") if item.get("class") == "pointed"]) == 60


def test_an_event_in_which_too_many_places_are_marked_is_left_as_it_is() -> None:
    run = ledger(exchange("chat.stream/long", stream(*[says("a")] * 60)))
    findings = tuple(
        finding(at=f"/events/{place}/choices/0/delta/content", exchange="chat.stream/long") for place in range(60)
    )
    found = page([judgement("made.one", Verdict.FAIL, findings=findings)], run)

    assert len(found.all("mark")) == 20


def test_a_body_that_is_no_json_is_shown_as_it_came() -> None:
    found = page([judgement(findings=(finding(),))], ledger(exchange(response=answer(body=b'{"cut": '))))

    assert '{"cut": ' in found.shown


def test_hundreds_of_causes_are_folded_behind_the_first() -> None:
    judgements = [
        judgement(f"made.r{number}", Verdict.FAIL, findings=(finding(at=f"/f{number}", deviation=""),))
        for number in range(80)
    ]
    found = page(judgements, ledger(exchange()))

    assert len(found.all("article")) == 60
    assert len([item for item in found.all("details") if "folded" in item.get("class", "")]) == 20


def test_the_filter_offers_what_the_run_has_and_knows_both_languages() -> None:
    found = page(*full_run())

    names = [item["name"] for item in found.all("select")]
    assert names == ["verdict", "op", "contract"]
    values = [item["value"] for item in found.all("option")]
    assert {"fail", "warn", "pass", "chat", "chat.stream", "strict"} <= set(values)
    assert all(item["data-en"] and item["data-zh"] for item in found.all("option"))
    (box,) = found.all("input")
    assert box["data-placeholder-en"] != box["data-placeholder-zh"]
    (title,) = found.all("title")
    assert "不符合要求" in title["data-zh"] or "检测工具出错" in title["data-zh"]


def test_what_a_known_label_means_and_where_it_was_seen_is_told() -> None:
    shown = page([judgement(verdict=Verdict.FAIL, findings=(finding(deviation="usage-zero"),))]).shown

    assert DEVIATIONS["usage-zero"].text in shown
    assert "Known software" in shown
    assert DEVIATIONS["usage-zero"].seen in shown


def test_nothing_that_is_packed_holds_another_pack() -> None:
    text = page(*full_run()).text
    depth = 0
    for tag in re.findall(r"</?noscript>", text):
        depth += 1 if tag == "<noscript>" else -1
        assert depth in {0, 1}
    assert depth == 0


def test_the_median_comes_with_its_interval_or_with_the_word_that_there_is_too_little() -> None:
    few = page([judgement()], ledger(*[exchange(f"chat/{number}") for number in range(5)])).shown
    many = page([judgement()], ledger(*[exchange(f"chat/{number}") for number in range(6)])).shown

    assert "n too small" in few
    assert "n too small" not in many
    assert "0.25 to 0.25" in many


def test_tokens_a_second_have_a_scale_of_their_own() -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 30, "total_tokens": 31}}
    runs = [exchange(f"chat.stream/{number}", stream(says("a"), says("b"), usage)) for number in range(2)]
    shown = page([judgement()], ledger(*runs)).shown

    assert "tokens per second" in shown
    assert re.search(r"0 to [\d.,]+ tokens per second", shown)


def test_a_stream_whose_content_was_not_recognised_has_no_time_of_it() -> None:
    run = ledger(exchange("responses.stream/one", stream({"type": "response.created"})))

    table = page([judgement()], run).text.partition('<table class="plain strips">')[2].partition("</table>")[0]

    assert "first byte" in table
    assert "first content" not in table
