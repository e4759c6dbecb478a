"""What is no page, half a page, or more than one page in a file."""

import json

import pytest
from pagewriter import Page, Row, without_places

from conformance.derive import apifox, deriving, example
from conformance.derive.nouns import DeriveError, Source
from conformance.derive.repairs import page_defects

GOOD = Page()
REQUEST = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
ANSWER = {"id": "a", "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}}]}


def read(text):
    return apifox.read_page(Source("page.txt", text, ""))


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "x", "version": "1.0.0", "scripts": {}}',
        "[1, 2]",
        '[{"a": 1}, {"b": 2}]',
        '{"info": {"name": "collection"}, "item": []}',
    ],
)
def test_json_that_is_no_request_and_no_answer_is_refused(text):
    with pytest.raises(DeriveError, match=r"^page\.json:1: .*neither OpenAPI 3 nor a request"):
        deriving.read(Source("page.json", text, ""))


@pytest.mark.parametrize("text", ['{"swagger": "2.0", "paths": {}}', "info: {}\nswagger: '2.0'\npaths: {}\n"])
def test_swagger_2_is_refused_by_name(text):
    with pytest.raises(DeriveError, match=r":\d: Swagger 2\.0 is not supported, export OpenAPI 3"):
        deriving.read(Source("page.json", text, ""))


@pytest.mark.parametrize("pair", [{"request": REQUEST, "response": ANSWER}, [REQUEST, ANSWER]])
def test_one_json_value_may_hold_the_pair(pair):
    text = json.dumps(pair, indent=1)
    found = deriving.read(Source("page.json", text, "")).endpoints[0]
    assert (found.method, found.url) == ("POST", "/v1/chat/completions")
    assert (found.request.example, found.response.example) == (REQUEST, ANSWER)
    shown = text.split("\n")
    line = int(found.response.schema["properties"]["choices"]["x-source"].split(":")[1])
    assert '"choices"' in shown[line - 1]


def test_a_pair_of_texts_is_none():
    with pytest.raises(DeriveError, match="neither"):
        deriving.read(Source("page.json", '{"request": "a", "response": "b"}', ""))


@pytest.mark.parametrize(
    "answer", [ANSWER, {"object": "chat.completion", "id": "x"}, {"choices": [], "object": "chat.completion"}]
)
def test_an_answer_of_chat_alone_is_an_answer_to_a_post(answer):
    found = example.read_pair(Source("page.json", json.dumps(answer), "")).endpoints[0]
    assert (found.method, found.url, found.request) == ("POST", "/v1/chat/completions", None)
    assert found.response.example == answer


def silence(document):
    return [each for each in page_defects(document) if each.documented == "no answer with a status of success"]


@pytest.mark.parametrize("cut", ["返回响应", "🟢200OK", "application/json\nBody\nid"])
def test_a_page_that_ends_before_its_answer_says_so(cut):
    whole = GOOD.text()
    assert silence(read(whole)) == []
    assert [(each.where, each.repaired) for each in silence(read(whole[: whole.rindex(cut)]))] == [("response", False)]


def test_an_answer_that_is_a_file_is_an_answer():
    assert silence(read(GOOD.but(response=(), answered=None, response_media="audio/mpeg").text())) == []


def test_a_page_pasted_twice_is_one_page():
    once, twice = read(GOOD.text()), read(GOOD.text() + "\n" + GOOD.text())
    assert (twice.nav, twice.endpoints) == (once.nav, once.endpoints)
    assert page_defects(twice) == page_defects(once)


def test_two_pages_in_one_file_are_both_read():
    other = GOOD.but(
        nav="  • 聊天\n    • 问答\n      POST\n  • 向量\n    • 嵌入",
        name="嵌入",
        url="https://relay.example/v1/embeddings",
    )
    found = read(GOOD.text() + "\n" + other.text())
    assert [each.url for each in found.endpoints] == [GOOD.url, other.url]
    assert [item.title for item in found.nav] == ["问答", "列出模型", "嵌入"]
    assert without_places(found.endpoints[0].response.schema) == without_places(
        read(GOOD.text()).endpoints[0].response.schema
    )


def test_a_tab_is_one_level_of_the_navigation():
    nav = GOOD.nav.replace("  ", "\t")
    assert read(GOOD.but(nav=nav).text()).nav == read(GOOD.text()).nav


FLAT = "• 聊天接口(Chat)\n• 聊天接口(通用)\nPOST\n• 模型(Models)\n• 列出模型"


def test_a_navigation_without_blanks_is_kept_and_told():
    document = read(GOOD.but(nav=FLAT).text())
    assert [(item.title, item.folder) for item in document.nav] == [("聊天接口(通用)", ()), ("列出模型", ())]
    found = [each for each in page_defects(document) if each.where == "navigation"]
    assert [(each.source, each.repaired) for each in found] == [("page.txt:4", False)]


@pytest.mark.parametrize("nav", [GOOD.nav, "• 问答"])
def test_a_navigation_with_its_blanks_or_one_entry_is_no_defect(nav):
    assert not [each for each in page_defects(read(GOOD.but(nav=nav).text())) if each.where == "navigation"]


def test_names_lose_what_cannot_be_seen():
    text = GOOD.text().replace("model", "mo\u200bdel").replace("role", "role\ufeff")
    found, expected = read(text).endpoints[0], read(GOOD.text()).endpoints[0]
    assert found.request.schema == expected.request.schema
    assert found.response.schema == expected.response.schema


def test_a_family_emoji_stays_one():
    family = "\U0001f468\u200d\U0001f467"
    assert read(GOOD.but(title=family).text()).title == family


KEYED = GOOD.but(auth=False, headers=(Row("X-Api-Key", "string", True),), curl=None)


def line_of(page, text):
    return page.text().split("\n").index(text) + 1


@pytest.mark.parametrize(
    ("page", "header", "line"),
    [
        (GOOD, "", line_of(GOOD, "Authorization")),
        (
            GOOD.but(auth=False, headers=(Row("Authorization", "string", True),)),
            "",
            line_of(GOOD.but(auth=False, headers=(Row("Authorization", "string", True),)), "Authorization"),
        ),
        (KEYED, "X-Api-Key", line_of(KEYED, "X-Api-Key")),
        (KEYED.but(headers=(Row("X-Api-Key", "string"),)), "", 0),
        (KEYED.but(headers=(Row("Idempotency-Key", "string", True),)), "", 0),
    ],
)
def test_the_key_is_documented_in_a_line_and_in_a_header(page, header, line):
    document = read(page.text())
    found = document.endpoints[0]
    assert (found.key_header, found.key_line) == (header, line)
    assert ("D17" in {each.row for each in page_defects(document)}) is (not line)


@pytest.mark.parametrize(
    ("page", "stated"),
    [
        (GOOD, ("bearer", "Authorization", True)),
        (KEYED, ("header", "X-Api-Key", True)),
        (KEYED.but(headers=None), ("bearer", "Authorization", False)),
    ],
)
def test_the_profile_says_which_header_takes_the_key(tmp_path, page, stated):
    path = tmp_path / "page.txt"
    path.write_text(page.text(), encoding="utf-8")
    found = deriving.derive([path], "sky").profile["authentication"]
    assert (found["scheme"], found["header"], found["documented"]) == stated
    assert found.get("source") == (f"page.txt:{line_of(page, found['header'])}" if stated[2] else None)


@pytest.mark.parametrize(
    ("above", "expected"),
    [
        ("curl https://r.example/v1/x -H 'X-Api-Key: k' -d ", (None, "X-Api-Key", 1)),
        ("curl https://r.example/v1/x -H 'Authorization: Bearer k' -d ", (True, "", 1)),
        ("Send your key as a bearer token.\n\n", (True, "", 1)),
        ("Request\n", (None, "", 0)),
    ],
)
def test_the_key_of_an_example_is_found(above, expected):
    quote = "'" if above.startswith("curl") else ""
    text = f"{above}{quote}{json.dumps(REQUEST)}{quote}\n"
    found = example.read_pair(Source("pair.txt", text, "")).endpoints[0]
    assert (found.bearer, found.key_header, found.key_line) == expected


def test_a_key_that_only_curl_sends_is_one():
    page = GOOD.but(auth=False, headers=None, curl=("X-Api-Key: k",))
    assert read(page.text()).endpoints[0].key_header == "X-Api-Key"
