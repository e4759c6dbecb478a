"""What of a request body can be left out or made simpler, and whether it is still the same kind of request."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.contract import load_schemas, schema_errors
from conformance.model import Case, JSONValue
from conformance.operations import OPERATIONS
from conformance.refusals import GENERATED

Place = tuple[str | int, ...]
"""The keys and indices that lead to a value inside a body."""

PLAIN = [{"role": "user", "content": "Say OK"}]
"""The messages that every relay understands."""

LIMITS = frozenset({"max_tokens", "max_completion_tokens", "max_output_tokens"})
"""The fields that bound what an answer costs."""

_FIXED = frozenset({"model", *LIMITS})
"""Never changed: what is asked, and what it may cost."""

_OPAQUE = frozenset({"parameters", "schema"})
"""JSON schemas inside a request: a part of one says little about the request."""

_IDENTITY = frozenset(
    {"type", "role", "content", "function", "json_schema", "tool_calls", "tool_call_id", "id", "maxOutputTokens"}
)
"""Nested keys without which an object is another one."""

_FREE = frozenset(
    {"stop", "user", "content", "text", "description", "safety_identifier", "prompt_cache_key", "prompt", "input"}
    | {"query", "documents", "instructions", "system", "suffix", "stop_sequences", "stopSequences", "user_id"}
)
"""Keys of texts that mean nothing to a relay; other strings are names that it knows, or knows not."""

_NEEDS = {
    "top_logprobs": "logprobs",
    "stream_options": "stream",
    "tool_choice": "tools",
    "parallel_tool_calls": "tools",
    "function_call": "functions",
    "audio": "modalities",
}
"""Optional keys that make no sense without another one."""

_MEANT = {"include-usage": "stream_options", "utf8": "messages"}
"""Keys that the rules of these probes take for granted: without them, the relay is blamed for what was not asked."""


def get(value: JSONValue, place: Place) -> JSONValue:
    """The value at a place; raises LookupError or TypeError when there is none."""
    for step in place:
        value = value[step]
    return value


def put(value: JSONValue, place: Place, new: JSONValue) -> JSONValue:
    """The value with another one at a place."""
    if not place:
        return new
    copy: Any = dict(value) if isinstance(value, Mapping) else list(value)
    copy[place[0]] = put(value[place[0]], place[1:], new)
    return copy


def without(value: Mapping[str, JSONValue] | list[JSONValue], places: Sequence[Place]) -> JSONValue:
    """An object or list without the keys at some places."""
    if isinstance(value, Mapping):
        gone = {place[0] for place in places if len(place) == 1}
        items = ((key, inner, _below(places, key)) for key, inner in value.items() if key not in gone)
        return {key: without(inner, below) if below else inner for key, inner, below in items}
    below_each = ((inner, _below(places, index)) for index, inner in enumerate(value))
    return [without(inner, below) if below else inner for inner, below in below_each]


def _below(places: Sequence[Place], step: str | int) -> list[Place]:
    return [place[1:] for place in places if len(place) > 1 and place[0] == step]


def optional_keys(body: Mapping[str, JSONValue]) -> list[str]:
    """The keys that may be left out, each after the one that it needs."""
    return sorted((key for key in body if key not in _FIXED and key != "messages"), key=lambda key: key in _NEEDS)


def nested_keys(body: Mapping[str, JSONValue]) -> list[Place]:
    """The keys inside of values that may be left out, outer ones first."""
    return [
        place
        for place, _ in walk(body)
        if len(place) > 1 and isinstance(place[-1], str) and place[-1] not in _IDENTITY and not _is_name(place)
    ]


def _is_name(place: Place) -> bool:
    """Whether a key names a function or a schema; the name of who speaks is optional."""
    return place[-1] == "name" and (place[0] != "messages" or len(place) != 3)


def walk(value: JSONValue, place: Place = ()) -> Iterator[tuple[Place, JSONValue]]:
    """Every value inside a body that may be changed, with its place; schemas inside are not looked into."""
    if place:
        yield place, value
    inner: Any = ()
    if isinstance(value, Mapping):
        inner = [(key, each) for key, each in value.items() if place or key not in _FIXED]
    elif isinstance(value, list):
        inner = enumerate(value)
    for key, each in inner:
        if key not in _OPAQUE:
            yield from walk(each, (*place, key))


def halves(value: JSONValue) -> list[JSONValue]:
    """The two halves of a list or text; none of a value that has no halves."""
    if not isinstance(value, (list, str)) or len(value) < 2:
        return []
    middle = (len(value) + 1) // 2
    return [value[:middle], value[middle:]]


def simpler(value: JSONValue, place: Place) -> list[JSONValue]:
    """Simpler values to put in the place of one that is no container, the simplest first."""
    if value is True:
        return [False]
    if isinstance(value, str) and value and _key(place) in _FREE:
        return ["a", *halves(value)] if len(value) > 1 else ["a"] if value != "a" else []
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value in {math.inf, -math.inf}:
        return []
    whole = int(value)
    sign = -1 if whole < 0 else 1
    # Large numbers lose a half or a quarter of their digits at once: a bound such as 2**31 is met in a few steps.
    root = math.isqrt(abs(whole))
    smaller = (0, 1, -1, 2, sign * root, sign * root * math.isqrt(root), sign * (abs(whole) // 2), whole)
    return [number for number in dict.fromkeys(smaller) if _rank(number) < _rank(value)]


def _key(place: Place) -> str | int:
    """The last key of a place, indices left out."""
    return next(step for step in reversed(place) if isinstance(step, str))


def _rank(number: float) -> tuple[bool, float, bool]:
    """How simple a number is: whole, small, positive."""
    return number != int(number), abs(number), number < 0


@dataclass(frozen=True)
class Kind:
    """What a smaller request must have in common with the original one, or it would show something else."""

    body: Mapping[str, JSONValue]
    schema: str
    """The schema of requests, empty where there is none."""
    errors: Mapping[str, JSONValue]
    """What the original breaks of it, by place: nothing, unless it is wrong on purpose."""
    mutated: tuple[str, ...]
    """Where it is wrong on purpose, as steps of a JSON pointer."""
    kept: frozenset[str]
    """Keys that stay as they are."""
    present: frozenset[str]
    """Keys that stay, in whatever form."""

    @classmethod
    def of(cls, case: Case, probe: str = "") -> Kind:
        """The kind of a case, for a rule that looks at cases with this probe."""
        body = case.body or {}
        schema = _schema(case.operation)
        kept = {*_FIXED, *([_MEANT[probe]] if probe in _MEANT else [])}
        if OPERATIONS[case.operation].streams:
            kept.add("stream")
        needed = _required(schema) & body.keys()
        # The probes of a generated case hold for its body as it is; those of others stand for what they are about.
        present = {case.feature} & body.keys() if probe and GENERATED not in case.probes else set()
        return cls(
            body, schema, _errors(schema, body), _mutated(case.mutation), frozenset(kept), frozenset(present | needed)
        )

    def may_lack(self, key: str) -> bool:
        """Whether a body without this optional key may be of this kind."""
        return key not in self.kept and key not in self.present and key not in self.mutated[:1]

    def has(self, body: Mapping[str, JSONValue]) -> bool:
        """Whether a body is of this kind: wrong in just the same places, and as coherent as the original."""
        return (
            all(body.get(key) == self.body.get(key) and (key in body) == (key in self.body) for key in self.kept)
            and self.present <= body.keys()
            and _found(body, self.mutated) == _found(self.body, self.mutated)
            and _troubles(body) <= _troubles(self.body)
            and _errors(self.schema, body) == self.errors
        )


def _schema(operation: str) -> str:
    """The schema of an operation's requests."""
    name = f"{OPERATIONS[operation].schema.removesuffix('.stream')}.json"
    known = load_schemas().get(name, {}).get("$defs", {})
    return f"{name}#/$defs/request" if "request" in known else ""


def _required(schema: str) -> set[str]:
    """The keys that a request may not lack."""
    name = schema.partition("#")[0]
    return set(load_schemas()[name]["$defs"]["request"].get("required", ())) if name else set()


def _errors(schema: str, body: Mapping[str, JSONValue]) -> dict[str, JSONValue]:
    return {error.at: error.expected for error in schema_errors(schema, body)} if schema else {}


def _mutated(mutation: str) -> tuple[str, ...]:
    """The steps to the place that a mutation such as `wrong-type /stop/0` names."""
    pointer = next((word for word in mutation.split() if word.startswith("/")), "")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def _found(value: JSONValue, steps: Sequence[str]) -> tuple[JSONValue, ...]:
    """The value that a JSON pointer leads to, alone in a tuple; an empty one when there is none."""
    for step in steps:
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return ()
    return (value,) if steps else ()


def _troubles(body: Mapping[str, JSONValue]) -> set[str]:
    """What makes no sense in a request, whatever its schema says."""
    troubles = {key for key, needed in _NEEDS.items() if body.get(key) is not None and not body.get(needed)}
    messages = body.get("messages")
    if not any(each.get("role") == "user" for each in _dicts(messages)):
        troubles.add("nobody asks")
    if _called(messages) != _answered(messages):
        troubles.add("a tool call without its answer")
    chosen = _found(body, ("tool_choice", "function", "name"))
    if chosen and chosen not in [_found(tool, ("function", "name")) for tool in _dicts(body.get("tools"))]:
        troubles.add("a tool that is not there")
    if _found(body, ("response_format", "type")) == ("json_object",) and "json" not in str(messages).lower():
        troubles.add("JSON that nobody speaks of")  # OpenAI refuses that
    return troubles


def _called(messages: JSONValue) -> set[str]:
    """The ids of the tool calls in a conversation."""
    return {str(call.get("id")) for each in _dicts(messages) for call in _dicts(each.get("tool_calls"))}


def _answered(messages: JSONValue) -> set[str]:
    """The ids of the tool calls that are answered."""
    return {str(each.get("tool_call_id")) for each in _dicts(messages) if each.get("role") == "tool"}


def _dicts(values: JSONValue) -> list[dict[str, JSONValue]]:
    """The objects of a list, whatever it is."""
    return [each for each in values if isinstance(each, dict)] if isinstance(values, list) else []
