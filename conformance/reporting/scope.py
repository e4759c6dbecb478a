"""What a run asked, of which models, and what it did not ask: nothing that was not run is ever taken for a pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.fixtures import load_cases
from conformance.materialise import role_of
from conformance.model import Price
from conformance.operations import OPERATIONS
from conformance.reporting.requirements import operation_title
from conformance.reporting.texts import Text
from conformance.roles import CHAT, ROLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.model import Exchange, Ledger

_DEAR = Text("costs money that one notices; add --dear", "费用较高;需加 --dear")
_ONLY_FOLLOWS = frozenset({"media"})
"""Operations that only other answers lead to."""


@dataclass(frozen=True)
class Asked:
    """Which model was asked in which role."""

    role: str
    title: Text
    model: str
    picked: bool
    """Whether we picked it from the relay's own list."""


@dataclass(frozen=True)
class NotRun:
    """An operation, or a variant of one, that was not asked for anything."""

    name: str
    """The id of the operation or role."""
    title: Text
    code: str
    """no-model, no-basis, dear or not-planned"""
    why: Text
    role: str = ""
    """Where no model is known: the role that wants one."""


def models_asked(ledger: Ledger) -> list[Asked]:
    """The models of all roles but chat, in the order of the roles; one that is the chat model is left out."""
    return [
        Asked(role.id, Text(role.title, role.zh), ledger.models[role.id], role.id not in ledger.provider.models)
        for role in ROLES.values()
        if role.id != CHAT and ledger.models.get(role.id, ledger.provider.model) != ledger.provider.model
    ]


def not_run(ledger: Ledger) -> list[NotRun]:
    """What this version could ask and this run did not; of a run of some rules, what these wanted to ask."""
    if ledger.stop is not None:
        return []  # the run ended early, which is said already
    sent = [exchange for exchange in ledger.exchanges if not _held_back(exchange)]
    operations = {exchange.case.operation for exchange in sent}
    planned = {case.operation for case in ledger.plan}
    found = [
        _operation(name, planned, ledger)
        for name in OPERATIONS
        if name not in operations and name not in _ONLY_FOLLOWS and (name in planned or not ledger.rules)
    ]
    return found + _roles(ledger, sent)


def _held_back(exchange: Exchange) -> bool:
    return exchange.failure is not None and exchange.failure.kind in {"no-model", "no-basis"}


def _operation(name: str, planned: set[str], ledger: Ledger) -> NotRun:
    title = operation_title(name)
    if name in planned:
        return _held(name, title, ledger)
    if OPERATIONS[name].price == "dear":
        return NotRun(name, title, "dear", _DEAR)
    return NotRun(name, title, "not-planned", Text("not part of this run's plan", "不在本次测试计划内"))


def _held(name: str, title: Text, ledger: Ledger) -> NotRun:
    """Why nothing that was planned for an operation was sent."""
    held = [each for each in ledger.exchanges if each.case.operation == name]
    role = next((role_of(each.case) for each in held if each.failure and each.failure.kind == "no-model"), "")
    if role:
        return NotRun(name, title, "no-model", _no_model(role), role)
    why = Text("an earlier answer gave nothing to go on with", "前面的回答没有可用的内容")
    return NotRun(name, title, "no-basis", why)


def _roles(ledger: Ledger, sent: Sequence[Exchange]) -> list[NotRun]:
    """Variants of an operation whose model neither was given nor is listed, or that cost more than was wanted."""
    planned = {case.role for case in ledger.plan}
    asked = {exchange.case.role for exchange in sent}
    dear = {case.role for case in load_cases() if case.price is Price.DEAR and case.role and not ledger.rules}
    known = planned | dear
    return [_role(name, planned) for name in ROLES if name in known - asked]


def _role(name: str, planned: set[str]) -> NotRun:
    title = Text(ROLES[name].title, ROLES[name].zh)
    if name in planned:
        return NotRun(name, title, "no-model", _no_model(name), name)
    return NotRun(name, title, "dear", _DEAR, name)


def _no_model(role: str) -> Text:
    return Text(
        f"no such model was given or is listed; give one with --model {role}=NAME",
        f"没有给出也没有列出这类模型;可用 --model {role}=模型名 指定",
    )
