"""The documents show only commands and options that exist, and link only to files that do."""

import re
from pathlib import Path

import click
import pytest

from conformance.cli import cli
from conformance.commands import saying
from conformance.exitcodes import VERDICT, in_short
from conformance.operations import OPERATIONS
from conformance.planning import ceiling, plan
from conformance.rules.base import catalogue

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FIGURES = {
    "README.md": (
        "({requests:,} requests, at most {tokens:,} output tokens in the default plan",
        "{rules:,} rules for {operations} operations",
    ),
    "README.zh-CN.md": (
        "默认计划 {requests:,} 次请求,最多 {tokens:,} 个输出 token",
        "{operations} 个接口的 {rules:,} 条规则",
    ),
    "CHANGELOG.md": (
        "checks {operations} operations of a relay by {rules:,} rules",
        "{requests:,} requests, at most {tokens:,} output tokens without `--dear`",
    ),
    "ARCHITECTURE.md": ("{requests:,} requests are planned",),
}
"""Page -> what it says of the size of the catalogue and of the default plan."""
NO_OPERATIONS = {"media", "gateway"}
"""What stands in the table of operations and is none of a relay's: files of answers, and the gateway itself."""
COMMAND = re.compile(r"relay-conformance ([a-z]+)((?: [^`\n|]*)?)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_and_option_shown_exists(page):
    for name, rest in COMMAND.findall(page.read_text(encoding="utf-8")):
        assert name in cli.commands, f"{page.name}: relay-conformance {name}"
        known = {option for each in cli.commands[name].params if isinstance(each, click.Option) for option in each.opts}
        for option in re.findall(r"(?<!\S)(--[a-z-]+)", rest):
            assert option in known | {"--help"}, f"{page.name}: {name} {option}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_command_and_option_has_help():
    for name, command in cli.commands.items():
        assert command.help, name
        for option in command.params:
            if isinstance(option, click.Option):
                assert option.help, f"{name} {option.opts}"


def test_readme_and_help_say_the_exit_codes_of_the_table():
    said = (ROOT / "README.md").read_text(encoding="utf-8")
    translated = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")

    assert f"[Exit codes](docs/reference/exit-codes.md): {in_short()}" in said
    assert f"Exit codes: {in_short()}" in (cli.help or "")
    shown = next(line for line in translated.splitlines() if "exit-codes.md" in line).partition(")")[2]
    assert re.findall(r"\d+", shown) == [str(each.code) for each in VERDICT if each.code < 100]


def test_the_table_of_exit_codes_has_those_that_commands_end_with():
    ended = {saying.USAGE, saying.INCONCLUSIVE, saying.OURS, saying.INTERRUPTED}

    assert ended | {0, 1} == {each.code for each in VERDICT}


def test_every_make_target_that_is_shown_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for line in re.findall(r"`make ([a-z ]+)`|^make ([a-z]+)", text, re.MULTILINE):
            for target in " ".join(line).split():
                assert target in targets, f"{page.name}: make {target}"


@pytest.mark.parametrize("page", FIGURES)
def test_figures_of_the_catalogue_and_the_plan_are_true(page):
    cost = ceiling(plan())
    true = {
        "requests": cost.requests,
        "tokens": cost.output_tokens,
        "rules": len(catalogue()),
        "operations": len(OPERATIONS.keys() - NO_OPERATIONS),
    }
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    for said in FIGURES[page]:
        assert said.format(**true) in text, f"{page} should say: {said.format(**true)}"
