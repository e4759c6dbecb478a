"""Filters: fewer findings are shown, the address keeps what was asked for, and one press brings all back."""

import re

import pytest

from browser.pages import PAGES

pytestmark = pytest.mark.xdist_group("browser-finding")
FILTERED = [name for name, page in PAGES.items() if page.filters]
SHOWN = """() => {
  for (const each of document.querySelectorAll("details")) each.open = true;
  return [...document.querySelectorAll("[data-v], [data-verdicts]")].filter((each) => each.checkVisibility()).length;
}"""


def wait(page, fits, everything):
    """Until the number of what is shown fits: filters wait for the typing to end."""
    page.wait_for_function(f"(all) => {{ const n = ({SHOWN})(); return {fits}; }}", arg=everything, timeout=5_000)


def opened(page):
    """How many items are shown when everything is unfolded."""
    return page.evaluate(SHOWN)


@pytest.mark.parametrize(("name", "label"), [(name, label) for name in FILTERED for label in PAGES[name].filters])
def test_a_choice_leaves_only_what_fits_and_stays_in_the_address(visit, name, label):
    page = visit(name, "small").page
    everything = opened(page)
    control = page.get_by_role("combobox", name=re.compile(label, re.IGNORECASE))
    control.select_option(index=1)
    wait(page, "n < all", everything)
    page.wait_for_url(re.compile(f"{control.get_attribute('name')}={re.escape(control.input_value())}"))
    chosen, left = control.input_value(), opened(page)

    page.reload()
    assert (control.input_value(), opened(page)) == (chosen, left)

    page.get_by_role("button", name=re.compile("reset|clear|all", re.IGNORECASE)).first.click()
    wait(page, "n === all", everything)
    assert control.input_value() == ""


@pytest.mark.parametrize("name", FILTERED)
def test_text_is_searched_for_as_it_is_typed(visit, name):
    page = visit(name, "small").page
    everything = opened(page)
    box = page.get_by_role("searchbox")

    for typed, fits in (("usage", "n > 0 && n < all"), ("no such words anywhere", "n === 0"), ("", "n === all")):
        box.fill(typed)
        wait(page, fits, everything)


@pytest.mark.parametrize("name", FILTERED)
def test_a_page_that_is_opened_at_what_its_filter_hides_shows_it_all_the_same(visit, name):
    page = visit(name, "small").page
    hidden = page.evaluate("[...document.querySelectorAll('[data-v], [data-verdicts]')].at(-1).id")
    again = visit(name, "small", query="q=no+such+words&text=no+such+words", anchor=hidden).page

    again.wait_for_function("(id) => document.getElementById(id).checkVisibility()", arg=hidden, timeout=5_000)
