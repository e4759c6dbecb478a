"""A comparison to its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.comparison.markdown import markdown_text
from conformance.comparison.page import html_text
from conformance.comparison.results import results_text
from conformance.comparison.table import table_text
from conformance.whole_files import write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conformance.comparison.nouns import Comparison


def write_files(comparison: Comparison, folder: Path) -> Mapping[str, Path]:
    """Write `compare.html`, `.json`, `.md` and `.csv` into `folder`, return their paths by name; raises OSError."""
    texts = {
        "compare.html": html_text(comparison),
        "compare.json": results_text(comparison),
        "compare.md": markdown_text(comparison),
        "compare.csv": table_text(comparison),
    }
    return {name: write_whole(folder / name, text) for name, text in texts.items()}
