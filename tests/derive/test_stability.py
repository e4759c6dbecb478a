"""Any page of the grammar is read as it was written, and nothing that looks like a page can do harm."""

from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pagewriter import NBSP, Page, rows_of, sample, without_places

from conformance.derive import apifox, example
from conformance.derive.nouns import DeriveError, Source
from conformance.derive.repairs import page_defects, repair

ROOT = Path(__file__).resolve().parents[2]
REAL = sorted((ROOT.parent / "shared" / "pages").glob("*.txt"))

modest = settings(
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

NAMES = st.sampled_from(["alpha", "beta", "gamma_2", "object", "string", "n", "delta", "null", "kappa"])
SCALARS = st.sampled_from(["string", "integer", "number", "boolean"])
TITLES = st.sampled_from(["", "标题", "a title", "角色 x"])
TEXTS = st.sampled_from(["", "说明。", "Plain words, with a comma.", "string", "object", "必需"])


def table(node, **more):
    return {**node, **more, "x-evidence": ["table"]}


def shown(node):
    return {**node, "x-evidence": ["example"], "x-weak": True}


def objects(inner, least=1):
    return st.dictionaries(NAMES, inner, min_size=least, max_size=4)


def of_example():
    """What only an example shows: any depth, nothing required."""
    leaves = SCALARS.map(lambda kind: shown({"type": kind}))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            objects(inner).map(lambda found: shown({"type": "object", "properties": found})),
            inner.map(lambda found: shown({"type": "array", "items": found})),
        ),
        max_leaves=5,
    )


@st.composite
def described(draw, node):
    texts = {"title": draw(TITLES), "description": draw(TEXTS)}
    return table(draw(node), **{key: text for key, text in texts.items() if text})


def plain_nodes():
    listed = SCALARS.map(lambda kind: {"type": "array", "items": table({"type": kind})})
    closed = objects(of_example()).map(lambda inner: {"type": "object", "properties": inner})
    return st.one_of(SCALARS.map(lambda kind: {"type": kind}), listed, closed)


@st.composite
def holders(draw, children):
    """An object with children of the table, some of them required."""
    properties = draw(objects(children))
    required = [name for name in properties if draw(st.booleans())]
    listed = {"required": required} if required else {}
    return table({"type": "object", "properties": properties, **listed})


@st.composite
def opened(draw):
    """A field of the first level whose children the table prints."""
    holder = draw(holders(described(plain_nodes())))
    if draw(st.booleans()):
        return table({"type": "array", "items": holder})
    return holder


def schemas():
    return holders(st.one_of(described(plain_nodes()), opened()))


def page_of(schema, nbsp=NBSP):
    return Page(url="/v1/rules", request=rows_of(schema), asked=sample(schema), response=(), nbsp=nbsp)


def read(page):
    return apifox.read_page(page.source()).endpoints[0].request.schema


@modest
@given(schemas())
def test_a_page_is_read_as_it_was_written_and_written_again_as_it_was_read(schema):
    page = page_of(schema)
    found = read(page)
    assert without_places(found) == schema
    assert page_of(found).text() == page.text()


@modest
@given(schemas())
def test_a_repaired_schema_accepts_the_example_of_its_page(schema):
    document = apifox.read_page(page_of(schema).source())
    repaired, _ = repair(document, document.endpoints[0], "")
    jsonschema.Draft202012Validator.check_schema(repaired["$defs"]["request"])
    jsonschema.validate(document.endpoints[0].request.example, repaired["$defs"]["request"])


MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(["drop", "double", "swap", "noise", "cut"]),
        st.integers(0, 10_000),
        st.integers(0, 10_000),
        st.sampled_from(
            ["", "{", "}", '"', NBSP, "示例", "必需", "[", "object {9}", "//", "\x00", "🟢200OK", "array [object {3}]"]
        ),
    ),
    min_size=1,
    max_size=6,
)


def mutated(text, mutations):
    lines = text.split("\n")
    for what, first, second, noise in mutations:
        here, there = first % len(lines), second % len(lines)
        if what == "drop" and len(lines) > 1:
            del lines[here]
        elif what == "double":
            lines.insert(there, lines[here])
        elif what == "swap":
            lines[here], lines[there] = lines[there], lines[here]
        elif what == "noise":
            at = second % (len(lines[here]) + 1)
            lines[here] = lines[here][:at] + noise + lines[here][at + len(noise) :]
        elif what == "cut":
            lines[here] = lines[here][: second % (len(lines[here]) + 1)]
    return "\n".join(lines)


def survives(text, reader=apifox.read_page):
    """Read, repair, list: anything but a DeriveError goes through; what comes out is a schema."""
    try:
        document = reader(Source("odd.txt", text, ""))
    except DeriveError:
        return
    page_defects(document)
    for operation in ("chat", ""):
        repaired, _ = repair(document, document.endpoints[0], operation)
        for schema in repaired["$defs"].values():
            jsonschema.Draft202012Validator.check_schema(schema)


@modest
@given(schemas(), MUTATIONS)
def test_a_damaged_page_is_read_or_refused(schema, mutations):
    survives(mutated(Page(request=rows_of(schema), asked=sample(schema)).text(), mutations))


@modest
@given(MUTATIONS)
def test_a_damaged_pair_of_examples_is_read_or_refused(mutations):
    text = 'POST /v1/chat/completions\n\n{"model": "m", "messages": []}\n---\n{"id": "x", "choices": [{"index": 0}]}'
    survives(mutated(text, mutations), example.read_pair)


@pytest.mark.skipif(not REAL, reason="the providers' pages are not beside this checkout")
@modest
@given(st.sampled_from([path.name for path in REAL] or [""]), MUTATIONS)
def test_a_damaged_real_page_is_read_or_refused(name, mutations):
    path = next(path for path in REAL if path.name == name)
    survives(mutated(path.read_text(encoding="utf-8"), mutations))


@modest
@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text):
    survives(text)
    survives(text, example.read_pair)
    assert apifox.looks_like(text) in (True, False)
    assert example.looks_like(text) in (True, False)


@pytest.mark.parametrize(
    "unit",
    [
        "{",
        "[",
        '"',
        "a\nstring\u00a0\n",
        "array [object {2}]\u00a0\n",
        "最多 ",
        "1",
        "//",
        "/*",
        "  • x\n",
        "示例\n",
        "curl ",
        "'",
    ],
)
def test_a_huge_page_ends_soon(unit):
    text = Page(promo=unit * (100_000 // len(unit))).text()
    survives(text)
    survives(Page(asked="{" + unit * (50_000 // len(unit))).text())
