"""Pictures: as many as were asked for, in one form, whole, and of the size asked for.

A picture is in the answer itself or at the address that the answer gives; rules about pictures look at both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from conformance.events import of_type
from conformance.model import Exchange, Finding
from conformance.rules.bad_requests import must_be_4xx
from conformance.rules.base import Answers, rule
from conformance.rules.image_views import (
    PICTURES,
    entries,
    has_entries,
    has_pictures,
    is_gpt_image,
    is_plain,
    seen_pictures,
)
from conformance.rules.views import SUCCESS, has_chunks, is_json, request_body

_FORMS = ("url", "b64_json")
_ALWAYS_BASE64 = re.compile(r"(?:.*/)?(?:(?:chat)?gpt-image|gemini-.*image|imagen)", re.DOTALL | re.IGNORECASE)
"""Models whose vendors give no addresses: OpenAI's GPT image, and Google's."""
_OPENAI = re.compile(r"(?:.*/)?(?:dall-?e-[23]\b|(?:chat)?gpt-image)", re.DOTALL | re.IGNORECASE)
_DALLE_3 = re.compile(r"(?:.*/)?dall-?e-3\b", re.DOTALL | re.IGNORECASE)
_EARLIEST, _DAY, _MILLISECONDS = 1_600_000_000, 86_400, 100_000_000_000
_KINDS = frozenset({"png", "jpeg", "webp"})
_ASKED = (1024, 1024)
"""What the cases with the probe `sized` ask for."""
_SHOWN = 60


def asked_count(exchange: Exchange) -> int:
    """How many pictures the request asks for; none of our forms asks for more than one."""
    return (exchange.case.body or exchange.case.form or {}).get("n") or 1


@rule(
    "images.created.seconds",
    doc="openai:images/object#created",
    lines=("IMG-01", "IED-01", "IVA-01"),
    zh="created 必须是以秒为单位的 Unix 时间",
    operations=PICTURES,
    cases=is_plain,
    applies=is_json,
    needs=("/created",),
    breaks="logs and caches sort answers wrongly",
    breaks_zh="日志和缓存会按错误的时间排序",
    mend="Set `created` in the adapter to the current Unix time in whole seconds (not milliseconds, not 0).",
    mend_zh="在适配器中把 `created` 设为当前 Unix 时间的整数秒 (不是毫秒或 0)。",
)
def created_in_seconds(exchange: Exchange) -> Iterator[Finding]:
    """`created` MUST be the time of the answer in Unix seconds."""
    created = exchange.json["created"]
    if created > _MILLISECONDS:
        yield Finding("/created", "seconds", created, "these are milliseconds", "这是毫秒")
    elif not _EARLIEST < created < exchange.started + _DAY:
        yield Finding("/created", "about the time of the request", created)


@rule(
    "images.data.present",
    doc="openai:images/object#data",
    lines=("IMG-01", "IED-01", "IVA-01"),
    zh="成功的回答必须至少含有一张图片",
    operations=PICTURES,
    cases=is_plain,
    applies=is_json,
    needs=("/data",),
    breaks="a picture is billed and none is there; clients raise IndexError",
    breaks_zh="已计费却没有图片;客户端会抛出 IndexError",
    mend="Answer an error, unbilled, where the upstream drew nothing or filtered it, instead of an empty `data`.",
    mend_zh="上游没有生成或过滤了图片时返回错误且不计费,不要返回空的 `data`。",
)
def data_present(exchange: Exchange) -> Iterator[Finding]:
    """A good answer MUST have at least one picture."""
    if not entries(exchange):
        yield Finding("/data", "at least one entry", exchange.json.get("data"))


@rule(
    "images.data.count",
    doc="openai:images/create#n",
    lines=("IMG-02", "IED-01", "IVA-01"),
    zh="图片数量必须等于 n",
    operations=PICTURES,
    cases=is_plain,
    applies=lambda exchange: (
        has_entries(exchange) and not (asked_count(exchange) > 1 and _DALLE_3.match(exchange.model))
    ),
    needs=("/data",),
    breaks="pictures are billed that never arrive",
    breaks_zh="没有返回的图片也被计费",
    mend="Pass `n` on, or ask a model that draws one at a time `n` times; else answer 400 naming `n`, and bill what "
    "was delivered.",
    mend_zh="转发 `n`,对一次只画一张的模型请求 `n` 次;否则返回指明 `n` 的 400,并按实际张数计费。",
)
def data_count(exchange: Exchange) -> Iterator[Finding]:
    """An answer MUST have as many pictures as were asked for."""
    expected, found = asked_count(exchange), len(entries(exchange))
    if found != expected:
        yield Finding("/data", expected, found, deviation="image-count-one" if found == 1 else "")


@rule(
    "images.entry.one-form",
    doc="openai:images/object#url",
    lines=("IMG-03", "IED-01", "IVA-01"),
    zh="每张图片必须且只能以 url 或 b64_json 之一给出",
    operations=PICTURES,
    cases=is_plain,
    applies=has_entries,
    needs=("/data",),
    breaks="clients find no picture, or take the wrong one",
    breaks_zh="客户端找不到图片,或取错图片",
    mend="Convert each picture to one entry with either `url` or `b64_json`, leaving the other key out.",
    mend_zh="每张图片转换为一项,只含 `url` 或 `b64_json` 之一,另一个键不写。",
)
def entry_one_form(exchange: Exchange) -> Iterator[Finding]:
    """An entry MUST have exactly one of `url` and `b64_json`."""
    for place, entry in enumerate(entries(exchange)):
        given = [name for name in _FORMS if entry.get(name)]
        if len(given) != 1:
            yield Finding(f"/data/{place}", "url or b64_json", given or sorted(entry))


@rule(
    "images.entry.empty-key",
    doc="openai:images/object#url",
    lines=("IMG-03",),
    zh="未使用的 url 或 b64_json 可以为空字符串",
    operations=PICTURES,
    cases=is_plain,
    applies=has_entries,
    needs=("/data",),
    breaks="clients that ask whether the key is there take the empty text",
    breaks_zh="只判断键是否存在的客户端会取到空字符串",
    mend="Nothing has to change; leave the unused key out when serialising (fields marked as omitted when empty).",
    mend_zh="无须修改;序列化时省略未使用的键 (把字段标为空时省略)。",
)
def entry_empty_key(exchange: Exchange) -> Iterator[Finding]:
    """The form that is not used MAY be there as an empty text."""
    for place, entry in enumerate(entries(exchange)):
        empty = [name for name in _FORMS if entry.get(name) == ""]
        if len(empty) == 1:
            yield Finding(f"/data/{place}/{empty[0]}", "absent", "", deviation="image-both-keys")


@rule(
    "images.format.honoured",
    doc="openai:images/create#response_format",
    lines=("IMG-04",),
    zh="必须遵守 response_format(只返回 base64 的模型除外)",
    operations=("images.generations",),
    probe="response-format",
    applies=lambda exchange: (
        has_entries(exchange)
        and not (request_body(exchange)["response_format"] == "url" and _ALWAYS_BASE64.match(exchange.model))
    ),
    needs=("/data",),
    breaks="clients read None where the picture should be",
    breaks_zh="客户端在应有图片的位置读到 None",
    mend="Convert in the adapter: store the picture and give its address for `url`, fetch and encode it for "
    "`b64_json`; or answer 400 naming `response_format`.",
    mend_zh="在适配器中转换:要求 `url` 时保存图片并给出地址,要求 `b64_json` 时下载并编码;否则返回指明 "
    "`response_format` 的 400。",
)
def format_honoured(exchange: Exchange) -> Iterator[Finding]:
    """`response_format` MUST be honoured, by models that take it."""
    asked = request_body(exchange)["response_format"]
    other = next(name for name in _FORMS if name != asked)
    for place, entry in enumerate(entries(exchange)):
        given, instead = entry.get(asked) or "", entry.get(other) or ""
        if not given and instead:
            label = "image-base64-for-url" if asked == "url" else "params-dropped"
            yield Finding(f"/data/{place}/{other}", asked, other, deviation=label)
        elif given and asked == "url" and not given.lower().startswith(("http://", "https://")):
            label = "image-data-url" if given.startswith("data:") else ""
            yield Finding(f"/data/{place}/url", "an https address", given[:_SHOWN], deviation=label)


@rule(
    "images.picture.decodes",
    doc="openai:images/object#b64_json",
    lines=("IMG-04", "IED-01", "IVA-01"),
    zh="图片必须是完整的 PNG、JPEG 或 WebP",
    operations=(*PICTURES, "media"),
    cases=is_plain,
    answers=Answers.ANY,
    applies=has_pictures,
    needs=("/data",),
    breaks="the picture is billed and cannot be shown",
    breaks_zh="图片已计费却无法显示",
    mend="Pass the upstream's bytes on whole, as bare base64 without a `data:` prefix or line breaks lost on the way, "
    "and check them before billing.",
    mend_zh="完整转发上游的字节,使用不带 `data:` 前缀的纯 base64,计费前先检查能否解码。",
)
def picture_decodes(exchange: Exchange) -> Iterator[Finding]:
    """A picture MUST be a whole PNG, JPEG or WebP file."""
    for seen in seen_pictures(exchange):
        if seen.picture is None or seen.picture.kind not in _KINDS:
            label = "image-data-url" if seen.given.startswith("data:") else ""
            found = seen.picture.kind if seen.picture else seen.given
            yield Finding(seen.at, "PNG, JPEG or WebP", found, deviation=label)
        elif seen.picture.whole is False:
            yield Finding(seen.at, f"a whole {seen.picture.kind} file", "one that breaks off or is damaged")


@rule(
    "images.size.honoured",
    doc="openai:images/create#size",
    lines=("IMG-05",),
    zh="图片的像素尺寸应与 size 一致",
    operations=("images.generations", "media"),
    probe="sized",
    applies=has_pictures,
    needs=("/data",),
    breaks="layouts break; a larger picture than the one delivered is billed",
    breaks_zh="版面错乱;按更大的尺寸计费",
    mend="Pass `size` on in the upstream's form (width and height, or an aspect ratio), or answer 400 with the sizes "
    "that there are.",
    mend_zh="以上游的形式 (宽高或比例)转发 `size`,否则返回列出可用尺寸的 400。",
)
def size_honoured(exchange: Exchange) -> Iterator[Finding]:
    """A picture SHOULD have the size that was asked for."""
    for seen in seen_pictures(exchange):
        if seen.picture and (seen.picture.width, seen.picture.height) != _ASKED:
            found = f"{seen.picture.width}x{seen.picture.height}"
            yield Finding(seen.at, "{}x{}".format(*_ASKED), found, deviation="params-dropped")


@rule(
    "images.revised-prompt.present",
    doc="openai:images/object#revised_prompt",
    lines=("IMG-06",),
    zh="dall-e-3 的回答应含 revised_prompt",
    operations=("images.generations",),
    cases=is_plain,
    applies=lambda exchange: bool(_DALLE_3.match(exchange.model)) and has_entries(exchange),
    needs=("/data",),
    breaks="nobody sees what was really drawn; another model may stand behind the name",
    breaks_zh="看不到实际使用的提示词;名称背后可能是别的模型",
    mend="Copy `revised_prompt` from the upstream, and check that the channel serves dall-e-3 itself.",
    mend_zh="从上游复制 `revised_prompt`,并确认该渠道提供的确是 dall-e-3。",
)
def revised_prompt_present(exchange: Exchange) -> Iterator[Finding]:
    """Pictures of dall-e-3 SHOULD come with `revised_prompt`."""
    for place, entry in enumerate(entries(exchange)):
        if not entry.get("revised_prompt"):
            yield Finding(f"/data/{place}/revised_prompt", "a text", entry.get("revised_prompt", "absent"))


@rule(
    "images.size.bad-refused",
    doc="openai:images/create#size",
    lines=("IMG-07",),
    zh="不存在的 size 必须以 4xx 拒绝",
    operations=("images.generations",),
    probe="bad-size",
    answers=Answers.REFUSAL,
    breaks="a picture that nobody asked for is billed, or a 5xx is retried",
    breaks_zh="错误的尺寸也会生成并计费,或因 5xx 被反复重试",
    mend="Check `size` against the model's list before choosing a channel and answer 400 naming it, instead of "
    "drawing at a default size.",
    mend_zh="选择渠道之前按模型的尺寸列表检查 `size`,返回指明它的 400,不要按默认尺寸生成。",
)
def bad_size_refused(exchange: Exchange) -> Iterator[Finding]:
    """A size that is none MUST be refused with a 4xx status."""
    yield from must_be_4xx(exchange)


@rule(
    "images.prompt.required",
    doc="openai:images/create#prompt",
    lines=("IMG-08",),
    zh="没有 prompt 的请求必须以 4xx 拒绝",
    operations=("images.generations",),
    probe="missing-prompt",
    answers=Answers.REFUSAL,
    breaks="a mistake is billed, or retried because of a 5xx",
    breaks_zh="错误的请求也会计费,或因 5xx 被反复重试",
    mend="Answer bad requests yourself before choosing a channel: 400 with `param` `prompt` where there is none.",
    mend_zh="选择渠道之前自行处理错误请求:没有 `prompt` 时返回 400,`param` 为 `prompt`。",
)
def prompt_required(exchange: Exchange) -> Iterator[Finding]:
    """A request without a prompt MUST be refused with a 4xx status."""
    yield from must_be_4xx(exchange)


@rule(
    "images.prompt.length-bounded",
    doc="openai:images/create#prompt",
    lines=("IMG-10",),
    zh="OpenAI 的模型应以 4xx 拒绝超过 32000 个字符的 prompt",
    operations=("images.generations",),
    probe="long-prompt",
    answers=Answers.REFUSAL,
    applies=lambda exchange: bool(_OPENAI.match(exchange.model)),
    breaks="the end of the prompt is cut off without a word",
    breaks_zh="提示词末尾会被悄悄截断",
    mend="Count the characters of `prompt` (not its bytes) against the model's limit and answer 400 naming it, or "
    "pass the upstream's 400 on; do not cut it.",
    mend_zh="按模型上限检查 `prompt` 的字符数 (不是字节数),超出返回指明它的 400,或转发上游的 400;不要截断。",
)
def prompt_length_bounded(exchange: Exchange) -> Iterator[Finding]:
    """A prompt of over 32,000 characters SHOULD be refused by OpenAI's models."""
    yield from must_be_4xx(exchange)


@rule(
    "images.n.one-for-dalle3",
    doc="openai:images/create#n",
    lines=("IMG-09",),
    zh="dall-e-3 应以 4xx 拒绝 n=2",
    operations=("images.generations",),
    probe="two",
    answers=Answers.ANY,
    applies=lambda exchange: bool(_DALLE_3.match(exchange.model)),
    breaks="two pictures may be billed for one; another model may stand behind the name",
    breaks_zh="可能只得一张却计费两张;名称背后可能是别的模型",
    mend="Answer 400 naming `n` for dall-e-3 as OpenAI does, or bill what was delivered; check that the channel "
    "serves dall-e-3 itself.",
    mend_zh="对 dall-e-3 像 OpenAI 一样返回指明 `n` 的 400,或按实际张数计费;并确认该渠道提供的确是 dall-e-3。",
)
def one_for_dalle3(exchange: Exchange) -> Iterator[Finding]:
    """Two pictures at once SHOULD be refused by dall-e-3."""
    if exchange.status in SUCCESS:
        yield Finding("status", "4xx", exchange.status, deviation="params-unchecked")


@rule(
    "images.stream.completed",
    doc="openai:images/create#stream",
    lines=("IMG-13",),
    zh="图片流应以 image_generation.completed 结束,并带有 b64_json 和 usage",
    operations=("images.generations",),
    probe="stream",
    applies=lambda exchange: is_gpt_image(exchange) or has_chunks(exchange),
    breaks="clients that stream wait for a picture that never comes",
    breaks_zh="流式客户端等不到图片",
    mend="Forward the upstream's events up to `image_generation.completed` with `b64_json` and usage, or answer 400 "
    "naming `stream`.",
    mend_zh="转发上游事件直到带 `b64_json` 和用量的 `image_generation.completed`,否则返回指明 `stream` 的 400。",
)
def stream_completed(exchange: Exchange) -> Iterator[Finding]:
    """A streamed picture SHOULD end in `image_generation.completed`, with picture and usage."""
    if not has_chunks(exchange):
        yield Finding("header:content-type", "text/event-stream", exchange.media_type, deviation="json-for-stream")
        return
    completed = of_type(exchange, "image_generation.completed")
    if not completed:
        yield Finding("/events", "image_generation.completed", "no such event")
        return
    last = completed[-1]
    if not isinstance(last.data.get("b64_json"), str) or not last.data["b64_json"]:
        yield Finding(f"{last.at}/b64_json", "a picture in base64", last.data.get("b64_json", "absent"))
    if not last.part("usage"):
        yield Finding(f"{last.at}/usage", "token counts", last.data.get("usage", "absent"), deviation="usage-missing")
