"""The command line: wrong input ends in one sentence, a hint and exit code 2; right input in reports."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from hostile.server import KEY, Call, Server, honest

from conformance import cli
from conformance.commands import performing
from conformance.errors import UsageError
from conformance.ledger import read_ledger
from conformance.model import Ledger
from conformance.progress import Bar
from conformance.relay import DEFAULT_KEY

Run = Callable[..., tuple[int, str, str]]
URL = "http://127.0.0.1:9/v1"
MODEL = ("--model", "m")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs the command in this process, in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RELAY_API_KEY", KEY)
    monkeypatch.delenv("RELAY_CONFORMANCE_DEBUG", raising=False)

    def called(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["relay-conformance", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return called


def check_sentence(result: tuple[int, str, str]) -> str:
    """One sentence, one hint, exit code 2, and nothing after; returns them."""
    code, out, err = result
    lines = err[max(0, err.find("error: ")) :].splitlines()
    assert code == 2
    assert out == ""
    assert [line.partition(":")[0] for line in lines] == ["error", "hint"]
    assert all(len(line) > 12 for line in lines)
    return "\n".join(lines)


NO_BASE_URL = [
    "", " ", "api.example.com", "ftp://api.example.com", "http://", "http:///v1", "https://api.example.com:99999",
    "https://api.example.com:0", "https://api.example.com:x", "https://api.exa mple.com", "https://api.example.com\n",
    "\x01https://api.example.com", "http://[::1", "http://[::g]/", "http://[]/", "http://a..b/", "http://-a.com",
    "https://user:pass@api.example.com", "https://api.example.com/?key=1", "https://api.example.com/#v1",
    "https://" + "a" * 64 + ".com", "file:///etc/passwd", "javascript:alert(1)", "http://ho%20st/", "https:host",
]  # fmt: skip


@pytest.mark.parametrize("command", ["vet", "plan"])
@pytest.mark.parametrize("base_url", NO_BASE_URL)
def test_what_is_no_base_url_is_refused(run: Run, command: str, base_url: str) -> None:
    err = check_sentence(run(command, *MODEL, "--", base_url))

    assert "base URL" in err
    assert "pass@" not in err


VET = ("vet", URL, *MODEL)
WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "no-base-url": (("vet", *MODEL), "BASE_URL"),
    "no-model": (("vet", URL), "--model"),
    "empty-model": (("vet", URL, "--model", " "), "no model name"),
    "model-with-newline": (("vet", URL, "--model", "a\nb"), "no model name"),
    "empty-key-env": ((*VET, "--key-env", ""), "--key-env is empty"),
    "odd-key-env": ((*VET, "--key-env", "A=B"), "A=B is not set"),
    "unset-key-env": ((*VET, "--key-env", "NO_SUCH_VARIABLE"), "NO_SUCH_VARIABLE is not set"),
    "header-without-variable": ((*VET, "--header", "X-Token"), "not NAME=ENVVAR"),
    "header-with-colon": ((*VET, "--header", "X-Token: a"), "not NAME=ENVVAR"),
    "header-with-newline": ((*VET, "--header", "X\r\nY=A"), "not NAME=ENVVAR"),
    "header-unset": ((*VET, "--header", "X-Token=NO_SUCH_VARIABLE"), "NO_SUCH_VARIABLE is not set"),
    "header-ours": ((*VET, "--header", "authorization=HOME"), "set by relay-conformance itself"),
    "unknown-rule": ((*VET, "--only", "chat.usge"), "did you mean"),
    "unknown-rule-without-neighbour": ((*VET, "--only", "§§§"), "there is no rule"),
    "empty-rule": ((*VET, "--only", ""), "there is no rule"),
    "negative-concurrency": ((*VET, "--concurrency", "-1"), "concurrency"),
    "no-concurrency": ((*VET, "--concurrency", "0"), "concurrency"),
    "concurrency-in-words": ((*VET, "--concurrency", "many"), "concurrency"),
    "negative-rate": ((*VET, "--rate", "-1"), "rate"),
    "rate-nan": ((*VET, "--rate", "nan"), "rate"),
    "no-requests": ((*VET, "--max-requests", "0"), "max-requests"),
    "negative-tokens": ((*VET, "--max-output-tokens", "-5"), "max-output-tokens"),
    "slow-rate": ((*VET, "--rate", "0.001"), "less than 0.01 requests a second"),
    "empty-out": ((*VET, "--out", ""), "an empty name is no folder"),
    "no-timeout": ((*VET, "--timeout", "0"), "timeout"),
    "timeout-nan": ((*VET, "--timeout", "nan"), "timeout"),
    "timeout-infinite": ((*VET, "--timeout", "inf"), "timeout"),
    "unknown-option": ((*VET, "--fast"), "--fast"),
    "unknown-command": (("bet",), "bet"),
    "resume-without-out": ((*VET, "--resume"), "--resume needs --out"),
    "resume-of-nothing": ((*VET, "--resume", "--out", "nothing"), "nothing to resume"),
    "plan-without-model": (("plan", URL), "--model"),
    "plan-unknown-rule": (("plan", URL, *MODEL, "--only", "nope"), "there is no rule"),
    "plan-odd-header": (("plan", URL, *MODEL, "--header", "a"), "not NAME=ENVVAR"),
    "rules-unknown": (("rules", "nope"), "there is no rule"),
    "rules-twice": (("rules", "a", "b"), "argument"),
    "judge-nothing": (("judge",), "LEDGER"),
    "judge-absent": (("judge", "no-such-file"), "No such file"),
    "judge-folder-without-ledger": (("judge", "."), "No such file"),
    "serve-unknown-fault": (("serve", "--fault", "nope"), "nope"),
    "serve-port": (("serve", "--port", "70000"), "port"),
    "serve-latency": (("serve", "--latency-ms", "-1"), "latency"),
    "serve-quirks": (("serve", "--quirks", "x"), "quirks"),
    "demo-unknown-fault": (("demo", "--fault", "nope"), "nope"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_said_in_one_sentence(run: Run, name: str) -> None:
    arguments, said = WRONG[name]

    assert said in check_sentence(run(*arguments))


@pytest.mark.parametrize(
    "key", ["", "tiny7", "sk-has blank", "sk-has\nnewline", "sk-tail\r", "sk-ключ-ключ", "sk-\x00nul-nul"]
)
def test_a_key_that_cannot_be_one_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    if "\0" in key:
        monkeypatch.setattr(os, "environ", {**os.environ, "RELAY_API_KEY": key})
    else:
        monkeypatch.setenv("RELAY_API_KEY", key)

    err = check_sentence(run(*VET))

    assert "RELAY_API_KEY" in err
    assert not key or key not in err


def test_a_key_that_is_a_word_of_the_requests_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAY_API_KEY", "messages")

    assert "cannot be masked" in check_sentence(run(*VET))


def test_a_missing_key_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RELAY_API_KEY")

    assert "--no-key" in check_sentence(run(*VET))


@pytest.mark.parametrize("command", ["vet", "judge", "demo"])
def test_out_that_is_a_file_is_refused(run: Run, tmp_path: Path, command: str) -> None:
    (tmp_path / "file").write_text("x")
    arguments = {"vet": VET, "judge": ("judge", "x"), "demo": ("demo",)}[command]

    assert "is a file" in check_sentence(run(*arguments, "--out", "file"))


def test_out_below_a_file_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    assert "cannot be written" in check_sentence(run(*VET, "--out", "file/below")).replace("\n", " ")


def test_reports_below_a_file_are_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    recorded(tmp_path / "run", run)

    code, _, err = run("judge", "run", "--out", "file/below")

    assert code == 2
    assert "choose another folder" in err


def test_a_folder_that_holds_a_run_is_not_used_again(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").write_text("x")

    assert "holds a run already" in check_sentence(run(*VET, "--out", "."))


def recorded(folder: Path, run: Run) -> Path:
    """A small run; returns its ledger."""
    with Server(honest) as server:
        run("vet", server.base_url, "--model", "mock-chat", "--only", "chat.id.fresh", "--out", str(folder))
    return folder / "ledger.jsonl"


def changed(line: bytes, **more: object) -> bytes:
    """A ledger line with other values."""
    return json.dumps({**json.loads(line), **more}).encode() + b"\n"


ASKED = {"method": "GET", "url": "", "headers": []}
NO_BODY = {"status": 200, "headers": [], "first_byte": 0, "arrivals": []}
EDITS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "binary": lambda _: [bytes(range(256)), b"\n"],
    "no-header": lambda lines: lines[1:],
    "no-json": lambda lines: [*lines[:2], b"{oops}\n"],
    "nan": lambda lines: [lines[0].replace(b'"started":', b'"started":NaN,"x":')],
    "far-future": lambda lines: [changed(lines[0], started=1e300), *lines[1:]],
    "infinite": lambda lines: [lines[0].replace(b'"started":', b'"started":1e999,"x":')],
    "array": lambda lines: [lines[0], b"[]\n"],
    "number": lambda lines: [b"1\n", lines[0]],
    "unknown-kind": lambda lines: [lines[0], b'{"kind":"surprise"}\n'],
    "format-2": lambda lines: [changed(lines[0], format=2, news=True)],
    "format-2-without-plan": lambda _: [b'{"kind":"header","format":2}\n'],
    "format-of-text": lambda lines: [changed(lines[0], format="1")],
    "case-is-an-object": lambda lines: [*lines[:2], changed(lines[2], case=json.loads(lines[0])["plan"][0])],
    "preflight-of-text": lambda lines: [*lines[:2], changed(lines[2], kind="preflight")],
    "no-body": lambda lines: [*lines[:2], changed(lines[2], response=NO_BODY)],
    "half-base64": lambda lines: [*lines[:2], changed(lines[2], request=ASKED | {"body_base64": "A"})],
    "lone-surrogate": lambda lines: [*lines[:2], changed(lines[2], request=ASKED | {"body": "\ud800"})],
    "unknown-operation": lambda lines: [lines[0].replace(b'"operation":"chat"', b'"operation":"chess"')],
    "rule-that-is-gone": lambda lines: [changed(lines[0], rules=["chat.of-old"]), *lines[1:]],
    "deep": lambda _: [b"[" * 100_000 + b"\n"],
}  # fmt: skip


@pytest.mark.parametrize("command", ["judge", "vet"])
@pytest.mark.parametrize("name", EDITS)
def test_an_edited_ledger_is_refused(run: Run, tmp_path: Path, name: str, command: str) -> None:
    ledger = recorded(tmp_path / "run", run)
    ledger.write_bytes(b"".join(EDITS[name](ledger.read_bytes().splitlines(keepends=True))))
    resumed = ("vet", URL, "--model", "mock-chat", "--resume", "--out", "run")

    err = check_sentence(run(*(resumed if command == "vet" else ("judge", "run"))))

    assert "ledger" in err or "rule" in err


def test_a_ledger_of_the_future_says_so(run: Run, tmp_path: Path) -> None:
    ledger = recorded(tmp_path / "run", run)
    ledger.write_bytes(b"".join(EDITS["format-2"](ledger.read_bytes().splitlines(keepends=True))))

    assert "ledger format 2, this version reads format 1" in check_sentence(run("judge", "run"))


def test_resume_names_the_interrupted_run_and_passes_over_what_is_no_ledger(run: Run, tmp_path: Path) -> None:
    ledger = recorded(tmp_path / "reports" / "a", run)
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:-1]))
    (tmp_path / "reports" / "b").mkdir()
    (tmp_path / "reports" / "b" / "ledger.jsonl").write_bytes(b"\xff")

    assert "try --out reports/a" in check_sentence(run(*VET, "--resume"))


def test_resume_with_another_model_is_refused(run: Run, tmp_path: Path) -> None:
    recorded(tmp_path / "run", run)

    code, _, err = run("vet", URL, "--model", "another", "--resume", "--out", "run")

    assert code == 2
    assert "error: run/ledger.jsonl records mock-chat at" in err


def test_a_port_in_use_is_said(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        err = check_sentence(run("serve", "--port", str(taken.getsockname()[1])))

    assert "cannot listen" in err


def test_a_wrong_path_of_the_machine_is_no_mistake_of_ours(run: Run) -> None:
    code, _, err = run("vet", URL, *MODEL, "--out", "x" * 300)

    assert code == 2
    assert "Traceback" not in err


def test_without_arguments_the_help_is_shown(run: Run) -> None:
    code, out, err = run()

    assert code == 2
    assert "Commands:" in out + err


@pytest.mark.parametrize("command", ["vet", "plan", "judge", "rules", "serve", "demo"])
def test_every_command_explains_itself(run: Run, command: str) -> None:
    code, out, _ = run(command, "--help")

    assert code == 0
    assert out.startswith(f"Usage: relay-conformance {command}") or "Usage:" in out


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version")[0] == 0


def test_a_plan_sums_up_what_each_operation_costs(run: Run) -> None:
    _, out, _ = run("plan", URL, *MODEL, "--dear")

    lines = out.splitlines()
    table = [line.split() for line in lines[lines.index("operation             requests  price  output tokens") + 1 :]]
    table = table[: table.index([])]
    total = re.search(r"(\d+) requests planned, at most ([\d,]+) output tokens", out)
    assert total
    assert sum(int(row[1].replace(",", "")) for row in table) == int(total[1])
    assert sum(int(row[3].replace(",", "")) for row in table) == int(total[2].replace(",", ""))
    prices = {row[0]: row[2] for row in table}
    assert (prices["models.list"], prices["embeddings"], prices["images.edits"]) == ("free", "cheap", "dear")


def test_a_plan_sends_nothing_and_needs_no_key(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RELAY_API_KEY")
    with Server(honest) as server:
        code, out, _ = run("plan", server.base_url, *MODEL, "--only", "chat.id.fresh", "--max-requests", "2")

    assert code == 0
    assert server.calls == []
    assert "4 requests planned" in out
    assert "the plan is larger than the limits" in out


def test_only_sends_what_its_rules_need(run: Run) -> None:
    with Server(honest) as server:
        code, _, _ = run("vet", server.base_url, "--model", "mock-chat", "--only", "chat.id.fresh")

    assert code == 0
    assert len(server.calls) == 4


def test_a_second_run_in_the_same_second_has_a_folder_of_its_own(run: Run, tmp_path: Path) -> None:
    with Server(honest) as server:
        for _ in range(3):
            run("vet", server.base_url, "--model", "mock-chat", "--only", "chat.id.fresh")

    assert len(list((tmp_path / "reports").glob("*/ledger.jsonl"))) == 3


def test_a_further_header_is_sent_and_masked(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TENANT", "tenant-secret-7")
    with Server(honest) as server:
        run(
            "vet", server.base_url, "--model", "mock-chat", "--only", "chat.id.fresh", "--header", "X-Tenant=TENANT",
            "--out", "run",
        )  # fmt: skip

    assert {call.headers["x-tenant"] for call in server.calls} == {"tenant-secret-7"}
    assert "tenant-secret-7" not in (tmp_path / "run" / "ledger.jsonl").read_text()


def test_without_a_key_none_is_sent(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RELAY_API_KEY")
    with Server(honest) as server:
        code, _, _ = run("vet", server.base_url, "--model", "mock-chat", "--only", "auth", "--no-key", "--out", "run")

    assert code in {0, 1, 6}
    assert not any("authorization" in call.headers for call in server.calls)


def test_a_rule_is_explained(run: Run) -> None:
    code, out, _ = run("rules", "http.body.bounded")

    assert code == 0
    assert "severity    MUST" in out
    assert "An answer MUST end" in out


def test_rules_below_a_prefix_are_listed(run: Run) -> None:
    code, out, _ = run("rules", "http")

    assert code == 0
    assert all(line.startswith("http.") for line in out.splitlines())


def test_faults_are_listed(run: Run) -> None:
    code, out, _ = run("serve", "--list-faults")

    assert code == 0
    assert len(out.splitlines()) > 20


def test_the_demo_conforms_and_a_fault_does_not(run: Run, tmp_path: Path) -> None:
    good, out, err = run("demo", "--out", "good")
    bad, _, _ = run("demo", "--fault", "n-ignored", "--out", "bad")

    assert (good, bad) == (0, 1)
    assert DEFAULT_KEY not in out + err
    assert (tmp_path / "good" / "report.html").exists()


def test_a_strict_run_fails_on_a_warning(run: Run, tmp_path: Path) -> None:
    async def echoing(call: Call) -> None:
        await (honest(call) if call.path != "/v1/models" else call.value({"object": "list", "data": [], "key": KEY}))

    with Server(echoing) as server:
        loose, _, _ = run("vet", server.base_url, "--model", "mock-chat", "--only", "http.key", "--out", "a")
        strict, _, _ = run(
            "vet", server.base_url, "--model", "mock-chat", "--only", "http.key", "--strict", "--out", "b"
        )
    judged, _, _ = run("judge", "a", "--strict", "--only", "http.key")

    assert (loose, strict, judged) == (0, 1, 1)
    assert KEY not in (tmp_path / "a" / "ledger.jsonl").read_text()


def test_judging_a_part_leaves_the_report_of_the_run_alone(run: Run, tmp_path: Path) -> None:
    run("demo", "--fault", "n-ignored", "--out", "a")
    before = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()}

    code, out, err = run("judge", "a", "--only", "models")
    elsewhere, _, _ = run("judge", "a", "--only", "models", "--out", "b")

    assert (code, elsewhere) == (0, 0)
    assert "--out FOLDER" in err
    assert "report.html" not in out
    assert {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()} == before
    assert (tmp_path / "b" / "report.html").exists()


def test_a_mistake_of_ours_is_owned_up_to(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ExceptionGroup("several", [ZeroDivisionError("by zero")])

    monkeypatch.setattr(cli, "cli", broken)

    code, _, err = run("rules")

    assert code == 7
    assert "this is our mistake: ZeroDivisionError: by zero" in err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OSError(28, "No space left on device", "ledger.jsonl"), 7, "what was recorded is kept"),
        (PermissionError(13, "Permission denied", "reports"), 2, "choose another folder"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ExceptionGroup("several", [UsageError("one thing", "do another")]), 2, "error: one thing"),
    ],
)
def test_what_the_machine_does_is_told_apart(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(cli, "cli", broken)

    found, _, err = run("rules")

    assert found == code
    assert said in err


def test_debug_shows_the_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(cli, "cli", broken)
    monkeypatch.setenv("RELAY_CONFORMANCE_DEBUG", "1")

    with pytest.raises(ZeroDivisionError):
        run("rules")


def unread(*arguments: str, **environment: str) -> tuple[int, bytes]:
    """The command with nobody reading its output: exit code and stderr."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "conformance", *arguments]
    try:
        done = subprocess.run(
            command, stdout=writing, stderr=subprocess.PIPE, check=False, env={**os.environ, **environment}
        )
    finally:
        os.close(writing)
    return done.returncode, done.stderr


def test_a_reader_that_goes_away_is_no_error() -> None:
    assert unread("rules") == (0, b"")


def test_a_reader_that_goes_away_leaves_the_verdict(run: Run, tmp_path: Path) -> None:
    run("demo", "--fault", "n-ignored", "--out", "run")

    assert unread("judge", str(tmp_path / "run")) == (1, b"")


def test_what_nobody_reads_is_not_printed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    hushed: list[bool] = []

    def broken(*_: object, **__: object) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    for home in (cli, performing):
        monkeypatch.setattr(home, "hush", lambda: hushed.append(True))
    monkeypatch.setattr("conformance.reporting.terminal.print_summary", broken)
    judged = run("demo", "--fault", "n-ignored", "--out", "run")[0]
    monkeypatch.setattr("click.echo", broken)
    listed = run("rules")[0]

    assert (judged, listed) == (1, 0)
    assert hushed == [True, True]


def test_the_relay_is_served_until_it_is_stopped() -> None:
    command = [sys.executable, "-u", "-m", "conformance", "serve", "--quirks", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(4)]
        url = said[0].split()[-1]
        status = httpx.get(f"{url}/models", headers={"Authorization": f"Bearer {DEFAULT_KEY}"}).status_code
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)

    assert (status, said[1].split()[-1]) == (200, DEFAULT_KEY)
    assert process.returncode in {0, 130}
    assert "Traceback" not in err


def test_an_interruption_reports_what_there_is(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def step(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("conformance.progress.Bar.step", step)
    with Server(honest) as server:
        code, out, err = run("vet", server.base_url, "--model", "mock-chat", "--only", "chat.id.fresh", "--out", "run")

    assert code == 130
    assert "hint: continue with the same command and --resume --out run" in err
    assert "interrupted" in out
    assert (tmp_path / "run" / "results.json").exists()


def test_what_was_recorded_is_reported_however_it_ended(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Recording is left out: coverage loses sight of the frames around an event loop that httpx has run in.
    ledger = recorded(tmp_path / "run", run)
    ends: list[BaseException | None] = [None, KeyboardInterrupt()]

    def record(*_: object, **__: object) -> Ledger:
        end = ends.pop(0)
        if end is not None:
            raise end
        return read_ledger(ledger)

    monkeypatch.setattr("conformance.send.record", record)
    resumed = ("vet", URL, "--model", "mock-chat", "--resume", "--out", "run")

    assert [run(*resumed)[0], run(*resumed)[0]] == [0, 130]


def test_an_interruption_before_the_first_line_reports_nothing(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def record(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("conformance.send.record", record)

    assert run(*VET, "--out", "run")[0] == 130
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("arguments", [("rules",), ("rules", "http.body.json"), ("plan", URL, *MODEL)])
def test_a_terminal_that_knows_no_chinese_is_no_error(arguments: tuple[str, ...]) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-m", "conformance", *arguments], capture_output=True, check=False, env=environment
    )

    assert done.stderr == b""
    assert done.returncode == 0


class Terminal(io.StringIO):
    """Says that somebody is looking."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def test_a_terminal_sees_how_far_the_run_is(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")

    with Bar() as bar:
        bar.step(3, 7, None)  # type: ignore[arg-type]

    assert "3/7" in screen.getvalue()


def test_a_file_sees_nothing_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    with Bar() as bar:
        bar.step(3, 7, None)  # type: ignore[arg-type]

    assert capsys.readouterr() == ("", "")
