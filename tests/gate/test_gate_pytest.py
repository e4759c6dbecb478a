"""Waivers in the pytest door: what is waived is skipped with its reason, what has ended fails."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from conformance import relay
from conformance.model import Provider
from conformance.planning import plan
from conformance.redaction import Secrets
from conformance.relay import DEFAULT_KEY, DEFAULT_MODEL, BackgroundRelay
from conformance.rules import base
from conformance.send import record

# A session in this process unloads what it was the first to import, and a rule registers only once: load all before.
RULES, FAULTS = base.catalogue(), relay.catalogue()
SUITE = ("--pyargs", "conformance.suite", "--strict-markers", "-p", "no:randomly", "-p", "no:hypothesispytest")
RULE = "chat.choices.count"
ONLY = ("chat.choices", "chat.usage")
TOML = 'format = 1\n[[waivers]]\nrule = "{}"\nreason = "mended in March"\nowner = "me"\nuntil = "{}"\n'


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a relay that ignores `n`."""
    path = tmp_path_factory.mktemp("waived") / "ledger.jsonl"
    with BackgroundRelay(relay.create_app(faults=("n-ignored",))) as server:
        provider = Provider(server.base_url, DEFAULT_MODEL)
        record(plan(ONLY), provider, path, secrets=Secrets({"RELAY_API_KEY": DEFAULT_KEY}), rules=ONLY)
    return path


@pytest.mark.parametrize(
    ("rule", "until", "code", "kind", "said"),
    [
        (RULE, "2999-01-01", 0, "skipped", "fail, waived until 2999-01-01 by me: mended in March"),
        (RULE, "2001-01-01", 1, "failure", "waiver ended on 2001-01-01 by me"),
        ("chat.usage.adds-up", "2001-01-01", 1, "failure", "it would be pass now: remove the waiver"),
    ],
)
def test_a_waiver_skips_and_an_ended_one_fails(
    pytester: pytest.Pytester, ledger: Path, rule: str, until: str, code: int, kind: str, said: str
) -> None:
    (pytester.path / "w.toml").write_text(TOML.format(rule, until))
    options = ("--relay-ledger", str(ledger), "--relay-waivers", "w.toml", "--junit-xml", "j.xml", "-k", rule)

    result = pytester.runpytest_inprocess(*SUITE, *options)

    assert result.ret == code
    element, *_ = ET.parse(pytester.path / "j.xml").findall(f".//testcase/{kind}")
    assert said in f"{element.get('message')} {element.text}"


def test_a_live_session_has_them_too(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAY_API_KEY", DEFAULT_KEY)
    (pytester.path / "w.toml").write_text(TOML.format(RULE, "2999-01-01"))
    with BackgroundRelay(relay.create_app(faults=("n-ignored",))) as server:
        live = ("--relay-url", server.base_url, "--relay-model", DEFAULT_MODEL, "--relay-waivers", "w.toml")
        result = pytester.runpytest_inprocess(*SUITE, *live, "-k", RULE)

    result.assert_outcomes(skipped=1)


def test_a_wrong_file_is_said_with_our_option(pytester: pytest.Pytester, ledger: Path) -> None:
    (pytester.path / "w.toml").write_text(TOML.format("chat.choice.count", "2999-01-01"))

    result = pytester.runpytest_inprocess(*SUITE, "--relay-ledger", str(ledger), "--relay-waivers", "w.toml")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*did you mean 'chat.choices.count'*"])
