"""The report's table of clients: a row for each, in both languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.clients.comparing import State
from conformance.reporting.texts import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.clients.verdicts import ClientVerdict, Trouble

HEADINGS = (
    Text("Client", "客户端"),
    Text("Result", "结果"),
    Text("What", "情况"),
    Text("On which requirement", "违反的要求"),
)

STATES = {
    State.NOT_RUN: Text("not run", "未运行"),
    State.NOTHING_TO_READ: Text("nothing to read", "没有可读的回答"),
    State.WORKS: Text("works", "正常"),
    State.LIMITS: Text("works with limits", "可用但有限制"),
    State.BREAKS: Text("breaks", "出错"),
}

LOOKS = {
    State.NOT_RUN: "not-run",
    State.NOTHING_TO_READ: "not-applicable",
    State.WORKS: "pass",
    State.LIMITS: "note",
    State.BREAKS: "warn",
}
"""The verdict word whose sign and colour a state has."""

TROUBLES = {
    "raises": Text("raises an exception on a good answer", "对正常回答抛出异常"),
    "hangs": Text("does not come back", "一直没有返回"),
    "error-not-seen": Text("takes an error for an answer", "把错误当成回答"),
    "error-as-something-else": Text("stumbles over an error that it cannot recognise", "无法识别错误，另抛异常"),
    "wrong-kind-of-error": Text("reports an error of another kind", "报告了另一类错误"),
    "nonsense-accepted": Text("returns an empty answer without an error", "不报错，却返回空回答"),
    "texts-lost": Text("loses the text, without an error", "丢失文本且不报错"),
    "texts-changed": Text("gets another text", "得到的文本不同"),
    "tools-lost": Text("loses the tool calls", "丢失工具调用"),
    "tools-changed": Text("gets other tool calls", "得到的工具调用不同"),
    "tool-id-missing": Text("has no id to answer a tool call with", "工具调用没有 id，无法回复"),
    "tool-id-invented": Text("invents the id of a tool call", "自行编造工具调用的 id"),
    "usage-lost": Text("loses the token counts", "丢失 token 用量"),
    "usage-changed": Text("counts tokens wrongly", "算错 token 用量"),
    "usage-invented": Text("invents token counts", "自行编造 token 用量"),
    "usage-missing": Text("has no token counts", "没有 token 用量"),
    "finishes-lost": Text("does not learn why an answer ended", "不知道回答为何结束"),
    "finishes-changed": Text("is told another reason why an answer ended", "得到的结束原因不同"),
    "finishes-invented": Text("invents why an answer ended", "自行编造回答结束的原因"),
    "finishes-missing": Text("cannot learn why an answer ended", "无从得知回答为何结束"),
    "items-lost": Text("loses the content", "丢失内容"),
    "items-changed": Text("gets other content", "得到的内容不同"),
}

INSTALL = "pip install 'relay-conformance[clients]'"
_MOST_RULES = 5
_NOT_INSTALLED = "No module named"


@dataclass(frozen=True)
class ClientRow:
    """One client, in words."""

    rule: str
    title: str
    """With its version."""
    state: State
    word: Text
    read: Text
    """How much it read, or why it did not."""
    lines: tuple[ClientLine, ...]


@dataclass(frozen=True)
class ClientLine:
    """One thing that goes wrong for a client."""

    state: State
    what: Text
    detail: str
    """What the relay or the client said: to be shown like any text of a relay."""
    case: str
    """The first answer on which it happens."""
    count: int
    rules: tuple[str, ...]
    """Ids of the requirements that these answers break; empty: none of ours."""
    more: int
    """How many requirements are left out."""


def client_rows(verdicts: Sequence[ClientVerdict]) -> list[ClientRow]:
    """A row for each client, in their order."""
    return [_row(each) for each in verdicts]


def _row(verdict: ClientVerdict) -> ClientRow:
    return ClientRow(
        verdict.client.rule,
        f"{verdict.client.title} {verdict.version}".strip(),
        verdict.state,
        STATES[verdict.state],
        _read(verdict),
        tuple(_line(trouble) for trouble in verdict.troubles),
    )


def _read(verdict: ClientVerdict) -> Text:
    """How much it read, or why nothing."""
    if verdict.state is State.NOT_RUN and verdict.reason.startswith(_NOT_INSTALLED):
        return Text(f"not installed here: {INSTALL}", f"此处未安装：{INSTALL}")
    if verdict.state is State.NOT_RUN:
        return Text(verdict.reason or "it was not asked to read", verdict.reason or "没有让它读取")
    if verdict.state is State.NOTHING_TO_READ:
        return Text("this run has no answer of its kind", "本次检测中没有它能读的回答")
    kinds = ", ".join(verdict.operations)
    early = Text(f"; {verdict.reason}", f"；{verdict.reason}") if verdict.reason else Text("", "")
    answers = "answer" if verdict.read == 1 else "answers"
    return Text(f"read {verdict.read} {answers}: {kinds}{early.en}", f"读取了 {verdict.read} 个回答：{kinds}{early.zh}")


def _line(trouble: Trouble) -> ClientLine:
    rules = trouble.rules[:_MOST_RULES]
    more = len(trouble.rules) - len(rules)
    count = len(trouble.cases)
    return ClientLine(trouble.state, TROUBLES[trouble.kind], trouble.detail, trouble.cases[0], count, rules, more)
