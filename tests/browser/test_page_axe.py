"""Readers who cannot see, or not well: axe-core finds nothing wrong, however the page is looked at."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from browser.looking import open_all
from browser.pages import PAGES

pytestmark = pytest.mark.xdist_group("browser-axe")
AXE = Axe().axe_script
LOOKS = [("light", "en", 1280, True), ("dark", "zh", 420, True), ("light", "en", 1280, False)]
"""Scheme, language, width, and whether everything is unfolded."""
ALIKE = 3
THIN = """(most) => {
  const kinds = new Map();
  for (const each of document.querySelectorAll("main *")) {
    const kind = `${each.localName} ${each.className} ${each.getAttribute("role")}`;
    if (each.matches("details, article, tr, li, dl > div, option")) {
      const place = each.closest("section, table")?.getAttribute("aria-labelledby") ?? "";
      const seen = kinds.get(`${place} ${kind}`) ?? 0;
      kinds.set(`${place} ${kind}`, seen + 1);
      if (seen >= most && !each.querySelector("[id]")) each.remove();
    }
  }
}"""
"""Leaves out what is like the elements before it: axe looks at every one that it finds."""
RUN = """async () => (await axe.run({resultTypes: ["violations"]})).violations.flatMap((rule) =>
  rule.nodes.slice(0, 5).map((node) => `${rule.id} (${rule.impact}): ${node.target} ${node.failureSummary}`))"""


@pytest.mark.parametrize(("scheme", "language", "width", "is_open"), LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_violation(visit, name, scheme, language, width, is_open):
    page = visit(
        name, "small", query=f"lang={language}", color_scheme=scheme, viewport={"width": width, "height": 900}
    ).page
    if is_open:
        open_all(page)
    page.evaluate(THIN, ALIKE)
    page.evaluate(AXE)
    assert page.evaluate(RUN) == []
