"""How clients fare, in every report: HTML, terminal, results.json; and `vet --clients` from end to end."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest
from report.samples import exchange, judgement, ledger
from rich.console import Console

from conformance import cli, relay
from conformance.clients import table
from conformance.clients.comparing import State
from conformance.clients.table import CLIENTS, Client
from conformance.clients.verdicts import ClientVerdict, Trouble
from conformance.contract import schema_errors
from conformance.reporting import report
from conformance.reporting.html import html_text
from conformance.reporting.results import results
from conformance.reporting.terminal import print_summary
from conformance.rules.base import catalogue

if TYPE_CHECKING:
    from pathlib import Path

LOST = Trouble("texts-lost", "<b>gone</b>", ("chat",), ("chat/minimal", "chat/absent"), ("chat.stream.compat",))
VERDICTS = [
    ClientVerdict(CLIENTS["openai"], "2.0", State.WORKS, 3, ("chat",), ()),
    ClientVerdict(CLIENTS["litellm"], "1.0", State.BREAKS, 2, ("chat",), (LOST,)),
    ClientVerdict(CLIENTS["langchain"], "", State.NOT_RUN, 0, (), (), "No module named 'langchain_openai'"),
]
RUN = ledger(exchange())


def test_the_page_has_a_row_for_each_client():
    text = html_text([judgement()], RUN, catalogue(), clients=VERDICTS)
    for part in ("OpenAI SDK (Python) 2.0", "LiteLLM 1.0", "works", "breaks", "not run", "chat.stream.compat"):
        assert part in text
    assert "&lt;b&gt;gone" in text
    assert "<b>gone" not in text


def test_the_page_has_no_such_part_where_nobody_has_read():
    assert 'id="clients"' not in html_text([judgement()], RUN, catalogue())


def test_a_terminal_has_a_line_for_each_client():
    paper = io.StringIO()
    print_summary([judgement()], RUN, {}, strict=False, console=Console(file=paper, width=100), clients=VERDICTS)
    lines = paper.getvalue().splitlines()
    assert any(line.startswith("LiteLLM 1.0") and "breaks" in line for line in lines)


def test_programs_get_the_same():
    found = results([judgement()], RUN, clients=VERDICTS)
    assert schema_errors("formats/results.json", found) == []
    assert [each["state"] for each in found["clients"]] == ["works", "breaks", "not-run"]
    assert found["clients"][1]["troubles"][0]["rules"] == ["chat.stream.compat"]


def test_a_report_with_clients_is_written(tmp_path: Path):
    files = report([judgement()], RUN, tmp_path, clients=VERDICTS)
    assert "LiteLLM" in files["report.html"].read_text(encoding="utf-8")
    assert json.loads(files["results.json"].read_bytes())["clients"]


def test_clients_read_after_a_run_and_stand_in_its_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    fakes = {"fake": Client("fake", "Fake", "fake", "clients.fakes", ("models.list",))}
    for module in (table, sys.modules["conformance.clients.verdicts"]):
        monkeypatch.setattr(module, "CLIENTS", fakes)
    monkeypatch.setenv("RELAY_API_KEY", relay.DEFAULT_KEY)
    out = tmp_path / "run"
    with relay.BackgroundRelay() as background:
        command = ["vet", background.base_url, "--model", relay.DEFAULT_MODEL, "--only", "models.list.ids-unique"]
        monkeypatch.setattr(sys, "argv", ["relay-conformance", *command, "--clients", "--out", str(out)])
        with pytest.raises(SystemExit) as end:
            cli.main()
    shown, said = capsys.readouterr()
    assert end.value.code == 0
    assert "nothing more is sent" in said
    assert "Fake 1.0" in shown
    assert json.loads((out / "results.json").read_bytes())["clients"][0]["client"] == "Fake"


@pytest.mark.parametrize("name", ["client.openai.reads-it", "client."])
def test_rules_of_clients_are_explained(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str):
    monkeypatch.setattr(sys, "argv", ["relay-conformance", "rules", name])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 0
    assert "OpenAI SDK (Python) SHOULD read every answer as it was meant." in capsys.readouterr().out
