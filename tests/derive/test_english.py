"""English pages, and pages whose headings nobody knows."""

import pytest
from pagewriter import ENGLISH, Page, Row, without_places

from conformance.derive import apifox, deriving
from conformance.derive.nouns import DeriveError, Source

PAGE = Page(headers=(Row("Accept", "string", True, extra=("示例值:", "application/json")),)).with_request(
    Row("size", "string", False, extra=("枚举值:", "big", "small", "默认值:", "big"), description="How big.")
)


def english(text):
    for chinese, word in ENGLISH:
        text = text.replace(chinese, word)
    return text


def read(text):
    return apifox.read_page(Source("page.txt", text, ""))


@pytest.mark.parametrize("response", ["Responses", "Response"])
@pytest.mark.parametrize("nbsp", ["\u00a0", ""])
def test_an_english_page_says_what_the_chinese_one_says(response, nbsp):
    page = PAGE.but(nbsp=nbsp)
    text = english(page.text()).replace("\nResponses\n", f"\n{response}\n")
    assert apifox.looks_like(text)
    chinese, found = read(page.text()), read(text)
    ours, theirs = found.endpoints[0], chinese.endpoints[0]
    assert without_places(ours.request.schema) == without_places(theirs.request.schema)
    assert without_places(ours.response.schema) == without_places(theirs.response.schema)
    assert (ours.headers, ours.bearer, ours.status, found.nav) == (theirs.headers, True, 200, chinese.nav)
    assert ours.response.example == theirs.response.example


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("Body Params application/json", "Body Params(application/json)"),
        lambda text: text.replace("Body Params application/json", "Request Body"),
        lambda text: text.replace("Body Params application/json", "Body application/json"),
        lambda text: text.replace("🟢200OK\napplication/json\nBody", "HTTP Code: 200\nContent Type: JSON\nData Schema"),
        lambda text: text.replace("Request Code Samples", "Request Example"),
    ],
)
def test_english_headings_come_in_several_forms(change):
    found, expected = read(change(english(PAGE.text()))).endpoints[0], read(PAGE.text()).endpoints[0]
    assert without_places(found.request.schema) == without_places(expected.request.schema)
    assert without_places(found.response.schema) == without_places(expected.response.schema)


def test_fields_may_be_called_like_headings():
    rows = [
        Row("request", "string"),
        Row("response", "string", True),
        Row("example", "string"),
        Row("sample", "string"),
    ]
    schema = read(english(PAGE.but(request=tuple(rows), asked=None).text())).endpoints[0].request.schema
    assert list(schema["properties"]) == ["request", "response", "example", "sample"]


@pytest.mark.parametrize("heading", ["Body Params application/json", "Responses"])
def test_a_table_below_a_heading_that_nobody_knows_is_refused_with_its_line(heading):
    text = english(PAGE.text()).replace(f"\n{heading}\n", "\nInhalt\n")
    with pytest.raises(DeriveError, match=r"^page\.txt:\d+: '(messages|id)' looks like a field") as caught:
        read(text)
    line = int(str(caught.value).split(":")[1])
    assert text.split("\n")[line - 1] in ("messages", "id")


def test_an_answer_may_have_fields_called_like_the_footer():
    rows = (Row("next", "string"), Row("previous", "string"), Row("id", "string"))
    schema = read(english(PAGE.but(response=rows, answered=None).text())).endpoints[0].response.schema
    assert list(schema["properties"]) == ["next", "previous", "id"]


def test_two_examples_with_english_words_above_are_no_page():
    text = 'Request\n{"model": "m", "messages": []}\nResponse\n{"choices": []}\n'
    assert deriving.read(Source("pair.txt", text, "")).kind == "example"
