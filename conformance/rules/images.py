"""Pictures: as many as were asked for, in one form, whole, of the size asked for, and where their addresses say.

A picture is in the answer itself or at the address that the answer gives; rules about pictures look at both.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from conformance.contract import data
from conformance.events import of_type
from conformance.model import Case, Exchange, Finding
from conformance.refusals import BUSY, OTHER_FORM, message_of, met_no_route, refusal_is_plain
from conformance.rules.bad_requests import must_be_4xx
from conformance.rules.base import Answers, rule
from conformance.rules.views import has_chunks, is_json, request_body

if TYPE_CHECKING:
    from conformance.media import Picture

_ALL = ("images.generations", "images.edits", "images.variations")
_FORMS = ("url", "b64_json")
_GPT_IMAGE = re.compile(r"(?:.*/)?(?:chat)?gpt-image", re.DOTALL | re.IGNORECASE)
_ALWAYS_BASE64 = re.compile(r"(?:.*/)?(?:(?:chat)?gpt-image|gemini-.*image|imagen)", re.DOTALL | re.IGNORECASE)
"""Models whose vendors give no addresses: OpenAI's GPT image, and Google's."""
_OPENAI = re.compile(r"(?:.*/)?(?:dall-?e-[23]\b|(?:chat)?gpt-image)", re.DOTALL | re.IGNORECASE)
_DALLE_3 = re.compile(r"(?:.*/)?dall-?e-3\b", re.DOTALL | re.IGNORECASE)
_EARLIEST, _DAY, _MILLISECONDS = 1_600_000_000, 86_400, 100_000_000_000
_KINDS = frozenset({"png", "jpeg", "webp"})
_ASKED = (1024, 1024)
"""What the cases with the probe `sized` ask for."""
_MOST_PICTURES = 4
"""Pictures of one answer that are decoded: twice what any of our requests asks for."""
_SHOWN = 60
_MEMO = "pictures"


class _Seen(NamedTuple):
    """One picture of an answer: where it stands, its bytes, and what they are; None for what cannot be read."""

    at: str
    data: bytes | None
    picture: Picture | None
    given: str


def entries(exchange: Exchange) -> list[dict[str, Any]]:
    """The entries of `data`, which has the right shape behind `needs`."""
    return exchange.json.get("data") or []


def seen_pictures(exchange: Exchange) -> list[_Seen]:
    """The pictures that an answer itself holds; of a file that an answer pointed to, that file."""
    if _MEMO not in exchange.memo:
        exchange.memo[_MEMO] = list(islice(_read(exchange), _MOST_PICTURES))
    found: list[_Seen] = exchange.memo[_MEMO]
    return found


def _read(exchange: Exchange) -> Iterator[_Seen]:
    from conformance.media import picture  # noqa: PLC0415 - Pillow takes a while to import

    if exchange.case.operation == "media":
        body = exchange.response.body if exchange.response else b""
        yield _Seen("", body, picture(body), body[:_SHOWN].decode("latin-1"))
        return
    for place, entry in enumerate(entries(exchange)):
        text = entry.get("b64_json")
        if text:
            decoded = _decoded(text)
            kind = picture(decoded) if decoded else None
            yield _Seen(f"/data/{place}/b64_json", decoded, kind, text[:_SHOWN])


def _decoded(text: str) -> bytes | None:
    """The bytes that a base64 text stands for; line breaks are passed over, as clients do."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        return None


def _is_plain(case: Case) -> bool:
    """The answer is to be one JSON text, not a stream; or it is a picture that such an answer pointed to."""
    return OTHER_FORM not in case.probes and (case.operation != "media" or "address" in case.probes)


def _has_pictures(exchange: Exchange) -> bool:
    """There is something that has to be a picture; an address that sends elsewhere gives none."""
    if exchange.status not in range(200, 300):
        return False
    return exchange.case.operation == "media" or (is_json(exchange) and bool(seen_pictures(exchange)))


def _has_entries(exchange: Exchange) -> bool:
    return is_json(exchange) and bool(entries(exchange))


def asked_count(exchange: Exchange) -> int:
    """How many pictures the request asks for; none of our forms asks for more than one."""
    return (exchange.case.body or exchange.case.form or {}).get("n") or 1


@rule(
    "images.created.seconds",
    doc="openai:images/object#created",
    lines=("IMG-01", "IED-01", "IVA-01"),
    zh="created 必须是以秒为单位的 Unix 时间",
    operations=_ALL,
    cases=_is_plain,
    applies=is_json,
    needs=("/created",),
    breaks="logs and caches sort answers wrongly",
    breaks_zh="日志和缓存会按错误的时间排序",
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
    operations=_ALL,
    cases=_is_plain,
    applies=is_json,
    needs=("/data",),
    breaks="a picture is billed and none is there; clients raise IndexError",
    breaks_zh="已计费却没有图片;客户端会抛出 IndexError",
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
    operations=_ALL,
    cases=_is_plain,
    applies=lambda exchange: (
        _has_entries(exchange) and not (asked_count(exchange) > 1 and _DALLE_3.match(exchange.model))
    ),
    needs=("/data",),
    breaks="pictures are billed that never arrive",
    breaks_zh="没有返回的图片也被计费",
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
    operations=_ALL,
    cases=_is_plain,
    applies=_has_entries,
    needs=("/data",),
    breaks="clients find no picture, or take the wrong one",
    breaks_zh="客户端找不到图片,或取错图片",
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
    operations=_ALL,
    cases=_is_plain,
    applies=_has_entries,
    needs=("/data",),
    breaks="clients that ask whether the key is there take the empty text",
    breaks_zh="只判断键是否存在的客户端会取到空字符串",
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
        _has_entries(exchange)
        and not (request_body(exchange)["response_format"] == "url" and _ALWAYS_BASE64.match(exchange.model))
    ),
    needs=("/data",),
    breaks="clients read None where the picture should be",
    breaks_zh="客户端在应有图片的位置读到 None",
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
    operations=(*_ALL, "media"),
    cases=_is_plain,
    answers=Answers.ANY,
    applies=_has_pictures,
    needs=("/data",),
    breaks="the picture is billed and cannot be shown",
    breaks_zh="图片已计费却无法显示",
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
    applies=_has_pictures,
    needs=("/data",),
    breaks="layouts break; a larger picture than the one delivered is billed",
    breaks_zh="版面错乱;按更大的尺寸计费",
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
    cases=_is_plain,
    applies=lambda exchange: bool(_DALLE_3.match(exchange.model)) and _has_entries(exchange),
    needs=("/data",),
    breaks="nobody sees what was really drawn; another model may stand behind the name",
    breaks_zh="看不到实际使用的提示词;名称背后可能是别的模型",
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
)
def one_for_dalle3(exchange: Exchange) -> Iterator[Finding]:
    """Two pictures at once SHOULD be refused by dall-e-3."""
    if exchange.status in range(200, 300):
        yield Finding("status", "4xx", exchange.status, deviation="params-unchecked")


def _is_gpt_image(exchange: Exchange) -> bool:
    return bool(_GPT_IMAGE.match(exchange.model))


@rule(
    "images.stream.completed",
    doc="openai:images/create#stream",
    lines=("IMG-13",),
    zh="图片流应以 image_generation.completed 结束,并带有 b64_json 和 usage",
    operations=("images.generations",),
    probe="stream",
    applies=lambda exchange: _is_gpt_image(exchange) or has_chunks(exchange),
    breaks="clients that stream wait for a picture that never comes",
    breaks_zh="流式客户端等不到图片",
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


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_inside(host: str) -> bool:
    """A host that only its own network can reach, by its number or its name."""
    number = _number(host)
    if number is not None:
        return not number.is_global
    return "." not in host or host.endswith((".local", ".localhost", ".internal", ".lan"))


def _was_looked_up(exchange: Exchange) -> bool:
    """For pictures: it is known whether the address is public; for the relay's own answers: it was sent."""
    if exchange.case.operation != "media":
        return exchange.response is not None
    return exchange.response is not None or (exchange.failure is not None and exchange.failure.kind == "private")


@rule(
    "images.address.public",
    doc="openai:images/object#url",
    lines=("IMG-04",),
    zh="图片地址必须是公网地址(中转站自身在内网时除外)",
    operations=("media", *_ALL),
    cases=_is_plain,
    answers=Answers.EVERYTHING,
    over="run",
    least=2,
    anchor="address",
    applies=_was_looked_up,
    breaks="no client outside the relay's network can fetch the picture",
    breaks_zh="中转站内网之外的客户端无法下载图片",
)
def address_public(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """The address of a picture MUST be public, unless the relay itself is not."""
    home = next((each.request.url for each in exchanges if each.case.operation != "media"), "")
    for exchange in exchanges:
        if exchange.failure is None or exchange.case.operation != "media" or exchange.failure.kind != "private":
            continue
        number = _number(_host(exchange.request.url))
        neighbour = is_inside(_host(home)) and not (number and number.is_link_local)
        if not neighbour:
            said = exchange.failure.detail
            yield Finding("", "a public address", exchange.request.url, said, exchange=exchange.case.id)


def _says_yes_or_no(exchange: Exchange) -> bool:
    """There is an answer, and it neither sends elsewhere nor tells of a breakdown."""
    return exchange.answered and exchange.status not in BUSY and exchange.status // 100 not in {3, 5}


@rule(
    "images.address.answers",
    doc="openai:images/object#url",
    lines=("IMG-04", "IMG-11"),
    zh="图片地址必须无需密钥即可访问,并返回 200",
    operations=("media",),
    probe="address",
    answers=Answers.EVERYTHING,
    applies=_says_yes_or_no,
    breaks="the picture is billed and cannot be fetched",
    breaks_zh="图片已计费却无法下载",
)
def address_answers(exchange: Exchange) -> Iterator[Finding]:
    """The address of a picture MUST answer with HTTP 200, without a key."""
    if exchange.status != 200:
        yield Finding("status", 200, exchange.status, message_of(exchange))


@rule(
    "images.address.typed",
    doc="openai:images/object#url",
    lines=("IMG-04",),
    zh="图片地址必须以 image/* 类型返回",
    operations=("media",),
    probe="address",
    answers=Answers.ANY,
    applies=lambda exchange: exchange.status in range(200, 300),
    breaks="browsers offer a download, or show text, instead of the picture",
    breaks_zh="浏览器会提示下载或显示文字,而不是图片",
)
def address_typed(exchange: Exchange) -> Iterator[Finding]:
    """The address of a picture MUST answer with an image type."""
    if not exchange.media_type.startswith("image/"):
        yield Finding("header:content-type", "image/*", exchange.media_type or "absent")


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
    applies=_is_gpt_image,
    breaks="pictures cannot be combined",
    breaks_zh="无法合成多张图片",
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
    applies=_has_pictures,
    needs=("/data",),
    breaks="an edit destroys what was to be kept",
    breaks_zh="编辑会破坏本应保留的部分",
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
)
def json_body_answered(exchange: Exchange) -> Iterator[Finding]:
    """An edit asked for in JSON SHOULD work or be refused with a 4xx status."""
    if exchange.status >= 500:
        yield Finding("status", "200 or 4xx", exchange.status, message_of(exchange))
