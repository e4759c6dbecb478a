"""OpenAPI 3.0 and 3.1, in YAML or JSON, with Apifox's additions (`x-apifox-*`, `title` as alias), to a `Document`.

Schemas become JSON Schema 2020-12 of what we use, every object with its line; `nullable` becomes the type null,
references are written out (a cycle ends in `{}`, a remote one is never fetched), and what we do not read is left out.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from conformance.derive.composing import joined
from conformance.derive.keys import shown_key
from conformance.derive.nouns import Body, DeriveError, Document, Endpoint, Header, Source
from conformance.derive.tree import Lines, read_json, read_yaml

METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
DEEPEST = 40
MOST = 50_000
"""Schema objects of one input, with references written out."""
MOST_ENDPOINTS = 2_000

_MARK = re.compile(
    r"""^[ \t]{0,40}["']?openapi["']?[ \t]{0,9}:[ \t]{0,9}["']?3\.|[{,]\s{0,40}"openapi"\s{0,9}:\s{0,9}"3\.""",
    re.MULTILINE,
)
_COPIED = (
    *("title", "description", "format", "default", "enum", "const", "minimum", "maximum", "multipleOf"),
    *("minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
)
_COUNTS = frozenset(name for name in _COPIED if name.startswith(("min", "max")) and name not in {"minimum", "maximum"})
_NUMBERS = ("minimum", "maximum")
_TEXTS = ("title", "description", "format")
_TYPES = frozenset({"null", "boolean", "object", "array", "number", "string", "integer"})
_COMBINED = ("allOf", "anyOf", "oneOf")


def looks_like(text: str) -> bool:
    """Whether the text names itself OpenAPI 3."""
    return _MARK.search(text) is not None


def read_openapi(source: Source, text: str | None = None, first_line: int = 1) -> Document:
    """Read a whole OpenAPI document; `text` is the part of `source` that begins in `first_line`.

    Raises `DeriveError` with file and line.
    """
    text = source.text if text is None else text
    read = read_json if text.lstrip().startswith("{") else read_yaml
    root = read(source, text, first_line)
    if not isinstance(root, Lines) or not isinstance(root.get("paths"), Lines):
        raise DeriveError(f"{source.at(first_line)}: OpenAPI without paths", "export the project as OpenAPI 3.0 or 3.1")
    endpoints = tuple(_Reader(source, root).endpoints())
    if not endpoints:
        raise DeriveError(f"{source.at(root.at['paths'])}: no operation is documented")
    return Document(source, "openapi", _text(_mapping(root.get("info")).get("title")), (), endpoints)


@dataclass
class _Reader:
    """One document and what is left of its bounds."""

    source: Source
    root: Lines
    left: int = MOST
    depth: int = 0
    open: list[str] = field(default_factory=list)
    """The references that are being written out."""

    def endpoints(self) -> list[Endpoint]:
        found = []
        for path, item in _mappings(self.root["paths"]):
            common = _list(item.get("parameters"))
            for method, operation in _mappings(item):
                if method in METHODS:
                    servers = (operation.get("servers"), item.get("servers"), self.root.get("servers"))
                    found.append(self.endpoint(path, method, item.at[method], operation, common, _server(servers)))
                if len(found) > MOST_ENDPOINTS:
                    raise DeriveError(f"{self.source.at(item.line)}: more than {MOST_ENDPOINTS:,} operations")
        return found

    def endpoint(self, path: str, method: str, line: int, operation: Lines, common: list[Any], server: str) -> Endpoint:
        headers = self.headers([*common, *_list(operation.get("parameters"))])
        bearer, key_line, key_header = self.key(operation, headers)
        status, response = self.response(operation)
        return Endpoint(
            title=_text(operation.get("summary")) or _text(operation.get("operationId")) or path,
            folder=_folder(operation),
            method=method.upper(),
            url=server.rstrip("/") + path,
            line=line,
            description=_text(operation.get("description")),
            bearer=bearer,
            headers=headers,
            request=self.body(self.resolved(operation.get("requestBody")), operation.at.get("requestBody", line)),
            response=response,
            status=status,
            key_line=key_line,
            key_header=key_header,
        )

    def headers(self, parameters: list[Any]) -> tuple[Header, ...]:
        found = []
        for each in parameters:
            parameter = self.resolved(each)
            if parameter.get("in") == "header" and _text(parameter.get("name")):
                required = parameter.get("required")
                example = parameter.get("example", self.resolved(parameter.get("schema")).get("default"))
                found.append(
                    Header(
                        _text(parameter["name"]),
                        required if isinstance(required, bool) else None,
                        "" if example is None else str(example),
                        parameter.line,
                        "openapi",
                    )
                )
        return tuple(found)

    def key(self, operation: Lines, headers: tuple[Header, ...]) -> tuple[bool | None, int, str]:
        """Whether a bearer key is documented, in which line, and the header of another key.

        A header of its own comes before the security schemes that apply; None where nothing is said.
        """
        line, name = shown_key(headers)
        if line and not name:
            return True, line, ""
        schemes = _mapping(_mapping(self.root.get("components")).get("securitySchemes"))
        needed = operation.get("security", self.root.get("security"))
        names = [name for each in _list(needed) for name in _mapping(each)]
        found = [self.resolved(schemes.get(name)) for name in names]
        for scheme in found:
            if _is_bearer(scheme):
                return True, scheme.line, ""
        for scheme in found:
            if scheme.get("in") == "header" and _text(scheme.get("name")):
                return False, scheme.line, _text(scheme["name"])
        return (False if names or name else None), line, name

    def response(self, operation: Lines) -> tuple[int, Body | None]:
        """The first documented success."""
        responses = _mapping(operation.get("responses"))
        for status in sorted(responses):
            if re.fullmatch(r"2(\d\d|XX)", status):
                body = self.body(self.resolved(responses[status]), responses.at[status])
                return (int(status) if status.isdigit() else 200), body
        if "default" in responses:
            return 200, self.body(self.resolved(responses["default"]), responses.at["default"])
        return 200, None

    def body(self, holder: Lines, line: int) -> Body | None:
        content = _mapping(holder.get("content"))
        media_type = next((name for name in content if "json" in name), next(iter(content), ""))
        if not media_type:
            return None
        media = _mapping(content[media_type])
        at = media.at.get("schema", content.at.get(media_type, line))
        schema = self.schema(media["schema"], at, frozenset()) if "schema" in media else None
        example, example_line = self.example(media, at)
        return Body(
            media_type=media_type,
            schema=schema,
            example=example,
            line=at,
            example_line=example_line,
            has_table=_says_something(schema),
        )

    def example(self, media: Lines, line: int) -> tuple[Any, int]:
        """The example of a body, wherever it stands; one that is written as a string of JSON is read."""
        for name, example in _mappings(media.get("examples")):
            if "value" in example:
                return _read_example(example["value"]), example.at.get("value", media["examples"].at[name])
        if "example" in media:
            return _read_example(media["example"]), media.at["example"]
        schema = self.resolved(media.get("schema"))
        for name in ("example", "examples"):
            value = schema.get(name)
            if value is not None and (name == "example" or isinstance(value, list)):
                return _read_example(value if name == "example" else next(iter(value), None)), schema.at[name]
        return None, 0 if "schema" in media else line

    def resolved(self, value: Any) -> Lines:
        """The mapping that a value is or refers to; empty where it is or refers to none."""
        for _ in range(DEEPEST):
            reference = _mapping(value).get("$ref")
            if not isinstance(reference, str):
                return _mapping(value)
            value = self.target(reference)
        return Lines(0)

    def target(self, reference: str) -> Any:
        """What a local reference points to; None for a remote or a dead one."""
        if not reference.startswith("#/"):
            return None
        value: Any = self.root
        for step in reference[2:].split("/"):
            name = step.replace("~1", "/").replace("~0", "~").replace("%20", " ")
            value = _mapping(value).get(name, _mapping(value).get(_unquoted(name)))
        return value

    def schema(self, value: Any, line: int, beside: frozenset[str]) -> dict[str, Any]:
        """A schema as documented, with its references written out; `beside` names the properties of its siblings."""
        self.left -= 1
        if self.left < 0:
            raise DeriveError(f"{self.source.at(line)}: more than {MOST:,} schemas, references written out")
        if not isinstance(value, Lines) or self.depth >= DEEPEST:
            return self.weak(line)
        reference = value.get("$ref")
        if isinstance(reference, str):
            return self.referred(reference, value, line, beside)
        self.depth += 1
        found = joined({**self.facts(value), **self.parts(value, beside)})
        self.depth -= 1
        return {**found, "x-source": self.source.at(line), "x-evidence": ["openapi"]}

    def weak(self, line: int, **more: Any) -> dict[str, Any]:
        return {**more, "x-source": self.source.at(line), "x-evidence": ["openapi"], "x-weak": True}

    def referred(self, reference: str, value: Lines, line: int, beside: frozenset[str]) -> dict[str, Any]:
        if reference in self.open or len(self.open) >= DEEPEST:
            return self.weak(line)
        target = self.target(reference)
        if target is None:
            return self.weak(line, **{"x-unresolved": reference})
        self.open.append(reference)
        found = self.schema(target, line, beside)
        self.open.pop()
        return {**found, **{key: text for key in _TEXTS if (text := _text(value.get(key)))}}

    def facts(self, value: Lines) -> dict[str, Any]:
        """What a schema says about the value itself."""
        found = {key: value[key] for key in _COPIED if key in value and _fits(key, value[key])}
        types = [each for each in _list(value.get("type")) or [value.get("type")] if each in _TYPES]
        if types and value.get("nullable") is True and "null" not in types:
            types.append("null")
        if types:
            found["type"] = types[0] if len(types) == 1 else list(dict.fromkeys(types))
        if "null" in types and "enum" in found and None not in found["enum"]:
            found["enum"] = [*found["enum"], None]
        for plain in _NUMBERS:
            found.update(_exclusive(plain, value))
        example = value.get("example", next(iter(_list(value.get("examples"))), None))
        return found if example is None else {**found, "examples": [example]}

    def parts(self, value: Lines, beside: frozenset[str]) -> dict[str, Any]:
        """The schemas inside a schema."""
        found: dict[str, Any] = {}
        none: frozenset[str] = frozenset()
        properties = _mapping(value.get("properties"))
        if "properties" in value and isinstance(value["properties"], Lines):
            found["properties"] = {
                name: self.schema(each, properties.at[name], none) for name, each in properties.items()
            }
        names = beside | (self.names(value) if "allOf" in value else none)
        known = list(dict.fromkeys([*properties, *sorted(names)]))
        required = {name for name in _list(value.get("required")) if isinstance(name, str)} & set(known)
        if required:
            found["required"] = sorted(required, key=known.index)
        for key in ("items", "additionalProperties"):
            if isinstance(value.get(key), Lines):
                found[key] = self.schema(value[key], value.at[key], none)
        if value.get("additionalProperties") is False:
            found["additionalProperties"] = False
        for key in _COMBINED:
            choices = [each for each in _list(value.get(key)) if isinstance(each, Lines)]
            if choices:
                found[key] = [self.schema(each, each.line, names if key == "allOf" else none) for each in choices]
        return found

    def names(self, value: Lines) -> frozenset[str]:
        """The properties of a schema and of all that it is composed of: one part may require those of another."""
        found: set[str] = set()
        todo, seen = [value], set[int]()
        while todo:
            each = self.resolved(todo.pop())
            if id(each) not in seen:
                seen.add(id(each))
                found |= set(_mapping(each.get("properties")))
                todo += [part for part in _list(each.get("allOf")) if isinstance(part, Lines)]
        return frozenset(found)


def _mapping(value: Any) -> Lines:
    return value if isinstance(value, Lines) else Lines(0)


def _mappings(value: Any) -> list[tuple[str, Lines]]:
    return [(name, each) for name, each in _mapping(value).items() if isinstance(each, Lines)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _unquoted(name: str) -> str:
    from urllib.parse import unquote  # noqa: PLC0415 - references with percent signs are rare

    return unquote(name)


def _server(servers: tuple[Any, ...]) -> str:
    """The first server that is named, with the defaults of its variables."""
    for each in servers:
        for server in _list(each):
            url = _text(_mapping(server).get("url"))
            for name, variable in _mappings(_mapping(server).get("variables")):
                url = url.replace("{" + name + "}", _text(variable.get("default")))
            if url:
                return url
    return ""


def _folder(operation: Lines) -> tuple[str, ...]:
    """Where the operation stands in the navigation: Apifox says it exactly, tags nearly."""
    folder = _text(operation.get("x-apifox-folder"))
    if not folder:
        folder = next((_text(tag) for tag in _list(operation.get("tags"))), "")
    return tuple(part.strip() for part in folder.split("/") if part.strip())


def _is_bearer(scheme: Lines) -> bool:
    if _text(scheme.get("type")).lower() == "http":
        return _text(scheme.get("scheme")).lower() == "bearer"
    return scheme.get("in") == "header" and _text(scheme.get("name")).lower() == "authorization"


def _read_example(value: Any) -> Any:
    """An example; Apifox also writes one as a string that holds JSON."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value


def _says_something(schema: dict[str, Any] | None) -> bool:
    return bool(schema) and any(key in (schema or {}) for key in ("properties", "items", *_COMBINED))


def _fits(key: str, value: Any) -> bool:
    """Whether the value of a keyword is one that JSON Schema allows; pages hold all sorts of things."""
    if key in _TEXTS:
        return isinstance(value, str)
    if key in _COUNTS:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if key in _NUMBERS or key == "multipleOf":
        return isinstance(value, int | float) and not isinstance(value, bool) and (key in _NUMBERS or value > 0)
    if key == "enum":
        return isinstance(value, list) and bool(value)
    return isinstance(value, bool) if key == "uniqueItems" else True


def _exclusive(plain: str, value: Lines) -> dict[str, Any]:
    """`exclusiveMinimum` and its sibling: a boolean beside the bound in 3.0, the bound itself in 3.1."""
    name = "exclusive" + plain.capitalize()
    stated = value.get(name)
    bound = value.get(plain) if stated is True else stated
    return {name: bound} if bound is not False and _fits(plain, bound) else {}
