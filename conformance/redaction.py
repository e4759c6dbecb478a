"""Keeps secrets off disk and screen: masks them by value, in every spelling that a relay may echo.

A mask is as long as what it covers, so byte offsets and arrival times stay true, and it is recognisable
(`<KEY****>`), so a rule can still say that a key was echoed.
"""

from __future__ import annotations

import base64
import html
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from conformance.errors import UsageError
from conformance.jsontext import parse_json
from conformance.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SHORTEST = 6
"""Characters of a secret; masking anything shorter would eat the evidence."""

MASKED = re.compile(r"<KEY\*+>")
"""What a mask looks like."""

_NAMED_TEXT = re.compile(rb'"([^"\\]*+)"\s*+:\s*+"((?:[^"\\]++|\\.)*+)"')
_UNUSUAL = re.compile(rb'"index"\s*:\s*[^0\s]|\[\s*"|^data:(?! ?(?:\{|\[DONE\]))', re.MULTILINE)
"""Texts that more than one choice or no object carries: their order is not that of the bytes."""

_ESCAPES = (b"\\", b"%", b"&")
_BASE64 = {b"+": rb"(?:[+-]|%2b|\\+u002b)", b"/": rb"(?:\\*/|_|%2f|\\+u002f)"}
_LITERAL = re.compile(rb'"(?:[^"\\]++|\\.)*+"')
_DATA_LINE = re.compile(rb"((?:\A|(?<=[\r\n]))data: ?)([^\r\n]*)")


class Secrets:
    """The values that must not leave this process, and how to mask them."""

    def __init__(self, values: Mapping[str, str] | None = None, plain: Mapping[str, str] | None = None) -> None:
        """Take secrets by the name of the environment variable that holds them; `plain` ones are none."""
        self._plain = dict(plain or {})
        for name, value in (values or {}).items():
            if len(value) < SHORTEST:
                raise UsageError(
                    f"the value of {name} has {len(value)} characters, at least {SHORTEST} are needed",
                    "a shorter secret cannot be masked in what is recorded; for a relay without keys use --no-key",
                )
            if not value.isprintable() or not value.isascii() or " " in value:
                raise UsageError(f"the value of {name} is not printable ASCII without blanks", "was it copied whole?")
        self.values = dict(values or {})
        said = [form for value in self.values.values() for form in _forms(value)]
        self._literal = _union(_spellings(form) for form in said)
        self._escaped = _union([_escaped(form)] for form in said)
        self._probes = [_probe(spelling) for form in said for spelling in _encodings(form)]

    def get(self, name: str) -> str:
        """What the environment variable `name` held."""
        return self._plain[name] if name in self._plain else self.values[name]

    def mask(self, data: bytes) -> bytes:
        """Mask every secret in any spelling; the length stays."""
        if self._literal is None or self._escaped is None:
            return data
        lowered = data.lower()
        # Nearly always there is nothing to mask, and looking for a fixed word is many times quicker than a pattern.
        masked = self._literal.sub(_cover, data) if any(probe in lowered for probe in self._probes) else data
        return self._escaped.sub(_cover, masked) if any(mark in masked for mark in _ESCAPES) else masked

    def mask_text(self, text: str) -> str:
        """The same for text."""
        return self.mask(text.encode(errors="surrogatepass")).decode(errors="surrogatepass")

    def mask_body(self, body: bytes) -> bytes:
        """Mask a body; a secret that was cut into pieces of a stream, or broken off at its end, is found as well."""
        masked = self.mask(body)
        if self.values and b"data:" in masked and self._may_be_cut(masked):
            masked = self._mask_pieces(masked)
        return self._mask_end(masked)

    def _may_be_cut(self, body: bytes) -> bool:
        """A quick look whether a secret may be spelt by pieces; reading every stream whole would cost too much."""
        if _UNUSUAL.search(body):
            return True
        texts: dict[bytes, list[bytes]] = {}
        for name, text in _NAMED_TEXT.findall(body):
            texts.setdefault(name, []).append(text)
        whole = b"\n".join(b"".join(pieces) for pieces in texts.values())
        return self.mask(whole) != whole

    def _mask_end(self, body: bytes) -> bytes:
        """Cover the beginning of a secret at the very end: there the answer was broken off, by us or by the relay."""
        for value in self.values.values():
            key = value.encode()
            for size in range(len(key) - 1, max(SHORTEST, len(key) // 2) - 1, -1):
                if body.endswith(key[:size]):
                    return body[:-size] + _mask_of(size)
        return body

    def _mask_pieces(self, body: bytes) -> bytes:
        """Cover the pieces of texts that, joined in the order of the stream, spell a secret."""
        texts: dict[str, list[tuple[int, str]]] = {}
        stream = Stream.read(body)
        for chunk in stream.chunks:
            for path, text in _texts(chunk.value):
                texts.setdefault(path, []).append((chunk.event, text))
        for problem in stream.problems:
            texts.setdefault("", []).append((problem.event, problem.data))
        pieces: dict[int, dict[str, str]] = {}
        for found in texts.values():
            self._note_pieces(found, pieces)
        return _covered(body, stream, pieces) if pieces else body

    def _note_pieces(self, found: Sequence[tuple[int, str]], pieces: dict[int, dict[str, str]]) -> None:
        """Note what each piece of one text is to become: its part of the masked text."""
        whole = "".join(text for _, text in found)
        masked = self.mask_text(whole)
        if masked == whole:
            return
        at = 0
        for event, text in found:
            part = masked[at : at + len(text)]
            if part != text:
                pieces.setdefault(event, {})[text] = part
            at += len(text)


def _union(groups: Iterable[Iterable[bytes]]) -> re.Pattern[bytes] | None:
    """One pattern for all spellings, longest first."""
    spellings = sorted({spelling for group in groups for spelling in group}, key=len, reverse=True)
    return re.compile(b"|".join(spellings), re.IGNORECASE) if spellings else None


def _forms(value: str) -> Iterable[str]:
    """The secret, and what one-api and new-api make of it: they cut `sk-` off before they look it up."""
    yield value
    if value.startswith("sk-") and len(value) - 3 >= SHORTEST:
        yield value[3:]


def _encodings(value: str) -> Iterable[bytes]:
    """The secret as it is, in hexadecimal, and in base64 wherever it may stand in the encoded text."""
    raw = value.encode()
    yield raw
    yield raw.hex().encode()
    for shift in range(3):
        # Only the characters that depend on the secret alone: the first and last may hold its neighbours' bits.
        yield base64.b64encode(b"\0" * shift + raw)[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]


def _spellings(value: str) -> Iterable[bytes]:
    """The encodings as patterns: base64 has two alphabets, and its signs may be escaped."""
    raw, *encoded = _encodings(value)
    yield re.escape(raw)
    for each in encoded:
        yield b"".join(_BASE64.get(each[at : at + 1], each[at : at + 1]) for at in range(len(each)))


def _probe(spelling: bytes) -> bytes:
    """The longest part of a spelling that is written the same everywhere."""
    return max(re.findall(rb"[a-z0-9]+", spelling.lower()), key=len, default=b"")


def _escaped(value: str) -> bytes:
    """A pattern for the secret with any of its characters escaped for JSON, a URL or HTML."""
    spelled = []
    for character in value:
        code = ord(character)
        plain = re.escape(character) if character.isalnum() else rf"\\*{re.escape(character)}"
        spelled.append(
            rf"(?:{plain}|\\+u00{code:02x}|\\+x{code:02x}|%(?:25)*{code:02x}|&#0*{code};|&#x0*{code:x};{_named(character)})"
        )
    return "".join(spelled).encode()


def _named(character: str) -> str:
    """The name that HTML has for a character, as a further alternative."""
    named = html.escape(character)
    return f"|{named}" if named.startswith("&") and named.endswith(";") else ""


def _cover(found: re.Match[bytes]) -> bytes:
    return _mask_of(len(found[0]))


def _mask_of(size: int) -> bytes:
    return b"<KEY" + b"*" * (size - 5) + b">"


def _texts(value: Any, path: str = "") -> Iterable[tuple[str, str]]:
    """Every string inside a JSON value, with where it stands; items of a list are told apart by their `index` only."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        place = f"{path}{value['index']}" if isinstance(value.get("index"), int) else path
        for key, inner in value.items():
            yield from _texts(inner, f"{place}/{key}")
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, f"{path}/*")


def _covered(body: bytes, stream: Stream, pieces: Mapping[int, Mapping[str, str]]) -> bytes:
    """The body with pieces of texts replaced in the events that hold them; the length stays."""
    out = bytearray(body)
    for event, parts in pieces.items():
        start = stream.events[event - 1].end if event else 0
        end = stream.events[event].end
        raw = bytes(out[start:end])
        if stream.events[event].data in parts:  # not JSON: the whole event is the piece
            out[start:end] = _DATA_LINE.sub(lambda line: line[1] + b"*" * len(line[2]), raw)
        else:
            out[start:end] = _LITERAL.sub(partial(_covered_literal, parts), raw)
    return bytes(out)


def _covered_literal(parts: Mapping[str, str], found: re.Match[bytes]) -> bytes:
    """One JSON string, quotes included: masked where its text is one of the pieces."""
    literal = found[0]
    document = parse_json(literal)
    part = parts.get(document.value) if isinstance(document.value, str) else None
    if part is None:
        return literal
    size = len(literal) - 2
    plain = part.encode(errors="surrogatepass")
    return b'"' + (plain if len(plain) == size and part.isprintable() and part.isascii() else b"*" * size) + b'"'
