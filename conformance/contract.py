"""Finds and loads the schemas, from the wheel or the checkout, and says what a body breaks of them.

`compat` is what the official SDK needs; `strict` adds what only the vendor's own document requires, and every
strict schema contains its compat schema. jsonschema-rs decides quickly, jsonschema words the errors.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from conformance.errors import DataError
from conformance.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conformance.model import Exchange

CONTRACTS = ("compat", "strict")
MOST_ERRORS = 20
"""Schema errors that are kept for one exchange: the rest repeats them."""

_MOST_LOOKED_AT = 500
_LONG = 50
"""Items of a list that are looked at one by one whatever they are."""
_BASE = "https://relay-conformance.invalid/"
_PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class ShapeError:
    """One place where a body is not of the documented shape."""

    at: str
    """JSON pointer into the body; for a stream it begins with `/events/N`."""
    expected: Any
    actual: Any
    message: str
    source: str = ""
    """Where a provider's page states it, as `vman.txt:131`."""
    weak: bool = False
    """Whether the schema only guesses, as from one example."""


def data(folder: str) -> Path:
    """The folder `schemas` or `fixtures`: the installed copy, or the one of the checkout."""
    for root in (_PACKAGE / "_data", _PACKAGE.parent):
        if (root / folder).is_dir():
            return root / folder
    raise DataError(f"the folder {folder!r} is missing from the installation", "install relay-conformance again")


@cache
def load_schemas() -> dict[str, Any]:
    """Every schema document by its path below `schemas/`, such as `openai/chat.json`."""
    root = data("schemas")
    found: dict[str, Any] = {}
    for path in sorted(root.rglob("*.json")):
        try:
            found[path.relative_to(root).as_posix()] = json.loads(path.read_bytes())
        except ValueError as error:
            raise DataError(f"{path}: not a JSON schema: {error}") from error
    return found


class SchemaSet:
    """Schema documents that may refer to each other, by path: `openai/chat.json` and the like.

    A pointer names a schema in one of them: `openai/chat.json#/$defs/response`.
    """

    def __init__(self, documents: Mapping[str, Any]) -> None:
        self.documents = documents
        self._quick: dict[str, Any] = {}
        self._wording: dict[str, Any] = {}
        self._items: dict[int, str] = {}
        """The pointer of each schema of a list's items, by the identity of that schema."""

    def is_valid(self, pointer: str, value: Any) -> bool:
        """Whether `value` satisfies the schema."""
        try:
            return bool(self.validator(pointer).is_valid(value))
        except (ValueError, OverflowError):  # numbers that the fast validator cannot hold
            return bool(self._wording_validator(pointer).is_valid(value))

    def errors(self, pointer: str, value: Any) -> list[ShapeError]:
        """What `value` breaks of the schema; at most `MOST_ERRORS`."""
        if self.is_valid(pointer, value):
            return []
        errors = islice(self._wording_validator(pointer).iter_errors(value), _MOST_LOOKED_AT)
        worded = [each for error in errors for each in _worded(error)]
        found: dict[str, ShapeError] = {}
        for each in sorted(worded, key=lambda each: each.weak):  # what is stated goes before what is guessed
            found.setdefault(each.at, each)
        return list(found.values())[:MOST_ERRORS]

    def validator(self, pointer: str) -> Any:
        """The fast validator, made once; raises DataError for a document that is not there."""
        if pointer not in self._quick:
            name = pointer.partition("#")[0]
            if name not in self.documents:
                raise DataError(f"there is no schema {name!r}", f"known: {', '.join(self.documents)}")
            registry = jsonschema_rs.Registry([(_BASE + path, schema) for path, schema in self.documents.items()])
            root = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": _BASE + pointer}
            self._quick[pointer] = jsonschema_rs.validator_for(root, registry=registry)
        return self._quick[pointer]

    def _wording_validator(self, pointer: str) -> Any:
        """The validator whose messages people read."""
        import jsonschema  # noqa: PLC0415 - slow to import, and needed only when something is wrong
        import referencing  # noqa: PLC0415
        from referencing.jsonschema import DRAFT202012  # noqa: PLC0415

        if pointer not in self._wording:
            registry: Any = referencing.Registry().with_resources(
                (_BASE + path, DRAFT202012.create_resource(schema)) for path, schema in self.documents.items()
            )
            kinds: Any = jsonschema.validators
            patient = kinds.extend(jsonschema.Draft202012Validator, {"items": self._bad_items})
            self._wording[pointer] = patient({"$ref": _BASE + pointer}, registry=registry)
        return self._wording[pointer]

    def _bad_items(self, validator: Any, schema: Any, value: Any, parent: Mapping[str, Any]) -> Iterator[Any]:
        """The keyword `items`: of a long list only the items that are wrong are looked at slowly."""
        import jsonschema  # noqa: PLC0415 - loaded by now

        if not self._items:
            self._items = {id(inner): f"{path}#{at}" for path, at, inner in _item_schemas(self.documents)}
        pointer = self._items.get(id(schema), "")
        if pointer and isinstance(value, list) and len(value) > _LONG and "prefixItems" not in parent:
            for index, item in enumerate(value):
                if not self.is_valid(pointer, item):
                    yield from validator.descend(instance=item, schema=schema, path=index)
        else:
            yield from jsonschema.Draft202012Validator.VALIDATORS["items"](validator, schema, value, parent)


def _item_schemas(documents: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """(document, JSON pointer, schema) of everything that says what the items of a list are."""
    left = [(path, "", document) for path, document in documents.items()]
    while left:
        path, at, value = left.pop()
        steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        below = [(path, f"{at}/{_escape(step)}", inner) for step, inner in steps]
        yield from (each for each in below if each[1].endswith("/items") and isinstance(each[2], dict))
        left += below


@cache
def ours() -> SchemaSet:
    """Everything below `schemas/`."""
    return SchemaSet(load_schemas())


def validator(pointer: str) -> Any:
    """The fast validator for `openai/chat.json#/$defs/response` and the like."""
    return ours().validator(pointer)


def schema_errors(pointer: str, value: Any) -> list[ShapeError]:
    """What `value` breaks of one of our schemas; at most `MOST_ERRORS`."""
    return ours().errors(pointer, value)


def is_valid(pointer: str, value: Any) -> bool:
    """Whether `value` satisfies one of our schemas."""
    return ours().is_valid(pointer, value)


def shape_errors(exchange: Exchange, contract: str) -> tuple[ShapeError, ...]:
    """What a successful answer breaks of its operation's `compat` or `strict` schema; computed once."""
    if contract not in exchange.memo:
        home = f"{OPERATIONS[exchange.case.operation].schema}.json#/$defs/"
        suspects = list(_suspects(exchange, home + "strict"))
        for each in CONTRACTS:
            exchange.memo[each] = tuple(islice(_errors(suspects, home + each), MOST_ERRORS))
    found: tuple[ShapeError, ...] = exchange.memo[contract]
    return found


def _suspects(exchange: Exchange, strict: str) -> Iterator[tuple[str, Any]]:
    """(pointer, value) of everything that is not valid even strictly: what is, satisfies both contracts."""
    if not OPERATIONS[exchange.case.operation].streams:
        yield "", exchange.json
        return
    for chunk in exchange.stream.chunks:
        # An error event is judged as an error, not as a chunk.
        if not is_valid(strict, chunk.value) and not chunk.value.get("error"):
            yield f"/events/{chunk.event}", chunk.value


def _errors(suspects: Sequence[tuple[str, Any]], pointer: str) -> Iterator[ShapeError]:
    """What these values break of one schema."""
    for at, value in suspects:
        for error in schema_errors(pointer, value):
            yield replace(error, at=at + error.at)


def _worded(error: Any) -> Iterator[ShapeError]:
    """One or more errors of jsonschema's in our words: what was expected, what was there, who states it."""
    at = "".join(f"/{_escape(part)}" for part in error.absolute_path)
    schema = error.schema if isinstance(error.schema, dict) else {}
    if error.validator == "required":
        for name in error.validator_value:
            if name not in error.instance:
                stated = schema.get("properties", {}).get(name, {})
                message = f"{name!r} is missing"
                yield ShapeError(f"{at}/{_escape(name)}", "present", "absent", message, *_provenance(stated, schema))
        return
    plain = error.validator in {"type", "const", "enum"}
    expected = _expected(error) if plain else {error.validator: error.validator_value}
    yield ShapeError(at, expected, error.instance, error.message[:200], *_provenance(schema))


def _provenance(*schemas: Any) -> tuple[str, bool]:
    """Source of the first of these schemas that has one, and whether it is a guess; ours carry neither."""
    stated = next((schema for schema in schemas if isinstance(schema, dict) and "x-source" in schema), {})
    return str(stated.get("x-source", "")), bool(stated.get("x-weak"))


def _expected(error: Any) -> Any:
    if error.validator == "type":
        kinds = error.validator_value
        return " or ".join(kinds) if isinstance(kinds, list) else kinds
    return error.validator_value


def _escape(part: object) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return str(part).replace("~", "~0").replace("/", "~1")
