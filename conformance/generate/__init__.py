"""Requests made from schemas: good ones that cover what the schemas say, and bad ones with one mistake each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from conformance.contract import load_schemas
from conformance.errors import UsageError
from conformance.generate.cases import make_cases
from conformance.generate.covered import operation_coverage
from conformance.generate.others import make_other_cases, request_schema
from conformance.generate.parts import Coverage, Part, coverage
from conformance.generate.surfaces import SURFACES
from conformance.model import Case

__all__ = [
    "Coverage",
    "Part",
    "coverage",
    "generate_cases",
    "generate_other_cases",
    "operation_coverage",
    "reference_schema",
    "request_schema",
]


def reference_schema() -> dict[str, Any]:
    """OpenAI's own chat request as one self-contained schema."""
    chat = load_schemas()["openai/chat.json"]
    return {"$ref": "#/$defs/request", "$defs": chat["$defs"]}


def generate_cases(count: int, seed: int, schemas: Sequence[Mapping[str, Any]] = ()) -> list[Case]:
    """So many chat requests, the same for the same seed on every machine.

    `schemas` are the request schemas in force, each self-contained: OpenAI's own first (also taken when there is none),
    then those of a provider. Good requests satisfy all of them, bad ones none. About a quarter are bad ones, last in
    the list, four at most in a row; then a good one follows. Raises UsageError for a negative count, DataError for
    schemas that cannot be read or that no request satisfies.
    """
    if count < 0:
        raise UsageError(f"cannot generate {count} requests")
    return make_cases(count, seed, list(schemas) or [reference_schema()]) if count else []


def generate_other_cases(operation: str, count: int, seed: int) -> list[Case]:
    """So many requests of an operation beside chat, the same for the same seed on every machine.

    They satisfy OpenAI's, Anthropic's or Google's own schema, but for the bad ones, each with one mistake: about a
    quarter, last in the list, four at most in a row; then a good one follows. There are fewer where the schema leaves
    no more to ask. Raises UsageError for a negative count and for an operation that nothing is generated for.
    """
    if count < 0:
        raise UsageError(f"cannot generate {count} requests")
    if operation not in SURFACES:
        raise UsageError(f"no requests are generated for {operation!r}", f"operations: {', '.join(SURFACES)}")
    return make_other_cases(operation, count, seed) if count else []
