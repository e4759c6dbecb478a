"""Finding one's way: links into the page, copies, paper, the keyboard."""

import re

import pytest

from browser.looking import open_all
from browser.pages import PAGES

pytestmark = pytest.mark.xdist_group("browser-finding")
EVERY_PAGE = pytest.mark.parametrize("name", PAGES)
WITH_COPIES = pytest.mark.parametrize("name", ["report", "compare"])
TABS = 60
SOME = 30
FOLLOW = """(id) => new Promise((done) => {
  for (const each of document.querySelectorAll("details")) each.open = false;
  history.replaceState(null, "", "#");
  addEventListener("hashchange", () => setTimeout(done), {once: true});
  location.hash = `#${id}`;
})"""
FOCUS = """() => {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  return {
    tag: element.localName,
    text: element.textContent.trim().slice(0, 60),
    shown: (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none",
    seen: element.checkVisibility({visibilityProperty: true, opacityProperty: true}),
  };
}"""


def inner_links(page):
    """The ids that links of the page lead to."""
    return page.evaluate("""() => [...new Set([...document.querySelectorAll("a[href^='#']")]
      .map((each) => decodeURIComponent(each.getAttribute("href").slice(1))))]""")


def closed_around(page, anchor):
    """Why the target of a link cannot be seen; empty when it can."""
    return page.evaluate(
        """(id) => {
        const target = document.getElementById(id);
        if (!target) return "there is no such place";
        const around = [...document.querySelectorAll("details:not([open])")].filter((each) => each.contains(target));
        if (around.length) return `${around.length} folds around it are closed`;
        return target.checkVisibility({visibilityProperty: true}) ? "" : "it cannot be seen";
        }""",
        anchor,
    )


@EVERY_PAGE
def test_every_link_inside_the_page_has_a_place_to_lead_to(visit, name):
    page = visit(name).page
    open_all(page)

    assert page.evaluate("(ids) => ids.filter((id) => !document.getElementById(id))", inner_links(page)) == []


@EVERY_PAGE
def test_a_link_inside_the_page_opens_what_is_around_its_place(visit, name):
    page = visit(name, "small").page
    anchors = inner_links(page)
    assert anchors

    lost = {}
    for anchor in anchors[:: max(1, len(anchors) // SOME)]:
        page.evaluate(FOLLOW, anchor)
        if said := closed_around(page, anchor):
            lost[anchor] = said
    assert lost == {}


@EVERY_PAGE
def test_a_page_that_is_opened_at_a_place_shows_it(visit, name):
    page = visit(name, "small").page
    anchors = inner_links(page)
    for anchor in {anchors[0], anchors[len(anchors) // 2], anchors[-1]}:
        opened = visit(name, "small", anchor=anchor).page
        assert closed_around(opened, anchor) == "", anchor


@WITH_COPIES
def test_a_copy_button_copies_the_text_beside_it(visit, name):
    page = visit(name, "small").page
    open_all(page)
    buttons = page.get_by_role("button", name=re.compile("^Copy")).element_handles()
    assert buttons
    for button in {buttons[0], buttons[len(buttons) // 2], buttons[-1]}:
        page.evaluate("navigator.clipboard.writeText('nothing')")
        button.click()
        copied = page.evaluate("navigator.clipboard.readText()")
        shown = button.evaluate("(each) => each.parentElement.textContent")
        assert copied.strip()
        assert copied.strip() in shown


@pytest.mark.parametrize("name", ["report"])
def test_what_is_copied_says_how_to_send_the_request_again(visit, name):
    page = visit(name, "small").page
    open_all(page)
    copied = []
    for button in page.get_by_role("button", name=re.compile("^Copy")).element_handles()[:SOME]:
        button.click()
        copied.append(page.evaluate("navigator.clipboard.readText()"))

    assert any(text.lstrip().startswith(("curl", "printf")) for text in copied)


@EVERY_PAGE
def test_on_paper_everything_that_matters_is_seen_and_no_buttons(visit, name):
    page = visit(name, "small").page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")

    assert [each.inner_text() for each in page.get_by_role("button").all() if each.is_visible()] == []
    hidden = page.evaluate("""() => [...document.querySelectorAll("h2, article")]
      .filter((each) => !each.checkVisibility()).map((each) => each.textContent.trim().slice(0, 60))""")
    assert hidden == []
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.pdf(format="A4").startswith(b"%PDF")


@EVERY_PAGE
def test_the_keyboard_reaches_the_controls_and_the_focus_is_seen(visit, name):
    page = visit(name, "small").page
    reached = []
    for _ in range(TABS):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUS))

    inside = [each for each in reached if each["tag"] != "body"]
    assert [each for each in inside if not each["shown"]] == []
    assert [each for each in inside if not each["seen"]] == []
    assert {"a", "button"} <= {each["tag"] for each in inside}
    assert len({(each["tag"], each["text"]) for each in inside}) > 5


@pytest.mark.parametrize("name", [name for name in PAGES if name != "history"])
def test_enter_opens_what_is_folded(visit, name):
    page = visit(name, "small").page
    summary = page.locator("details:not([open]) > summary").first.element_handle()
    summary.focus()
    page.keyboard.press("Enter")

    assert summary.evaluate("(each) => each.parentElement.open")
    page.keyboard.press("Enter")
    assert not summary.evaluate("(each) => each.parentElement.open")


@EVERY_PAGE
def test_the_first_tab_skips_to_the_content(visit, name):
    page = visit(name, "small").page
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    anchor = page.evaluate("location.hash.slice(1)")
    assert anchor
    assert closed_around(page, anchor) == ""
