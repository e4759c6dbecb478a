"""Finds and starts the browser: chromium of the system, nothing is downloaded."""

import os
import re
import shutil

import pytest
from playwright.sync_api import Browser, Playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def path_or_skip() -> str:
    """Where chromium is; without one the tests are skipped, or fail where a browser is required."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    said = f"no browser: none of {', '.join(NAMES)} is on the PATH; `make browser-ready` installs one where it can"
    if os.environ.get("RELAY_CONFORMANCE_BROWSER") == "require" or re.fullmatch("1|true", os.environ.get("CI", "")):
        pytest.fail(said)
    pytest.skip(said)


def launch(playwright: Playwright) -> Browser:
    """A headless browser."""
    return playwright.chromium.launch(executable_path=path_or_skip(), args=ARGUMENTS)
