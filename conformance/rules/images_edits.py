"""Edits and variations: made of a picture, of several, within a mask, and asked for in JSON."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.contract import data
from conformance.model import Exchange, Finding
from conformance.refusals import BUSY, message_of, met_no_route, refusal_is_plain
from conformance.rules.bad_requests import must_be_4xx
from conformance.rules.base import Answers, rule
from conformance.rules.image_views import has_pictures, is_gpt_image, seen_pictures


@rule(
    "images.image.required",
    doc="openai:images/createEdit#image",
    lines=("IED-02",),
    zh="没有 image 的请求必须以 4xx 拒绝",
    operations=("images.edits", "images.variations"),
    probe="missing-image",
    answers=Answers.REFUSAL,
    breaks="a picture made from nothing is billed, or a 5xx is retried",
    breaks_zh="没有原图也会生成并计费,或因 5xx 被反复重试",
    mend="Read the form and check `image` before choosing a channel, and answer 400 naming it; map errors of reading "
    "a form to 400, not 500.",
    mend_zh="选择渠道之前读取表单并检查 `image`,缺少时返回指明它的 400;读取表单的错误应为 400 而不是 500。",
)
def image_required(exchange: Exchange) -> Iterator[Finding]:
    """A request without the picture that it is about MUST be refused with a 4xx status."""
    yield from must_be_4xx(exchange)


@rule(
    "images.edits.two-images",
    doc="openai:images/createEdit#image",
    lines=("IED-03",),
    zh="GPT image 模型应接受两张图片,或明确拒绝",
    operations=("images.edits",),
    probe="two-images",
    answers=Answers.VALID,
    applies=is_gpt_image,
    breaks="pictures cannot be combined",
    breaks_zh="无法合成多张图片",
    mend="Read both forms of the field, `image` and `image[]`, as a list of files and pass all of them on, or answer "
    "400 naming it.",
    mend_zh="把 `image` 和 `image[]` 都作为文件列表读取并全部转发,否则返回指明它的 400。",
)
def two_images_accepted(exchange: Exchange) -> Iterator[Finding]:
    """Two pictures SHOULD be accepted by GPT image models, or plainly refused."""
    if exchange.status >= 300 and not refusal_is_plain(exchange):
        yield Finding("status", "200, or a refusal that names image[]", exchange.status, message_of(exchange))


def _asset(name: str) -> bytes:
    return (data("fixtures") / "assets" / name).read_bytes()


@rule(
    "images.mask.honoured",
    doc="openai:images/createEdit#mask",
    lines=("IED-04",),
    basis="implied",
    zh="有 mask 时,透明区域内的改动应大于区域外",
    operations=("images.edits", "media"),
    probe="masked",
    applies=has_pictures,
    needs=("/data",),
    breaks="an edit destroys what was to be kept",
    breaks_zh="编辑会破坏本应保留的部分",
    mend="The converter drops the file `mask`: pass it on, turned round where the upstream's mask marks what to keep, "
    "or answer 400 naming it.",
    mend_zh="转换程序丢掉了 `mask` 文件:应转发 (上游的遮罩若标记保留区域则要反转),否则返回指明它的 400。",
    noisy=True,
)
def mask_honoured(exchange: Exchange) -> Iterator[Finding]:
    """An edit SHOULD change the picture more where the mask is transparent than elsewhere."""
    from conformance.media import changed  # noqa: PLC0415 - Pillow takes a while to import

    for seen in seen_pictures(exchange):
        found = changed(_asset("square.png"), seen.data or b"", _asset("mask.png"))
        if found and found[0] <= found[1]:
            inside, outside = (round(value, 1) for value in found)
            yield Finding(seen.at, f"a mean change above {outside}", inside, deviation="params-dropped")


@rule(
    "images.edits.json-body",
    doc="openai:images/createEdit",
    lines=("IED-07",),
    zh="以 application/json 发送的编辑请求应成功或以 4xx 拒绝,而不是 5xx",
    operations=("images.edits",),
    probe="json-body",
    answers=Answers.EVERYTHING,
    applies=lambda exchange: exchange.answered and exchange.status not in BUSY and not met_no_route(exchange),
    breaks="clients take a mistake for a breakdown, and retry it",
    breaks_zh="客户端会把参数错误当成故障反复重试",
    mend="Look at `Content-Type` before reading the body: read JSON as JSON, or answer 400 or 415 that asks for a "
    "form.",
    mend_zh="读取正文之前先看 `Content-Type`:按 JSON 读取,或返回要求使用表单的 400 或 415。",
)
def json_body_answered(exchange: Exchange) -> Iterator[Finding]:
    """An edit asked for in JSON SHOULD work or be refused with a 4xx status."""
    if exchange.status >= 500:
        yield Finding("status", "200 or 4xx", exchange.status, message_of(exchange))
