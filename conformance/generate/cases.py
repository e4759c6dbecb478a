"""Generated requests as cases: good ones first, then chains of bad ones, each chain ending with a good one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from conformance.generate.chaining import chains_of
from conformance.generate.chats import INTACT, Shape
from conformance.generate.covering import Row
from conformance.generate.documents import Document
from conformance.generate.draw import Drawer
from conformance.generate.mutations import Mutant, mutate
from conformance.generate.requests import LONGEST_ANSWER, Planned, Requests, plain
from conformance.generate.wording import said
from conformance.model import Case, Expectation, Phase, Price

_SMALL = 4
_SAMPLING = frozenset(
    {"temperature", "top_p", "logit_bias", "presence_penalty", "frequency_penalty", "response_format"}
)
_RARE = (
    "max_completion_tokens",
    "logit_bias",
    "top_logprobs",
    "logprobs",
    "response_format",
    "n",
    "seed",
    "stream_options",
    "stop",
    "presence_penalty",
    "frequency_penalty",
    "user",
    "top_p",
    "temperature",
)
"""Optional fields, those first that relays refuse most often."""


def make_cases(count: int, seed: int, schemas: Sequence[Mapping[str, Any]]) -> list[Case]:
    """`count` cases, fewer where the schemas leave no more to ask; raises DataError for schemas of no use."""
    documents = [Document(schema) for schema in schemas]
    # A plan is to be the same again, not to be secret.
    random = Random(f"{seed} cases")  # noqa: S311
    drawer = Drawer(Random(f"{seed} values"))  # noqa: S311
    chains = chains_of(mutate(plain(random, 1), documents, random), count // 4)
    bad = sum(len(chain) + 1 for chain in chains)
    planned = Requests(documents, random, drawer).good(count - bad)
    good = [_valid(number, each) for number, each in enumerate(planned, 1)]
    return [*good, *_chained(chains, len(good) + 1, random)]


def _chained(chains: Sequence[Sequence[Mutant]], number: int, random: Random) -> Iterator[Case]:
    """The cases of all chains."""
    for chain in chains:
        first = ""
        for mutant in chain:
            case = _invalid(number, mutant, first)
            first = first or case.id
            number += 1
            yield case
        yield _recovery(number, first, plain(random, _SMALL))
        number += 1


def _case(number: int, body: Mapping[str, Any] | None, **more: Any) -> Case:
    """What all generated cases have in common."""
    streamed = body is not None and body.get("stream") is True
    operation = "chat.stream" if streamed else "chat"
    return Case(
        id=f"{operation}/generated-{number:03}",
        operation=operation,
        method="POST",
        path="/chat/completions",
        price=Price.CHEAP,
        body=body,
        output_tokens=_ceiling(body),
        **more,
    )


def _ceiling(body: Mapping[str, Any] | None) -> int:
    """How many output tokens a request may cost, whether or not it ought to be refused."""
    request = body or {}
    limits = [_count(request.get(name)) for name in ("max_tokens", "max_completion_tokens")]
    return (max(limits) or LONGEST_ANSWER) * (_count(request.get("n")) or 1)


def _count(value: Any) -> int:
    """A positive whole number; 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _valid(number: int, planned: Planned) -> Case:
    """A good request as a case."""
    row, shape = planned.row, planned.shape
    purpose, zh = said(row, shape.words)
    return _case(
        number,
        planned.body,
        purpose=purpose,
        zh=zh,
        source=f"openai:chat/create#{next(iter(row), 'messages')}",
        expect=Expectation.SUCCESS,
        phase=Phase.VALID,
        probes=frozenset({"generated", *_probes(planned), *_sole(planned)}),
        feature=_feature(row, shape),
    )


def _feature(row: Row, shape: Shape) -> str:
    """The field that a relay is most likely to refuse; empty for a plain chat."""
    if shape.image:
        return "image_url"
    own = next((name for name in row if name not in {*_RARE, "stream"}), "")
    known = next((name for name in _RARE if name in row), "")
    return own or known or ("developer" if shape.opening == "developer" else "")


def _probes(planned: Planned) -> Iterator[str]:
    """What the case makes observable: only what holds for an honest relay with any model behind it."""
    body, row = planned.body, planned.row
    if body.get("stop"):
        yield "stop"
    if (body.get("n") or 1) > 1:
        yield "n"
    if "max_completion_tokens" in body:
        yield "max-completion-tokens"
    if body.get("stream"):
        asked = (body.get("stream_options") or {}).get("include_usage")
        yield "include-usage" if asked else "no-usage-asked"
    if planned.shape.kind in INTACT and _SAMPLING.isdisjoint(row):
        yield "utf8"
    if (
        row
        and all(body[name] is None or (name, body[name]) == ("stream", True) for name in row)
        and None in body.values()
    ):
        yield "nulls"


def _sole(planned: Planned) -> Iterator[str]:
    """Probes of cases about one optional part alone, whose refusal has to name it."""
    row, body = planned.row, planned.body
    if not row and planned.shape.opening == "developer":
        yield "developer-role"
    if len(row) == 1:
        name = next(iter(row))
        if name == "stop" and isinstance(body[name], list):
            yield "stop-array"
        if name in {"temperature", "logit_bias"} and body[name] is not None:
            yield name.replace("_", "-")


def _invalid(number: int, mutant: Mutant, first: str) -> Case:
    """A bad request as a case."""
    place = f"#{mutant.pointer.split('/')[1]}" if mutant.pointer else ""
    detail = f" ({mutant.detail})" if mutant.detail else ""
    return _case(
        number,
        mutant.body,
        raw=mutant.raw,
        purpose=f"Make one mistake: {mutant.title}{detail}",
        zh=f"只犯一处错误:{mutant.title}{detail}",
        source=f"openai:chat/create{place}",
        expect=Expectation.REFUSAL,
        phase=Phase.INVALID,
        probes=frozenset({"generated", "generated-invalid"}),
        mutation=mutant.title,
        follows=first,
    )


def _recovery(number: int, first: str, body: Mapping[str, Any]) -> Case:
    """A plain good request after a chain of bad ones."""
    return _case(
        number,
        body,
        purpose="Send a plain request after bad ones",
        zh="在错误请求之后发送普通请求",
        source="openai:chat/create",
        expect=Expectation.SUCCESS,
        phase=Phase.INVALID,
        probes=frozenset({"generated", "recovery"}),
        follows=first,
    )
