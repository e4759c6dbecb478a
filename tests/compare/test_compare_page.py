from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from conformance.clients.comparing import State
from conformance.comparison.nouns import Comparison
from conformance.comparison.page import html_text
from conformance.measures import Measure, Reliability
from conformance.model import Severity, Stop, Verdict
from conformance.outcomes import Key
from conformance.reporting.visible import is_harmless
from conformance.support import Support

from .comparisons import ADDS_UP, BAD, breach, comparison, measured, outcome, pair, read, sample, side, supports

VOID = {"meta", "link", "input"}
HOSTILE = (
    "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"' onfocus=alert(1) "
    "\x1b[31mred\x1b]8;;http://evil.example\x07 \u202egnp.exe\u2066\u200b\ufeff\ud800 {{ 7*7 }} ]]> \u2028\x00\x9b"
)


class Page(HTMLParser):
    """What a browser would find in the page."""

    def __init__(self, found: Comparison) -> None:
        super().__init__()
        self.html = html_text(found)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.inline: dict[str, list[str]] = {"style": [], "script": []}
        self.words: list[str] = []
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in self.inline:
            self.inline[self.open[-1]].append(data)
        else:
            self.words.append(data)

    @property
    def shown(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def part(self, start: str, end: str) -> str:
        """The words between two headings."""
        return self.shown.partition(start)[2].partition(end)[0]


def ten(differences: int = 3) -> Comparison:
    """Ten sides, each of which breaks a third of the requirements in its own way."""
    keys = [Key(f"chat.made-up.r{number}", "chat") for number in range(differences)]
    verdicts = (Verdict.FAIL, Verdict.PASS, Verdict.WARN)
    sides = [
        side(
            f"Provider number {place}",
            *(outcome(key, verdicts[(place + number) % 3]) for number, key in enumerate(keys)),
            verdict="fail",
            measures=measured(*(0.1 * place + 0.01 * number for number in range(40))),
        )
        for place in range(10)
    ]
    answers = tuple(
        breach(each.name, actual=place, answer=f'{{"a": {place}, "long": "{"x" * 3_500}"}}')
        for place, each in enumerate(sides)
    )
    return comparison(*sides, samples=answers, control="Provider number 0")


def hostile() -> Comparison:
    """Everything that a relay or a file can choose is hostile."""
    bad = Key(HOSTILE, HOSTILE)
    sides = [
        side(
            f"{number}{HOSTILE}",
            outcome(verdict=verdict),
            outcome(bad, verdict),
            folder=Path(HOSTILE.replace("\x00", "").replace("\ud800", "")),
            base_url=HOSTILE,
            model=f"{number}{HOSTILE}",
            models={HOSTILE: HOSTILE},
            profile=HOSTILE,
            seed_and_plan=HOSTILE,
            started=started,
            stop=Stop(HOSTILE, HOSTILE, HOSTILE, HOSTILE),
            parameters=supports(**{HOSTILE: support}),
            measures=(Measure(HOSTILE, "first-byte", (0.5,)),),
            clients=clients,
        )
        for number, (verdict, started, support, clients) in enumerate(
            (
                (Verdict.FAIL, float("nan"), Support.BREAKS, read(State.BREAKS, "raises")),
                (Verdict.PASS, 1e300, Support.HONOURED, ()),
            )
        )
    ]
    values = {"at": HOSTILE, "message": HOSTILE, "failure": HOSTILE, "case": HOSTILE}
    wrong = sample(sides[0].name, answer=HOSTILE, expected=HOSTILE, actual={HOSTILE: [HOSTILE]}, **values)
    good = sample(sides[1].name, {HOSTILE: HOSTILE}, case=HOSTILE)
    return comparison(*sides, samples=(wrong, good), control=sides[1].name)


PAGES = {
    "pair": pair,
    "control": lambda: pair(control="Alpha"),
    "ten": ten,
    "hostile": hostile,
    "alike": lambda: comparison(side("Alpha"), side("Beta")),
    "nothing": lambda: comparison(cases=0),
}


@pytest.fixture(params=PAGES, scope="module")
def any_page(request):
    return Page(PAGES[request.param]())


def test_every_element_is_closed_and_every_id_is_there_once(any_page):
    ids = [attributes["id"] for _, attributes in any_page.elements if "id" in attributes]
    assert not any_page.open
    assert len(ids) == len(set(ids))
    assert not [each for each in ids if re.search(r"[^\w.-]", each)]


def test_every_link_within_the_page_leads_somewhere(any_page):
    ids = {attributes.get("id") for _, attributes in any_page.elements}
    links = [attributes["href"] for attributes in any_page.all("a")]
    labels = [attributes["aria-labelledby"] for _, attributes in any_page.elements if "aria-labelledby" in attributes]
    assert {link.removeprefix("#") for link in links} | set(labels) <= ids
    assert all(link.startswith("#") for link in links)


def test_nothing_is_loaded_and_nothing_runs_but_our_own(any_page):
    policy = next(each["content"] for each in any_page.all("meta") if "http-equiv" in each)
    for kind, found in any_page.inline.items():
        assert len(found) == 1
        digest = base64.b64encode(hashlib.sha256(found[0].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert not [name for _, attributes in any_page.elements for name in attributes if name.startswith("on")]
    assert not [name for _, attributes in any_page.elements for name in attributes if name in {"style", "src"}]
    assert not any_page.all("img")


def test_tables_have_headers_with_a_scope_and_scroll_boxes_have_names(any_page):
    assert all(each.get("scope") in {"col", "row"} for each in any_page.all("th"))
    boxes = [each for each in any_page.all("div") if each.get("role") == "group"]
    assert all(each.get("tabindex") == "0" and (each.get("aria-label") or "aria-labelledby" in each) for each in boxes)


def test_headings_do_not_skip_a_level(any_page):
    levels = [int(tag[1]) for tag, _ in any_page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


def test_everything_that_is_said_is_said_in_two_languages(any_page):
    languages = [attributes.get("lang") for _, attributes in any_page.elements]
    # The switch itself is in both as well, the other way round.
    assert languages.count("zh-CN") + languages.count("en-GB") >= languages.count("en") - 1 > 20


def test_hostile_text_stays_text_in_every_field():
    page = Page(hostile())
    assert is_harmless(page.html, lines=True)
    assert page.shown.count("<img src=x onerror=alert(1)>") > 20
    assert "49" not in page.part("alert(1)", "]]>")


def test_the_head_says_who_was_compared_on_what():
    page = Page(pair(control="Alpha"))
    head = page.part("providers compared", "The result in one sentence")
    assert "2 providers, side by side" in head
    assert "requests that all of them were sent: 20" in head
    assert "1 differ, 7 are alike" in head
    assert "2026-09-21" in head
    assert "Yardstick 对照 Alpha" in head
    assert "All sides were sent the same requests." in head


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"planned": 25}, "left out"),
        ({"started": 1_790_007_200.0}, "2 hours apart"),
        ({"started": 1_790_260_000.0}, "3 days apart"),
        ({"model": "other"}, "Different models"),
        ({"models": {"images": "x"}}, "Different models"),
        ({"repeats": 3}, "recorded more often"),
        ({"stop": Stop("no-credit", "No credit", "没有余额")}, "The run of Beta ended early."),
        ({"complete": False}, "The record of Beta has no end"),
    ],
)
def test_what_is_unfair_is_said_first(changes, expected):
    head = Page(comparison(side("Alpha"), side("Beta", **changes))).part("compared", "The result in one sentence")
    assert "How fair this comparison is" in head
    assert expected in head


def test_what_was_left_out_is_said_with_numbers():
    page = Page(comparison(side("Alpha"), side("Beta", planned=25), unsettled=4, narrowed=True))
    assert "Beta ( 5 of 25 requests" in page.shown
    assert "fewer than two sides could be judged, so nothing is compared: 4" in page.shown
    assert "planned for some rules only" in page.shown


def test_no_common_request_is_said_plainly():
    assert "There is not one request that all sides were sent" in Page(comparison(cases=0)).shown


def results(found: Comparison) -> str:
    return Page(found).part("The result in one sentence", "Operation by operation")


@pytest.mark.parametrize(
    ("changes", "outcomes", "expected"),
    [
        ({}, [outcome()], "Keeps all 1 requirements"),
        ({}, [outcome(verdict=Verdict.FAIL)], "Breaks 1 of 1 requirements"),
        ({}, [outcome(verdict=Verdict.INCONCLUSIVE)], "1 of 1 requirements that clients rely on could not be judged"),
        ({}, [outcome(verdict=Verdict.WARN, severity=Severity.SHOULD)], "Strays from 1 of 1 recommendations"),
        ({}, [outcome(verdict=Verdict.NOT_RUN)], "No requirement that clients rely on was among"),
        ({}, [outcome(verdict=Verdict.ERROR)], "The test tool itself went wrong here."),
        ({}, [outcome(verdict=Verdict.FAIL, waived=True)], "Breaches that a waiver excuses: 1."),
        ({"complete": False}, [outcome()], "did not come to its end"),
        ({}, [outcome(verdict=Verdict.UNSUPPORTED)], "Not offered 不提供 Chat completion"),
        ({}, [outcome(verdict=Verdict.FAIL)], "Only here, and nowhere else 仅此一家的问题 1"),
    ],
)
def test_each_side_has_a_sentence(changes, outcomes, expected):
    assert expected in results(comparison(side("Alpha"), side("Beta", *outcomes, **changes)))


def test_where_it_is_broken_is_named_but_not_endlessly():
    names = ("chat", "chat.stream", "embeddings", "rerank", "moderations", "responses")
    broken = [outcome(Key("operation.response.compat", name), Verdict.FAIL) for name in names]
    absent = [outcome(Key("x.y", name), Verdict.UNSUPPORTED) for name in (f"made-up-{place}" for place in range(6))]
    said = results(comparison(side("Alpha"), side("Beta", *broken, *absent)))
    assert said.count("+2") == 2


def test_breaches_are_charged_in_the_sum_and_one_by_one():
    page = Page(pair(control="Alpha"))
    assert "charged to 归属 relay 中转站 1" in page.part("The result in one sentence", "Which one for what")
    assert "Beta charged to 归属 : ： relay" in page.part("Where they differ", "Parameters")
    assert "charged to the relay: the yardstick does not show it." in page.shown
    assert "charged to" not in Page(pair()).shown


def test_which_one_for_what_is_answered_with_reasons_that_lead_to_the_difference():
    page = Page(pair())
    said = page.part("Which one for what", "Operation by operation")
    assert "A bill that you can check 可核对的计费 ✓ yes 可以 ✕ breaks requirements 违反要求" in said
    assert {"href": "#d--chat.usage.adds-up--chat"} in page.all("a")


def test_the_matrix_has_a_sign_a_number_and_the_contracts_apart():
    found = comparison(
        side("Alpha", outcome(), outcome(Key("operation.response.compat", "chat"), Verdict.FAIL)),
        side("Beta", outcome(), outcome(Key("x.y", "chat"), Verdict.INCONCLUSIVE)),
        side("Gamma", outcome(Key("x.y", "rerank"), Verdict.NOT_APPLICABLE)),
    )
    said = Page(found).part("Operation by operation", "Where they differ")
    row = said.partition("Chat completion")[2].partition("Rerank")[0]
    assert "✕ 1 fail" in row
    assert "behaviour 行为 ✓ 1" in row
    assert "compat 兼容 ✕ 1" in row
    assert "? 1 inconclusive" in row
    assert "– none" in row


def test_a_difference_shows_requirement_verdicts_evidence_and_the_place_in_the_answers():
    page = Page(pair())
    said = page.part("Where they differ", "Parameters")
    assert "What goes wrong" in said
    assert "✕ fail 不符合 Beta" in said
    assert "✓ pass 通过 Alpha" in said
    assert "Beta 12 13 /usage/total_tokens chat/minimal HTTP 200" in said
    assert "➜ the finding is about this 问题在此 total_tokens 12 ≈ other value 值不同 13" in said
    card = next(each for each in page.all("article") if each["id"] == "d--chat.usage.adds-up--chat")
    assert card["data-verdicts"] == "pass fail"
    assert page.html.count('<div class="copied"><pre dir="auto"') == 2


def test_the_yardstick_is_what_others_are_compared_with():
    sides = [side("Alpha"), side("Beta", outcome(verdict=Verdict.FAIL)), side("Gamma")]
    answers = sample("Alpha"), breach("Beta"), sample("Gamma")
    assert "Beta HTTP 200 ↔ Alpha" in Page(comparison(*sides, samples=answers)).shown
    assert "Beta HTTP 200 ↔ Gamma" in Page(comparison(*sides, samples=answers, control="Gamma")).shown


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ((breach("Beta"),), "No side has a good answer"),
        ((sample("Alpha", case="chat/other"), breach("Beta")), "answers to different requests"),
        ((sample("Alpha"), breach("Beta", answer=sample("Alpha").answer)), "The bodies of both answers are the same."),
        ((sample("Alpha"), breach("Beta", answer="", status=0, failure="reset: gone")), "reset: gone"),
        ((sample("Alpha"), breach("Beta", answer="", status=0)), "no answer"),
        ((sample("Alpha"), breach("Beta", cut=True)), "The rest is in the ledger."),
        ((sample("Alpha"), breach("Beta", answer="<html>")), "<html>"),
        ((sample("Alpha"), sample("Beta", message="odd")), "odd"),
        ((sample("Alpha", list(range(9_000))), sample("Beta", [], at="/0")), "Only the first part was compared."),
    ],
)
def test_evidence_says_what_it_is_worth(samples, expected):
    found = comparison(side("Alpha"), side("Beta", outcome(verdict=Verdict.FAIL)), samples=samples)
    assert expected in Page(found).part("Where they differ", "Parameters")


def test_sides_with_the_same_finding_share_a_line():
    sides = [side("Alpha"), *(side(name, outcome(verdict=Verdict.FAIL)) for name in ("Beta", "Gamma"))]
    said = Page(comparison(*sides, samples=(sample("Alpha"), breach("Beta"), breach("Gamma", actual=13)))).shown
    assert "Beta , Gamma 12 13" in said


def test_a_side_without_a_judgement_is_named_as_such_and_a_waiver_too():
    sides = [side("Alpha", outcome(Key("x.y", "chat"))), side("Beta", outcome(verdict=Verdict.FAIL, waived=True))]
    said = Page(comparison(*sides)).part("Where they differ", "Parameters")
    assert "not judged 没有判定 Alpha" in said
    assert "Beta waived" in said


def test_more_ways_than_fit_are_counted():
    names = [f"P{place}" for place in range(15)]
    sides = [side("Alpha"), *(side(name, outcome(verdict=Verdict.FAIL)) for name in names)]
    samples = [breach(name, actual=place) for place, name in enumerate(names)]
    assert "3 more are in compare.json." in Page(comparison(*sides, samples=tuple(samples))).shown


def test_more_differences_than_fit_are_counted():
    keys = [Key(f"chat.made-up.r{number}", "chat") for number in range(1_003)]
    bad = side("Beta", *(outcome(key, Verdict.FAIL) for key in keys))
    page = Page(comparison(side("Alpha", *map(outcome, keys)), bad))
    assert len(page.all("article")) == 1_000
    assert "3 more are in compare.json." in page.shown


def test_no_difference_is_said():
    assert "all sides have the same verdict" in Page(comparison(side("Alpha"), side("Beta"))).shown


def test_parameters_that_differ_stand_first():
    found = comparison(
        side("Alpha", parameters=supports(n=Support.HONOURED, stop=Support.HONOURED)),
        side("Beta", parameters=supports(n=Support.HONOURED, stop=Support.IGNORED)),
        side("Gamma", parameters=supports(n=Support.ACCEPTED)),
    )
    said = Page(found).part("Parameters 参数支持", "Known clients")
    assert "stop ✓ honoured 生效 ! ignored 被忽略 – none" in said
    assert said.index("stop") < said.index("Parameters on which all agree") < said.index("n ✓ honoured")


def test_no_parameter_is_said():
    assert "No optional parameter was sent." in Page(pair()).shown


def test_clients_stand_beside_each_other_and_who_was_not_read_is_told_how():
    found = comparison(
        side("Alpha", clients=read()),
        side("Beta", clients=read(State.BREAKS, "usage-lost")),
        side("Gamma", clients=read(State.NOTHING_TO_READ)[:1]),
        side("Delta", folder=Path("/my runs/delta")),
    )
    said = Page(found).part("Known clients", "How fast")
    assert "OpenAI SDK (Python) ✓ works 正常 answers: 9 9 个回答 ! breaks 出错 loses the token counts" in said
    assert "relay-conformance clients '/my runs/delta'" in said
    assert "alpha" not in said
    assert "relay-conformance clients /runs/alpha" in Page(pair()).part("No client has read these runs", "How fast")


def test_who_was_read_by_all_is_told_nothing():
    found = comparison(side("Alpha", clients=read()), side("Beta", clients=(replace(read()[0], read=0),)))
    assert "pip install" not in Page(found).shown


def test_speed_is_drawn_on_one_scale_with_medians_intervals_and_numbers():
    found = comparison(
        side("Alpha", measures=measured(*(1.0 + place / 10 for place in range(11)))),
        side("Beta", measures=measured(0.5, 0.6)),
        side("Gamma"),
    )
    page = Page(found)
    said = page.part("How fast", "Reliability")
    assert "seconds to the first content" in said
    assert "output tokens a second 每秒输出 token 数 more is better" in said
    assert "Alpha 1.50 1.10 – 1.90 n = 11" in said
    assert "Beta 0.55 n too small for an interval n 太小，没有区间 n = 2" in said
    assert "Gamma nothing measured" in said
    assert len([each for each in page.all("path") if each["class"] == "dots"]) == 6


def test_a_stray_sample_does_not_press_the_others_together():
    found = comparison(side("Alpha", measures=measured(*[0.1] * 20, 60.0)), side("Beta"))
    assert "1 beyond the scale" in Page(found).shown


def test_nothing_measured_is_said():
    assert "There was no good answer to measure." in Page(pair()).shown


def test_operations_that_people_wait_for_are_shown_first_and_others_are_folded():
    names = ("rerank", "chat.stream", "embeddings", "chat")
    found = comparison(
        side("Alpha", measures=tuple(Measure(name, "first-byte", (0.0,)) for name in names)), side("Beta")
    )
    said = Page(found).part("How fast", "Reliability")
    places = [
        said.index(title) for title in ("streamed", "Chat completion 聊", "Other operations", "Embeddings", "Rerank")
    ]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("reliability", "expected"),
    [
        (Reliability(28, 30), "93.3 % 78.7 % – 98.2 % 28 / 30"),
        (Reliability(30, 30), "100 % 88.6 % – 100 % 30 / 30"),
        (Reliability(0, 0), "nothing measured"),
    ],
)
def test_reliability_has_its_interval(reliability, expected):
    found = comparison(side("Alpha", reliability=reliability), side("Beta", reliability=reliability))
    assert f"Alpha {expected}" in Page(found).part("Reliability", "What each run cost")


def test_what_each_run_cost_is_told():
    said = Page(pair()).part("What each run cost", "What this page does not say")
    assert "Alpha 30 1,200 340 12.5 1 20 20 2026-09-21" in said


def test_the_filter_offers_just_what_there_is():
    page = Page(ten())
    values = [each["value"] for each in page.all("option") if each["value"]]
    assert values == [*map(str, range(10)), "0", "behaviour", "fail", "warn", "pass"]


def test_ten_sides_and_three_hundred_differences_stay_small():
    page = Page(ten(300))
    assert len(page.all("article")) == 300
    assert len(page.html.encode()) < 10_000_000
    assert "The page is full" in page.shown


def test_the_same_comparison_makes_the_same_page():
    assert html_text(pair()) == html_text(pair())


def test_unknown_rules_are_named_by_their_id():
    assert "Breaks 1 of 1" in Page(pair()).shown
    assert "chat.usage.adds-up" in html_text(pair(), {})


def test_a_rule_of_another_operation_has_an_anchor_of_its_own():
    keys = (ADDS_UP, Key("chat.usage.adds-up", "chat.stream"), Key("chat.usage.adds-up", "x/y"))
    bad = side("Beta", *(outcome(key, Verdict.FAIL) for key in keys))
    ids = [each["id"] for each in Page(comparison(side("Alpha", *map(outcome, keys)), bad)).all("article")]
    assert ids == [f"d--chat.usage.adds-up--{name}" for name in ("chat", "chat.stream", "x--y")]


def test_the_answer_of_a_breach_is_copied_as_it_came():
    assert f'"total_tokens": {BAD["usage"]["total_tokens"]}' in pair().differences[0].samples[1].answer


def test_folded_evidence_waits_in_noscript_until_it_is_opened():
    page = Page(ten(8))
    tags = [tag for tag, _ in page.elements]
    assert tags.count("noscript") == 5
    assert len([each for each in page.all("details") if each.get("class") == "rest" and "open" in each]) == 3
