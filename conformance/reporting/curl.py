"""A curl line that sends an exchange's request again, without the key: a POSIX shell puts it in.

Everything in it may be hostile. Plain text stands in single quotes; anything that would be invisible or do
something to a terminal is written as octal escapes for `printf`: the line is exact and harmless to read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conformance.model import Auth
from conformance.operations import OPERATIONS
from conformance.redaction import MASKED
from conformance.reporting.visible import is_harmless

if TYPE_CHECKING:
    from conformance.model import Exchange, Provider

_OWN = {"host", "content-length", "connection", "transfer-encoding", "accept-encoding"}
"""Headers that curl writes itself."""
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_URL_UNSAFE = re.compile(r"[^!-~]")
LONGEST = 6_000
"""Characters of a line that is shown."""


def curl(exchange: Exchange, provider: Provider) -> str:
    """The command, one option a line."""
    request = exchange.request
    words = ["curl -sS"]
    operation = OPERATIONS.get(exchange.case.operation)
    if operation and operation.streams:
        words[0] += " -N"
    if any(sign in request.url for sign in "[]{}"):
        words[0] += " -g"
    if request.method != ("POST" if request.body else "GET"):
        words[0] += f" -X {_word(_CONTROLS.sub('', request.method))}"
    words[0] += f" --url {_url(request.url)}" if request.url.startswith("-") else f" {_url(request.url)}"
    for name, value in request.headers:
        if _TOKEN.fullmatch(name) and name.lower() not in _OWN:
            words.append(f"-H {_header(name, value, exchange, provider)}")
    before = ""
    if request.body:
        before, word = _body(request.body)
        words.append(f"--data-binary {word}")
    return before + " \\\n  ".join(words)


def shown_curl(exchange: Exchange, provider: Provider, limit: int = LONGEST) -> str:
    """The same where it is worth showing, else an empty string: what has more characters nobody pastes."""
    if len(exchange.request.body) > limit:
        return ""
    line = curl(exchange, provider)
    return line if len(line) <= limit else ""


def key_variable(line: str, provider: Provider) -> str:
    """The environment variable that must hold the key before a line is run, or an empty string."""
    named = _VARIABLE.fullmatch(provider.key_env)
    return provider.key_env if named and f'"${provider.key_env}"' in line else ""


def _quote(text: str) -> str:
    """One word for a POSIX shell; nothing inside is special."""
    return "'" + text.replace("'", "'\\''") + "'"


def _url(url: str) -> str:
    """The URL as one word; what no URL may hold is percent-encoded."""
    raw = _URL_UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in _raw(found[0])), url)
    return _quote(raw)


def _header(name: str, value: str, exchange: Exchange, provider: Provider) -> str:
    """A header as one word, variables in the place of what is masked."""
    variable = {key.lower(): env for key, env in provider.headers.items()}.get(name.lower(), "")
    value = _CONTROLS.sub("", value)
    if variable and not MASKED.search(value):
        return _with_variables(f"{name}: <KEY*>", variable)
    if variable or MASKED.search(value):
        return _with_variables(f"{name}: {value}", variable or provider.key_env)
    if name.lower() == "authorization" and provider.key_env and exchange.case.auth in {Auth.KEY, Auth.BARE}:
        scheme = "Bearer " if exchange.case.auth is Auth.KEY else ""
        return _with_variables(f"{name}: {scheme}<KEY*>", provider.key_env)
    # A header without a value is written with a semicolon; with a colon curl would remove it.
    return _word(f"{name}: {value}" if value else f"{name};")


def _with_variables(text: str, variable: str) -> str:
    """Quoted text with the variable in the place of each mask; a name that is none stays masked."""
    if not _VARIABLE.fullmatch(variable):
        return _word(text)
    pieces = [_word(piece) if piece else "" for piece in MASKED.split(text)]
    return f'"${variable}"'.join(pieces)


def _word(text: str) -> str:
    """One word: quoted where it can be shown as it is, else printed from octal escapes."""
    return _quote(text) if is_harmless(text) else f'"$({_printf(_raw(text))})"'


def _body(body: bytes) -> tuple[str, str]:
    """What comes before curl, and its argument: the body itself, or `@-` and a printf that writes it."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    # curl reads a file where the text begins with an at sign.
    if is_harmless(text, lines=True) and not text.startswith("@"):
        return "", _quote(text)
    return f"{_printf(body)} |\n", "@-"


def _printf(data: bytes) -> str:
    """A printf command that writes exactly these bytes."""
    escaped = "".join(map(_PRINTED.__getitem__, data))
    return f"printf {_quote(_octal(ord('-')) + escaped[1:] if escaped.startswith('-') else escaped)}"


def _octal(byte: int) -> str:
    return f"\\{byte:03o}"


_PRINTED = [chr(byte) if 32 <= byte < 127 and chr(byte) not in "%\\" else _octal(byte) for byte in range(256)]
_PRINTED[ord("%")] = "%%"
"""Each byte in the words of printf."""


def _raw(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
