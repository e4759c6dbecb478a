"""Pages load nothing, break no policy of theirs, and show what a hostile relay sent as text."""

import re

import pytest

from browser.hostile import MARK
from browser.looking import click_everything
from browser.pages import KINDS, PAGES

pytestmark = [pytest.mark.xdist_group("browser-safety"), pytest.mark.parametrize("name", PAGES)]
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
ESCAPED = ("<script>window.pwned=1</script>", "<img src=x onerror=", "{{7*7}}", "\\u{202e}", "&lt;b&gt;")
"""Payloads as a reader sees them."""
INJECTED = """() => {
  const wrong = [];
  const say = (element, why) => wrong.push(`${why}: ${element.outerHTML.slice(0, 120)}`);
  for (const each of document.querySelectorAll("*")) {
    for (const {name, value} of each.attributes) {
      if (name.startsWith("on")) say(each, "handler");
      if (name === "style") say(each, "style");
      if (["href", "src", "action", "formaction", "xlink:href"].includes(name)
        && !/^(#|https:\\/\\/|data:,$|data:image\\/|[\\w./-]+$)/.test(value)) say(each, name);
    }
  }
  const foreign = "img[src=x], iframe, base, object, embed, form[action]";
  for (const each of document.querySelectorAll(foreign)) say(each, "element");
  if (document.scripts.length !== 1) wrong.push(`${document.scripts.length} scripts`);
  if (document.querySelectorAll("style").length !== 1) wrong.push("style sheets");
  return wrong;
}"""


def check_quiet(watched):
    """No word on the console, no request but for the page itself, nothing that its policy had to stop."""
    asked = {re.split("[?#]", url)[0] for url in watched.requests if not url.startswith("data:,")}
    assert watched.console == []
    assert asked == {re.split("[?#]", watched.page.url)[0]}
    assert watched.page.evaluate("window.broken") == []
    assert watched.dialogs == []


def check_harmless(watched):
    """No script of somebody else ran, and no element is there that could run one."""
    assert watched.page.evaluate("window.pwned") is None
    assert watched.page.evaluate(INJECTED) == []
    assert watched.dialogs == []


def test_a_page_is_quiet_loads_nothing_and_breaks_no_policy(visit, name):
    watched = visit(name)
    click_everything(watched.page)

    check_quiet(watched)
    check_harmless(watched)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_relay_sends_stays_text_and_is_seen(visit, name, kind):
    watched = visit(name, kind)
    click_everything(watched.page)
    check_quiet(watched)
    check_harmless(watched)

    text = watched.page.evaluate("document.body.textContent")
    seen = [each for each in ESCAPED if each in text]
    assert MARK in text
    assert seen == list(ESCAPED) or PAGES[name].command != "vet"  # other pages show few texts of a relay
    assert UNSEEN.findall(text) == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_relay_sends_stays_text_even_if_the_policy_were_not_there(visit, name, kind):
    watched = visit(name, kind, bypass_csp=True)
    click_everything(watched.page)

    check_harmless(watched)


def test_a_search_for_a_payload_or_its_address_does_nothing(visit, name):
    evil = "<img src=x onerror=window.pwned=1>"
    watched = visit(name, "small", query=f"q={evil}&lang={evil}&theme={evil}&text={evil}&operation={evil}", anchor=evil)
    page = watched.page
    for box in [*page.get_by_role("searchbox").all(), *page.get_by_role("textbox").all()]:
        box.fill(evil)

    check_quiet(watched)
    check_harmless(watched)
