"""How long a page takes to open in chromium: `python -m benchmarks.page_load FILE…`, median of five, milliseconds."""

import shutil
import statistics
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROUNDS = 5
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"


def load(browser: Browser, file: Path) -> float:
    """Milliseconds from the start of loading to the end of its load event."""
    page = browser.new_page()
    try:
        page.goto(file.resolve().as_uri())
        page.wait_for_function(f"{LOADED} > 0")
        return float(page.evaluate(LOADED))
    finally:
        page.close()


def main(files: list[str]) -> None:
    """Print a line for each file."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name in files:
            took = statistics.median(load(browser, Path(name)) for _ in range(ROUNDS))
            print(f"{name}: {Path(name).stat().st_size / 1e6:.1f} MB, {took:.0f} ms")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
