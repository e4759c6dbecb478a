"""What is asked of a page by script, because a locator for each of its thousand elements would be slow."""

from playwright.sync_api import Page

OPEN_ALL = """async () => {
  for (let closed = [0]; closed.length;) {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const each of closed) each.open = true;
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  }
}"""
"""What is unfolded may hold more that is folded."""
TEXTS = """(unread) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    const text = node.data.replace(/\\s+/g, " ").trim();
    if (!text || element.closest(unread) || !element.checkVisibility({visibilityProperty: true})) continue;
    found.push(text);
  }
  return [...new Set(found)];
}"""
DATA = "code, pre, bdi, time, script, style, template, option[value]:not([lang])"
"""Elements whose text is data: the same in every language."""


def open_all(page: Page) -> None:
    """Opens everything that is folded."""
    page.evaluate(OPEN_ALL)


def own_texts(page: Page, other: str = "") -> list[str]:
    """Visible texts that are the page's own words, each once; `other` selects more elements to leave out."""
    return page.evaluate(TEXTS, f"{DATA}, {other}" if other else DATA)


def click_everything(page: Page) -> None:
    """Opens what is folded and presses every control by script; of the links inside the page, some."""
    open_all(page)
    page.evaluate("""() => {
      const links = [...document.querySelectorAll("a[href^='#']")].slice(0, 12);
      const controls = [...document.querySelectorAll("button, input, select, label, a:not([href^='#'])")];
      for (const each of [...links, ...controls]) {
        for (const name of ["mouseover", "focus"]) each.dispatchEvent(new Event(name, {bubbles: true}));
        each.click();
      }
      for (const each of document.querySelectorAll("summary, td, code")) {
        each.dispatchEvent(new Event("mouseover", {bubbles: true}));
      }
    }""")
    open_all(page)
