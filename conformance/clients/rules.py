"""The rules that real clients judge: one for each client, in the form of every other rule.

They are not in the catalogue: nothing in a ledger alone shows what a client makes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.clients.comparing import State
from conformance.clients.table import CLIENTS
from conformance.model import Severity, Verdict
from conformance.rules.base import Answers, Rule, always

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.clients.table import Client

VERDICTS = {
    State.NOT_RUN: Verdict.NOT_RUN,
    State.NOTHING_TO_READ: Verdict.NOT_APPLICABLE,
    State.WORKS: Verdict.PASS,
    State.LIMITS: Verdict.NOTE,
    State.BREAKS: Verdict.WARN,
}
"""What a state is as a verdict. A client that breaks is no breach by itself: the requirement that it breaks on is."""

_TEXT = """
The recorded answers are replayed on this machine, and the client reads each of them with its retries switched off.
It has to get what the answer says, read as leniently as can be: the same text, the same tool calls, the same token
counts. An answer that is an error has to become the client's own error, with the right status.

Judged only where `relay-conformance clients` let it read; breaking it is a recommendation not kept, because what the
relay did wrong is said by the rules that the same answers break.
"""


def client_rules() -> Mapping[str, Rule]:
    """The rules by id, in the order of the clients."""
    return {client.rule: _rule(client) for client in CLIENTS.values()}


def _rule(client: Client) -> Rule:
    requirement = f"{client.title} SHOULD read every answer as it was meant."
    return Rule(
        id=client.rule,
        requirement=requirement,
        zh=f"{client.title} 应能按原意读取每个回答。",
        text=requirement + "\n" + _TEXT.rstrip(),
        severity=Severity.SHOULD,
        doc=f"https://pypi.org/project/{client.package}/",
        lines=(),
        basis="implied",
        operations=client.operations,
        probe="",
        answers=Answers.ANY,
        cases=lambda _: True,
        applies=always,
        about=lambda _: True,
        needs=(),
        breaks="Programs that are written with this client fail, lose content, or count tokens wrongly.",
        breaks_zh="用此客户端编写的程序会报错、丢失内容或算错 token 数。",
        mend="Mend the rules that the same answers break; the client then reads them.",
        mend_zh="修正这些回答所违反的规则后,该客户端即可正常读取。",
        over="exchange",
        page=None,
        sampled=False,
        least=1,
        anchor="",
        noisy=False,
        check=lambda _: (),
    )
