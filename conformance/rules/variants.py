"""Variants of chat: models of the o series, Claude and Gemini in OpenAI's format, GPTs, gpt-4-all."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.model import Exchange, Finding
from conformance.refusals import BUSY, message_of, refusal_is_plain
from conformance.rules.base import Answers, rule
from conformance.rules.views import (
    SUCCESS,
    finishes,
    has_text,
    has_usage,
    linked_pictures,
    output_limit,
    texts,
    usage_of,
)

_CHAT = ("chat",)


@rule(
    "variants.o1.reasoning-tokens",
    doc="openai:guides/reasoning#reasoning-tokens",
    lines=("VAR-01",),
    zh="o 系列模型的 usage 必须给出 reasoning_tokens,且不为负",
    operations=_CHAT,
    probe="o1",
    applies=lambda exchange: has_usage(exchange) and not _is_odd(exchange),
    needs=("/usage",),
    breaks="billing: most of what is charged cannot be seen anywhere",
    breaks_zh="计费:大部分费用无从查看",
    mend="Copy `completion_tokens_details.reasoning_tokens` from the upstream's usage instead of building the usage "
    "anew without details.",
    mend_zh="从上游用量中复制 `completion_tokens_details.reasoning_tokens`,不要重建没有明细的用量。",
)
def reasoning_tokens_reported(exchange: Exchange) -> Iterator[Finding]:
    """The usage of a model of the o series MUST say how many tokens went into reasoning."""
    counted = _reasoning(exchange)
    if counted is None or counted < 0:
        said = "absent" if counted is None else counted
        yield Finding("/usage/completion_tokens_details/reasoning_tokens", "0 or more", said)


def _is_odd(exchange: Exchange) -> bool:
    """Whether the details are there, and of a shape in which nothing can be counted."""
    details = usage_of(exchange).get("completion_tokens_details")
    return details is not None and (not isinstance(details, dict) or isinstance(details.get("reasoning_tokens"), str))


def _reasoning(exchange: Exchange) -> int | None:
    """The reasoning tokens that are reported; None where none are."""
    details = usage_of(exchange).get("completion_tokens_details")
    found = details.get("reasoning_tokens") if isinstance(details, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


@rule(
    "variants.o1.reasons",
    doc="openai:guides/reasoning",
    lines=("VAR-01",),
    basis="implied",
    zh="o 系列模型回答需要推理的问题时,reasoning_tokens 应大于 0",
    operations=_CHAT,
    probe="o1",
    applies=lambda exchange: has_usage(exchange) and _reasoning(exchange) is not None,
    needs=("/usage",),
    breaks="another model than the one paid for may have answered",
    breaks_zh="作答的可能不是所购买的模型",
    mend="Check the channel's model mapping: the name must lead to a model of the o series, at its own effort.",
    mend_zh="检查渠道的模型映射:该名称必须指向 o 系列模型,并使用其应有的推理强度。",
    noisy=True,
)
def model_reasons(exchange: Exchange) -> Iterator[Finding]:
    """A model of the o series SHOULD reason about a question that needs it."""
    if _reasoning(exchange) == 0:
        at = "/usage/completion_tokens_details/reasoning_tokens"
        yield Finding(at, "more than 0", 0, deviation="model-substituted")


@rule(
    "variants.o1.field-clear",
    doc="openai:guides/reasoning",
    lines=("VAR-02", "VAR-03"),
    zh="o 系列模型对 max_tokens 与 system 消息应接受 (改写后转发),或指名拒绝",
    operations=_CHAT,
    probe="o1-field",
    answers=Answers.VALID,
    breaks="code written for other models fails, and the error does not say why",
    breaks_zh="为其他模型写的代码会失败,且错误信息不说明原因",
    mend="Rewrite `max_tokens` to `max_completion_tokens` and `system` to `developer` for these models, or pass on "
    "the upstream's 400, which names the field.",
    mend_zh="对这些模型把 `max_tokens` 改写为 `max_completion_tokens`、`system` 改写为 `developer`,"
    "或转发上游指明字段的 400。",
)
def field_clear(exchange: Exchange) -> Iterator[Finding]:
    """`max_tokens` and system messages SHOULD be taken by the o series, or be refused by name."""
    if exchange.status not in SUCCESS and not refusal_is_plain(exchange):
        expected = f"200, or a refusal that names {exchange.case.feature}"
        yield Finding("status", expected, exchange.status, message_of(exchange))


@rule(
    "variants.gemini.cut-says-length",
    doc="new-api:relay/channel/gemini",
    lines=("VAR-06",),
    zh="Gemini 因上限截断时,finish_reason 应为 length",
    operations=_CHAT,
    probe="variant-cut",
    applies=lambda exchange: has_usage(exchange) and has_text(exchange),
    needs=("/choices", "/usage"),
    breaks="a cut answer looks finished",
    breaks_zh="被截断的回答看起来像说完了",
    mend="Map Gemini's `MAX_TOKENS` to `length` in the converter instead of writing `stop` at every end.",
    mend_zh="在转换程序中把 Gemini 的 `MAX_TOKENS` 映射为 `length`,不要一律写 `stop`。",
)
def gemini_cut(exchange: Exchange) -> Iterator[Finding]:
    """An answer of Gemini that is cut by the limit SHOULD say `length`."""
    reached = usage_of(exchange)["completion_tokens"] >= output_limit(exchange)
    unfinished = "90" not in "".join(texts(exchange))
    if reached and unfinished and finishes(exchange)[:1] == ["stop"]:
        yield Finding("/choices/0/finish_reason", "length", "stop", deviation="finish-always-stop")


@rule(
    "variants.gpts.unknown-refused",
    doc="new-api:setting/operation_setting/model-ratio",
    lines=("VAR-07",),
    basis="implied",
    zh="请求不存在的 GPT 应得到错误,而不是通用模型的回答",
    operations=_CHAT,
    probe="gpts-unknown",
    answers=Answers.REFUSAL,
    breaks="a generic model answers, and is billed as the GPT that was asked for",
    breaks_zh="作答的是通用模型,却按所请求的 GPT 计费",
    mend='Pass the upstream\'s "not found" on as 404, and let no `gpt-4-gizmo-*` name fall back to a plain model.',
    mend_zh='把上游的 "不存在" 以 404 转发,不要让 `gpt-4-gizmo-*` 退回到普通模型。',
)
def unknown_gpt_refused(exchange: Exchange) -> Iterator[Finding]:
    """A GPT that does not exist SHOULD be refused, not answered by another model."""
    if exchange.status in SUCCESS:
        yield Finding("status", "4xx", exchange.status, deviation="model-substituted")


@rule(
    "variants.analysis.picture-taken",
    doc="page:gpt-4-all",
    lines=("VAR-10",),
    basis="implied",
    zh="gpt-4-all 应接受 image_url 形式的图片,或指名拒绝",
    operations=_CHAT,
    probe="analysis",
    answers=Answers.VALID,
    breaks="clients that send pictures in OpenAI's form fail",
    breaks_zh="按 OpenAI 格式发送图片的客户端会失败",
    mend="Convert `image_url` parts to what the upstream wants (the address in front of the text), or answer 400 "
    "naming `image_url`.",
    mend_zh="把 `image_url` 转换为上游需要的形式 (地址写在文本之前),否则返回指明 `image_url` 的 400。",
)
def analysis_takes_picture(exchange: Exchange) -> Iterator[Finding]:
    """gpt-4-all SHOULD take a picture as a part of the message, or refuse it by name."""
    if exchange.status not in SUCCESS and not refusal_is_plain(exchange):
        yield Finding("status", "200, or a refusal that names image_url", exchange.status, message_of(exchange))


@rule(
    "variants.drawing.links-picture",
    doc="page:gpt-4-all",
    lines=("VAR-11",),
    basis="implied",
    zh="gpt-4-all 画图的回答应含有图片链接 (Markdown 或网址)",
    operations=_CHAT,
    probe="drawing",
    applies=has_text,
    needs=("/choices",),
    breaks="a drawing is paid for and there is nothing to look at",
    breaks_zh="付了画图的费用却没有图片可看",
    mend="Write the picture's public address into the answer as a Markdown image, and answer an error, unbilled, "
    "where nothing was drawn.",
    mend_zh="把图片的公网地址以 Markdown 图片写入回答;没有画出时返回错误且不计费。",
    noisy=True,
)
def drawing_links_picture(exchange: Exchange) -> Iterator[Finding]:
    """The answer of gpt-4-all to a request for a drawing SHOULD link to a picture."""
    text = texts(exchange)[0]
    if not linked_pictures(text):
        yield Finding("/choices/0/message/content", "a link to a picture", text)


@rule(
    "variants.drawing.served",
    doc="page:gpt-4-all",
    lines=("VAR-11",),
    basis="implied",
    zh="回答中的图片链接应能打开,且内容是图片",
    operations=("media",),
    probe="drawn",
    answers=Answers.EVERYTHING,
    applies=lambda exchange: exchange.answered and exchange.status not in BUSY,
    breaks="users see a broken picture",
    breaks_zh="用户看到的是破损的图片",
    mend="Copy the picture to a storage of your own that is public and keeps its type: addresses of web sessions "
    "expire or need a login.",
    mend_zh="把图片复制到自己的公开存储并保留其类型:网页会话的地址会过期或需要登录。",
)
def drawing_served(exchange: Exchange) -> Iterator[Finding]:
    """The address of a drawing SHOULD be answered with a picture."""
    if exchange.status not in SUCCESS:
        yield Finding("status", 200, exchange.status)
    elif not exchange.media_type.startswith("image/"):
        yield Finding("header:content-type", "image/…", exchange.media_type or "absent")


@rule(
    "variants.web.usage-counted",
    doc="new-api:relay/channel/openai",
    lines=("VAR-12",),
    zh="通过网页渠道提供的模型 (GPTs、gpt-4-all) 可以不统计 token",
    operations=_CHAT,
    probe="web-channel",
    applies=lambda exchange: has_usage(exchange) and has_text(exchange),
    needs=("/choices", "/usage"),
    breaks="the bill cannot be checked; such models are mostly billed by the call",
    breaks_zh="无法核对计费;这类模型多按次收费",
    mend="Nothing has to change where the price is by the call; else count prompt and answer with a tokenizer.",
    mend_zh="按次收费时无须修改;否则用分词器统计提示和回答。",
)
def web_usage(exchange: Exchange) -> Iterator[Finding]:
    """Models that come through a web page MAY count no tokens."""
    for name in ("prompt_tokens", "completion_tokens"):
        if usage_of(exchange)[name] <= 0:
            yield Finding(f"/usage/{name}", "more than 0", usage_of(exchange)[name], deviation="usage-zero")
