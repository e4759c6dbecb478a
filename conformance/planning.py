"""What to send, and what it may cost. Nothing is sent here."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from conformance.amounts import amounts
from conformance.contract import load_schemas
from conformance.errors import UsageError
from conformance.fixtures import load_cases
from conformance.model import Auth, Case, Phase, Price
from conformance.rules.base import Rule, catalogue
from conformance.scenarios import check

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from conformance.model import Ledger
    from conformance.profiles import Profile

_PROMPTS = ("messages", "system", "prompt", "input", "contents", "query", "documents", "instructions")
"""Fields in which requests say what a model reads."""
PREFLIGHT = ("models.list/list", "chat/minimal")
"""Cases that every run begins with: they find the base URL and show whether key and model work."""


@dataclass(frozen=True)
class Ceiling:
    """The most that a plan can cost, attempts after a refusal to answer not counted."""

    requests: int
    output_tokens: int
    longest_prompt: int
    """Characters."""
    dear: int = 0
    """Requests that cost money that one notices, because they are billed by the piece or the call."""


def plan(
    only: Sequence[str] = (),
    *,
    keyless: bool = False,
    alone: bool = False,
    folder: Path | None = None,
    generated: int | Mapping[str, int] = 0,
    seed: int = 0,
    profile: Profile | None = None,
    dear: bool = False,
) -> list[Case]:
    """The cases worth sending, in sending order.

    `only`: ids or prefixes of rules; just the cases that these rules look at are planned.
    `keyless`: the relay is used without a key, so nothing is asked about keys.
    `alone`: one request at a time, so nothing is planned that needs two.
    `folder`: further fixtures of the caller's. `generated`: so many chat cases more, or so many by operation (and
    for `all`), made from the request schemas in force (ours, and those of the provider's page); the same `seed` makes
    the same ones. `dear`: also what costs money that one notices, such as pictures and sounds.
    Raises UsageError for a prefix that no rule has, and for an operation that nothing is generated for.
    """
    rules = select_rules(only)
    cases = load_cases()
    if folder is not None:
        cases += load_cases(folder)
    check(cases)
    if generated:
        cases += _generated(amounts(generated, dear=dear), seed, profile)
    cases = _affordable(cases, dear=dear)
    wanted = [
        case
        for case in cases
        if (case.id in PREFLIGHT or any(rule.selects(case) for rule in rules))
        and can_be_asked(case, keyless=keyless, alone=alone)
    ]
    return _ordered(with_companions((case.id for case in wanted), cases))


def can_be_asked(case: Case, *, keyless: bool, alone: bool) -> bool:
    """Whether a case makes sense without a key, or with one request at a time."""
    about_keys = case.auth is not Auth.KEY and case.operation != "gateway"
    needs_two = case.during or "at-once" in case.probes
    return not (keyless and about_keys) and not (alone and needs_two)


def _affordable(cases: Sequence[Case], *, dear: bool) -> list[Case]:
    """The cases without dear ones, unless those are wanted; a scenario with a dear step is dear as a whole."""
    left_out = {case.scenario for case in cases if case.price is Price.DEAR and case.scenario}
    return [case for case in cases if dear or (case.price is not Price.DEAR and case.scenario not in left_out)]


def _generated(counts: Mapping[str, int], seed: int, profile: Profile | None) -> list[Case]:
    """Cases from the request schemas in force, so many for each operation."""
    from conformance.generate import generate_cases, generate_other_cases  # noqa: PLC0415 - Hypothesis takes a while

    chats = generate_cases(counts.get("chat", 0), seed, request_schemas(profile))
    others = [generate_other_cases(name, count, seed) for name, count in counts.items() if name != "chat"]
    return [*chats, *chain.from_iterable(others)]


def request_schemas(profile: Profile | None) -> list[dict[str, Any]]:
    """What a chat request has to satisfy, each self-contained: our schema, and that of the provider's page."""
    found = [load_schemas()["openai/chat.json"]]
    page = profile.schemas.get(f"{profile.name}/chat.json") if profile else None
    documents = [*found, page] if page and "request" in page.get("$defs", {}) else found
    return [{"$ref": "#/$defs/request", "$defs": document["$defs"]} for document in documents]


def select_rules(only: Sequence[str] = ()) -> list[Rule]:
    """The rules whose id is one of `only` or lies below it; all of them for an empty selection."""
    rules = catalogue()
    for prefix in only:
        if not any(_below(rule, prefix) for rule in rules):
            known = {*rules, *(rule.rpartition(".")[0] for rule in rules)}
            near = difflib.get_close_matches(prefix, sorted(known), 1, 0.4)
            hint = f"did you mean {near[0]!r}?" if near else "relay-conformance rules lists them"
            raise UsageError(f"there is no rule {prefix!r}", hint)
    return [rule for name, rule in rules.items() if not only or any(_below(name, prefix) for prefix in only)]


def ceiling(cases: Sequence[Case]) -> Ceiling:
    """What sending each case once can cost at most."""
    return Ceiling(
        requests=len(cases),
        output_tokens=sum(case.output_tokens for case in cases),
        longest_prompt=max((prompt_length(case) for case in cases), default=0),
        dear=sum(case.price is Price.DEAR for case in cases),
    )


def still_to_send(planned: Sequence[Case], done: Ledger | None) -> list[Case]:
    """The planned cases that a run still lacks, or all without one.

    What was not sent for want of budget is; so is a step that had nothing to go on, when a step before it is.
    """
    kinds = {each.case.id: each.failure.kind if each.failure else "" for each in done.exchanges} if done else {}
    if done and done.stop:
        kinds = {id_: kind for id_, kind in kinds.items() if id_ not in PREFLIGHT}
    lacking = {case.id for case in planned if kinds.get(case.id, "unsent") in {"unsent", "cancelled"}}
    again = {case.scenario for case in planned if case.scenario and case.id in lacking}
    return [case for case in planned if case.id in lacking or (case.scenario in again and kinds[case.id] == "no-basis")]


def prompt_length(case: Case) -> int:
    """Characters of all message texts of a case; a request that is wrong on purpose may have none."""
    body = case.body or case.form or {}
    return sum(_characters(body[name]) for name in _PROMPTS if name in body)


def _characters(value: Any) -> int:
    """Characters of all strings in a value, but for words of the protocol."""
    if isinstance(value, dict):
        return sum(_characters(inner) for name, inner in value.items() if name not in {"role", "type"})
    if isinstance(value, list):
        return sum(map(_characters, value))
    return len(value) if isinstance(value, str) else 0


def _below(rule: str, prefix: str) -> bool:
    return rule == prefix or rule.startswith(prefix.rstrip(".") + ".")


def with_companions(needed: Iterable[str], cases: Sequence[Case]) -> list[Case]:
    """The cases with these ids, those that they wait for, those that run during one, all steps of their scenarios."""
    known = {case.id: case for case in cases}
    ids: set[str] = set()
    more = set(needed) & known.keys()
    while more:
        ids |= more
        awaited = {name for each in more for name in (known[each].follows, known[each].during)}
        scenarios = {known[each].scenario for each in more} - {""}
        beside = {case.id for case in cases if case.during in ids or case.scenario in scenarios}
        more = (awaited | beside) & known.keys() - ids
    return [case for case in cases if case.id in ids]


def _ordered(cases: Sequence[Case]) -> list[Case]:
    """Preflight first, then valid cases with the longest answers first, invalid ones last."""
    phases = list(Phase)
    awaited = {case.during for case in cases} | {case.follows for case in cases}

    def rank(case: Case) -> tuple[int, int, int]:
        together = 0 if case.id in awaited or case.during or case.follows else 1
        size = case.output_tokens if case.phase is Phase.VALID else 0
        return phases.index(case.phase), together, -size

    return sorted(cases, key=rank)
