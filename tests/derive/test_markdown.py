"""The Markdown twin of a page: headings and fenced OpenAPI."""

import pytest

from conformance.derive import markdown
from conformance.derive.markdown import looks_like, read_markdown
from conformance.derive.nouns import DeriveError, Source

BLOCK = """\
openapi: 3.0.1
paths:
  /chat/completions:
    post:
      {summary}
      responses: {{}}
"""


def page(*blocks, fence="```", title="# 聊天接口\n\nText.\n\n"):
    return title + "\n".join(f"{fence}yaml\n{block}{fence}\n" for block in blocks)


def read(text):
    return read_markdown(Source("page.md", text, ""))


def test_the_block_is_read_and_lines_are_those_of_the_page():
    document = read(page(BLOCK.format(summary="summary: Chat")))
    assert (document.kind, document.title) == ("markdown", "聊天接口")
    assert [(each.title, each.method, each.url, each.line) for each in document.endpoints] == [
        ("Chat", "POST", "/chat/completions", 9)
    ]


def test_the_heading_names_an_endpoint_that_has_no_name():
    assert read(page(BLOCK.format(summary="deprecated: false"))).endpoints[0].title == "聊天接口"


@pytest.mark.parametrize("blocks", [1, 2])
def test_a_path_stays_where_no_heading_or_several_endpoints_are(blocks):
    document = read(page(*[BLOCK.format(summary="deprecated: false")] * blocks, title="" if blocks == 1 else "# T\n"))
    assert [each.title for each in document.endpoints] == ["/chat/completions"] * blocks


@pytest.mark.parametrize("fence", ["```", "````", "~~~"])
def test_fences_of_every_kind_are_read(fence):
    inner = BLOCK.format(summary="summary: Chat") + "# ``\n"
    assert read(page("not: it\n", inner, fence=fence)).endpoints[0].title == "Chat"


def test_a_fence_that_is_never_closed_goes_to_the_end():
    text = page(BLOCK.format(summary="summary: Chat")).rstrip("`\n")
    assert looks_like(text)
    assert read(text).endpoints


@pytest.mark.parametrize("text", ["", "# Chat\n", "```json\n{}\n```\n", "openapi: 3.0.1\npaths: {}\n", "```"])
def test_a_page_without_such_a_block_is_not_recognised(text):
    assert not looks_like(text)


def test_the_number_of_blocks_is_bounded():
    blocks = [BLOCK.format(summary="summary: Chat")] * (markdown.MOST_BLOCKS + 1)
    with pytest.raises(DeriveError, match=r"page.md:\d+: more than 500 blocks"):
        read(page(*blocks))
