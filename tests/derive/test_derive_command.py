"""`relay-conformance derive`: whole providers from pages to files."""

import json
import re
import tomllib
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner

from conformance.commands.derive_command import derive_command
from conformance.derive.deriving import derive
from conformance.derive.nouns import DeriveError
from conformance.errors import ConformanceError, UsageError
from conformance.profiles import load_profile

PAGES = Path(__file__).resolve().parents[3] / "shared" / "pages"
PROFILES = Path(__file__).resolve().parents[2] / "schemas"
PROVIDERS = ("api-call-docs", "api-zh-docs", "mtu", "tutujin", "vman")

CHAT = {
    "summary": "聊天接口",
    "tags": ["聊天接口(Chat)"],
    "requestBody": {
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["model", "messages"],
                    "properties": {
                        "model": {"type": "string"},
                        "messages": {"type": "array", "items": {"$ref": "https://elsewhere.example/message.json"}},
                    },
                },
                "example": {"model": "m-2", "messages": [{"role": "user", "content": "hi"}]},
            }
        }
    },
    "responses": {"200": {"content": {"application/json": {"schema": {"properties": {"id": {"type": "string"}}}}}}},
}


def spec(paths, url="https://api.example.com/v1", **more):
    servers = [{"url": url}] if url else []
    return {"openapi": "3.0.1", "info": {"title": "样例 API"}, "servers": servers, "paths": paths, **more}


def saved(folder, name, content):
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1), encoding="utf-8")
    return path


def derived(tmp_path, *contents, name="sample"):
    paths = [saved(tmp_path, f"page{number}.json", content) for number, content in enumerate(contents)]
    return derive(paths, name)


def operations(found):
    return {row["title"]: row for row in found.profile["operations"]}


def run(*arguments):
    return CliRunner().invoke(derive_command, [str(each) for each in arguments], standalone_mode=False)


@pytest.fixture
def page(tmp_path):
    return saved(tmp_path, "page.json", spec({"/chat/completions": {"post": CHAT}, "/models": {"get": {}}}))


def test_a_project_becomes_a_profile_schemas_and_defects(page, tmp_path):
    result = run(page, "--name", "sample", "--out", tmp_path / "out")
    assert result.return_value == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["DEFECTS.md", "chat.json", "profile.toml"]
    assert "样例 API\n  1 page read; 2 entries in the navigation, 2 of them endpoints of 2 op" in result.output
    profile = load_profile(str(tmp_path / "out"))
    assert profile.operations == ("chat", "models.list")
    assert (profile.base_path, profile.hosts, profile.models) == ("/v1", ("api.example.com",), ("m-2",))
    assert profile.schemas["sample/chat.json"]["$defs"]["request"]["required"] == ["messages", "model"]


def test_a_reference_to_elsewhere_is_a_defect_and_never_fetched(page):
    found = derive([page], "sample")
    row = next(each for each in found.defects if each.where == "reference")
    assert "https://elsewhere.example/message.json" in row.documented
    assert re.fullmatch(r"page.json:\d+", row.source)


def test_check_says_whether_the_files_are_what_the_pages_give(page, tmp_path):
    out = tmp_path / "out"
    missing = run(page, "--name", "sample", "--out", out, "--check")
    assert missing.return_value == 1
    assert not out.exists()
    assert "missing" in missing.output
    run(page, "--name", "sample", "--out", out)
    equal = run(page, "--name", "sample", "--out", out, "--check")
    assert (equal.return_value, equal.output) == (0, f"{out} is what the pages give\n")
    (out / "chat.json").write_text("{}")
    different = run(page, "--name", "sample", "--out", out, "--check")
    assert different.return_value == 1
    assert f"differs  {out / 'chat.json'}" in different.output
    assert "         -{}" in different.output
    assert (out / "chat.json").read_text() == "{}"


def test_the_order_of_pages_changes_nothing(tmp_path):
    chat, models = spec({"/chat/completions": {"post": CHAT}}), spec({"/models": {"get": {}}})
    paths = [saved(tmp_path, "a.json", chat), saved(tmp_path, "b.json", models)]
    assert derive(paths, "sample").files == derive(paths[::-1], "sample").files


def test_two_pages_of_one_operation_are_one_schema_with_both_sources(tmp_path):
    other = json.loads(json.dumps(CHAT))
    body = other["requestBody"]["content"]["application/json"]["schema"]
    body["properties"]["user"], body["required"] = {"type": "string"}, ["messages"]
    found = derived(
        tmp_path,
        spec({"/chat/completions": {"post": CHAT}}),
        spec({"/chat/completions": {"post": {**other, "summary": "gpts"}}}),
    )
    schema = json.loads(found.files["chat.json"])
    assert len(schema["x-sources"]) == 2
    assert "user" in schema["$defs"]["request"]["properties"]
    assert [row.get("variant") for row in found.profile["operations"]] == [None, "gpts"]
    assert {row["schema"] for row in found.profile["operations"]} == {"chat.json"}


def test_the_same_endpoint_on_two_pages_stays_two_claims(tmp_path):
    page = spec({"/chat/completions": {"post": CHAT}})
    found = derived(tmp_path, page, page)
    assert [row["file"] for row in found.profile["operations"]] == ["page0.json", "page1.json"]


def test_operations_that_share_a_schema_do_not_repeat_its_defects(tmp_path):
    schema = {"type": "object", "properties": {"temperature": {"type": "integer"}}}
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Asked"}}}}
    one = {"post": {"requestBody": body}}
    paths = {"/chat/completions": one, "/v2/chat/completions": one}
    found = derived(tmp_path, spec(paths, components={"schemas": {"Asked": schema}}))
    assert len([each for each in found.defects if each.where == "request temperature"]) == 1


def test_an_endpoint_without_a_name_of_ours_gets_one_of_its_path(tmp_path):
    found = derived(tmp_path, spec({"/brand/new": {"post": CHAT}}))
    assert operations(found)["聊天接口"]["operation"] == "other.brand-new"
    assert "other.brand-new.json" in found.files


@pytest.mark.parametrize(
    ("url", "host"), [("", []), ("http://[bad", []), ("https://user:pass@h.example/v1", ["h.example"])]
)
def test_hosts_are_named_without_what_does_not_belong_to_them(tmp_path, url, host):
    assert derived(tmp_path, spec({"/chat/completions": {"post": CHAT}}, url)).profile["hosts"] == host


def test_bearer_is_assumed_and_it_is_said_whether_a_page_says_so(tmp_path):
    silent = derived(tmp_path, spec({"/chat/completions": {"post": CHAT}}))
    assert silent.profile["authentication"] == {"scheme": "bearer", "header": "Authorization", "documented": False}
    schemes = {"securitySchemes": {"k": {"type": "http", "scheme": "bearer"}}}
    stated = derived(tmp_path, spec({"/chat/completions": {"post": CHAT}}, components=schemes, security=[{"k": []}]))
    assert stated.profile["authentication"]["documented"] is True
    assert stated.profile["authentication"]["source"].startswith("page0.json:")


def test_markdown_is_recognised(tmp_path):
    block = json.dumps(spec({"/models": {"get": {}}}))
    path = saved(tmp_path, "page.md", f"# 列出模型\n\n```json\n{block}\n```\n")
    assert derive([path], "sample").profile["sources"][0]["kind"] == "markdown"


PAIR = """\
{"model": "m-1", "messages": [{"role": "user", "content": "hi"}]}

{"id": "x", "object": "chat.completion", "created": 1, "model": "m-1",
 "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}]}
"""


def test_a_pair_of_examples_is_named_by_its_bodies(tmp_path):
    found = derive([saved(tmp_path, "pair.txt", PAIR)], "sample")
    assert [row["operation"] for row in found.profile["operations"]] == ["chat"]
    assert "chat.json" in found.files


@pytest.mark.parametrize(
    ("answer", "operation"),
    [
        ({"object": "chat.completion.chunk"}, "chat"),
        ({"object": "text_completion", "choices": []}, "completions"),
        ({"type": "message", "usage": {}}, "messages"),
        ({"object": "strange", "data": []}, "other.answer-json"),
        ({"object": [], "usage": {}}, "other.answer-json"),
    ],
)
def test_an_answer_alone_is_named_by_its_object_or_by_its_file(tmp_path, answer, operation):
    found = derive([saved(tmp_path, "answer.json", answer)], "sample")
    assert f"{operation}.json" in found.files


def test_a_request_alone_is_named_by_its_fields(tmp_path):
    found = derive([saved(tmp_path, "request.json", {"voice": "x", "speed": 2})], "sample")
    assert "audio.speech.json" in found.files


NAV = """\
样例 API
  1. 聊天接口(Chat)
样例 API
  • 模型接口
    • 聊天接口(Chat)
      • 聊天接口{chat}
      • gpts{gpts}
    • 模型(Models)
      • 列出模型
  • 帮助中心
    • 常见问题
  1. 聊天接口(Chat)
"""
APIFOX = """
{title}

POST
https://api.example.com/v1/chat/completions

请求参数

Header 参数

Body 参数application/json

示例
{{"model": "{title}", "messages": [{{"role": "user", "content": "hi"}}]}}

请求示例代码

返回响应

🟢200OK
application/json
Body

示例
{{"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": []}}
上一页
下一页
Built with
"""


def apifox(folder, name, title, **methods):
    shown = {leaf: f"\n        {methods[leaf]}" if leaf in methods else "" for leaf in ("chat", "gpts")}
    return saved(folder, name, NAV.format(**shown) + APIFOX.format(title=title))


def test_several_pages_share_one_navigation(tmp_path):
    paths = [apifox(tmp_path, "a.txt", "聊天接口"), apifox(tmp_path, "b.txt", "gpts", chat="POST", gpts="POST")]
    found = derive(paths, "sample")
    rows = operations(found)
    assert list(rows) == ["聊天接口", "gpts", "列出模型", "常见问题"]
    assert [row["kind"] for row in rows.values()] == ["endpoint", "endpoint", "endpoint", "text"]
    assert (rows["gpts"]["method"], rows["gpts"]["variant"], rows["gpts"]["schema"]) == ("POST", "gpts", "chat.json")
    assert "method" not in rows["列出模型"]
    assert len(json.loads(found.files["chat.json"])["x-sources"]) == 2
    assert found.profile["models"] == ["gpts", "聊天接口"]
    assert [each["file"] for each in found.profile["sources"]] == ["a.txt", "b.txt"]


def test_a_specification_beside_a_page_documents_its_leaves(tmp_path):
    item = {**CHAT, "summary": "gpts", "x-apifox-folder": "模型接口/聊天接口(Chat)"}
    paths = [
        apifox(tmp_path, "a.txt", "聊天接口"),
        saved(tmp_path, "b.json", spec({"/chat/completions": {"post": item}})),
    ]
    rows = operations(derive(paths, "sample"))
    assert list(rows) == ["聊天接口", "gpts", "列出模型", "常见问题"]
    assert (rows["gpts"]["file"], rows["gpts"]["path"]) == ("a.txt", "/v1/chat/completions")


@pytest.mark.parametrize(
    ("name", "words"),
    [("", "cannot be used"), ("Vman", "cannot be used"), ("../x", "cannot be used"), ("openai", "cannot be used")],
)
def test_a_name_that_is_no_folder_of_schemas_is_refused(page, name, words):
    with pytest.raises(UsageError, match=words):
        derive([page], name)


def test_what_is_no_page_is_refused_with_what_was_looked_for(tmp_path):
    with pytest.raises(DeriveError, match=r"letter.txt: not recognised") as caught:
        derive([saved(tmp_path, "letter.txt", "Dear reader,\nthis is a letter.\n")], "sample")
    for word in ("OpenAPI", "Markdown", "Apifox", "JSON"):
        assert word in caught.value.hint


def test_nothing_to_read_is_a_usage_error():
    with pytest.raises(UsageError, match="no page is given"):
        derive([], "sample")


def test_out_that_is_a_file_is_refused_and_nothing_is_written(page, tmp_path):
    result = run(page, "--name", "sample", "--out", page)
    assert isinstance(result.exception, UsageError)
    assert [path.name for path in tmp_path.iterdir()] == ["page.json"]


def test_a_page_s_text_is_harmless_in_every_file(tmp_path):
    evil = {**CHAT, "summary": "gpts \u202e<script>|\x1b[31m\nx", "tags": ["\u200b"]}
    body = evil["requestBody"]["content"]["application/json"]["schema"]
    hostile = {**body, "properties": {"\u202e": {"type": "string", "title": "\ud800"}}}
    content = {"application/json": {"schema": hostile, "example": {"model": "\x07bell"}}}
    found = derived(tmp_path, spec({"/chat/completions": {"post": {**evil, "requestBody": {"content": content}}}}))
    for text in found.files.values():
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u200b\u202e\ud800]", text.decode())
    assert tomllib.loads(found.files["profile.toml"].decode())["models"] == ["\\u{7}bell"]


@pytest.mark.parametrize("seed", range(40))
def test_a_broken_page_ends_in_a_sentence_or_in_files(tmp_path, seed):
    text = json.dumps(spec({"/chat/completions": {"post": CHAT}}), indent=1)
    at = seed * len(text) // 40
    broken = text[:at] + ['"', "[", "{", "null", "", "]}", ": &x", "\n- "][seed % 8] + text[at + seed % 5 :]
    try:
        found = derive([saved(tmp_path, "page.yaml", broken)], "sample")
    except ConformanceError as error:
        assert error.message  # noqa: PT017 - either end is right
    else:
        assert "profile.toml" in found.files


def test_every_schema_is_json_schema_in_which_facts_have_sources(page):
    schema = json.loads(derive([page], "sample").files["chat.json"])
    jsonschema.Draft202012Validator.check_schema(schema)
    for part in schema["$defs"].values():
        for each in part["properties"].values():
            assert re.fullmatch(r"page.json:\d+", each["x-source"])
            assert each["x-evidence"]


needs_pages = pytest.mark.skipif(not PAGES.is_dir(), reason="the five pages lie beside the repository only")


@needs_pages
@pytest.mark.parametrize("name", PROVIDERS)
def test_the_committed_profiles_are_what_the_pages_give(name):
    result = run(PAGES / f"{name}.txt", "--name", name, "--out", PROFILES / name, "--check")
    assert result.return_value == 0, result.output


@needs_pages
@pytest.mark.parametrize("name", PROVIDERS)
def test_every_leaf_of_the_navigation_has_a_name(name):
    rows = derive([PAGES / f"{name}.txt"], name).profile["operations"]
    assert len(rows) == {"api-call-docs": 25, "api-zh-docs": 46, "mtu": 20, "tutujin": 16, "vman": 76}[name]
    for row in rows:
        assert ("operation" in row) == (row["kind"] == "endpoint"), row
        assert not row.get("operation", "").startswith("other."), row
