"""`relay-conformance clients`: reads a ledger, writes what clients read, says how they fare."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clients.recorded import completion, exchange, ledger, write
from conformance import cli
from conformance.clients import table
from conformance.clients.table import Client

Command = Callable[..., tuple[int, list[str], str]]
RUN = ledger(exchange("chat/read", completion()), exchange("chat/raises", completion()))


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Runs the command with the table of clients that a test gives: exit code, lines, stderr."""

    def called(recorded: Any, clients: dict[str, Client], *options: str) -> tuple[int, list[str], str]:
        for module in (table, "conformance.clients.verdicts"):
            monkeypatch.setattr(module if module is table else sys.modules[str(module)], "CLIENTS", clients)
        path = write(tmp_path, recorded)
        monkeypatch.setattr(sys, "argv", ["relay-conformance", "clients", str(path), *options])
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capsys.readouterr()
        return int(str(end.value.code)), out.splitlines(), err

    return called


def fake(name: str, module: str = "clients.fakes") -> dict[str, Client]:
    return {name: Client(name, name.title(), name, module, ("chat",))}


def test_a_client_that_breaks_ends_with_1(command: Command, tmp_path: Path) -> None:
    code, lines, _ = command(RUN, fake("fake") | fake("absent", "clients.no_such_module"))

    assert code == 1
    assert lines[0] == "Fake 1.0  breaks: read 2 answers: chat"
    assert "  raises an exception on a good answer, 1 of them, first chat/raises" in lines
    assert "    Unusable: no choices" in lines
    assert lines[-2].startswith("Absent    not run: not installed here: pip install")
    stored = json.loads((tmp_path / "clients.json").read_text(encoding="utf-8"))
    assert [each["client"] for each in stored["clients"]] == ["fake", "absent"]


def test_a_client_that_works_ends_with_0(command: Command) -> None:
    code, lines, _ = command(ledger(exchange("chat/whole", completion())), fake("fake"))

    assert (code, lines[0]) == (0, "Fake 1.0  works: read 1 answer: chat")


def test_a_client_that_only_met_refusals_has_shown_nothing(command: Command) -> None:
    refusal = ledger(exchange("chat/refused", {"error": {"message": "no"}}, 404))
    code, lines, _ = command(refusal, fake("fake"))

    assert code == 6
    assert lines[0].startswith("Fake 1.0  nothing to read")


def test_no_client_at_all_ends_with_6(command: Command) -> None:
    assert command(RUN, fake("absent", "clients.no_such_module"))[0] == 6


def test_only_the_named_clients_read(command: Command) -> None:
    code, lines, _ = command(RUN, fake("fake") | fake("other"), "--client", "other")

    assert code == 1
    assert lines[0].endswith("not run: it was not asked to read")


def test_a_client_that_there_is_not_is_a_usage_error(command: Command) -> None:
    code, _, err = command(RUN, fake("fake"), "--client", "curl")

    assert code == 2
    assert err == "error: there is no client 'curl'\nhint: there are fake\n"
