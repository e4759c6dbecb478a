"""What a chat request may say: checked in a fixed order, the first thing wrong is refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from conformance.relay.call import Refusal, text_of

ROLES = frozenset({"developer", "system", "user", "assistant", "tool", "function"})
_FORMATS = frozenset({"text", "json_object", "json_schema"})
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_STOPS = 4
_DEEPEST = 50

Complaint = tuple[str, str]
"""The code of an error, and what was expected instead."""

Check = Callable[[Any], Complaint | None]
"""Looks at a value that is not null."""


def validate(request: Mapping[str, Any], models: Collection[str]) -> None:
    """Refuse a request that no OpenAI-style model may answer."""
    check_model(request.get("model"), models)
    _check_messages(request.get("messages"))
    check_fields(request, FIELDS)
    _check_together(request)


def check_fields(request: Mapping[str, Any], fields: Mapping[str, Check]) -> None:
    """Refuse the first field whose value, unless it is null, its check complains of."""
    for name, check in fields.items():
        value = request.get(name)
        complaint = check(value) if value is not None else None
        if complaint:
            code, expected = complaint
            raise refuse(name, code, f"Invalid value for '{name}': expected {expected}.")


def require(request: Mapping[str, Any], *names: str) -> None:
    """Refuse a request that lacks one of these fields, or where it is null or empty."""
    for name in names:
        if request.get(name) in (None, "", [], {}):
            raise refuse(name, "missing_required_parameter", f"Missing required parameter: '{name}'.")


def refuse(param: str, code: str, message: str) -> Refusal:
    """A refusal of one field."""
    return Refusal(400, message, param=param, code=code)


def check_model(model: object, models: Collection[str]) -> None:
    """Refuse a model that is missing, no text, or not among those that there are."""
    if model is None or model == "":
        raise refuse("model", "missing_required_parameter", "Missing required parameter: 'model'.")
    if not isinstance(model, str):
        raise refuse("model", "invalid_type", "Invalid type for 'model': expected a string.")
    if model not in models:
        message = f"The model '{model[:100]}' does not exist or you do not have access to it."
        raise Refusal(404, message, param="model", code="model_not_found")


def _check_messages(messages: object) -> None:
    if messages is None:
        raise refuse("messages", "missing_required_parameter", "Missing required parameter: 'messages'.")
    if not isinstance(messages, list):
        raise refuse("messages", "invalid_type", "Invalid type for 'messages': expected an array.")
    if not messages:
        raise refuse("messages", "empty_array", "Invalid 'messages': expected at least one message.")
    for number, message in enumerate(messages):
        _check_message(message, f"messages[{number}]")


def _check_message(message: object, name: str) -> None:
    if not isinstance(message, dict):
        raise refuse(name, "invalid_type", f"Invalid type for '{name}': expected an object.")
    if "role" not in message:
        raise refuse(f"{name}.role", "missing_required_parameter", f"Missing required parameter: '{name}.role'.")
    if not isinstance(message["role"], str) or message["role"] not in ROLES:
        expected = ", ".join(sorted(ROLES))
        raise refuse(f"{name}.role", "invalid_value", f"Invalid value for '{name}.role': expected one of {expected}.")
    if not isinstance(message.get("content"), str | list | None):
        raise refuse(f"{name}.content", "invalid_type", f"Invalid type for '{name}.content': expected a string.")

    if not isinstance(message.get("tool_calls"), list | None):
        raise refuse(f"{name}.tool_calls", "invalid_type", f"Invalid type for '{name}.tool_calls': expected an array.")
    if message["role"] == "tool" and not isinstance(message.get("tool_call_id"), str):
        at = f"{name}.tool_call_id"
        raise refuse(at, "missing_required_parameter", f"Missing required parameter: '{at}'.")


def _check_results(messages: Iterable[Mapping[str, Any]]) -> None:
    """Refuse the result of a call that nobody made."""
    made: set[object] = set()
    for number, message in enumerate(messages):
        calls = message.get("tool_calls")
        made.update(str(each.get("id")) for each in calls or () if isinstance(each, dict))
        if message["role"] == "tool" and message["tool_call_id"] not in made:
            at = f"messages[{number}].tool_call_id"
            raise refuse(at, "invalid_value", f"Invalid value for '{at}': no earlier message made this call.")


_ONLY_WITH = {"tool_choice": "tools", "parallel_tool_calls": "tools", "function_call": "functions"}


def _check_together(request: Mapping[str, Any]) -> None:
    """Refuse fields that do not go with what else is asked."""
    if request.get("top_logprobs") is not None and request.get("logprobs") is not True:
        raise refuse("top_logprobs", "invalid_value", "'top_logprobs' is only allowed when 'logprobs' is true.")
    said = "\n".join(map(text_of, request["messages"])).lower()
    if (request.get("response_format") or {}).get("type") == "json_object" and "json" not in said:
        message = "'messages' must contain the word 'json' to use 'response_format' of type 'json_object'."
        raise refuse("messages", "invalid_value", message)
    for name, other in _ONLY_WITH.items():
        if request.get(name) is not None and not request.get(other):
            raise refuse(name, "invalid_value", f"'{name}' is only allowed when '{other}' are specified.")
    _check_named(request)
    _check_results(request["messages"])


def _check_named(request: Mapping[str, Any]) -> None:
    """Refuse the choice of a function that is not offered."""
    name = named_function(request)
    offered = [tool["function"] for tool in request.get("tools") or ()] + list(request.get("functions") or ())
    if name is not None and name not in [function["name"] for function in offered]:
        field = "tool_choice" if request.get("tools") else "function_call"
        raise refuse(field, "invalid_value", f"Invalid value for '{field}': there is no such function.")


def named_function(request: Mapping[str, Any]) -> str | None:
    """The function that a valid request wants to be called, by its name; None when it names none."""
    for choice in ((request.get("tool_choice") or {}), {"function": request.get("function_call")}):
        function = choice.get("function") if isinstance(choice, dict) else None
        if isinstance(function, dict):
            return str(function["name"])
    return None


def number(low: float, high: float) -> Check:
    """A number in this range."""

    def check(value: Any) -> Complaint | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "invalid_type", "a number"
        return None if low <= value <= high else ("out_of_range", f"a number from {low} to {high}")

    return check


def integer(low: int | None = None, high: int | None = None) -> Check:
    """A whole number in this range."""

    def check(value: Any) -> Complaint | None:
        if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, float) and value.is_integer())):
            return "invalid_type", "an integer"
        if low is not None and value < low:
            return "integer_below_min_value", f"an integer of at least {low}"
        if high is not None and value > high:
            return "integer_above_max_value", f"an integer of at most {high}"
        return None

    return check


def of(kind: type, words: str) -> Check:
    """A value of this type."""
    return lambda value: None if isinstance(value, kind) else ("invalid_type", words)


def one_of(*names: str) -> Check:
    """One of these words."""

    def check(value: Any) -> Complaint | None:
        known = isinstance(value, str) and value in names
        return None if known else ("invalid_value", f"one of {', '.join(names)}")

    return check


def _stop(value: Any) -> Complaint | None:
    if isinstance(value, str):
        return None
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        return "invalid_type", "a string or an array of strings"
    if not 1 <= len(value) <= _MOST_STOPS:
        return "invalid_length", f"an array of 1 to {_MOST_STOPS} strings"
    return None


def _stream_options(value: Any) -> Complaint | None:
    if not isinstance(value, dict):
        return "invalid_type", "an object"
    wrong = [name for name, flag in value.items() if name.startswith("include_") and not isinstance(flag, bool | None)]
    return ("invalid_type", f"'{wrong[0][:50]}' to be a boolean") if wrong else None


def _logit_bias(value: Any) -> Complaint | None:
    if not isinstance(value, dict):
        return "invalid_type", "an object"
    bias = integer(-100, 100)
    return next((complaint for complaint in map(bias, value.values()) if complaint), None)


def _response_format(value: Any) -> Complaint | None:
    if not isinstance(value, dict):
        return "invalid_type", "an object"
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in _FORMATS:
        return "invalid_value", f"a type that is one of {', '.join(sorted(_FORMATS))}"
    return _json_schema(value.get("json_schema")) if kind == "json_schema" else None


def _json_schema(value: Any) -> Complaint | None:
    if not isinstance(value, dict):
        return "invalid_type", "'json_schema' to be an object"
    if not isinstance(value.get("name"), str) or not _NAME.fullmatch(value["name"]):
        return "invalid_value", "'json_schema.name' to be 1 to 64 letters, digits, - or _"
    if not isinstance(value.get("schema", {}), dict):
        return "invalid_type", "'json_schema.schema' to be an object"
    if value.get("strict") is True and _is_open(value.get("schema", {})):
        return "invalid_value", "'additionalProperties' to be false in every object of a strict schema"
    return None


def _is_open(schema: Any, depth: int = 0) -> bool:
    """Whether some object of a schema lets further properties in."""
    if isinstance(schema, list):
        return any(_is_open(inner, depth + 1) for inner in schema)
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return False
    itself = schema.get("type") == "object" and schema.get("additionalProperties") is not False
    return itself or any(_is_open(inner, depth + 1) for inner in schema.values())


def _tools(value: Any) -> Complaint | None:
    if not isinstance(value, list) or not value:
        return "invalid_type", "an array of at least one tool"
    for tool in value:
        if not isinstance(tool, dict) or tool.get("type") != "function":
            return "invalid_value", "tools of type 'function'"
        complaint = _function(tool.get("function"))
        if complaint:
            return complaint
    return None


def _functions(value: Any) -> Complaint | None:
    if not isinstance(value, list) or not value:
        return "invalid_type", "an array of at least one function"
    return next((complaint for complaint in map(_function, value) if complaint), None)


def _function(value: Any) -> Complaint | None:
    """What is wrong with the description of a function."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str) or not _NAME.fullmatch(value["name"]):
        return "invalid_value", "a function whose name is 1 to 64 letters, digits, - or _"
    parameters = value.get("parameters")
    if not isinstance(parameters, dict | None):
        return "invalid_type", "parameters that are an object"
    if value.get("strict") is True and _is_open(parameters):
        return "invalid_value", "'additionalProperties' to be false in every object of a strict function"
    return None


def _choice(*modes: str, wrapped: bool) -> Check:
    """Which function is to be called: a word, or the name of one."""

    def check(value: Any) -> Complaint | None:
        inner = value.get("function") if wrapped and isinstance(value, dict) else value
        named = isinstance(inner, dict) and isinstance(inner.get("name"), str)
        known = named or (isinstance(value, str) and value in modes)
        return None if known else ("invalid_value", f"one of {', '.join(modes)}, or the name of a function")

    return check


FIELDS: Mapping[str, Check] = {
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "n": integer(1, 128),
    "stop": _stop,
    "max_tokens": integer(1),
    "max_completion_tokens": integer(1),
    "stream": of(bool, "a boolean"),
    "stream_options": _stream_options,
    "logit_bias": _logit_bias,
    "presence_penalty": number(-2, 2),
    "frequency_penalty": number(-2, 2),
    "logprobs": of(bool, "a boolean"),
    "top_logprobs": integer(0, 20),
    "response_format": _response_format,
    "seed": integer(),
    "user": of(str, "a string"),
    "tools": _tools,
    "tool_choice": _choice("none", "auto", "required", wrapped=True),
    "parallel_tool_calls": of(bool, "a boolean"),
    "functions": _functions,
    "function_call": _choice("none", "auto", wrapped=False),
}
"""The optional fields that are looked at, in the order in which they are."""
