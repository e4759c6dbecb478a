"""Language, theme and motion: what a reader switches, and what the system says for him."""

import re

import pytest

from browser.looking import click_everything, open_all, own_texts
from browser.pages import PAGES

pytestmark = [pytest.mark.xdist_group("browser-switches"), pytest.mark.parametrize("name", PAGES)]
CHINESE = re.compile(r"[\u3400-\u9fff]")
WORDS = re.compile(r"[A-Za-z]{2,}(?:[ ,;:.]+[A-Za-z]{2,}){3,}")
"""Four English words in a row: a sentence that somebody forgot to translate."""
SWITCH = "中文|English"
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
FOREIGN = {"en": '[lang|="zh"]', "zh": '[lang="en"]'}


def press(page, name):
    page.get_by_role("button", name=re.compile(name)).first.click()


def foreign(page, language):
    """Texts of the other language that can be seen, the switch aside."""
    button = "button, button *"
    seen = own_texts(page, button)
    if language == "en":
        return [text for text in seen if CHINESE.search(text)]
    return [text for text in seen if WORDS.search(text) and not CHINESE.search(text)]


def seen_by_mark(page, language):
    """Texts that are marked as of the other language, and seen all the same."""
    return page.evaluate(
        """(selector) => [...document.querySelectorAll(selector)]
        .filter((each) => !each.closest("button") && each.checkVisibility({visibilityProperty: true}))
        .map((each) => each.textContent.slice(0, 80))""",
        FOREIGN[language],
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_text_is_in_the_language_that_is_asked_for(visit, name, language):
    page = visit(name, "real" if language == "zh" else "small", query=f"lang={language}").page
    open_all(page)

    assert page.evaluate("document.documentElement.lang").startswith(language)
    assert seen_by_mark(page, language) == []
    assert foreign(page, language) == []
    assert len(own_texts(page)) > 20


def test_the_switch_changes_every_sentence_and_back(visit, name):
    page = visit(name, "small").page
    open_all(page)
    english = own_texts(page)

    press(page, SWITCH)
    assert foreign(page, "zh") == []
    assert sum(bool(CHINESE.search(text)) for text in own_texts(page)) > 20

    press(page, SWITCH)
    assert own_texts(page) == english


def test_the_language_of_the_browser_comes_first_and_the_choice_stays_in_the_address(visit, name):
    page = visit(name, "small", locale="zh-CN").page
    assert page.evaluate("document.documentElement.lang") == "zh-CN"

    press(page, SWITCH)
    assert "lang=en" in page.url
    page.reload()
    assert page.evaluate("document.documentElement.lang") == "en"


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_theme_follows_the_system_until_it_is_switched(visit, name, system):
    page = visit(name, "small", color_scheme=system).page
    first = page.evaluate(BACKGROUND)
    page.emulate_media(color_scheme="dark" if system == "light" else "light")
    other = page.evaluate(BACKGROUND)
    page.emulate_media(color_scheme=system)

    assert first != other
    press(page, "Dark|Light|Theme")
    assert page.evaluate(BACKGROUND) == other
    assert "theme=" in page.url
    page.reload()
    assert page.evaluate(BACKGROUND) == other


def test_nothing_moves_where_less_motion_is_asked_for(visit, name):
    page = visit(name, "small", reduced_motion="reduce").page
    click_everything(page)

    moving = page.evaluate("""() => [...document.querySelectorAll("*")].filter((each) => {
      const style = getComputedStyle(each);
      const seconds = `${style.transitionDuration},${style.animationDuration}`.split(",").map(parseFloat);
      return Math.max(...seconds) > 0.011 || (style.scrollBehavior === "smooth");
    }).map((each) => each.outerHTML.slice(0, 80))""")
    assert moving == []


@pytest.mark.parametrize("width", [1280, 420])
def test_the_page_is_never_wider_than_the_window(visit, name, width):
    page = visit(name, "small", viewport={"width": width, "height": 800}).page
    open_all(page)

    assert page.evaluate("document.documentElement.scrollWidth") <= width
