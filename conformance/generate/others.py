"""Generated requests of every operation but chat, as cases: made from its schema and from what is known of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from itertools import cycle
from random import Random
from typing import TYPE_CHECKING, Any

from conformance.contract import load_schemas
from conformance.generate.chaining import chains_of
from conformance.generate.chats import KINDS, questions
from conformance.generate.covering import Row, rows
from conformance.generate.documents import Document
from conformance.generate.draw import Drawer
from conformance.generate.forms import to_form
from conformance.generate.mistakes import mistaken
from conformance.generate.placing import fields_at, plains_at, put
from conformance.generate.surface import LONGEST_ANSWER
from conformance.generate.surfaces import SURFACES
from conformance.generate.values import Choice, properties, suggested
from conformance.generate.wording import said
from conformance.model import Case, Expectation, Phase, Price
from conformance.operations import OPERATIONS
from conformance.refusals import GENERATED, OTHER_FORM, optional_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.generate.mutations import Mutant
    from conformance.generate.surface import Surface

_TRIES = 30
"""Rows in a row that may add nothing before it is said that there are no more."""
_REFERENCE = re.compile(r"#/\$defs/([\w-]+)")
_PLAIN_EVERY = 5
"""One in so many requests has no optional field."""
_PLAIN = "Say OK"
_LIMITS = ("max_tokens", "max_output_tokens", "maxOutputTokens")
_OTHER_FORMS = frozenset({"text", "srt", "vtt", "verbose_json"})
"""Values of `response_format` that ask for an answer of another form."""


@dataclass(frozen=True)
class _Good:
    """A good request: its optional fields, the kind of its text, its body."""

    row: Row
    kind: str
    body: dict[str, Any]


def request_schema(operation: str) -> dict[str, Any]:
    """The schema of an operation's requests, self-contained: what only answers need may be in other files."""
    found = load_schemas()[f"{OPERATIONS[operation].schema}.json"]["$defs"]
    wanted, left = {"request": found["request"]}, [found["request"]]
    while left:
        named = {name for name in _REFERENCE.findall(json.dumps(left.pop())) if name not in wanted}
        wanted |= {name: found[name] for name in sorted(named)}
        left += [found[name] for name in sorted(named)]
    return {"$ref": "#/$defs/request", "$defs": wanted}


def make_other_cases(operation: str, count: int, seed: int) -> list[Case]:
    """`count` cases of an operation beside chat, fewer where its schema leaves no more to ask."""
    surface, document = SURFACES[operation], Document(request_schema(operation))
    # A plan is to be the same again, not to be secret.
    random = Random(f"{seed} {operation}")  # noqa: S311
    mutants = mistaken(surface, document, surface.say(_PLAIN, 1), random)
    chains = chains_of(mutants, count // 4) if count // 4 > 1 else []
    bad = sum(len(chain) + 1 for chain in chains)
    requests = _Requests(surface, document, random, Drawer(Random(f"{seed} {operation} values")))  # noqa: S311
    good = [_valid(surface, number, each) for number, each in enumerate(requests.good(count - bad), 1)]
    return [*good, *_chained(surface, chains, len(good) + 1)]


class _Requests:
    """Makes the good requests of one operation."""

    def __init__(self, surface: Surface, document: Document, random: Random, drawer: Drawer) -> None:
        self._surface = surface
        self._document = document
        self._random = random
        self._drawer = drawer
        inner = [f"{name}/{field}" for name in surface.inside for field in fields_at(document, name)]
        always = surface.say(_PLAIN, LONGEST_ANSWER).keys() - surface.by_hand.keys()
        names = [name for name in [*properties(document), *inner] if name not in surface.left | always]
        self._fields = {name: found for name in names if (found := self._choices(name))}

    def _choices(self, name: str) -> list[Choice]:
        """The values of a field that are worth sending."""
        by_hand = [Choice(name, *each) for each in self._surface.by_hand.get(name, ())]
        found = by_hand or list(suggested(name, plains_at(self._document, name), self._document))
        # A form has no null.
        return [choice for choice in found if not (self._surface.files and choice.words == "as null")]

    def good(self, count: int) -> Iterator[_Good]:
        """So many good requests, no two the same; fewer where there are no more."""
        surface = self._surface
        planned = rows(self._fields, self._random, surface.needs, surface.clashes) if self._fields else cycle([Row()])
        kinds = cycle(self._random.sample(surface.kinds, len(surface.kinds)))
        made: set[str] = set()
        misses = 0
        while len(made) < count and misses < _TRIES:
            # Now and then a plain one: the text itself may be what a field of the row replaces.
            row, kind = {} if (len(made) + misses) % _PLAIN_EVERY == 0 else next(planned), next(kinds)
            body = self._body(row, kind)
            text = json.dumps(body, sort_keys=True)
            if text in made or not self._document.accepts(body):
                misses += 1
                continue
            made.add(text)
            misses = 0
            yield _Good(row, kind, body)

    def _body(self, row: Row, kind: str) -> dict[str, Any]:
        """The body: now and then in another order than usual."""
        body = self._surface.say(self._drawer.draw(questions(kind)), self._random.randint(1, LONGEST_ANSWER))
        for name, choice in row.items():
            body = put(body, name, choice.make(self._drawer))
        if self._random.random() < 1 / 3:
            body = dict(self._random.sample(list(body.items()), len(body)))
        return body


def _chained(surface: Surface, chains: Sequence[Sequence[Mutant]], number: int) -> Iterator[Case]:
    """The cases of all chains, a plain request after each."""
    for chain in chains:
        first = ""
        for mutant in chain:
            case = _invalid(surface, number, mutant, first)
            first = first or case.id
            number += 1
            yield case
        yield _recovery(surface, number, first)
        number += 1


def _case(surface: Surface, number: int, body: dict[str, Any] | None, **more: Any) -> Case:
    """What all generated cases of an operation have in common."""
    streamed = body is not None and body.get("stream") is True
    family = surface.operation.partition(".")[0]
    operation = OPERATIONS[f"{family}.stream" if streamed else surface.operation]
    form = {"form": to_form(body or {}, surface)} if surface.files else {"body": body}
    return Case(
        id=f"{operation.id}/generated-{number:03}",
        operation=operation.id,
        method=operation.method,
        path=operation.path.replace("{model}", "$model"),
        price=Price(operation.price),
        output_tokens=_ceiling(body or {}) if operation.writes else 0,
        **form,
        **more,
    )


def _ceiling(body: dict[str, Any]) -> int:
    """How many output tokens a request may cost, whether or not it ought to be refused."""
    settings = body.get("generationConfig")
    limits = {**body, **(settings if isinstance(settings, dict) else {})}
    limit = max(_count(limits.get(name)) for name in _LIMITS) or LONGEST_ANSWER
    prompts = body.get("prompt")
    several = len(prompts) if isinstance(prompts, list) and prompts and not isinstance(prompts[0], int) else 1
    return limit * several * max(1, _count(body.get("n")), _count(body.get("best_of")))


def _count(value: Any) -> int:
    """A positive whole number; 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _valid(surface: Surface, number: int, good: _Good) -> Case:
    """A good request as a case."""
    special = KINDS[good.kind] if good.kind != "english" and not surface.files else ("", "")
    purpose, zh = said(good.row, special, ("a plain request", "普通请求"))
    other_form = good.body.get("response_format") in _OTHER_FORMS
    case = _case(
        surface,
        number,
        good.body,
        purpose=purpose,
        zh=zh,
        source=_source(surface, next(iter(good.row), "")),
        expect=Expectation.SUCCESS,
        phase=Phase.VALID,
        probes=frozenset({GENERATED, OTHER_FORM} if other_form else {GENERATED}),
    )
    return replace(case, feature=_feature(good.row, case))


def _feature(row: Row, case: Case) -> str:
    """The first field that a relay may refuse; empty for a plain request."""
    optional = set(optional_parts(case)) - {"stream"}
    return next((name for path in row if (name := path.rpartition("/")[2]) in optional), "")


def _source(surface: Surface, path: str) -> str:
    """Where the contract of a field is written down."""
    field = path.partition("/")[0]
    return f"{surface.source}{field and '#'}{field}"


def _invalid(surface: Surface, number: int, mutant: Mutant, first: str) -> Case:
    """A bad request as a case."""
    detail = f" ({mutant.detail})" if mutant.detail else ""
    body = dict(mutant.body) if mutant.body is not None else None
    return _case(
        surface,
        number,
        body,
        raw=mutant.raw,
        purpose=f"Make one mistake: {mutant.title}{detail}",
        zh=f"只犯一处错误:{mutant.title}{detail}",
        source=_source(surface, mutant.pointer[1:]),
        expect=Expectation.REFUSAL,
        phase=Phase.INVALID,
        probes=frozenset({GENERATED, "generated-invalid"}),
        mutation=mutant.title,
        follows=first,
    )


def _recovery(surface: Surface, number: int, first: str) -> Case:
    """A plain good request after a chain of bad ones."""
    return _case(
        surface,
        number,
        surface.say(_PLAIN, LONGEST_ANSWER),
        purpose="Send a plain request after bad ones",
        zh="在错误请求之后发送普通请求",
        source=surface.source,
        expect=Expectation.SUCCESS,
        phase=Phase.INVALID,
        probes=frozenset({GENERATED, "recovery"}),
        follows=first,
    )
