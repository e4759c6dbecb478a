"""What pytest is told about relays: options that make sense, options that make none, and none at all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conformance.ledger import LedgerWriter
from conformance.model import Limits, Provider
from conformance.redaction import Secrets
from conformance.relay import DEFAULT_KEY
from conformance.rules import base
from conformance.suite import hooks

# A session in this process unloads what it was the first to import, and a rule registers only once: load all before.
base.catalogue()
# What other plugins would import takes longer than what is tested here.
QUICK = ("-p", "no:randomly", "-p", "no:anyio", "-p", "no:hypothesispytest")

URL, MODEL = ("--relay-url", "http://127.0.0.1:9/v1"), ("--relay-model", "m")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "conformance.suite does not know which relay to test*"),
        ((*URL, *MODEL, "--relay-ledger", "x"), "--relay-url and --relay-ledger exclude each other"),
        (URL, "--relay-url needs --relay-model"),
        (("--relay-url", "", *MODEL), "'' is no base URL"),
        (("--relay-url", "ftp://x", *MODEL), "'ftp://x' is no base URL"),
        ((*URL, "--relay-model", " "), "'' is no model name"),
        ((*URL, "--relay-model", "m,embedings=x"), "--relay-model 'embedings=x': there is no role 'embedings'"),
        ((*URL, "--relay-model", "embeddings=x"), "no chat model is given"),
        ((*URL, *MODEL, "--relay-key-env", "RELAY_NO_SUCH"), "the environment variable RELAY_NO_SUCH is not set"),
        ((*URL, *MODEL, "--relay-header", "x"), "--relay-header 'x' is not NAME=ENVVAR"),
        ((*URL, *MODEL, "--relay-out", "taken"), "taken holds a run already"),
        ((*URL, *MODEL, "--relay-out", "file"), "file is no folder"),
        (("--relay-ledger", "nowhere"), "nowhere: No such file or directory"),
        (("--relay-ledger", "file"), "file: not a ledger, line 1 is no header"),
        (("--relay-ledger", "taken"), "taken/ledger.jsonl: not a ledger, line 1 is no header"),
        (("--relay-timeout", "nan"), "*--relay-timeout: 'nan' is not a number from 0.1 to 86400"),
        (("--relay-concurrency", "65"), "*--relay-concurrency: '65' is not a whole number from 1 to 64"),
        ((*URL, *MODEL, "--relay-profile", "vmann"), "there is no profile 'vmann'"),
        ((*URL, *MODEL, "--relay-generated", "-1"), "*'-1' is no count from 0 to *"),
        (
            ("--relay-ledger", "held"),
            "this run was held to the profile 'theirs', which does not come with this package",
        ),
        (("--relay-max-requests", "x"), "*--relay-max-requests: 'x' is not a whole number from 1 to 1000000"),
    ],
)
def test_options_that_make_no_sense_are_refused_in_one_sentence(pytester, monkeypatch, options, said):
    monkeypatch.setenv("RELAY_API_KEY", DEFAULT_KEY)
    (pytester.path / "taken").mkdir()
    (pytester.path / "taken" / "ledger.jsonl").touch()
    (pytester.path / "file").touch()
    with LedgerWriter(pytester.path / "held", Secrets()) as writer:
        writer.header(Provider("http://127.0.0.1:9/v1", "m", profile="theirs"), Limits(), (), (), 1.0)
    result = pytester.runpytest_inprocess("--pyargs", "conformance.suite", *QUICK, *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().count("ERROR: ") == 1
    result.stderr.fnmatch_lines([f"*{said.replace('[', '[[]')}*"])
    assert "Traceback" not in result.stderr.str()
    assert not re.search(r"(^|\s)--(profile|model)\b", result.stderr.str())


def test_the_suite_found_by_its_path_says_what_is_missing(pytester):
    result = pytester.runpytest_inprocess(Path(hooks.__file__).parent, *QUICK)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["conformance.suite does not know which relay to test", "hint: *"])


def test_sessions_that_test_no_relay_are_not_disturbed(pytester):
    pytester.makepyfile(
        """
        import sys

        def test_nothing_of_weight_is_loaded(pytestconfig):
            ours = {name for name in sys.modules if name.startswith("conformance")}
            assert ours == {"conformance", "conformance._version", "conformance.errors", "conformance.pytest_plugin"}
            assert not {"httpx", "jsonschema", "jsonschema_rs", "rich", "starlette", "click"} & set(sys.modules)
            assert not pytestconfig.pluginmanager.has_plugin("relay-conformance-session")
            assert not [line for line in pytestconfig.getini("markers") if "relay-conformance" in line]
        """
    )
    result = pytester.runpytest_subprocess("--strict-markers", "-W", "error", *QUICK)
    assert result.ret == 0
    assert "relay-conformance:" not in result.stdout.str()


def test_the_options_stand_together_in_the_help(pytester):
    result = pytester.runpytest_inprocess("--help")
    result.stdout.fnmatch_lines(["relay-conformance *:", "*--relay-url=URL *", "*--relay-timeout=SECONDS*"])
