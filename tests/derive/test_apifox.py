"""The skeleton of a page: navigation, title, endpoint, headers, bodies, examples, and what is around them."""

from pathlib import Path

import pytest
from pagewriter import ANSWER, NBSP, Page, Row, without_places

from conformance.derive import apifox
from conformance.derive.nouns import DeriveError, Header, NavItem, Source

ROOT = Path(__file__).resolve().parents[2]
REAL = sorted((ROOT.parent / "shared" / "pages").glob("*.txt"))
GOOD = Page()


def read(page):
    return apifox.read_page(page.source())


def endpoint(page):
    return read(page).endpoints[0]


def test_the_whole_page_is_read():
    document = read(GOOD.but(description="一句话。"))
    found = document.endpoints[0]
    assert (document.kind, document.title, len(document.endpoints)) == ("apifox-text", "山雀 API", 1)
    assert (found.title, found.folder, found.method, found.url) == ("问答", ("聊天",), "POST", GOOD.url)
    assert (found.description, found.bearer, found.status) == ("一句话。", True, 200)
    assert GOOD.text().split("\n")[found.line - 1] == "POST"
    assert found.headers == (Header("Content-Type", True, "application/json", found.headers[0].line, "table"),)
    assert (found.request.media_type, found.request.has_table) == ("application/json", True)
    assert found.response.example == ANSWER
    assert list(found.request.schema["properties"]) == ["model", "messages", "stream"]
    assert found.request.schema["properties"]["stream"]["default"] is False


def test_the_navigation_is_a_tree_and_methods_may_be_hidden():
    nav = "  • 一\n    • 甲\n      POST\n    • 二\n      • 乙\n        DEL\n  • 丙"
    assert read(GOOD.but(nav=nav)).nav == (
        NavItem("甲", ("一",), "POST", 5),
        NavItem("乙", ("一", "二"), "DELETE", 8),
        NavItem("丙", (), "", 10),
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(NBSP, " "),
        lambda text: text.replace(NBSP, ""),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("示例:", "示例：").replace("默认值:", "默认值："),
        lambda text: text.replace("array\u00a0[object {2}]", "ａｒｒａｙ\u00a0[object ｛2｝]"),
        lambda text: text.replace("POST", " POST").replace("示例\n", "示例 1\n"),
        lambda text: text.replace("🟢200OK", "成功(200)").replace("\nBody\n", "\n数据结构\n"),
        lambda text: text.replace("🟢200OK\napplication/json", "HTTP 状态码: 200\n内容格式: JSON"),
        lambda text: text.replace("\n示例\n", "\n\n"),
        lambda text: text.replace("必需", "required").replace("可选", "optional"),
        lambda text: text.replace("🟢200OK\n", "🟠404不存在\napplication/json\nBody\n示例\n{}\n🟢200OK\n"),
        lambda text: text.replace("🟢200OK\n", ""),
    ],
)
def test_renderers_and_crawlers_may_differ(change):
    found = apifox.read_page(Source("page.txt", change(GOOD.text()), "")).endpoints[0]
    expected = endpoint(GOOD)
    assert without_places(found.request.schema) == without_places(expected.request.schema)
    assert without_places(found.response.schema) == without_places(expected.response.schema)
    assert (found.method, found.url, found.status) == ("POST", GOOD.url, 200)


def test_a_title_between_type_and_requirement_is_an_alias_and_what_follows_a_description():
    row = Row("a", "string", True, "标题 x", "第一句。\n第二句。", ("示例值:", "v", "枚举值:", "v", "w"))
    node = endpoint(GOOD.with_request(row)).request.schema["properties"]["a"]
    assert (node["title"], node["description"], node["enum"]) == ("标题 x", "第一句。 第二句。", ["v", "w"])


def test_labels_with_their_value_on_the_same_line_are_read():
    row = Row("a", "integer", None, description="默认值: 3\n枚举值: 1,3\n说明。")
    node = endpoint(GOOD.with_request(row)).request.schema["properties"]["a"]
    assert (node["default"], node["enum"], node["description"]) == (3, [1, 3], "说明。")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("string", {"type": "string"}),
        ("string <date-time>", {"type": "string", "format": "date-time"}),
        ("file", {"type": "string", "format": "binary"}),
        ("any", {}),
        ("int | null", {"type": ["integer", "null"]}),
        ("enum<integer>", {"type": "integer"}),
        ("enum<odd>", {"type": "string"}),
        ("object (Box) {0} 或 null", {"type": ["object", "null"]}),
        ("array[string] | null", {"type": ["array", "null"], "items": {"type": "string"}}),
        ("array [integer | string]", {"type": "array", "items": {"type": ["integer", "string"]}}),
        ("array [odd]", {"type": "array"}),
        ("string | any", {}),
        ("number | integer", {"type": "number"}),
    ],
)
def test_types_are_read(kind, expected):
    schema = endpoint(GOOD.with_request(Row("a", kind))).request.schema["properties"]["a"]
    node = {key: value for key, value in schema.items() if not key.startswith("x-")}
    if "items" in node:
        node["items"] = {key: value for key, value in node["items"].items() if not key.startswith("x-")}
    assert node == expected


@pytest.mark.parametrize("kind", ["text", "string | odd", "array [string" + "x" * 300 + "]"])
def test_words_that_are_no_type_open_no_field(kind):
    assert "a" not in endpoint(GOOD.with_request(Row("a", kind))).request.schema["properties"]


def test_a_default_that_is_no_value_of_its_type_stays_text():
    node = endpoint(GOOD.with_request(Row("a", "integer", extra=("默认值:", "viele")))).request.schema["properties"][
        "a"
    ]
    assert node["default"] == "viele"


def test_marks_tell_a_field_called_object_from_a_type():
    rows = (Row("a", "string", True, "", "object"), Row("object", "string"), Row("null", "integer"))
    schema = endpoint(GOOD.but(request=rows, asked=None)).request.schema
    assert list(schema["properties"]) == ["a", "object", "null"]


def test_headers_come_from_the_table_and_then_from_curl():
    page = GOOD.but(
        headers=(Row("Accept", "string", False),), curl=("accept: x/y", "Authorization: Bearer k", "X-A: 1"), auth=False
    )
    found = endpoint(page)
    assert [(each.name, each.required, each.evidence) for each in found.headers] == [
        ("Accept", False, "table"),
        ("Authorization", None, "curl"),
        ("X-A", None, "curl"),
    ]
    assert found.bearer is True
    assert endpoint(GOOD.but(auth=False, curl=None, headers=None)).bearer is None


def test_advertisements_and_footers_are_no_part_of_a_schema():
    text = GOOD.but(promo="加入我们的群\n\n扫码联系").text()
    found = apifox.read_page(Source("page.txt", text, "")).endpoints[0]
    assert without_places(found.response.schema) == without_places(endpoint(GOOD).response.schema)


def test_a_request_that_only_curl_shows_is_taken_from_there():
    text = GOOD.but(request=()).text().replace("示例\n{", "", 1)
    page = Source("page.txt", text, "")
    shown = apifox.read_page(Source("p.txt", GOOD.but(media="").text(), "")).endpoints[0].request
    assert shown.schema["x-evidence"] == ["curl"]
    assert shown.example == GOOD.asked
    assert apifox.read_page(page).endpoints[0].request is not None
    empty = GOOD.but(request=(), asked=None).text().replace("--data-raw 'null'", '--data-raw \'{"model": "m"}\'')
    assert apifox.read_page(Source("p.txt", empty, "")).endpoints[0].request.schema["x-evidence"] == ["curl"]


def test_a_call_without_body_has_no_request():
    found = endpoint(GOOD.but(method="GET", media="", request=(), curl=None))
    assert found.request is None
    assert endpoint(GOOD.but(status="🔴500坏", response_media="application/json")).response is None


def test_an_answer_that_shows_nothing_has_no_schema():
    page = GOOD.but(response=(), answered=None, response_media="audio/mpeg")
    assert (endpoint(page).response.schema, endpoint(page).response.media_type) == (None, "audio/mpeg")
    text = page.text().split("返回响应")[0] + "返回响应"
    assert apifox.read_page(Source("p.txt", text, "")).endpoints[0].response is None
    bare = GOOD.text().split("返回响应")[0]
    assert apifox.read_page(Source("p.txt", bare, "")).endpoints[0].response is None


def test_a_form_may_have_an_example_that_is_no_json():
    page = GOOD.but(media="multipart/form-data", request=(Row("file", "file", True),), asked="file=@a.wav")
    found = endpoint(page).request
    assert (found.media_type, found.example, found.has_table) == ("multipart/form-data", None, True)
    assert found.schema["required"] == ["file"]


def test_a_file_with_two_pages_has_two_endpoints():
    text = GOOD.text() + "\n" + GOOD.but(name="又一", url="/v1/other").text()
    assert [each.title for each in apifox.read_page(Source("p.txt", text, "")).endpoints] == ["问答", "又一"]


def test_a_page_may_begin_with_its_breadcrumbs():
    text = "  1. 甲\n  2. 乙\n\n问答\n" + GOOD.text()[GOOD.text().index("\nPOST\nhttps") :]
    assert apifox.read_page(Source("p.txt", text, "")).endpoints[0].folder == ("甲", "乙")


def test_the_statuses_of_the_answers_are_listed():
    text = GOOD.text().replace("🟢200OK", "🟢200OK\napplication/json\nBody\n示例\n{}\n🟠404没有")
    assert apifox.statuses(text) == (200, 404)
    assert apifox.statuses("nothing") == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no endpoint"),
        ("words", "no endpoint"),
        ("POST\nwords", "no endpoint"),
        ("POST\n/v1/x\n", "no body table"),
        (GOOD.but(request=(), asked=None, curl=None).text(), "no body table"),
        (GOOD.but(method="GET", media="", curl=None, response=(), answered=None).text(), "no body table"),
        (GOOD.but(asked="{ broken").text(), "no JSON"),
        (GOOD.but(request=(), asked="// later", curl=None).text(), "no JSON"),
        ("x" * 4_000_001, "longer"),
    ],
)
def test_what_cannot_be_derived_is_refused_with_file_line_and_hint(text, words):
    with pytest.raises(DeriveError, match=r"^page\.txt:\d+: ") as caught:
        apifox.read_page(Source("page.txt", text, ""))
    assert words in caught.value.message
    assert caught.value.hint


def test_a_page_looks_like_one_and_other_texts_do_not():
    assert apifox.looks_like(GOOD.text())
    assert apifox.looks_like(GOOD.text().replace(NBSP, " ").replace("\n", "\r\n"))
    assert not apifox.looks_like('{"openapi": "3.1.0"}')
    assert not apifox.looks_like("# 返回响应 and more\n请求参数 in words")


@pytest.mark.skipif(not REAL, reason="the providers' pages are not beside this checkout")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_a_real_page_agrees_with_its_own_examples(path):
    found = apifox.read_page(Source(path.name, path.read_text(encoding="utf-8"), "")).endpoints[0]
    assert found.method == "POST"
    assert found.url.endswith("/chat/completions")
    assert set(found.request.example) <= set(found.request.schema["properties"])
    assert set(found.response.example) == set(found.response.schema["properties"])
    assert set(found.response.schema["properties"]["choices"]["items"]["properties"]) == set(
        found.response.example["choices"][0]
    )


@pytest.mark.skipif(not REAL, reason="the providers' pages are not beside this checkout")
@pytest.mark.parametrize(("name", "asked", "answered"), [("vman.txt", 12, 5), ("api-call-docs.txt", 11, 7)])
def test_the_tables_of_the_real_pages_have_the_fields_that_stand_there(name, asked, answered):
    path = next(path for path in REAL if path.name == name)
    found = apifox.read_page(Source(path.name, path.read_text(encoding="utf-8"), "")).endpoints[0]
    assert len(found.request.schema["properties"]) == asked
    assert len(found.response.schema["properties"]) == answered
