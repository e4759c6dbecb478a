"""What a derivation says of itself, and that every fact of the committed schemas names its place."""

import json
import re
from pathlib import Path

import pytest
from pagewriter import Page, Row

from conformance.derive import repairs
from conformance.derive.deriving import derive
from conformance.derive.emit import defects_md
from conformance.derive.nouns import Body, Document, Endpoint, Source
from conformance.derive.summary import summary

GOOD = Page()
PROFILES = Path(__file__).resolve().parents[2] / "schemas"
SCHEMAS = sorted(
    path
    for name in ("api-call-docs", "api-zh-docs", "mtu", "tutujin", "vman")
    for path in (PROFILES / name).glob("*.json")
)


def said(tmp_path, page, cut=None):
    path = tmp_path / "page.txt"
    text = page.text()
    path.write_text(text[: text.index(cut)] if cut else text, encoding="utf-8")
    return list(summary(derive([path], "sky")))


def test_pages_entries_and_operations_are_told_apart(tmp_path):
    assert said(tmp_path, GOOD) == [
        "山雀 API",
        "  1 page read; 2 entries in the navigation, 2 of them endpoints of 2 operations",
        "  1 operation with a schema: chat",
        "  2 defects of the pages, 1 repaired; 0 weak facts",
    ]


def test_one_is_not_many(tmp_path):
    page = GOOD.but(nav="  • 问答", folder="聊天").with_request(Row("voice", "string", description="one of a, b"))
    found = said(tmp_path, page)
    assert "1 entry in the navigation, 1 of them" in said(tmp_path, page.but(nav="  • 聊天\n    • 问答"))[1]
    assert found[3].endswith("; 1 weak fact")


def test_an_answer_that_is_missing_is_said(tmp_path):
    lines = said(tmp_path, GOOD, "返回响应")
    place = GOOD.text().split("\n").index("POST", 10) + 1
    assert lines[-1] == f"  1 endpoint without an answer, so the page may be cut short: page.txt:{place}"


def test_many_names_are_cut(tmp_path):
    body = {"content": {"application/json": {"schema": {"properties": {"id": {"type": "string"}}}}}}
    paths = {f"/own/{number}": {"post": {"responses": {"200": body}}} for number in range(9)}
    path = tmp_path / "api.json"
    path.write_text(json.dumps({"openapi": "3.1.0", "paths": paths}), encoding="utf-8")
    found = derive([path], "sky")
    assert list(summary(found))[2].endswith(" …")
    assert [each.documented for each in found.defects if each.row == "D17"] == ["no authentication (of 9 operations)"]


def test_a_profile_without_schema_says_none(tmp_path):
    path = tmp_path / "api.json"
    path.write_text('{"openapi": "3.1.0", "paths": {"/models": {"get": {}}}}', encoding="utf-8")
    assert list(summary(derive([path], "sky")))[2] == "  0 operations with a schema: none"


def test_the_head_of_the_list_explains_its_rows():
    text = defects_md("sky", "Sky", []).decode()
    assert text.count("`other`") == 2


def test_a_specification_has_a_schema_and_no_table():
    said_by = {"x-source": "api.yaml:9", "x-evidence": ["openapi"]}
    schema = {"type": "object", "properties": {"id": {"type": "string", **said_by}}, **said_by}
    body = Body("application/json", schema, None, 3)
    endpoint = Endpoint("x", (), "POST", "/v1/chat/completions", 2, "", True, (), None, body)
    document = Document(Source("api.yaml", "", ""), "openapi", "x", (), (endpoint,))
    rows = {each.row: each for each in repairs.repair(document, endpoint, "chat")[1]}
    assert rows["D12"].documented == "the schema of the answer has no model"


def subschemas(node):
    yield node
    inside = [*node.get("properties", {}).values(), *(node.get(key) for key in ("items", "additionalProperties"))]
    inside += [each for word in ("anyOf", "oneOf", "allOf") for each in node.get(word, ())]
    for inner in inside:
        if isinstance(inner, dict):
            yield from subschemas(inner)


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_part_of_a_committed_schema_names_its_place_and_evidence(path):
    for part in json.loads(path.read_text(encoding="utf-8"))["$defs"].values():
        for node in subschemas(part):
            assert re.fullmatch(r"[\w.-]+:\d+", node["x-source"])
            assert node["x-evidence"]


def test_there_are_committed_schemas():
    assert len({path.parent for path in SCHEMAS}) == 5
