"""Generated requests, pages and smallest requests at the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hostile.server import KEY, Answer, Call, Server, completion, first_honest, honest
from judging.runs import generated, wrong

from conformance import cli
from conformance.announcing import announce_coverage
from conformance.contract import schema_errors
from conformance.derive.emit import profile_toml
from conformance.errors import UsageError
from conformance.ledger import read_ledger
from conformance.model import Limits, Phase, Provider, Stop
from conformance.planning import plan
from conformance.profiles import load_profile
from conformance.redaction import Secrets
from conformance.send import record
from conformance.vetting import Run, minimise_failures, profile_of

Command = Callable[..., tuple[int, str, str]]
URL = "http://127.0.0.1:9/v1"
MODEL = ("--model", "mock-chat")
ONLY = ("--only", "generated.valid")
NO_5XX = "generated.valid.no-5xx"
PLAIN = {"model", "messages", "max_tokens", "max_completion_tokens", "stream", "stream_options"}
SECRETS = Secrets({"RELAY_API_KEY": KEY})


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Runs the command in this process, in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RELAY_API_KEY", KEY)
    monkeypatch.setenv("COLUMNS", "100")

    def called(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["relay-conformance", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capsys.readouterr()
        return int(end.value.code or 0), out, err

    return called


def error_of(result: tuple[int, str, str]) -> str:
    """The sentence and the hint of a command that was given something wrong."""
    code, out, err = result
    assert (code, out) == (2, "")
    lines = err[err.find("error: ") :].splitlines()
    assert [line.partition(":")[0] for line in lines] == ["error", "hint"]
    return "\n".join(lines)


def fussy(call: Call) -> bool:
    """Whether a chat asks for anything optional."""
    return call.method == "POST" and not call.json.keys() <= PLAIN


def breaking(fails: Callable[[Call], bool] = fussy) -> Answer:
    """Honest, but an internal error for some requests, which repeats the key."""

    async def answer(call: Call) -> None:
        if fails(call):
            said = f"oops {call.headers.get('authorization')}"
            await call.value({"error": {"message": said, "type": "t", "param": None, "code": None}}, 500)
        else:
            await honest(call)

    return first_honest(answer)


def results(folder: Path) -> dict[str, Any]:
    """What a run concluded, in its own format."""
    found: dict[str, Any] = json.loads((folder / "results.json").read_bytes())
    assert schema_errors("formats/results.json", found) == []
    return found


# What is planned


def test_a_plan_with_generated_requests_says_what_they_cover_and_is_the_same_twice(run: Command) -> None:
    asked = ("plan", URL, *MODEL, "--generated", "30", "--seed")
    first, again, other = (run(*asked, seed)[1] for seed in ("1", "1", "2"))

    assert first == again != other
    assert first.count("/generated-") == 30
    assert "valid requests, " in first.replace("\n", " ")
    lines = first[first.index("they cover") :].splitlines()[1:]
    assert len(lines) >= 4
    assert all(int(words[0]) <= int(words[2]) for words in map(str.split, lines))
    assert "pairs of optional fields (not: " in lines[-1]


def test_a_plan_without_them_says_nothing_of_coverage(run: Command) -> None:
    _, out, _ = run("plan", URL, *MODEL)

    assert "generated" not in out
    assert "cover" not in out


def test_the_limits_grow_with_what_is_generated(run: Command) -> None:
    _, out, _ = run("plan", URL, *MODEL, "--generated", "30")
    _, less, _ = run("plan", URL, *MODEL, "--generated", "30", "--max-requests", "40", "--max-output-tokens", "50")

    assert "limits: 530 requests, 17,200 output tokens" in out
    assert "limits: 40 requests, 50 output tokens" in less
    assert "larger than the limits" in less


def test_what_a_page_asks_for_is_generated_and_counted(run: Command, folder: Path) -> None:
    _, plain, _ = run("plan", URL, *MODEL, "--generated", "30")
    _, held, _ = run("plan", URL, *MODEL, "--generated", "30", "--profile", str(folder))

    assert plain != held


@pytest.mark.parametrize(
    "wrong_option",
    [("--generated", "-1"), ("--generated", "5001"), ("--seed", "x"), ("--minimize-budget", "-1"), ("--generated", "")],
)
def test_numbers_that_make_no_sense_are_refused(run: Command, wrong_option: tuple[str, str]) -> None:
    assert wrong_option[0] in error_of(run("vet", URL, *MODEL, *wrong_option))


def test_coverage_counts_bad_requests_apart() -> None:
    recovery = generated("chat/generated-3", phase=Phase.INVALID)
    lines = announce_coverage([generated(n=2), wrong(), recovery], None)

    assert lines[0].startswith("generated: 1 valid requests, 2 invalid ones and checks after them")
    assert announce_coverage(plan(), None) == []


# What is sent


def test_failing_requests_are_made_smaller_and_everything_is_counted(run: Command, tmp_path: Path) -> None:
    with Server(breaking()) as server:
        code, out, _ = run("vet", server.base_url, *MODEL, *ONLY, "--generated", "12", "--out", "run")
        sent = len(server.calls)
    found, ledger = results(tmp_path / "run"), read_ledger(tmp_path / "run" / "ledger.jsonl")

    assert code == 1
    (least,) = found["minimised"]
    assert (least["rule"], least["reproduced"]) == (NO_5XX, True)
    assert len(least["body"].keys() - PLAIN) == 1
    assert 1 < least["requests"] == len(ledger.resent) <= 25
    assert found["spent"]["requests"] == sent == len(ledger.exchanges) + len(ledger.resent)
    assert f"used {sent} requests" in out
    assert "  smallest " in out


def test_the_key_is_in_no_file_and_on_no_screen(run: Command, tmp_path: Path) -> None:
    with Server(breaking()) as server:
        code, out, err = run("vet", server.base_url, *MODEL, *ONLY, "--generated", "8", "--out", "run")
        case = results(tmp_path / "run")["minimised"][0]["case"]
        again = run("minimize", "run", case)
    texts = [out, err, *again[1:], *(path.read_text("utf-8") for path in (tmp_path / "run").iterdir())]

    assert code == 1
    assert len(texts) == 9
    assert not [text for text in texts if KEY in text or "Reference+relay" in text]


def test_without_a_budget_nothing_more_is_sent(run: Command, tmp_path: Path) -> None:
    budget = ("--minimize-budget", "0")
    with Server(breaking()) as server:
        code, _, _ = run("vet", server.base_url, *MODEL, *ONLY, "--generated", "8", *budget, "--out", "run")
        sent = len(server.calls)

    assert code == 1
    assert results(tmp_path / "run")["minimised"] == []
    assert sent == len(read_ledger(tmp_path / "run" / "ledger.jsonl").plan)


def test_a_relay_without_failures_is_asked_nothing_more(run: Command, tmp_path: Path) -> None:
    with Server(honest) as server:
        code, _, _ = run("vet", server.base_url, *MODEL, *ONLY, "--generated", "8", "--out", "run")

    assert code == 0
    assert results(tmp_path / "run")["minimised"] == []


def test_what_does_not_come_again_is_inconclusive(run: Command, tmp_path: Path) -> None:
    broken = [True]
    with Server(breaking(lambda call: broken[0] and "seed" in call.json)) as server:
        asked = settled(server, tmp_path / "run", rules=(NO_5XX,))
        ledger = sent_by(asked)
        failed = run("judge", "run")[0]
        broken[0] = False
        minimise_failures(asked, ledger)
    code, out, _ = run("judge", "run")

    assert (failed, code) == (1, 6)
    assert "found once, but not again" in out
    (found,) = results(tmp_path / "run")["minimised"]
    assert (found["reproduced"], found["requests"], found["body"]) == (False, 1, None)


def test_judging_again_shows_the_same(run: Command, tmp_path: Path) -> None:
    with Server(breaking()) as server:
        run("vet", server.base_url, *MODEL, *ONLY, "--generated", "8", "--out", "run")
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    code, _, _ = run("judge", "run")

    assert code == 1
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


# One run, without the command line


def settled(server: Server, folder: Path, **changes: Any) -> Run:
    """A run of a good case that fails, and of a bad one that is taken."""
    cases = (*(case for case in plan((NO_5XX,)) if case.phase is Phase.PREFLIGHT), generated(n=2, seed=1), wrong())
    provider = Provider(server.base_url, "mock-chat")
    values = {"cases": cases, "limits": Limits(timeout=5), "rules": ("generated",), "folder": folder}
    return Run(provider, SECRETS, **{**values, **changes})


def sent_by(asked: Run) -> Any:
    """Send what is planned."""
    return record(asked.cases, asked.provider, asked.ledger, secrets=SECRETS, limits=asked.limits, rules=asked.rules)


def test_what_has_been_made_smaller_is_not_made_smaller_again(tmp_path: Path) -> None:
    with Server(breaking(lambda call: "seed" in call.json)) as server:
        asked = settled(server, tmp_path)
        once = minimise_failures(asked, sent_by(asked))
        sent = len(server.calls)
        twice = minimise_failures(asked, once)

        assert len(server.calls) == sent

    assert {found.rule: found.result.body["seed"] for found in once.minimised if found.rule == NO_5XX} == {NO_5XX: 0}
    assert {found.rule for found in once.minimised} == {NO_5XX, "generated.invalid.refused"}
    assert twice is once


@pytest.mark.parametrize(
    ("changes", "budget"), [({"stop": Stop("x", "x", "x")}, 25), ({"complete": False}, 25), ({}, 0)], ids=str
)
def test_an_unfinished_run_is_left_alone(tmp_path: Path, changes: dict[str, Any], budget: int) -> None:
    with Server(breaking()) as server:
        asked = settled(server, tmp_path, minimize_budget=budget)
        ledger = sent_by(asked)
        unfinished = type(ledger)(**{**vars(ledger), **changes})
        sent = len(server.calls)

        assert minimise_failures(asked, unfinished) is unfinished
        assert len(server.calls) == sent


def test_an_interruption_while_requests_are_made_smaller_is_reported(
    run: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("conformance.resending.minimise", interrupted)
    with Server(breaking()) as server:
        code, out, err = run("vet", server.base_url, *MODEL, *ONLY, "--generated", "8", "--out", "run")

    assert code == 130
    assert "--resume --out run" in err
    assert "Does not conform" in out
    assert results(tmp_path / "run")["verdict"] == "fail"


# One case, made smaller later


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[[Server], Path]:
    """A run in the folder `run`, in which chat/generated-1 fails."""

    def made(server: Server) -> Path:
        asked = settled(server, tmp_path / "run")
        sent_by(asked)
        return asked.ledger

    return made


CASE = "chat/generated-1"


def test_a_case_is_made_smaller_on_demand(run: Command, recorded: Callable[[Server], Path]) -> None:
    with Server(breaking(lambda call: "seed" in call.json)) as server:
        recorded(server)
        code, out, err = run("minimize", "run", CASE)
    head, _, rest = out.partition("{")
    body, _, line = rest.partition("\n\n")

    said = f"asks {server.base_url} again, at most 25 requests\n"
    assert (code, err) == (0, said + "recorded; relay-conformance judge run puts it into the report\n")
    assert head.startswith(f"the smallest request that still breaks {NO_5XX} (")
    assert json.loads("{" + body).keys() == {"model", "messages", "seed"}
    assert line.startswith(f"curl -sS '{server.base_url}/chat/completions'")
    assert '"$RELAY_API_KEY"' in line


def test_an_old_result_is_not_shown_as_a_new_one(run: Command, recorded: Callable[[Server], Path]) -> None:
    busy = [False]

    async def answer(call: Call) -> None:
        if busy[0]:
            await call.value({"error": {"message": "later", "type": "t", "param": None, "code": None}}, 429)
        else:
            await breaking(lambda asked: "seed" in asked.json)(call)

    with Server(answer) as server:
        recorded(server)
        first, _, _ = run("minimize", "run", CASE)
        busy[0] = True
        second, out, _ = run("minimize", "run", CASE, "--budget", "1")

    assert (first, second) == (0, 6)
    assert "got no answer that could be judged" in " ".join(out.split())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"key_env": "OTHER_KEY"}, "the run read its key from the variable OTHER_KEY"),
        ({"headers": {"X-A": "OTHER_KEY"}}, "the run sent the header X-A from the variable OTHER_KEY"),
    ],
)
def test_variables_that_only_a_ledger_names_are_not_read(
    run: Command,
    recorded: Callable[[Server], Path],
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    said: str,
) -> None:
    monkeypatch.setenv("OTHER_KEY", "sk-somebody-else")
    with Server(breaking(lambda call: "seed" in call.json)) as server:
        path = recorded(server)
        lines = path.read_bytes().split(b"\n", 1)
        header = json.loads(lines[0])
        header["provider"] |= changes
        path.write_bytes(json.dumps(header).encode() + b"\n" + lines[1])
        sent = len(server.calls)
        code, _, err = run("minimize", "run", CASE)
        assert len(server.calls) == sent
        given = ("--key-env", "OTHER_KEY") if "key_env" in changes else ("--header", "X-A=OTHER_KEY")
        trusted, _, _ = run("minimize", "run", CASE, *given)

    assert code == 2
    assert said in err
    assert "if you trust this ledger" in err
    assert trusted == 0


def test_a_rule_and_a_budget_can_be_given(run: Command, recorded: Callable[[Server], Path]) -> None:
    with Server(breaking(lambda call: "seed" in call.json)) as server:
        path = recorded(server)
        sent = len(server.calls)
        code, out, _ = run("minimize", str(path), CASE, "--rule", NO_5XX, "--budget", "2")

        assert len(server.calls) == sent + 2

    assert code == 0
    assert "the budget ended the search" in " ".join(out.split())


def test_a_failure_that_is_gone_is_said_so(run: Command, recorded: Callable[[Server], Path]) -> None:
    broken = [True]
    with Server(breaking(lambda call: broken[0] and "seed" in call.json)) as server:
        recorded(server)
        broken[0] = False
        code, out, _ = run("minimize", "run", CASE)

    assert code == 0
    assert f"{CASE} did not break {NO_5XX} again (1 request)" in " ".join(out.split())


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_key_that_is_refused_clears_nothing(
    run: Command, recorded: Callable[[Server], Path], tmp_path: Path, status: int
) -> None:
    later = [False]

    async def answer(call: Call) -> None:
        if later[0]:
            await call.value({"error": {"message": "no", "type": "t", "param": None, "code": None}}, status)
        else:
            await breaking(lambda asked: "seed" in asked.json)(call)

    with Server(answer) as server:
        recorded(server)
        later[0] = True
        code, out, _ = run("minimize", "run", CASE)
    judged, _, _ = run("judge", "run")

    assert code == 6
    assert "no answer that could be judged" in " ".join(out.split())
    assert judged == 1
    assert results(tmp_path / "run")["minimised"] == []


def test_making_smaller_keeps_to_the_limits_of_the_run(tmp_path: Path) -> None:
    with Server(breaking(lambda call: "seed" in call.json)) as server:
        asked = settled(server, tmp_path, limits=Limits(requests=7, timeout=5))
        smaller = minimise_failures(asked, sent_by(asked))
        assert len(server.calls) == 7

    assert [found.complete for found in smaller.minimised if found.rule == NO_5XX] == [False]


def test_a_relay_that_is_gone_is_said_so(run: Command, recorded: Callable[[Server], Path]) -> None:
    with Server(breaking(lambda call: "seed" in call.json)) as server:
        recorded(server)
    code, out, _ = run("minimize", "run", CASE, "--budget", "1")

    assert code == 6
    assert "got no answer that could be judged" in " ".join(out.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "chat/generated-2"), "did you mean 'chat/generated-"),
        (("run", CASE, "--rule", "generated.valid.no-6xx"), f"did you mean '{NO_5XX}'"),
        (("run", CASE, "--rule", "generated.valid.accepted"), "does not break"),
        (("run", "models.list/list"), "cannot be made smaller"),
        (("run", CASE, "--budget", "0"), "--budget"),
        (("run", CASE, "--profile", "vmann"), "did you mean"),
        (("run",), "CASE"),
        (("nothing", CASE), "No such file"),
    ],
)
def test_what_cannot_be_made_smaller_is_said_in_one_sentence(
    run: Command, recorded: Callable[[Server], Path], arguments: tuple[str, ...], said: str
) -> None:
    with Server(breaking(lambda call: "seed" in call.json)) as server:
        recorded(server)

        assert said in error_of(run("minimize", *arguments))


def test_a_case_that_breaks_nothing_is_said(run: Command, tmp_path: Path) -> None:
    async def whole(call: Call) -> None:
        choice = completion()["choices"][0]
        await call.value(completion(choices=[choice, {**choice, "index": 1}]))

    async def answer(call: Call) -> None:
        await (whole if "seed" in call.json else honest)(call)

    with Server(first_honest(answer)) as server:
        sent_by(settled(server, tmp_path / "run"))

        assert f"{CASE} breaks no rule" in error_of(run("minimize", "run", CASE))


def test_asking_again_needs_the_key(
    run: Command, recorded: Callable[[Server], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(breaking(lambda call: "seed" in call.json)) as server:
        recorded(server)
        monkeypatch.delenv("RELAY_API_KEY")

        assert "RELAY_API_KEY is not set" in error_of(run("minimize", "run", CASE))


# A provider's own page

STATED = {
    "name": "mine",
    "title": "Mine <b>& only</b> \x1b[31m",
    "base_path": "/v1",
    "hosts": [],
    "models": [],
    "operations": [
        {"title": "Chat", "kind": "endpoint", "operation": "chat", "method": "POST", "line": 3},
        {"title": "One model", "kind": "endpoint", "operation": "models.retrieve"},
        {"title": "Paint", "kind": "endpoint", "operation": "images"},
    ],
}
SCHEMA = {
    "$defs": {
        "request": {
            "type": "object",
            "required": ["model", "messages"],
            "properties": {"model": {"type": "string"}, "messages": {"type": "array"}, "top_k": {"type": "integer"}},
        },
        "response": {"type": "object", "required": ["balance"], "x-source": "mine.txt:9"},
    },
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A profile in a folder of the user's."""
    made = tmp_path / "pages"
    made.mkdir()
    (made / "profile.toml").write_bytes(profile_toml(STATED))
    (made / "chat.json").write_text(json.dumps(SCHEMA))
    return made


HELD = ("--only", "response.documented", "--only", "documented")


def held_run(run: Command, profile: str) -> tuple[int, str, str]:
    """A run that is held to a page."""
    with Server(honest) as server:
        return run("vet", server.base_url, *MODEL, *HELD, "--profile", profile, "--out", "run")


def verdicts(folder: Path) -> dict[str, str]:
    """The verdict of each rule on each operation."""
    return {f"{each['rule']} {each['operation']}": each["verdict"] for each in results(folder)["judgements"]}


def test_a_page_of_the_user_s_own_is_held_against_the_relay(run: Command, folder: Path, tmp_path: Path) -> None:
    code, out, _ = held_run(run, str(folder))
    found = verdicts(tmp_path / "run")

    assert code == 1
    assert found["response.documented chat"] == "fail"
    assert found["documented.operation.offered chat"] == "pass"
    assert found["documented.operation.offered models.retrieve"] == "fail"
    assert "documented.operation.offered models.list" not in found
    assert "'balance' is missing" in out
    assert "documented" in out
    written = results(tmp_path / "run")["profile"]
    assert {claim["title"]: claim["state"] for claim in written["claims"]} == {
        "Chat": "checked",
        "One model": "missing",
        "Paint": "unchecked",
    }
    assert read_ledger(tmp_path / "run" / "ledger.jsonl").provider.profile == "mine"


def test_a_hostile_title_is_harmless_everywhere(run: Command, folder: Path, tmp_path: Path) -> None:
    _, out, err = held_run(run, str(folder))
    page = (tmp_path / "run" / "report.html").read_text("utf-8")

    assert "<b>&" not in page
    assert "\x1b[31m" not in page + out + err
    assert "Mine &lt;b&gt;&amp; only" in page


def test_judging_again_needs_the_folder_and_says_so(run: Command, folder: Path, tmp_path: Path) -> None:
    held_run(run, str(folder))
    before = (tmp_path / "run" / "results.json").read_bytes()

    said = error_of(run("judge", "run"))
    assert "the profile 'mine', which does not come with this package" in said
    assert "--profile FOLDER" in said
    assert run("judge", "run", "--profile", str(folder))[0] == 1
    assert (tmp_path / "run" / "results.json").read_bytes() == before
    assert "--profile FOLDER" in error_of(run("minimize", "run", "chat/minimal"))


def test_judging_again_can_leave_the_page_out(run: Command, folder: Path, tmp_path: Path) -> None:
    held_run(run, str(folder))
    run("judge", "run", "--profile", "", "--only", "chat.response", "--out", "again")

    assert results(tmp_path / "again")["profile"] is None
    assert not [name for name in verdicts(tmp_path / "again") if "documented" in name]


def test_judging_again_takes_the_page_of_the_run(run: Command, tmp_path: Path) -> None:
    held_run(run, "vman")
    run("judge", "run", "--out", "again")
    run("judge", "run", "--out", "other", "--profile", "mtu")

    named = [results(tmp_path / each)["profile"]["name"] for each in ("run", "again", "other")]
    assert named == ["vman", "vman", "mtu"]


@pytest.mark.parametrize("command", ["vet", "plan", "judge"])
@pytest.mark.parametrize(
    ("name", "said"), [("vmann", "did you mean vman"), ("§§", "known: "), ("empty", "holds no profile.toml")]
)
def test_a_profile_that_is_none_is_refused(run: Command, tmp_path: Path, command: str, name: str, said: str) -> None:
    (tmp_path / "empty").mkdir()
    with Server(honest) as server:
        run("vet", server.base_url, *MODEL, "--only", "chat.id.fresh", "--out", "run")
    arguments = ("run",) if command == "judge" else (URL, *MODEL)

    assert said in error_of(run(command, *arguments, "--profile", name))


@pytest.mark.parametrize("content", [{}, {"type": "object"}, {"$defs": {}}, {"$defs": {"response": {}}}])
def test_a_page_that_says_little_of_chats_is_no_error(run: Command, folder: Path, content: dict[str, Any]) -> None:
    (folder / "chat.json").write_text(json.dumps(content))
    code, out, _ = run("plan", URL, *MODEL, "--generated", "10", "--profile", str(folder))

    assert code == 0
    assert out.count("/generated-") == 10


def test_the_profile_of_a_run_is_taken_where_none_is_asked_for(folder: Path, tmp_path: Path) -> None:
    with Server(honest) as server:
        ledger = sent_by(settled(server, tmp_path))

    assert profile_of(ledger, None) is None
    assert profile_of(ledger, "") is None
    assert profile_of(ledger, str(folder)) == load_profile(str(folder))


def test_another_edition_of_the_profile_of_a_run_has_to_be_asked_for(tmp_path: Path) -> None:
    with Server(honest) as server:
        ledger = sent_by(settled(server, tmp_path))
    today = load_profile("vman")
    held = replace(ledger, provider=replace(ledger.provider, profile="vman", page=today.digest))
    changed = replace(ledger, provider=replace(ledger.provider, profile="vman", page="0" * 64))

    assert profile_of(held, None) == today
    with pytest.raises(UsageError, match="of which this is another edition") as caught:
        profile_of(changed, None)
    assert "--profile vman" in caught.value.hint
    assert profile_of(changed, "vman") == today


def test_a_resumed_run_is_held_to_the_page_that_it_began_with(run: Command, tmp_path: Path) -> None:
    with Server(honest) as server:
        run("vet", server.base_url, *MODEL, "--only", "response", "--profile", "vman", "--out", "run")
        code, out, _ = run("vet", server.base_url, *MODEL, "--only", "response", "--out", "run", "--resume")

        other, _, err = run(
            "vet", server.base_url, *MODEL, "--only", "response", "--out", "run", "--resume", "--profile", "mtu"
        )

    assert code in {0, 1}
    assert results(tmp_path / "run")["profile"]["name"] == "vman"
    assert "documented" in out
    assert other == 2
    assert "was planned with another profile (vman)" in err
