"""The pytest door: `pytest --pyargs conformance.suite --relay-url URL --relay-model NAME`.

pytest imports this module in every run on a machine that has the package, so it imports nothing of weight and
does nothing but declare its options. The working part is loaded when `--relay-url` or `--relay-ledger` is given.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import pytest

from conformance.errors import ConformanceError

if TYPE_CHECKING:
    from collections.abc import Callable

SUITE = "conformance.suite"
UNKNOWN_RELAY = (
    "conformance.suite does not know which relay to test\n"
    "hint: give --relay-url URL --relay-model NAME to test a relay, or --relay-ledger FILE to judge a recorded run"
)
_LONGEST_TIMEOUT = 86_400


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options; the same as those of the command line, with `--relay-` before them."""
    group = parser.getgroup("relay-conformance", "relay-conformance (with: --pyargs conformance.suite)")
    group.addoption("--relay-url", metavar="URL", help="Base URL of the relay to test. Sends requests that cost money.")
    group.addoption(
        "--relay-model",
        metavar="NAME|ROLE=NAME",
        action="append",
        help="The chat model to ask; models of other roles as embeddings=NAME. Repeatable.",
    )
    group.addoption("--relay-dear", action="store_true", help="Also send what costs more: pictures and sounds.")
    group.addoption("--relay-ledger", metavar="FILE", help="Judge this recorded run instead; sends nothing.")
    group.addoption(
        "--relay-key-env",
        metavar="VAR",
        default="RELAY_API_KEY",
        help="Environment variable that holds the key (default: RELAY_API_KEY).",
    )
    group.addoption("--relay-no-key", action="store_true", help="The relay is used without a key.")
    group.addoption(
        "--relay-header",
        action="append",
        default=[],
        metavar="NAME=ENVVAR",
        help="Send a further header, its value from an environment variable. Repeatable.",
    )
    group.addoption("--relay-strict", action="store_true", help="A violated SHOULD fails as well.")
    group.addoption("--relay-out", metavar="DIR", help="Folder for the ledger (default: a new temporary one).")
    _add_more(group)
    _add_limits(group)


def _add_more(group: pytest.OptionGroup) -> None:
    """Declare the options that ask for more than the fixed requests."""
    group.addoption("--relay-profile", metavar="NAME|FOLDER", help="Also hold it to this provider's own page.")
    group.addoption("--relay-waivers", metavar="FILE", help="Breaches that are accepted until a day: a waivers.toml.")
    group.addoption(
        "--relay-generated",
        action="append",
        default=[],
        metavar="N|OPERATION=N|all=N",
        help="Further requests, generated from the schemas: N about chat, or so many of each. Repeatable.",
    )
    group.addoption(
        "--relay-seed", metavar="N", type=_number(int, 0, 2**63), default=0, help="The same seed, the same requests."
    )


def _add_limits(group: pytest.OptionGroup) -> None:
    """Declare the options that bound what a run may cost."""
    group.addoption(
        "--relay-concurrency",
        metavar="N",
        type=_number(int, 1, 64),
        default=8,
        help="Requests in flight at most (default: 8).",
    )
    group.addoption(
        "--relay-max-requests",
        metavar="N",
        type=_number(int, 1, 10**6),
        help="Requests at most (default: 400, and one for each generated).",
    )
    group.addoption(
        "--relay-max-output-tokens",
        metavar="N",
        type=_number(int, 0, 10**9),
        help="Output tokens at most (default: 16000, and 40 for each generated).",
    )
    group.addoption(
        "--relay-timeout",
        metavar="SECONDS",
        type=_number(float, 0.1, _LONGEST_TIMEOUT),
        default=60.0,
        help="Seconds for one exchange (default: 60).",
    )


def _number(convert: Callable[[str], float], least: float, most: float) -> Callable[[str], float]:
    """A converter for argparse that says in which range a number must lie."""

    def checked(text: str) -> float:
        try:
            value = convert(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            kind = "a whole number" if convert is int else "a number"
            raise argparse.ArgumentTypeError(f"{text!r} is not {kind} from {least} to {most}")
        return value

    return checked


def pytest_configure(config: pytest.Config) -> None:
    """Load the working part when there is something for it to do; refuse options that make no sense."""
    url, ledger = config.getoption("relay_url"), config.getoption("relay_ledger")
    if url is None and ledger is None:
        if config.option.pyargs and any(f"{name}.".startswith(f"{SUITE}.") for name in config.args):
            raise pytest.UsageError(UNKNOWN_RELAY)
        return
    if url is not None and ledger is not None:
        _refuse("--relay-url and --relay-ledger exclude each other", "the one sends requests, the other sends none")
    if url is not None and config.getoption("relay_model") is None:
        _refuse("--relay-url needs --relay-model", "give the model's name as the provider lists it")
    if url is not None and _distributed(config):
        _refuse(
            "a live run cannot be distributed (-n): every worker would send, and pay for, the same requests",
            "leave -n out: requests are sent concurrently anyway (--relay-concurrency); "
            "with --relay-ledger any number of workers can judge",
        )
    from conformance.suite import hooks, wording  # noqa: PLC0415 - only a run that tests a relay pays for them

    try:
        hooks.register(config)
    except ConformanceError as error:
        _refuse(wording.in_our_options(error.message), wording.in_our_options(error.hint))


def _distributed(config: pytest.Config) -> bool:
    """Whether pytest-xdist is to spread the tests over workers."""
    return config.getoption("dist", "no") != "no" and bool(config.getoption("tx", None))


def _refuse(message: str, hint: str) -> None:
    """End the session with exit code 4 before anything is collected or sent."""
    raise pytest.UsageError(f"{message}\nhint: {hint}" if hint else message) from None
