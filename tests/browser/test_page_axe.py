"""Readers who cannot see, or not well: axe-core finds nothing wrong, however the page is looked at."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from browser.looking import open_all
from browser.pages import PAGES

pytestmark = pytest.mark.xdist_group("browser-axe")
AXE = Axe().axe_script
LOOKS = [("light", "en", 1280), ("dark", "en", 420), ("light", "zh", 420), ("dark", "zh", 1280)]
RUN = """async () => (await axe.run({resultTypes: ["violations"]})).violations.flatMap((rule) =>
  rule.nodes.slice(0, 5).map((node) => `${rule.id} (${rule.impact}): ${node.target} ${node.failureSummary}`))"""


@pytest.mark.parametrize(("scheme", "language", "width"), LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_violation(visit, name, scheme, language, width):
    page = visit(
        name, "small", query=f"lang={language}", color_scheme=scheme, viewport={"width": width, "height": 900}
    ).page
    page.evaluate(AXE)
    assert page.evaluate(RUN) == []
    open_all(page)
    assert page.evaluate(RUN) == []
