"""What pytest-html shows of a relay's run: our columns, the evidence in each row, and our head on top.

pytest-html puts what it is given into the page as HTML, so everything is escaped here.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import pytest

from conformance.reporting.visible import visible
from conformance.suite import wording

if TYPE_CHECKING:
    from collections.abc import Collection

    from conformance.model import Judgement
    from conformance.suite.door import Door, Key

_COLUMNS = ("Verdict", "Severity", "Operation")
_PLACE = 1
"""Our columns stand behind the first one, the result."""
_TEST = 1
"""Where pytest-html has the name of the test."""
_STYLES = {"warn": "color: #a85400; font-weight: bold", "inconclusive": "color: #00697a; font-weight: bold"}
"""pytest-html colours outcomes; these verdicts would drown among the passed and the skipped."""


class HtmlHooks:
    """Called by pytest-html, when it is there and was asked for a report."""

    def __init__(self, config: pytest.Config, door: Door, seen: Collection[Key]) -> None:
        self._config = config
        self._door = door
        self._seen = seen

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        """Name the relay in the title, and fold what was skipped, unless the project says what to fold."""
        report.title = visible(f"relay-conformance: {self._door.ledger.provider.title}")
        if self._config.getini("render_collapsed") == "passed":
            report.set_data("renderCollapsed", ["passed", "skipped"])

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: list[str]) -> None:
        """Put our head on top: the verdict in both languages, and what it rests on."""
        ledger = self._door.ledger
        if self._seen:
            said = wording.verdict_words(self._door.judgements(self._seen), ledger, strict=self._door.strict)
            facts = wording.facts(ledger, self._door.path).items()
            lines = "".join(f"<br>{escape(label)}: <bdi>{escape(text)}</bdi>" for label, text in facts)
            prefix.append(
                f'<p><strong>{escape(said.en)}</strong><br><span lang="zh-CN">{escape(said.zh)}</span>{lines}</p>'
            )

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: list[str]) -> None:
        """Add our columns."""
        cells[_PLACE:_PLACE] = [
            f'<th class="sortable" data-column-type="{name.lower()}">{name}</th>' for name in _COLUMNS
        ]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: pytest.TestReport, cells: list[str]) -> None:
        """Fill our columns; a test of somebody else's leaves them empty."""
        if not cells:
            return  # another plugin has left this row out
        judgement = self._judgement(report)
        values, style = ("", "", ""), ""
        if judgement is not None:
            values = (judgement.verdict.label, judgement.severity.value, judgement.operation)
            style = _STYLES.get(judgement.verdict.label, "")
            # The whole node id is as wide as the page, and all but the rule is in the other columns.
            cells[_TEST] = f'<td class="col-testId" title="{escape(report.nodeid)}">{escape(judgement.rule)}</td>'
        cells[_PLACE:_PLACE] = [
            f'<td class="col-{name.lower()}" style="{style if name == "Verdict" else ""}">{escape(value)}</td>'
            for name, value in zip(_COLUMNS, values, strict=True)
        ]

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_html(self, report: pytest.TestReport, data: list[str]) -> None:
        """Show the evidence where pytest-html shows the log."""
        judgement = self._judgement(report)
        if judgement is not None:
            captured = data[bool(report.longreprtext) :] if report.sections else []
            data[:] = [escape(wording.row(judgement, self._door.ledger)), *captured]

    def _judgement(self, report: pytest.TestReport) -> Judgement | None:
        """The verdict that a row is about."""
        key = self._door.key_of(report) if report.when == "call" else None
        return self._door.judgement(key) if key is not None else None
