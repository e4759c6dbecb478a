"""One browser for each module, a fresh context for each page that is opened."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from once import shared_folder
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from browser.chromium import launch, path_or_skip
from browser.pages import Workshop

PATIENCE = 10_000
WATCH_POLICY = """
window.broken = [];
addEventListener("securitypolicyviolation", (event) => broken.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


@dataclass
class Watched:
    """A page that was opened, and everything that it should not have done."""

    page: Page
    context: BrowserContext
    requests: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Where pages are made; needs no browser, but is not worth it without one."""
    path_or_skip()
    return Workshop(shared_folder(tmp_path_factory, "pages"))


# Playwright leaves an event loop running in this thread, so it must not outlive the module: others call asyncio.run.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser."""
    path_or_skip()
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def visit(workshop: Workshop, browser: Browser) -> Iterator[Callable[..., Watched]]:
    """Opens a page: `visit(name, kind, query, anchor, **options of the context)`; options have `locale` English."""
    contexts = []

    def opened(name: str, kind: str = "real", *, query: str = "", anchor: str = "", **options: object) -> Watched:
        file = workshop.page(name, kind)
        context = browser.new_context(**{"locale": "en-US", **options})
        contexts.append(context)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.set_default_timeout(PATIENCE)
        context.add_init_script(WATCH_POLICY)
        watched = watch(context)
        watched.page.goto(address(file, query, anchor))
        return watched

    yield opened
    for context in contexts:
        context.close()


def address(file: Path, query: str, anchor: str) -> str:
    """The file as a URL."""
    return file.as_uri() + (f"?{query}" if query else "") + (f"#{anchor}" if anchor else "")


def watch(context: BrowserContext) -> Watched:
    """A new page of which everything is noted."""
    page = context.new_page()
    watched = Watched(page, context)
    context.on("request", lambda request: watched.requests.append(request.url))
    page.on("console", lambda message: watched.console.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: watched.console.append(f"error: {error}"))

    def dismissed(dialog) -> None:
        watched.dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismissed)
    return watched
