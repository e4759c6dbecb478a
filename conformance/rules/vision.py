"""Pictures in chat messages: taken in every form, looked at, counted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from conformance.model import Exchange, Finding
from conformance.refusals import message_of
from conformance.rules.base import Answers, rule
from conformance.rules.views import SUCCESS, has_text, has_usage, texts, usage_of

_CHAT = ("chat",)
_RED, _BLUE = re.compile(r"\bred\b|红|紅", re.IGNORECASE), re.compile(r"\bblue\b|蓝|藍", re.IGNORECASE)
_OTHERS = re.compile(r"\b(green|yellow|purple|orange|black|white|gr[ae]y)\b|绿|黄|紫|橙|黑|白|灰", re.IGNORECASE)
_COLOURS = {"chat/vision-low": (_BLUE,), "chat/vision-high": (_BLUE,), "chat/vision-two": (_RED, _BLUE)}
"""The colours of the pictures of a case; those of all others are red."""


def names_colours(exchange: Exchange) -> bool:
    """Whether an answer names the colours of the pictures that were shown, and no other."""
    said = " ".join(texts(exchange))
    shown = _COLOURS.get(exchange.case.id, (_RED,))
    return not _OTHERS.search(said) and all(bool(each.search(said)) is (each in shown) for each in (_RED, _BLUE))


def _prompt(exchange: Exchange) -> int:
    count: int = usage_of(exchange)["prompt_tokens"]
    return count


def _is_counted(exchange: Exchange) -> bool:
    return has_usage(exchange) and _prompt(exchange) > 0


@rule(
    "vision.picture.recognised",
    doc="openai:guides/vision",
    lines=("VIS-01", "VIS-02"),
    basis="implied",
    zh="以 data URL 发送的纯色图片可能没有被认出颜色:模型太弱,或根本没有收到图片",
    operations=_CHAT,
    probe="picture",
    over="run",
    applies=has_text,
    needs=("/choices",),
    breaks="pictures are quietly dropped, and the model invents what it sees",
    breaks_zh="图片被悄悄丢弃,模型凭空编造内容",
    mend="Send one picture yourself and look at what goes to the upstream: the converter must pass `image_url` parts "
    "on, and the model must take pictures.",
    mend_zh="自行发送一张图片并查看转发给上游的内容:转换程序要转发 `image_url`,模型也要支持图片。",
    noisy=True,
)
def picture_recognised(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """The colour of a plain picture MAY go unnamed: a weak model, or a model that was shown nothing.

    It is noted when none of several answers names it. `vision.picture.counted` says whether it was billed.
    """
    if not any(map(names_colours, exchanges)):
        for exchange in exchanges:
            expected = "blue" if exchange.case.id in _COLOURS else "red"
            said = texts(exchange)[0]
            yield Finding(
                "/choices/0/message/content", expected, said, deviation="picture-dropped", exchange=exchange.case.id
            )


@rule(
    "vision.picture.counted",
    doc="openai:guides/vision#calculating-costs",
    lines=("VIS-04",),
    basis="implied",
    zh="带图片的请求,prompt_tokens 应多于不带图片的同一请求",
    operations=_CHAT,
    probe="picture-size",
    over="run",
    least=2,
    anchor="picture",
    applies=_is_counted,
    needs=("/usage",),
    breaks="the picture never reached the model, or the bill cannot be checked",
    breaks_zh="图片没有送达模型,或无法核对计费",
    mend="The picture is dropped or not counted: pass `image_url` parts on, refuse them with 400 for text models, and "
    "take the upstream's count.",
    mend_zh="图片被丢弃或没有计数:应转发 `image_url`,对纯文本模型返回 400,并采用上游的计数。",
)
def picture_counted(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """A picture SHOULD count as prompt tokens."""
    alone, shown = sorted(exchanges, key=lambda exchange: "picture" in exchange.case.probes)[:2]
    if _prompt(shown) <= _prompt(alone):
        at, expected = "/usage/prompt_tokens", f"more than {_prompt(alone)}"
        yield Finding(at, expected, _prompt(shown), deviation="picture-dropped", exchange=shown.case.id)


@rule(
    "vision.detail.counted",
    doc="openai:guides/vision#low-or-high-fidelity-image-understanding",
    lines=("VIS-04",),
    zh="detail 为 high 时,prompt_tokens 不应少于 low",
    operations=_CHAT,
    probe="picture-detail",
    over="run",
    least=2,
    applies=_is_counted,
    needs=("/usage",),
    breaks="billing: the cheap form costs more",
    breaks_zh="计费:便宜的形式反而更贵",
    mend="Pass `detail` on and take the upstream's count; if you count yourself, use the model's own rule for low and "
    "high.",
    mend_zh="转发 `detail` 并采用上游的计数;若自行统计,按该模型 low 与 high 的规则计算。",
)
def detail_counted(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """High detail SHOULD NOT count fewer prompt tokens than low detail."""
    high, low = sorted(exchanges, key=lambda exchange: exchange.case.id)[:2]
    if _prompt(high) < _prompt(low):
        at, expected = "/usage/prompt_tokens", f"at least {_prompt(low)}"
        yield Finding(at, expected, _prompt(high), exchange=high.case.id)


@rule(
    "vision.pictures.all-used",
    doc="openai:guides/vision#multiple-image-inputs",
    lines=("VIS-06",),
    basis="implied",
    zh="一条消息中的两张图片应都被使用:都被认出,或至少都计费",
    operations=_CHAT,
    cases=lambda case: "picture-two" in case.probes or "picture-size" in case.probes,
    over="run",
    least=2,
    anchor="picture-two",
    applies=lambda exchange: has_text(exchange) and _is_counted(exchange),
    needs=("/choices", "/usage"),
    breaks="comparisons of pictures are made up",
    breaks_zh="对多张图片的比较是编造的",
    mend="Convert every part of a message, not only the first or last picture; refuse more than the model takes with "
    "400.",
    mend_zh="转换消息中的每个部分,不要只取第一张或最后一张图片;超过模型上限时返回 400。",
    noisy=True,
)
def all_pictures_used(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """Every picture of a message SHOULD be used: recognised, or at least counted."""
    both = next(each for each in exchanges if "picture-two" in each.case.probes)
    one = next((each for each in exchanges if "picture" in each.case.probes), None)
    if one is not None and _prompt(both) <= _prompt(one) and not names_colours(both):
        at, expected = "/usage/prompt_tokens", f"more than {_prompt(one)}"
        yield Finding(at, expected, _prompt(both), deviation="picture-dropped", exchange=both.case.id)


@rule(
    "vision.kinds.accepted",
    doc="openai:guides/vision#image-input-requirements",
    lines=("VIS-09",),
    zh="接受 PNG 的中转站也应接受 JPEG、WebP 和 GIF",
    operations=_CHAT,
    probe="picture-kind",
    answers=Answers.VALID,
    over="run",
    least=2,
    breaks="photographs and screenshots of some phones and pages are refused",
    breaks_zh="部分手机照片和网页截图会被拒绝",
    mend="Read the kind from the bytes or the data URL and pass it on; convert to PNG or JPEG what the upstream does "
    "not take.",
    mend_zh="从字节或 data URL 判断类型并转发;上游不支持的格式转换为 PNG 或 JPEG。",
)
def kinds_accepted(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """JPEG, WebP and GIF SHOULD be accepted where PNG is."""
    plain, *others = sorted(exchanges, key=lambda exchange: exchange.case.id != "chat/vision-red")
    if plain.case.id == "chat/vision-red" and plain.status in SUCCESS:
        for exchange in others:
            if exchange.status not in SUCCESS:
                yield Finding("status", 200, exchange.status, message_of(exchange), exchange=exchange.case.id)


@rule(
    "vision.empty-url.refused",
    doc="openai:chat/create#messages",
    lines=("VIS-05",),
    zh="图片地址为空的请求必须被拒绝,不得加以描述",
    operations=_CHAT,
    probe="picture-empty",
    answers=Answers.REFUSAL,
    breaks="users get a confident description of a picture that nobody has seen",
    breaks_zh="用户会得到对一张谁也没看过的图片的描述",
    mend="Check `image_url.url` before choosing a channel and answer 400 naming it when it is empty; do not drop the "
    "part.",
    mend_zh="选择渠道之前检查 `image_url.url`,为空时返回指明它的 400,不要丢弃该部分。",
)
def empty_url_refused(exchange: Exchange) -> Iterator[Finding]:
    """A picture without an address MUST be refused, and not be described."""
    if exchange.status in SUCCESS:
        yield Finding("status", "4xx", exchange.status, deviation="picture-dropped")


@rule(
    "vision.bare-url.seen",
    doc="one-api:relay/model/message",
    lines=("VIS-10",),
    zh="直接写成字符串的 image_url 可以被悄悄丢弃 (one-api),规范的做法是拒绝",
    operations=_CHAT,
    probe="picture-bare",
    answers=Answers.ANY,
    needs=("/choices",),
    breaks="clients that send the older form get made-up descriptions",
    breaks_zh="使用旧写法的客户端会得到编造的描述",
    mend="Read `image_url` as an object and as a bare string, or answer 400 naming it; a part that cannot be read "
    "must not vanish.",
    mend_zh="`image_url` 应既可为对象也可为字符串,否则返回指明它的 400;读不懂的部分不得悄悄丢弃。",
    noisy=True,
)
def bare_url_seen(exchange: Exchange) -> Iterator[Finding]:
    """A picture given as a bare string MAY be dropped, as by one-api, instead of refused."""
    if exchange.status in SUCCESS and has_text(exchange) and not names_colours(exchange):
        said = texts(exchange)[0]
        at = "/choices/0/message/content"
        yield Finding(at, "red, or a refusal", said, deviation="picture-dropped")
