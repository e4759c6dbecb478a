"""summary.md, annotations, Code Quality and badges: what they say, and that relay text does nothing in them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt
from report.samples import HOSTILE, PROVIDER, judgement

from conformance import cli
from conformance.annotations import MOST, github_lines, gitlab_text
from conformance.badges import Badge, badge, endpoint_text, svg_text, text_width
from conformance.contract import schema_errors
from conformance.errors import DataError
from conformance.gating.reading import LARGEST, read_worse
from conformance.model import Finding, Judgement, Ledger, Limits, Severity, Stop, Verdict, Waiver
from conformance.reporting import report
from conformance.reporting.markdown import LONGEST, code, prose, summary_text
from conformance.rules.base import catalogue

RULES = catalogue()
LEDGER = Ledger(PROVIDER, Limits(), (), (), 1_790_000_000.0, 1.5, "relay-conformance 0")
WAIVER = Waiver("chat.usage.adds-up", "they know", "me", "2027-01-31")
TAGS = frozenset("h2 h3 p ul li strong br table thead tbody tr th td code".split())  # noqa: SIM905 - easier to read
INJECTIONS = [
    HOSTILE,
    "a\n::error::pwned\r\n::set-output name=x::y",
    "##[set-env name=x;]y ##vso[task.setvariable]",
    "%0A::error::pwned,file=x:1",
    "![x](https://evil.example/x.png) [y](javascript:alert(1)) <https://evil.example> https://evil.example",
    "@everyone #1 | a | b |\n| --- |\n`` ` ``` ~~~",
    "`",
    "``",
    "x`y``",
    "</code></pre><img src=https://evil.example>",
    "\\|\\`",
    "",
]


def broken(verdict: Verdict = Verdict.FAIL, text: str = "x", **changes) -> Judgement:
    severity = {Verdict.WARN: Severity.SHOULD, Verdict.NOTE: Severity.MAY}.get(verdict, Severity.MUST)
    found = Finding(f"/{text}", text, {text: text}, text, exchange=f"chat/{text}")
    return judgement(verdict=verdict, **{"severity": severity, "findings": (found,), **changes})


def hostile(text: str) -> tuple[list[Judgement], Ledger]:
    """A run in which every text that is not ours is this one."""
    waiver = Waiver(text, text, text, text, operation=text, expired=True)
    judgements = [broken(text=text, rule=text, operation=text, waiver=waiver), broken(Verdict.WARN, text)]
    provider = replace(PROVIDER, name=text, model=text, base_url=text or "http://x")
    return judgements, replace(
        LEDGER, provider=provider, stop=Stop("x", text, text, text), complete=False, rules=(text,)
    )


@pytest.mark.parametrize("text", INJECTIONS)
def test_relay_text_stands_in_code_spans_alone(text: str) -> None:
    markdown = summary_text(*hostile(text), RULES)
    renderer = MarkdownIt("gfm-like", {"html": True, "linkify": False}).enable("table")
    page = renderer.render(markdown)
    bare = re.sub(r"<code>.*?</code>", "", page, flags=re.DOTALL)

    assert set(re.findall(r"</?(\w+)", bare)) <= TAGS
    assert not re.search(r"evil|pwned|alert|everyone|set-env", bare)
    assert page.count("<tr>") == 3
    assert not re.search(r"^\s*::|##\[", markdown, re.MULTILINE)


@pytest.mark.parametrize("text", INJECTIONS)
def test_relay_text_gives_a_runner_no_orders(text: str) -> None:
    lines = github_lines(*hostile(text), RULES)
    printed = "\n".join(lines)

    assert printed.split("\n") == lines
    assert "\r" not in printed
    for line in lines:
        command, properties, data = re.fullmatch(r"::(\w+) title=([^:,]*)::(.*)", line).groups()
        assert command in {"error", "warning", "notice"}
        assert not re.search(r"%(?!25|0A|3A|2C)", properties + data)
        assert "\n::" not in data.replace("%0A", "")


def test_a_message_in_the_runners_own_escapes_is_escaped_again() -> None:
    _, line = github_lines([broken(text="50%0A::error::x")], LEDGER, RULES)

    assert "%250A" in line
    assert "title=MUST chat.usage.adds-up on chat::" in line


def test_levels_are_bounded_and_say_how_many_more() -> None:
    many = [broken(Verdict.FAIL)] * 25 + [broken(Verdict.WARN)] * MOST + [broken(waiver=WAIVER)] * 12
    lines = github_lines(many, LEDGER, RULES)
    counts = {level: sum(line.startswith(f"::{level}") for line in lines) for level in ("error", "warning", "notice")}

    assert counts == {"error": MOST, "warning": MOST, "notice": MOST}
    assert sum("16 more findings of this level" in line for line in lines) == 1
    assert sum("(waived)" in line for line in lines) == 8


def test_strict_makes_errors_of_warnings() -> None:
    assert github_lines([broken(Verdict.WARN)], LEDGER, RULES, strict=True)[1].startswith("::error ")
    assert json.loads(gitlab_text([broken(Verdict.WARN)], RULES, strict=True))[0]["severity"] == "major"


@pytest.mark.parametrize("text", INJECTIONS)
def test_code_quality_is_json_whatever_a_relay_says(text: str) -> None:
    issues = json.loads(gitlab_text(hostile(text)[0], RULES))

    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == 2
    assert all("\n" not in issue["description"] and "\u202e" not in issue["description"] for issue in issues)


def test_the_fingerprint_is_of_rule_and_operation_alone() -> None:
    first, second, other = (
        json.loads(gitlab_text([each], RULES))[0]
        for each in (broken(text="a"), broken(text="b"), broken(operation="embeddings"))
    )

    assert first["fingerprint"] == second["fingerprint"] != other["fingerprint"]
    assert first["description"] != second["description"]


def test_code_quality_weighs_by_severity_and_waivers() -> None:
    given = [broken(), broken(Verdict.WARN), broken(waiver=WAIVER), broken(Verdict.ERROR, severity=Severity.SHOULD)]
    found = [issue["severity"] for issue in json.loads(gitlab_text(given, RULES))]

    assert sorted(found) == ["critical", "info", "major", "minor"]
    assert gitlab_text([broken(Verdict.PASS), broken(Verdict.NOTE)], RULES) == "[]\n"


def test_a_summary_is_bounded_in_findings_and_bytes() -> None:
    short = summary_text([broken()] * 50, LEDGER, RULES)
    long = summary_text([broken(text="\u202e\U0001f600" * 9_000)] * 50, LEDGER, RULES)

    assert short.count("**✕ FAIL**") == 20
    assert "and 30 more in `report.html`" in short
    assert len(long.encode()) <= LONGEST
    assert 0 < long.count("**✕ FAIL**") < 20


def test_the_longest_summary_there_can_be_still_fits() -> None:
    text = "\U000e0001" * 9_000
    _, ledger = hostile(text)
    waivers = [Waiver(f"{number}{text}", text, text, text, operation=text) for number in range(99)]
    judgements = [
        broken(text=text, rule=f"{number}{text}", operation=f"{number}{text}", waiver=waiver)
        for number, waiver in enumerate(waivers)
    ]

    assert 0 < len(summary_text(judgements, ledger, RULES).encode()) <= LONGEST


def test_a_summary_says_what_was_waived_and_what_has_expired() -> None:
    expired = replace(WAIVER, rule="chat.id.present", expired=True, operation="chat")
    text = summary_text([broken(waiver=WAIVER), broken(rule="chat.id.present", waiver=expired)], LEDGER, RULES)
    many = [broken(waiver=replace(WAIVER, reason=str(number))) for number in range(30)]

    assert "- `chat.usage.adds-up` until `2027-01-31`, `me`: `they know`" in text
    assert "- **expired · 已过期** `chat.id.present` · `chat` until" in text
    assert "(waived · 已豁免)" in text
    assert "… and 10 more in `report.html`." in summary_text(many, LEDGER, RULES)


def test_a_summary_of_a_good_run_is_short() -> None:
    text = summary_text([judgement(findings=())], LEDGER, RULES)

    assert text.startswith("## ✓ Conforms · 符合要求\n")
    assert "No requirement or recommendation is broken." in text
    assert "| `chat` | ✓ |" in text
    assert "Used · 消耗: 0 requests" in text


def test_a_finding_names_requirement_values_place_and_how_many_more() -> None:
    finding = Finding("/usage", 12, 13, exchange="chat/minimal")
    text = summary_text([broken(findings=(finding, finding))], LEDGER, RULES)
    bare = summary_text([broken(findings=(Finding(),))], LEDGER, RULES)

    assert prose(RULES["chat.usage.adds-up"].requirement) in text
    assert "  - expected: `12`\n  - actual: `13`\n  - where: `/usage` in `chat/minimal`\n" in text
    assert "and 1 more of the same kind" in text
    assert "where:" not in bare


def test_a_run_of_nothing_still_has_a_summary() -> None:
    assert "## ? No conclusion" in summary_text([], LEDGER, RULES)
    assert "Ended early" in summary_text([], replace(LEDGER, stop=Stop("x", "no route", "x")), RULES)


@pytest.mark.parametrize("text", ["a", "`", "``a`", "a|b", "##[x"])
def test_a_code_span_holds_its_text(text: str) -> None:
    html = MarkdownIt().render(code(text))

    shown = text.replace("|", "\\u{7c}").replace("##[", "##\\u{5b}")
    assert html == f"<p><code>{shown}</code></p>\n"


def test_every_rule_is_written_without_markup_of_its_own() -> None:
    for rule in RULES.values():
        for text in (rule.requirement, rule.zh, rule.mend, rule.mend_zh):
            html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(prose(text))
            assert set(re.findall(r"<(\w+)", re.sub(r"<code>.*?</code>", "", html))) <= {"p"}, text


def test_report_writes_the_summary_beside_the_page(tmp_path: Path) -> None:
    files = report([broken()], LEDGER, tmp_path)

    assert files["summary.md"].read_text("utf-8") == summary_text([broken()], LEDGER, RULES)


@pytest.mark.parametrize(
    ("judgements", "ledger", "strict", "message"),
    [
        ([judgement()], LEDGER, False, "conforms"),
        ([judgement(), broken(waiver=WAIVER)], LEDGER, False, "conforms, 1 waived"),
        ([broken(), broken(), broken(Verdict.WARN)], LEDGER, False, "2 MUST broken"),
        ([broken(), broken(waiver=WAIVER)], LEDGER, False, "1 MUST broken, 1 waived"),
        ([broken(Verdict.WARN)], LEDGER, True, "1 SHOULD broken"),
        ([judgement(waiver=replace(WAIVER, expired=True))], LEDGER, False, "1 waivers expired"),
        ([], LEDGER, False, "inconclusive"),
        ([judgement()], replace(LEDGER, complete=False), False, "inconclusive"),
        ([broken(Verdict.ERROR)], LEDGER, False, "tool error"),
    ],
)
def test_a_badge_says_what_the_verdict_is(judgements, ledger, strict: bool, message: str) -> None:
    drawn = badge(judgements, ledger, strict=strict)
    value = json.loads(endpoint_text(drawn))

    assert (value["label"], value["message"]) == ("relay", message)
    assert list(schema_errors("formats/badge.json", value)) == []
    assert value["isError"] is (message == "tool error")


@pytest.mark.parametrize("label", INJECTIONS)
def test_a_badge_is_valid_and_loads_nothing_whatever_its_label(label: str) -> None:
    picture = svg_text(badge([judgement()], LEDGER, label=label))
    root = ET.fromstring(picture)
    names = {each.tag.rpartition("}")[2] for each in root.iter()}

    assert names == {"svg", "title", "clipPath", "rect", "g", "text"}
    assert root.findtext("{*}title") == root.get("aria-label")
    assert root.get("role") == "img"
    assert not [name for each in root.iter() for name in each.keys() if name.startswith("on") or "href" in name]  # noqa: SIM118


def test_a_badge_is_as_wide_as_its_words() -> None:
    root = ET.fromstring(svg_text(Badge("中转站", "conforms", "green")))
    boxes = [int(each.get("width", "0")) for each in root.iter() if each.tag.endswith("rect")]

    assert boxes[0] == boxes[1] + boxes[2] == int(root.get("width", "0"))
    assert text_width("i") < text_width("n") < text_width("m") <= text_width("中")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("summary", "RUN"), 0),
        (("summary", "RUN", "--format", "github", "--strict"), 0),
        (("summary", "RUN", "--format", "gitlab"), 0),
        (("badge", "RUN"), 0),
        (("badge", "RUN", "--json", "badge.json", "-o", "deep/badge.svg"), 0),
        (("summary", "nothing"), 2),
        (("badge", "RUN", "-o", "file/badge.svg"), 2),
        (("badge", "RUN", "--profile", "nobody"), 2),
        (("summary", "RUN", "--waivers", "nobody.toml"), 2),
        (("history", "."), 0),
        (("history", ".", "--out", "deep/h.html"), 0),
        (("history", "nothing"), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else str(value),
)
def test_the_commands(
    run_folder: Path, tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture[str], arguments, code: int
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("x")
    given = [str(run_folder) if each == "RUN" else each for each in arguments]
    monkeypatch.setattr("sys.argv", ["relay-conformance", *given])
    with pytest.raises(SystemExit) as end:
        cli.main()
    out, err = capsys.readouterr()

    assert int(end.value.code or 0) == code, err
    assert out.endswith("\n") or code or "-o" in arguments
    assert "this is our mistake" not in err
    assert [line.partition(":")[0] for line in err.splitlines()] == (["error", "hint"] if code else [])


def change(kind: str = "worse", now: str | None = "fail", **changes) -> dict:
    """A line of a diff.json."""
    finding = {"at": "/usage", "expected": 12, "actual": 13, "message": "", "deviation": None}
    values = {"rule": "chat.usage.adds-up", "operation": "chat", "was": "pass", "why": "", "new_signs": []}
    return {
        "kind": kind, "now": now, **values, "round": 2, "case": "chat/x", "finding": finding, "report": None,
        "waiver": None, **changes,
    }  # fmt: skip


def diff_file(folder: Path, *changes: dict) -> Path:
    """A diff.json of these."""
    side = {"name": "", "base_url": "", "model": "", "recorded": [], "plan": "", "planned": 0, "rules": []}
    counts = {"common": 1, "same": 0, "skipped": 0}
    value = {
        "format": 1, "tool": "x", "verdict": "worse", "exit_code": 1, "baseline": side, "run": side, "notes": [],
        "waivers": [],
        **counts, "changes": changes, "timings": [],
    }  # fmt: skip
    path = folder / "diff.json"
    path.write_text(json.dumps(value), "utf-8")
    return path


@pytest.mark.parametrize(
    ("now", "level"), [("fail", "error"), ("unsupported", "error"), ("warn", "warning"), ("note", "warning")]
)
def test_what_another_round_shows_to_be_worse_is_annotated_with_its_evidence(now: str, level: str, tmp_path: Path):
    worse = read_worse(diff_file(tmp_path, change(now=now)))

    _, line = github_lines([], LEDGER, RULES, worse=worse)
    assert line.startswith(f"::{level} title=MUST chat.usage.adds-up on chat::")
    assert "chat/x" in line


def test_only_what_is_worse_is_more_than_a_notice(tmp_path: Path):
    others = [change(kind) for kind in ("better", "waived", "stale")]
    worse = read_worse(diff_file(tmp_path, *others, change(now=None), change(rule="gone", finding=None, case=None)))
    lines = github_lines([broken(), broken(Verdict.WARN, rule="chat.id")], LEDGER, RULES, strict=True, worse=worse)

    assert [line.partition("::")[2].split()[0] for line in lines] == ["notice", "error", "notice", "notice"]
    assert "gone" in lines[1]


def refused(monkeypatch, capsys, *arguments: str) -> str:
    """What `summary` says as it refuses."""
    monkeypatch.setattr("sys.argv", ["relay-conformance", "summary", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"format": 2}', b"\xff", None])
def test_what_is_no_diff_is_said(content: bytes | None, tmp_path: Path, run_folder: Path, monkeypatch, capsys):
    path = tmp_path / "diff.json"
    if content is not None:
        path.write_bytes(content)

    said = refused(monkeypatch, capsys, str(run_folder), "--format", "github", "--diff", str(path))
    assert str(path) in said


def test_a_diff_that_is_too_large_is_not_read(tmp_path: Path):
    path = tmp_path / "diff.json"
    with path.open("wb") as file:
        file.truncate(LARGEST + 1)

    with pytest.raises(DataError, match="more than 64 MiB"):
        read_worse(path)


def test_a_diff_is_for_annotations_only(tmp_path: Path, run_folder: Path, monkeypatch, capsys):
    said = refused(monkeypatch, capsys, str(run_folder), "--diff", str(diff_file(tmp_path)))
    assert "--format github" in said
