"""Writes the generated pages of the documentation: `python -m tools.pages` (`--check` compares instead)."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

from conformance.deviations import DEVIATIONS
from conformance.fixtures import load_cases
from conformance.operations import OPERATIONS
from conformance.rules.base import Rule, catalogue
from tools.reference import cli_page, exit_codes_page, files_page

DOCS = Path(__file__).resolve().parent.parent / "docs"

FACTS = {
    "COM": 17,
    "ERR": 11,
    "MOD": 10,
    "CHAT": 24,
    "USE": 9,
    "STR": 24,
    "TOOL": 14,
    "SO": 7,
    "LP": 8,
    "VIS": 10,
    "VAR": 12,
    "RSN": 5,
    "CMP": 10,
    "EMB": 13,
    "STT": 12,
    "TRL": 3,
    "TTS": 11,
    "IMG": 15,
    "IED": 7,
    "IVA": 2,
    "MDR": 6,
    "BIL": 14,
    "RER": 7,
    "RSP": 13,
    "MSG": 12,
    "GEM": 8,
}
"""Areas of the contract facts that these operations are about, and how many lines each has."""

LEFT_OUT: dict[str, str] = tomllib.loads((Path(__file__).parent / "left_out.toml").read_text(encoding="utf-8"))
"""Why a fact became no rule, or only in part."""


def rules_page() -> str:
    """Every rule, by operation area."""
    rules = catalogue()
    lines = [
        "# Rules",
        "",
        f"Made by `make docs` from the rules themselves: {len(rules)} rules. MUST fails, SHOULD warns, MAY is a note.",
        "`relay-conformance rules ID` prints the same in a terminal.",
    ]
    for rule in rules.values():
        lines += ["", f"## {rule.id}", "", *_rule_lines(rule)]
    return "\n".join(lines) + "\n"


def _rule_lines(rule: Rule) -> list[str]:
    more = rule.text.partition("\n")[2].strip()
    facts = f", facts {', '.join(rule.lines)}" if rule.lines else ""
    return [
        rule.requirement,
        rule.zh,
        "",
        *([more, ""] if more else []),
        f"- operations: {', '.join(rule.operations)}" + (f" (cases that probe `{rule.probe}`)" if rule.probe else ""),
        f"- document: {rule.doc} ({rule.basis}){facts}",
        f"- what breaks: {rule.breaks}",
        f"- how to mend it: {rule.mend}",
        *(["- chance has a part: gated only over several rounds"] if rule.noisy else []),
    ]


def facts_page() -> str:
    """Which contract fact became which rule, and why some did not; and the known deviations."""
    by_line: dict[str, list[str]] = {}
    for rule in catalogue().values():
        for line in rule.lines:
            by_line.setdefault(line, []).append(rule.id)
    lines = [
        "# Contract facts and rules",
        "",
        "Made by `make docs`. The facts were collected from OpenAI's own document and SDK, the source code of one-api",
        "and new-api, and the pages of providers; each has an id by area (COM transport and keys, ERR errors,",
        "MOD models, CHAT chat, USE usage, STR streams, TOOL tools, SO structured output, LP probabilities,",
        "VIS pictures, VAR variants of chat, RSN reasoning, CMP text completions, EMB embeddings, STT and TRL",
        "transcription and translation, TTS speech, IMG, IED and IVA images, MDR moderation, BIL quota,",
        "RER rerank, RSP responses, MSG Anthropic messages, GEM Gemini; 1.5 is the table of statuses).",
        "",
        "| fact | rules, or why there is none |",
        "| --- | --- |",
    ]
    for area, count in FACTS.items():
        for number in range(1, count + 1):
            line = f"{area}-{number:02}"
            said = [f"`{rule}`" for rule in by_line.get(line, [])]
            said += [LEFT_OUT[line] if said else f"no rule of its own: {LEFT_OUT[line]}"] if line in LEFT_OUT else []
            lines.append(f"| {line} | {'<br>'.join(said)} |")
    lines += ["", "## Rules that no single fact states", ""]
    lines += [f"- `{rule.id}` ({rule.doc})" for rule in catalogue().values() if not rule.lines]
    lines += ["", "## Known deviations", "", "| label | what it is | seen in |", "| --- | --- | --- |"]
    lines += [f"| `{label}` | {known.text}; {known.zh} | {known.seen} |" for label, known in DEVIATIONS.items()]
    return "\n".join(lines) + "\n"


def cases_page() -> str:
    """Every fixed request, dear ones too."""
    cases = load_cases()
    lines = [
        "# Cases",
        "",
        f"Made by `make docs`: {len(cases)} requests; the dear ones only with `--dear`.",
        "`relay-conformance plan` prints them too.",
    ]
    for operation in OPERATIONS.values():
        lines += [
            "",
            f"## {operation.id}: {operation.title}",
            "",
            "| case | purpose | expects | price | output tokens |",
        ]
        lines += ["| --- | --- | --- | --- | --- |"]
        lines += [
            f"| `{case.id}` | {case.purpose} | {case.expect} | {case.price} | {case.output_tokens} |"
            for case in cases
            if case.operation == operation.id
        ]
    return "\n".join(lines) + "\n"


PAGES = {
    "reference/rules.md": rules_page,
    "reference/facts.md": facts_page,
    "reference/cases.md": cases_page,
    "reference/cli.md": cli_page,
    "reference/exit-codes.md": exit_codes_page,
    "reference/files.md": files_page,
}


def labels_in_rules() -> set[str]:
    """Every label that the rules' sources mention."""
    folder = Path(__file__).resolve().parent.parent / "conformance" / "rules"
    source = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    return {label for label in re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)+)"', source) if label in DEVIATIONS}


def main() -> int:
    """Write the pages, or say which are out of date."""
    stale = []
    for name, make in PAGES.items():
        path = DOCS / name
        text = make()
        if "--check" in sys.argv:
            stale += [] if path.exists() and path.read_text(encoding="utf-8") == text else [name]
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"docs/{name}")
    if stale:
        print(f"out of date: {', '.join(stale)}; run make docs")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
