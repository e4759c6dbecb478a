"""Every command that the documents show, with its page and line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GENERATED = {
    "docs/reference/cli.md": "made of the options' own help: its commands are patterns",
    "docs/reference/rules.md": "made of the rules",
    "docs/reference/cases.md": "made of the fixtures",
    "docs/reference/facts.md": "made of the rules' sources",
    "docs/faults.md": "made of the faults",
}
"""Pages that tools write; other tests hold them to what they are made of."""
TRANSLATIONS = {"README.zh-CN.md": "README.md"}
"""Page -> the page that shows the same commands."""
ELSEWHERE = {
    "pip": "installs from a package index",
    "python3": "makes an environment to install into",
    "make": "starts this very suite, or takes minutes",
    "docker": "there is no Docker in the tests; what it would run is run without it",
    "npm": "installs from a package index",
    "node": "runs what npm has installed",
    "litellm/bin/litellm": "a server of others",
    "llama/bin/python": "a server of others, which loads a model",
    "cat": "writes the configuration of a server of others",
    "echo": "writes the configuration of a server of others",
    "code=$?": "keeps an exit code, in an example of a script",
    "case": "the same",
    "0)": "the same",
    "6)": "the same",
    "*)": "the same",
    "esac": "the same",
}
"""First word of a line -> why it is not run."""
SHELLS = {"sh", "bash", "shell", "console"}
OURS = ("relay-conformance", "pytest")
LINES = re.compile(r"^(?P<fence>```+)(?P<kind>[\w-]*)[^\n]*\n(?P<body>.*?)^(?P=fence)[ ]*$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:relay-conformance|pytest) [^`\n]+)`")
ASSIGNED = re.compile(r"\w+=\S*$")
HEREDOC = re.compile(r"<<'?(\w+)'?")
NAMED = re.compile(r"([\w./-]+\.toml)")


@dataclass(frozen=True)
class Shown:
    """One command, or one file that a page tells its readers to write."""

    page: str
    line: int
    text: str
    file: str = ""
    """The name of the file of which `text` is the content."""
    inline: bool = False

    @property
    def place(self) -> str:
        """`docs/howto/x.md:12`."""
        return f"{self.page}:{self.line}"

    @property
    def words(self) -> list[str]:
        """The words of the line; those before the program set variables."""
        return self.text.split()

    @property
    def program(self) -> str:
        """The first word that sets no variable."""
        return next((word for word in self.words if not ASSIGNED.match(word) or word == "code=$?"), "")


def pages() -> list[str]:
    """Every page whose commands are run."""
    found = [ROOT / "README.md", ROOT / "README.zh-CN.md", *ROOT.glob("docs/**/*.md")]
    names = sorted(path.relative_to(ROOT).as_posix() for path in found)
    return [name for name in names if name not in GENERATED]


def shown(page: str, text: str | None = None) -> list[Shown]:
    """All that a page shows, in its order."""
    text = (ROOT / page).read_text(encoding="utf-8") if text is None else text
    found = [item for block in LINES.finditer(text) for item in _block(page, text, block)]
    prose = LINES.sub(lambda block: "\n" * block[0].count("\n"), text)
    found.extend(
        Shown(page, prose.count("\n", 0, match.start()) + 1, match[1], inline=True) for match in INLINE.finditer(prose)
    )
    return sorted(found, key=lambda item: item.line)


def _block(page: str, text: str, block: re.Match[str]) -> Iterator[Shown]:
    """What one fenced block shows."""
    first = text.count("\n", 0, block.start()) + 2
    if block["kind"] == "toml":
        names = NAMED.findall(text[: block.start()])
        if names:
            yield Shown(page, first, block["body"], file=names[-1])
    elif block["kind"] == "yaml":
        for item in _joined(page, first, block["body"]):
            stripped = replace(item, text=re.sub(r"^(- )?(run: |script: )?", "", item.text).strip("'\""))
            if stripped.program in OURS:
                yield stripped
    elif block["kind"] in SHELLS or not block["kind"]:
        found = list(_joined(page, first, block["body"]))
        if block["kind"] in SHELLS or any(item.program in {*OURS, *ELSEWHERE, "export"} for item in found):
            yield from found


def _joined(page: str, first: int, body: str) -> Iterator[Shown]:
    """Lines, continued ones as one, comments and the contents of here-documents left out."""
    lines = iter(enumerate(body.splitlines(), first))
    for number, line in lines:
        whole = line.strip().removeprefix("$ ")
        while whole.endswith("\\"):
            whole = whole[:-1] + next(lines)[1].strip()
        if document := HEREDOC.search(whole):
            while next(lines)[1] != document[1]:
                pass
        whole = re.sub(r"(^|\s)#\s.*$", "", whole).strip()
        if whole:
            yield Shown(page, number, whole)
