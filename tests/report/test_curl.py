from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.model import Auth, Provider
from conformance.reporting.curl import curl, key_variable
from conformance.reporting.visible import is_harmless

from .samples import HOSTILE, PROVIDER, case, exchange, request

FAKE = """#!/bin/sh
for word in "$@"; do printf '%s\\0' "$word"; done > arguments
cat > input
"""


Shell = Callable[[str], tuple[list[bytes], bytes]]
"""Runs a line; returns curl's arguments and what it was piped."""


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell with a fake curl on its path."""
    folder = tmp_path_factory.mktemp("shell")
    program = folder / "curl"
    program.write_text(FAKE)
    program.chmod(0o755)

    def run(line: str) -> tuple[list[bytes], bytes]:
        environment = {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "RELAY_API_KEY": "sk-'secret'",
            "EXTRA": "more",
        }
        subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )
        left = {path.name for path in folder.iterdir()}
        assert left == {"curl", "arguments", "input"}
        return (folder / "arguments").read_bytes().split(b"\0")[:-1], (folder / "input").read_bytes()

    return run


def body_sent(shell: Shell, line: str) -> bytes:
    words, piped = shell(line)
    data = words[words.index(b"--data-binary") + 1]
    return piped if data == b"@-" else data


def headers_sent(shell: Shell, line: str) -> list[bytes]:
    words, _ = shell(line)
    return [words[place + 1] for place, word in enumerate(words) if word == b"-H"]


def test_a_plain_line_reads_well() -> None:
    assert curl(exchange(), PROVIDER) == (
        "curl -sS 'https://api.relay.example/v1/chat/completions' \\\n"
        "  -H 'Authorization: Bearer '\"$RELAY_API_KEY\" \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        '  --data-binary \'{"model": "gpt-4o-mini"}\''
    )


def test_the_shell_puts_the_key_in(shell: Shell) -> None:
    assert headers_sent(shell, curl(exchange(), PROVIDER))[0] == b"Authorization: Bearer sk-'secret'"
    assert key_variable(curl(exchange(), PROVIDER), PROVIDER) == "RELAY_API_KEY"


@pytest.mark.parametrize(
    ("auth", "value", "sent"),
    [
        (Auth.KEY, "Bearer ***", b"Bearer sk-'secret'"),
        (Auth.BARE, "***", b"sk-'secret'"),
        (Auth.BARE, "<KEY***>", b"sk-'secret'"),
        (Auth.WRONG, "Bearer sk-wrong", b"Bearer sk-wrong"),
    ],
)
def test_the_key_stands_where_the_case_puts_it(shell: Shell, auth: Auth, value: str, sent: bytes) -> None:
    asked = exchange(case=case(auth=auth), request=request(headers=(("Authorization", value),)))

    assert headers_sent(shell, curl(asked, PROVIDER)) == [b"Authorization: " + sent]


def test_a_relay_without_a_key_needs_none() -> None:
    asked = exchange(request=request(headers=(("Authorization", "Bearer none"),)))
    provider = Provider("https://x.example/v1", "m", key_env="")

    assert "-H 'Authorization: Bearer none'" in curl(asked, provider)
    assert key_variable(curl(asked, provider), provider) == ""


def test_further_secret_headers_come_from_their_variables(shell: Shell) -> None:
    provider = Provider("https://x.example/v1", "m", headers={"X-Extra": "EXTRA", "X-Other": "EXTRA"})
    asked = exchange(request=request(headers=(("x-extra", "<KEY**>"), ("X-Other", "hidden"))))

    assert headers_sent(shell, curl(asked, provider)) == [b"x-extra: more", b"X-Other: more"]


def test_a_variable_name_that_is_none_is_not_expanded() -> None:
    provider = Provider("https://x.example/v1", "m", key_env="$(reboot)")

    line = curl(exchange(), provider)

    assert "reboot" not in line
    assert "<KEY*****>" in line


def test_headers_that_curl_writes_itself_are_left_out(shell: Shell) -> None:
    headers = (
        ("Host", "x"),
        ("Content-Length", "3"),
        ("@/etc/passwd", "x"),
        ("X-Empty", ""),
        ("X-Ok", "a\r\nb"),
    )

    assert headers_sent(shell, curl(exchange(request=request(headers=headers)), PROVIDER)) == [
        b"X-Empty;",
        b"X-Ok: ab",
    ]


@pytest.mark.parametrize(
    "body",
    [
        HOSTILE.encode(errors="surrogatepass"),
        b"@/etc/passwd",
        b"-n % \\ %s",
        b"it's\n two\tlines '\"$HOME`id`",
        b"\xff\x00\xfe",
        "你好 🌏".encode(),
    ],
)
def test_a_body_arrives_byte_for_byte_and_is_harmless_to_read(shell: Shell, body: bytes) -> None:
    line = curl(exchange(request=request(body)), PROVIDER)

    assert body_sent(shell, line) == body
    assert is_harmless(line, lines=True)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(min_size=1) | st.text(min_size=1).map(str.encode))
def test_any_body_arrives_byte_for_byte(shell: Shell, body: bytes) -> None:
    assert body_sent(shell, curl(exchange(request=request(body)), PROVIDER)) == body


def test_hostile_headers_and_addresses_stay_one_word_each(shell: Shell) -> None:
    url = f"https://x.example/{HOSTILE}[1-9]"
    line = curl(exchange(request=request(url=url, headers=(("X-Bad", HOSTILE.replace("\ud800", "")),))), PROVIDER)

    words, _ = shell(line)

    assert words[:2] == [b"-sS", b"-g"]
    assert words[2].startswith(b"https://x.example/%3C" if b"%3C" in words[2] else b"https://x.example/</script>")
    assert words[2].isascii()
    assert len(words) == 7
    assert words[4].decode() == "X-Bad: " + "".join(
        sign for sign in HOSTILE.replace("\ud800", "") if sign > "\x1f" and sign != "\x7f"
    )
    assert is_harmless(line, lines=True)


def test_an_address_that_looks_like_an_option_is_none(shell: Shell) -> None:
    words, _ = shell(curl(exchange(request=request(b"", url="-o/etc/passwd")), PROVIDER))

    assert words[:5] == [b"-sS", b"-X", b"POST", b"--url", b"-o/etc/passwd"]


def test_other_methods_are_named(shell: Shell) -> None:
    words, _ = shell(curl(exchange(request=request(b"", method="GET")), PROVIDER))
    assert b"-X" not in words

    words, _ = shell(curl(exchange(request=request(b"{}", method="PU'T")), PROVIDER))
    assert words[1:3] == [b"-X", b"PU'T"]


def test_a_hostile_method_is_harmless_to_read() -> None:
    assert is_harmless(curl(exchange(request=request(b"", method="\x9b31mGET\u202e")), PROVIDER), lines=True)


def test_a_stream_is_shown_as_it_comes() -> None:
    assert curl(exchange("chat.stream/minimal"), PROVIDER).startswith("curl -sS -N ")
