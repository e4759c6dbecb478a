"""From judgements to files: `report.html`, `summary.md` for people, `results.json` for programs, `junit.xml` for CI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.reporting.html import html_text
from conformance.reporting.junit import junit_text
from conformance.reporting.markdown import summary_text
from conformance.reporting.results import results_text
from conformance.rules.base import catalogue
from conformance.whole_files import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from conformance.clients.verdicts import ClientVerdict
    from conformance.model import Judgement, Ledger
    from conformance.profiles import Profile
    from conformance.rules.base import Rule


def report(
    judgements: Sequence[Judgement],
    ledger: Ledger,
    folder: Path,
    *,
    strict: bool = False,
    rules: Mapping[str, Rule] | None = None,
    profile: Profile | None = None,
    clients: Sequence[ClientVerdict] = (),
) -> Mapping[str, Path]:
    """Write the four files into `folder`, return their paths by name; the same run gives the same bytes.

    `profile`: the page of the provider, with which was judged; the report then lists what it names. `clients`: how
    real clients fare with the answers.
    """
    known = catalogue() if rules is None else rules
    texts = {
        "report.html": html_text(judgements, ledger, known, strict=strict, profile=profile, clients=clients),
        "results.json": results_text(judgements, ledger, strict=strict, profile=profile, clients=clients),
        "junit.xml": junit_text(judgements, ledger, known, strict=strict),
        "summary.md": summary_text(judgements, ledger, known, strict=strict),
    }
    return {name: write_whole(folder / name, text) for name, text in texts.items()}
