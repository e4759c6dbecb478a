"""Every command that the documents show does what it says: it is run."""

from pathlib import Path

import click
import pytest
from kitchen import Kitchen
from shown import ELSEWHERE, GENERATED, OURS, ROOT, TRANSLATIONS, pages, shown

from conformance.cli import cli

PAGES = [page for page in pages() if page not in TRANSLATIONS]


def is_mention(item):
    """Whether prose only names a command, without what it cannot be run without."""
    words = item.words
    command = cli.commands.get(words[1]) if len(words) == 2 and words[0] == "relay-conformance" else None
    return (
        item.inline
        and command is not None
        and any(isinstance(each, click.Argument) and each.required for each in command.params)
    )


def runs(item):
    """Whether it is a command of ours, a file to write or a variable to set."""
    in_docker = item.program == "docker" and "run" in item.words and not item.text.endswith("relay-conformance .")
    return bool(item.file) or item.program in {*OURS, "export"} or in_docker


def sequence(page):
    """What a page's blocks show: one goes on where the one before has ended."""
    return [item for item in shown(page) if not item.inline and runs(item)]


def inline():
    """Commands within sentences and tables, each once, with the vet command that an ellipsis stands for."""
    found = {}
    for page in PAGES:
        for item in shown(page):
            if item.inline and not is_mention(item):
                found.setdefault(item.text, item)
    return sorted(found.values(), key=lambda item: item.text)


@pytest.fixture
def kitchen(tmp_path, relay, recorded):
    made = Kitchen(tmp_path, relay, recorded)
    yield made
    made.close()


def check(kitchen, item):
    said = kitchen.do(item)
    assert not said, f"{item.place}: {item.text}\n{said}"


@pytest.mark.parametrize("page", [page for page in PAGES if sequence(page)])
def test_the_blocks_of_a_page_can_be_run_one_after_the_other(kitchen, page):
    for item in sequence(page):
        check(kitchen, item)


@pytest.mark.parametrize("item", inline(), ids=lambda item: f"{item.place} {item.text.split(' ', 1)[1][:60]}")
def test_a_command_within_a_sentence_can_be_run(kitchen, item):
    check(kitchen, item)


@pytest.mark.parametrize("page", PAGES)
def test_every_line_of_a_shell_is_run_or_listed_with_the_reason(page):
    unknown = [f"{item.place}: {item.text}" for item in shown(page) if not runs(item) and item.program not in ELSEWHERE]

    assert not unknown, "neither run by a test nor listed in ELSEWHERE of tests/docs/shown.py"


def test_every_reason_is_needed():
    occurring = {item.program for page in pages() for item in shown(page)}

    assert ELSEWHERE.keys() - occurring == set()
    assert {page for page in {*GENERATED, *TRANSLATIONS} if not (ROOT / page).exists()} == set()


@pytest.mark.parametrize("page", TRANSLATIONS)
def test_a_translation_shows_the_same_commands(page):
    def commands(name):
        return [item.text for item in shown(name) if item.program in OURS]

    assert sorted(commands(page)) == sorted(commands(TRANSLATIONS[page]))


def test_commands_are_found_wherever_they_stand():
    text = Path(__file__).with_name("sample.txt").read_text(encoding="utf-8")

    assert [(item.line, item.file or item.text, item.inline) for item in shown("sample", text)] == [
        (3, "relay-conformance plan URL --model NAME", False),
        (4, "A=1 relay-conformance vet URL --model NAME", False),
        (8, "relay-conformance rules ID", True),
        (16, "providers.toml", False),
        (19, "relay-conformance demo", False),
        (21, "cat > x <<'END'", False),
        (24, "pip install .", False),
    ]
