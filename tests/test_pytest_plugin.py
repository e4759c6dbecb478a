"""The pytest door, as people use it: sessions in a folder of their own, against the reference relay."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

# Sessions in this process forget what they import; what is shared with them must be loaded before.
from conformance.ledger import LedgerWriter, read_ledger
from conformance.model import Finding, Judgement, Ledger, Limits, Provider, Severity, Stop, Verdict
from conformance.planning import PREFLIGHT, plan
from conformance.redaction import Secrets
from conformance.relay import DEFAULT_KEY, DEFAULT_MODEL, BackgroundRelay, catalogue, create_app
from conformance.rules.base import catalogue as rules
from conformance.send import record
from conformance.suite import door, hooks, wording

SUITE = ("--pyargs", "conformance.suite", "--strict-markers", "-W", "error", "-p", "no:randomly", "-p", "no:anyio")
HOSTILE = "</script><img src=x onerror=alert(1)>\x1b[31m\x1b]8;;http://evil.example\x07\u202e\u200b ]]> &amp;"
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e]")


class Counted:
    """A relay that counts its requests."""

    def __init__(self):
        self.app = create_app()
        self.count = 0

    async def __call__(self, scope, receive, send):
        self.count += 1
        await self.app(scope, receive, send)


@dataclass
class Suite:
    """Starts sessions of the suite."""

    pytester: pytest.Pytester
    background: BackgroundRelay
    relay: Counted

    def __call__(self, *options, url=None):
        """A live session."""
        live = ("--relay-url", url or self.background.base_url, "--relay-model", DEFAULT_MODEL)
        return self.pytester.runpytest_inprocess(*SUITE, *live, *options)

    def offline(self, ledger, *options):
        """A session over a recorded run."""
        return self.pytester.runpytest_inprocess(*SUITE, "--relay-ledger", str(ledger), *options)


@pytest.fixture(scope="module")
def counted():
    relay = Counted()
    with BackgroundRelay(relay) as background:
        yield background, relay


@pytest.fixture
def suite(counted, pytester, monkeypatch):
    monkeypatch.setenv("RELAY_API_KEY", DEFAULT_KEY)
    return Suite(pytester, *counted)


def a_fault():
    """A fault that breaks a MUST and a SHOULD, and those two rules."""
    for name, fault in catalogue().items():
        by_level = {rules()[rule].severity: rule for rule in sorted(fault.trips)}
        if set(by_level) == {Severity.MUST, Severity.SHOULD} and len(fault.trips) == 2:
            return name, by_level[Severity.MUST], by_level[Severity.SHOULD]
    raise AssertionError("no fault of the reference relay breaks one MUST and one SHOULD")


def recorded(base_url, folder):
    """A whole run, recorded."""
    provider = Provider(base_url, DEFAULT_MODEL)
    secrets = Secrets({provider.key_env: DEFAULT_KEY})
    record(plan(), provider, folder / "ledger.jsonl", secrets=secrets)
    return folder / "ledger.jsonl"


@pytest.fixture(scope="module")
def honest_ledger(counted, tmp_path_factory):
    return recorded(counted[0].base_url, tmp_path_factory.mktemp("honest"))


@pytest.fixture(scope="module")
def faulty_ledger(counted, tmp_path_factory):
    return recorded(counted[0].variant(f"fault/{a_fault()[0]}"), tmp_path_factory.mktemp("faulty"))


@pytest.fixture(scope="module")
def hostile_ledger(honest_ledger, tmp_path_factory):
    """A run whose model list is an attack on whoever reads the report."""
    honest = read_ledger(honest_ledger)
    path = tmp_path_factory.mktemp("hostile") / "ledger.jsonl"
    with LedgerWriter(path, Secrets()) as writer:
        writer.header(honest.provider, honest.limits, honest.plan, (), honest.started)
        for exchange in honest.exchanges:
            changed = exchange
            if exchange.case.operation == "models.list" and exchange.status == 200:
                body = json.dumps({"object": HOSTILE, "data": [{"id": HOSTILE, HOSTILE: 1}]}, ensure_ascii=False)
                changed = replace(exchange, response=replace(exchange.response, body=body.encode()))
            writer.exchange(changed)
        writer.footer(1.0, None)
    return path


def rows(page):
    """What pytest-html keeps of each test, by node id."""
    blob = re.search(r'data-jsonblob="([^"]*)"', page.read_text("utf-8"))[1]
    return {name: tests[0] for name, tests in json.loads(html.unescape(blob))["tests"].items()}


def properties(junit):
    """The properties of each test case."""
    cases = ET.parse(junit).getroot().iter("testcase")  # noqa: S314 - written by pytest a moment ago
    return {case.get("name"): {each.get("name"): each.get("value") for each in case.iter("property")} for case in cases}


def collected(result):
    """The names of the tests that --collect-only -q lists."""
    return [line.partition("::")[2] for line in result.outlines if "::" in line]


# --- selecting ---------------------------------------------------------------------------------------------


def test_there_is_one_test_for_each_rule_and_operation(suite):
    names = collected(suite("--collect-only", "-q"))
    assert len(names) == len(set(names))
    assert "test_rule[chat.usage.adds-up-chat]" in names
    assert {name.partition("[")[2].rpartition("-")[0] for name in names} == set(rules())


@pytest.mark.parametrize(
    ("options", "holds"),
    [
        (("-k", "chat.usage"), lambda rule, _: rule.id.startswith("chat.usage.")),
        (("-k", "usage and not stream"), lambda rule, operation: "usage" in rule.id and "stream" not in operation),
        (("-m", "must"), lambda rule, _: rule.severity is Severity.MUST),
        (("-m", "chat.stream and should"), lambda rule, at: at == "chat.stream" and rule.severity is Severity.SHOULD),
        (("-m", "chat"), lambda _, operation: operation == "chat"),
    ],
)
def test_selecting_by_keyword_and_by_marker_works_as_people_expect(suite, options, holds):
    names = collected(suite("--collect-only", "-q", *options))
    found = [name.removeprefix("test_rule[").removesuffix("]").rpartition("-") for name in names]
    assert found
    assert all(holds(rules()[rule], operation) for rule, _, operation in found)


def test_collecting_sends_nothing_and_needs_no_key(suite, monkeypatch):
    monkeypatch.delenv("RELAY_API_KEY")
    before = suite.relay.count
    result = suite("--collect-only", "--relay-out", "out")
    assert result.ret == 0
    assert suite.relay.count == before
    assert not (suite.pytester.path / "out").exists()
    result.stdout.fnmatch_lines(["relay-conformance: nothing is sent *", "relay-conformance: * requests planned, *"])


def test_only_what_the_selected_tests_need_is_sent(suite):
    before = suite.relay.count
    result = suite("-m", "models.list and must", "--relay-out", "out")
    ledger = read_ledger(suite.pytester.path / "out" / "ledger.jsonl")
    assert result.ret == 0
    assert {exchange.case.operation for exchange in ledger.exchanges} == {"models.list", "chat"}
    assert {exchange.case.id for exchange in ledger.exchanges if exchange.case.operation == "chat"} == {PREFLIGHT[1]}
    assert suite.relay.count - before == len(ledger.exchanges)
    assert set(ledger.rules) < set(rules())


def test_companions_of_what_is_needed_are_sent_as_well(suite):
    result = suite("-k", "at-once or survives-hang-up", "--relay-out", "out")
    result.assert_outcomes(passed=2, deselected=len(collected(suite("--collect-only", "-q"))) - 2)
    sent = read_ledger(suite.pytester.path / "out" / "ledger.jsonl").by_case
    assert {"chat.stream/disconnect", "chat.stream/at-once-1-second"} < set(sent)
    assert len(sent) < len(plan()) / 2


def test_nothing_selected_is_nothing_sent_and_leaves_no_folder(suite):
    before = suite.relay.count
    result = suite("-k", "no-such-rule")
    folder = re.search(r"ledger (.*)/ledger\.jsonl", result.stdout.str())[1]
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert suite.relay.count == before
    assert not Path(folder).exists()


# --- outcomes ----------------------------------------------------------------------------------------------


def test_an_honest_relay_passes_in_any_order_and_everything_is_sent_once(suite):
    before = suite.relay.count
    result = suite("-p", "randomly", "-p", "no:cacheprovider", "--relay-out", "out")
    ledger = read_ledger(suite.pytester.path / "out" / "ledger.jsonl")
    assert result.ret == 0
    assert suite.relay.count - before == len(ledger.plan) == len(plan())
    assert ledger.rules == ()
    result.stdout.fnmatch_lines(["*= relay-conformance =*", "Conforms. *", "relay: *", "used: *", "ledger: out*"])


def test_a_broken_must_fails_with_the_evidence_in_order_and_without_a_traceback(suite):
    fault, must, _ = a_fault()
    result = suite("-k", must, url=suite.background.variant(f"fault/{fault}"))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            rules()[must].requirement,
            "expected: *",
            "actual: *",
            "where: */chat/*" if False else "where: * in *",
            f"document: {rules()[must].doc}*",
            "curl (the key comes from the environment):",
            "curl *",
        ]
    )
    assert '"$RELAY_API_KEY"' in result.stdout.str()
    assert "Traceback" not in result.stdout.str()
    assert "settle" not in result.stdout.str()


def test_x_stops_at_the_first_failure_and_lf_runs_it_again(suite, faulty_ledger):
    first = suite.offline(faulty_ledger, "-x", "--relay-strict")
    assert first.parseoutcomes()["failed"] == 1
    whole = suite.offline(faulty_ledger, "--relay-strict").parseoutcomes()
    assert whole["failed"] >= 2
    again = suite.offline(faulty_ledger, "--relay-strict", "--lf").parseoutcomes()
    assert again == {"failed": whole["failed"], "deselected": sum(whole.values()) - whole["failed"]}


def test_a_violated_should_passes_and_is_listed(suite, faulty_ledger):
    _, must, should = a_fault()
    result = suite.offline(faulty_ledger, f"--junitxml={suite.pytester.path / 'junit.xml'}", "-ra")
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(["*= relay-conformance: SHOULD =*", f"{should} · *: expected *, actual * (*)"])
    found = {values["rule"]: values for values in properties(suite.pytester.path / "junit.xml").values()}
    assert found[should]["verdict"] == "warn"
    assert found[should]["finding"]
    assert found[must] == {
        "rule": must,
        "operation": rules()[must].operations[0],
        "severity": "MUST",
        "verdict": "fail",
    }
    result.stdout.fnmatch_lines(["SKIPPED * not-applicable: *"])


def test_a_run_that_the_preflight_stopped_skips_everything_with_one_message(suite, monkeypatch):
    monkeypatch.setenv("RELAY_API_KEY", "sk-of-somebody-else")
    result = suite("-ra", "--html=report.html", "--self-contained-html")
    assert result.ret == hooks.INCONCLUSIVE
    assert set(result.parseoutcomes()) == {"skipped"}
    result.stdout.fnmatch_lines(["ended early: the relay rejects the key*", "exit code 6: *"])
    assert len([line for line in result.outlines if line.startswith("SKIPPED")]) == 1
    assert "ended early" in (suite.pytester.path / "report.html").read_text("utf-8")


def test_what_the_budget_held_back_is_inconclusive(suite):
    result = suite("-k", "chat.usage", "-ra", "--relay-max-requests", "4")
    assert result.ret == hooks.INCONCLUSIVE
    result.stdout.fnmatch_lines(["* inconclusive: not sent: *(--relay-max-requests)"])


def test_a_ledger_without_an_end_is_inconclusive(suite, honest_ledger):
    torn = suite.pytester.path / "torn.jsonl"
    torn.write_bytes(b"".join(honest_ledger.read_bytes().splitlines(keepends=True)[:-1]))
    result = suite.offline(torn)
    assert result.ret == hooks.INCONCLUSIVE
    assert "failed" not in result.parseoutcomes()
    result.stdout.fnmatch_lines(["interrupted: the record has no end"])


def test_a_relay_without_keys_is_asked_without_one(pytester, counted):
    suite = Suite(pytester, *counted)
    result = suite("--relay-no-key", "-k", "error.unknown-model or auth", "--relay-header", "X-Extra=HOME")
    assert not [line for line in collected(suite("--relay-no-key", "--co", "-q")) if "missing-key" in line]
    assert result.ret == hooks.INCONCLUSIVE


# --- reports -----------------------------------------------------------------------------------------------


def test_the_html_report_has_our_head_our_columns_and_the_evidence(suite, faulty_ledger):
    _, must, should = a_fault()
    suite.pytester.makepyfile("def test_own():\n    print('said by another')\n    assert not 'another'")
    page = suite.pytester.path / "report.html"
    result = suite.offline(faulty_ledger, "test_the_html*.py" if False else "--html=report.html", "--self-contained-html")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    text = page.read_text("utf-8")
    for part in ("relay-conformance: 127.0.0.1", "Does not conform.", "ledger.jsonl", 'data-column-type="severity"'):
        assert part in text
    found = {row["testId"]: row for row in rows(page).values() if row["operation"] in rules()[row["testId"]].operations}
    assert (found[must]["verdict"], found[must]["severity"]) == ("fail", "MUST")
    assert (found[should]["verdict"], found[should]["result"]) == ("warn", "Passed")
    assert "answer to " in found[must]["log"]
    assert "expected: " in found[should]["log"]
    assert all(len(row["log"]) < 12_000 for row in found.values())
