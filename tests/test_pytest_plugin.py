"""The pytest door, as people use it: sessions in a folder of their own, against the reference relay."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from conformance import relay, send
from conformance.ledger import LedgerWriter, read_ledger
from conformance.model import Provider, Severity
from conformance.planning import PREFLIGHT, plan
from conformance.redaction import Secrets
from conformance.relay import DEFAULT_KEY, DEFAULT_MODEL, BackgroundRelay
from conformance.rules import base
from conformance.suite import hooks

# A session in this process unloads what it was the first to import, and a rule registers only once: load all before.
RULES, FAULTS = base.catalogue(), relay.catalogue()
# What other plugins would import takes longer than what is tested here.
QUICK = ("-p", "no:randomly", "-p", "no:anyio", "-p", "no:hypothesispytest")
SUITE = ("--pyargs", "conformance.suite", "--strict-markers", "-W", "error", *QUICK)
HOSTILE = "</script><img src=x onerror=alert(1)>\x1b[31m\x1b]8;;http://evil.example\x07\u202e\u200b ]]> &amp;"
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e]")


class Counted:
    """A relay that counts its requests."""

    def __init__(self):
        self.app = relay.create_app()
        self.count = 0

    async def __call__(self, scope, receive, send):
        """Answer one request."""
        self.count += 1
        await self.app(scope, receive, send)


@dataclass
class Suite:
    """Starts sessions of the suite."""

    pytester: pytest.Pytester
    background: BackgroundRelay
    asked: Counted

    def __call__(self, *options, url=None, plugins=()):
        """A live session."""
        live = ("--relay-url", url or self.background.base_url, "--relay-model", DEFAULT_MODEL)
        return self.pytester.runpytest_inprocess(*SUITE, *live, *options, plugins=plugins)

    def offline(self, ledger, *options, plugins=()):
        """A session over a recorded run."""
        return self.pytester.runpytest_inprocess(*SUITE, "--relay-ledger", str(ledger), *options, plugins=plugins)


@pytest.fixture(scope="module")
def counted():
    app = Counted()
    with BackgroundRelay(app) as background:
        yield background, app


@pytest.fixture
def suite(counted, pytester, monkeypatch):
    monkeypatch.setenv("RELAY_API_KEY", DEFAULT_KEY)
    return Suite(pytester, *counted)


def a_fault():
    """A fault that breaks a MUST and a SHOULD, and those two rules."""
    for name, fault in FAULTS.items():
        by_level = {RULES[rule].severity: rule for rule in sorted(fault.trips)}
        alone = all(len(RULES[rule].operations) == 1 for rule in fault.trips)
        if alone and set(by_level) == {Severity.MUST, Severity.SHOULD} and len(fault.trips) == 2:
            return name, by_level[Severity.MUST], by_level[Severity.SHOULD]
    raise AssertionError("no fault of the reference relay breaks one MUST and one SHOULD")


def recorded(base_url, folder):
    """A whole run, recorded."""
    provider = Provider(base_url, DEFAULT_MODEL)
    secrets = Secrets({provider.key_env: DEFAULT_KEY})
    send.record(plan(), provider, folder / "ledger.jsonl", secrets=secrets)
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
    cases = ET.parse(junit).getroot().iter("testcase")
    return {case.get("name"): {each.get("name"): each.get("value") for each in case.iter("property")} for case in cases}


def collected(result):
    """The names of the tests that --collect-only -q lists."""
    return [line.partition("::")[2] for line in result.outlines if "::" in line]


# --- selecting ---------------------------------------------------------------------------------------------


def test_there_is_one_test_for_each_rule_and_operation(suite):
    more = ("--relay-generated", "100", "--relay-profile", "api-call-docs", "--relay-dear")
    names = collected(suite("--collect-only", "-q", *more))
    assert len(names) == len(set(names))
    assert set(collected(suite("--collect-only", "-q"))) < set(names)
    assert "test_rule[chat.usage.adds-up-chat]" in names
    assert {name.partition("[")[2].rpartition("-")[0] for name in names} == set(RULES)


@pytest.mark.parametrize(
    ("options", "holds"),
    [
        (("-k", "chat.usage"), lambda rule, _: rule.id.startswith("chat.usage.")),
        (("-k", "usage and not stream"), lambda rule, at: "usage" in rule.id + at and "stream" not in at),
        (("-m", "must"), lambda rule, _: rule.severity is Severity.MUST),
        (("-m", "chat.stream and should"), lambda rule, at: at == "chat.stream" and rule.severity is Severity.SHOULD),
        (("-m", "chat"), lambda _, operation: operation == "chat"),
    ],
)
def test_selecting_by_keyword_and_by_marker_works_as_people_expect(suite, options, holds):
    names = collected(suite("--collect-only", "-q", *options))
    found = [name.removeprefix("test_rule[").removesuffix("]").rpartition("-") for name in names]
    assert found
    assert all(holds(RULES[rule], operation) for rule, _, operation in found)


def test_collecting_sends_nothing_and_needs_no_key(suite, monkeypatch):
    monkeypatch.delenv("RELAY_API_KEY")
    before = suite.asked.count
    result = suite("--collect-only", "--relay-out", "out")
    assert result.ret == 0
    assert suite.asked.count == before
    assert not (suite.pytester.path / "out").exists()
    result.stdout.fnmatch_lines(["relay-conformance: nothing is sent *", "relay-conformance: * requests planned, *"])


def test_only_what_the_selected_tests_need_is_sent(suite):
    before = suite.asked.count
    result = suite("-m", "models.list and must", "--relay-out", "out")
    ledger = read_ledger(suite.pytester.path / "out" / "ledger.jsonl")
    assert result.ret == 0
    # The last listed model is retrieved: a step of the scenario that begins with a list.
    assert {exchange.case.operation for exchange in ledger.exchanges} == {"models.list", "models.retrieve", "chat"}
    assert {exchange.case.id for exchange in ledger.exchanges if exchange.case.operation == "chat"} == {PREFLIGHT[1]}
    assert suite.asked.count - before == len(ledger.exchanges)
    assert set(ledger.rules) < set(RULES)


def test_companions_of_what_is_needed_are_sent_as_well(suite):
    result = suite("-k", "at-once or survives-hang-up", "--relay-out", "out")
    result.assert_outcomes(passed=2, deselected=len(collected(suite("--collect-only", "-q"))) - 2)
    sent = read_ledger(suite.pytester.path / "out" / "ledger.jsonl").by_case
    assert {"chat.stream/disconnect", "chat.stream/at-once-1-second"} < set(sent)
    assert len(sent) < len(plan()) / 2


def test_nothing_selected_is_nothing_sent_and_leaves_no_folder(suite):
    before = suite.asked.count
    result = suite("-k", "no-such-rule")
    folder = re.search(r"ledger (.*)/ledger\.jsonl", result.stdout.str())[1]
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert suite.asked.count == before
    assert not Path(folder).exists()


# --- outcomes ----------------------------------------------------------------------------------------------


def test_an_honest_relay_passes_in_any_order_and_everything_is_sent_once(suite):
    before = suite.asked.count
    result = suite("-p", "randomly", "-p", "no:cacheprovider", "--relay-out", "out")
    ledger = read_ledger(suite.pytester.path / "out" / "ledger.jsonl")
    assert result.ret == 0
    assert suite.asked.count - before == len(ledger.plan) == len(plan())
    assert ledger.rules == ()
    result.stdout.fnmatch_lines(["*= relay-conformance =*", "Conforms. *", "relay: *", "used: *", "ledger: out*"])


def test_a_broken_must_fails_with_the_evidence_in_order_and_without_a_traceback(suite):
    fault, must, _ = a_fault()
    result = suite("-k", must, url=suite.background.variant(f"fault/{fault}"))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            RULES[must].requirement,
            "expected: *",
            "actual: *",
            "where: * in *",
            f"document: {RULES[must].doc}*",
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
        "operation": RULES[must].operations[0],
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
    page = suite.pytester.path / "report.html"
    suite.offline(faulty_ledger, "--html=report.html", "--self-contained-html")
    text = page.read_text("utf-8")
    for part in ("relay-conformance: 127.0.0.1", "Does not conform.", "ledger.jsonl", 'data-column-type="severity"'):
        assert part in text
    found = {(row["testId"], row["operation"]): row for row in rows(page).values()}
    broken, strayed = found[must, RULES[must].operations[0]], found[should, RULES[should].operations[0]]
    assert (broken["result"], broken["verdict"], broken["severity"]) == ("Failed", "fail", "MUST")
    assert (strayed["result"], strayed["verdict"], strayed["severity"]) == ("Passed", "warn", "SHOULD")
    assert "answer to " in broken["log"]
    assert "expected: " in strayed["log"]
    assert {row["verdict"] for row in found.values()} >= {"pass", "not-applicable"}
    assert all(len(row["log"]) < 12_000 for row in found.values())


def test_tests_of_other_people_keep_their_rows(suite, honest_ledger):
    own = suite.pytester.makepyfile(
        test_own="""
        import pytest

        @pytest.fixture
        def slow():
            print("put away")
            yield
            assert 0, "broke while tidying up"

        def test_own(slow, request):
            request.node.user_properties.append(("rule", ["not", "ours"]))
            print("<b>said by another</b>")
            assert not "another"
        """
    )
    options = ("-k", "test_own or chat.usage.adds-up", "--html=report.html", "--self-contained-html", "--capture=sys")
    result = suite.offline(honest_ledger, str(own), *options, "-o", "render_collapsed=all")
    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["failed"], outcomes["errors"]) == (1, 1, 1)
    found = rows(suite.pytester.path / "report.html")
    theirs = next(row for name, row in found.items() if "test_own" in name)
    assert theirs["verdict"] == theirs["severity"] == theirs["operation"] == ""
    assert "&lt;b&gt;said by another" in theirs["log"]


def test_a_session_in_which_none_of_our_tests_ran_is_judged_by_its_own(suite, honest_ledger):
    own = suite.pytester.makepyfile(test_own="def test_own(): pass")
    options = ("-k", "test_own", "--html=report.html", "--self-contained-html")
    result = suite.offline(honest_ledger, str(own), *options)
    assert result.ret == 0
    assert "= relay-conformance =" not in result.stdout.str()
    assert "Conforms" not in (suite.pytester.path / "report.html").read_text("utf-8")


class Talker:
    """A plugin that prints during each test."""

    def pytest_runtest_call(self):
        """Print."""
        print("seen by the project")  # noqa: T201 - printing is its purpose


def test_what_was_captured_stays_beside_the_evidence(suite, honest_ledger):
    options = ("-k", "chat.usage.adds-up", "--html=report.html", "--self-contained-html", "--capture=sys")
    suite.offline(honest_ledger, *options, plugins=[Talker()])
    (row,) = rows(suite.pytester.path / "report.html").values()
    assert "seen by the project" in row["log"]
    assert "MUST equal" in row["log"]


class LeavesOut:
    """A plugin that shows failures only."""

    @pytest.hookimpl(tryfirst=True, optionalhook=True)
    def pytest_html_results_table_row(self, report, cells):
        """Leave out what passed."""
        if report.passed:
            del cells[:]


def test_another_plugin_may_leave_our_rows_out(suite, honest_ledger):
    options = ("-k", "chat.usage.adds-up", "--html=report.html", "--self-contained-html")
    result = suite.offline(honest_ledger, *options, plugins=[LeavesOut()])
    assert result.ret == 0
    assert rows(suite.pytester.path / "report.html") == {}


def test_pytest_html_is_not_needed(suite, honest_ledger):
    result = suite.offline(honest_ledger, "-k", "chat.usage", "-p", "no:html", "-p", "no:html_fixtures")
    assert result.ret == 0


def test_hostile_text_is_harmless_everywhere(suite, hostile_ledger):
    options = ("-ra", "--html=report.html", "--self-contained-html", "--junitxml=junit.xml")
    result = suite.offline(hostile_ledger, *options)
    assert result.parseoutcomes()["failed"]
    page = suite.pytester.path / "report.html"
    logs = [row["log"] for row in rows(page).values()]
    assert any("&lt;/script&gt;&lt;img src=x" in log for log in logs)
    assert not any("<img" in log or "<script" in log for log in logs)
    junit = (suite.pytester.path / "junit.xml").read_text("utf-8")
    assert properties(suite.pytester.path / "junit.xml")
    for text in (result.stdout.str(), result.stderr.str(), html.unescape("".join(logs)), junit):
        assert not HIDDEN.search(text)


def test_the_key_is_nowhere_even_when_the_relay_echoes_it_and_everything_is_logged(suite):
    url = suite.background.variant(f"fault/key-in-header+key-in-answer+key-in-error+{a_fault()[0]}")
    options = ("--html=report.html", "--self-contained-html", "--junitxml=junit.xml", "--relay-out", "out", "-ra")
    result = suite(
        *options, "--log-level=DEBUG", "--log-file=log.txt", "-o", "junit_logging=all", "--showlocals", url=url
    )
    assert result.parseoutcomes()["failed"]
    written = [path for path in suite.pytester.path.rglob("*") if path.is_file()]
    assert {"report.html", "junit.xml", "ledger.jsonl", "log.txt"} <= {path.name for path in written}
    for text in (result.stdout.str(), result.stderr.str(), *(path.read_text("utf-8") for path in written)):
        assert DEFAULT_KEY not in text


# --- workers -----------------------------------------------------------------------------------------------


def test_a_recorded_run_can_be_judged_by_several_workers(suite, faulty_ledger):
    alone = suite.offline(faulty_ledger).parseoutcomes()
    options = ("-n", "2", "--html=report.html", "--self-contained-html", "-p", "xdist")
    result = suite.pytester.runpytest_subprocess(*SUITE, "--relay-ledger", str(faulty_ledger), *options)
    assert result.parseoutcomes() == alone
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["Does not conform. *", "*= relay-conformance: SHOULD =*"])
    assert {row["verdict"] for row in rows(suite.pytester.path / "report.html").values()} >= {"pass", "warn", "fail"}


def test_the_exit_code_of_several_workers_is_that_of_one(suite, honest_ledger):
    options = ("-n", "1", "-k", "error.request-id.matches")
    result = suite.pytester.runpytest_subprocess(*SUITE, "--relay-ledger", str(honest_ledger), *options)
    assert result.ret == hooks.INCONCLUSIVE


def test_a_live_run_under_workers_is_refused(suite):
    before = suite.asked.count
    result = suite("-n", "2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: a live run cannot be distributed (-n)*", "hint: leave -n out*"])
    assert suite.asked.count == before
    assert suite("-n", "0", "-k", "models.list.compat").ret == 0


# --- what can still go wrong -----------------------------------------------------------------------------


class AnotherRun:
    """A plugin that begins another run in the same folder, after the options were found good."""

    def pytest_runtest_setup(self):
        """Begin it."""
        Path("out").mkdir()
        Path("out/ledger.jsonl").touch()


def test_a_run_that_cannot_be_recorded_ends_the_session(suite):
    before = suite.asked.count
    result = suite("--relay-out", "out", plugins=[AnotherRun()])
    assert result.ret == 4
    assert "failed" not in result.stdout.str()
    result.stdout.fnmatch_lines(["*relay-conformance: out/ledger.jsonl exists already*"])
    assert suite.asked.count == before


def test_whatever_else_goes_wrong_ends_the_session_before_anything_is_paid_for_twice(suite, monkeypatch):
    tries = []

    def no_space(*_, **__):
        tries.append(1)
        raise ExceptionGroup("tasks", [ExceptionGroup("task", [OSError(28, "No space left on device")])])

    monkeypatch.setattr(send, "record", no_space)
    result = suite()
    assert result.ret == 7
    assert len(tries) == 1
    result.stdout.fnmatch_lines(["*relay-conformance cannot record the run: OSError(28, *"])
    assert "Traceback" not in result.stdout.str()
