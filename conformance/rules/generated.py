"""Requests that were generated from the schemas in force: good ones are taken, bad ones are refused, in time."""

from __future__ import annotations

import re
from collections.abc import Iterator

from conformance.model import Exchange, Finding, Phase
from conformance.operations import OPERATIONS
from conformance.refusals import BUSY, GENERATED, REFUSED_KEY, message_of, out_of_credit, refused_part, spelled
from conformance.rules.base import Answers, rule

_ASKED = tuple(name for name, each in OPERATIONS.items() if each.method == "POST" and name != "gemini.stream")
"""The operations that requests are generated for, and their streamed twins: where a field says that it is one."""

RECOVERY = "recovery"
"""The probe of a plain request that follows bad ones."""

_LATE = frozenset({"timeout", "idle"})
_OLD_NEW_API = "validation-500"


def _says_nothing(exchange: Exchange) -> bool:
    """The answer is about the account, the key or the load, not about the request."""
    return exchange.status in BUSY | REFUSED_KEY or out_of_credit(exchange)


def _breaks_down(exchange: Exchange) -> bool:
    """The answer is an internal error."""
    return exchange.status >= 500 and exchange.status not in BUSY


@rule(
    "generated.valid.accepted",
    doc="openai:chat/create",
    lines=("CHAT-18", "CHAT-19", "CHAT-21", "CHAT-24"),
    zh="符合文档的请求必须被接受,或以字段名明确拒绝其中的可选部分",
    operations=_ASKED,
    probe=GENERATED,
    cases=lambda case: case.phase is Phase.VALID,
    answers=Answers.VALID,
    sampled=True,
    applies=lambda exchange: exchange.status != 401,
    breaks="clients that send what the document allows get an error",
    breaks_zh="按文档发送请求的客户端会报错",
    mend="Look at the smallest request that fails: pass on the field that it holds, or answer 400 with the field's "
    "name in `param`.",
    mend_zh="查看能复现的最小请求:转发其中的字段,或返回 400 并在 `param` 中写明字段名。",
)
def valid_accepted(exchange: Exchange) -> Iterator[Finding]:
    """A request that the documents allow MUST be accepted, or an optional part of it refused by name."""
    if exchange.status >= 300:
        yield Finding("status", "200, or a refusal that names an optional part", exchange.status, message_of(exchange))


@rule(
    "generated.valid.no-5xx",
    doc="openai:guides/error-codes",
    basis="implied",
    zh="符合文档的请求不得使中转站出现内部错误",
    operations=_ASKED,
    probe=GENERATED,
    cases=lambda case: case.phase is Phase.VALID,
    answers=Answers.EVERYTHING,
    sampled=True,
    applies=lambda exchange: exchange.answered and exchange.status not in BUSY,
    breaks="SDKs repeat such a request again and again, and it never works",
    breaks_zh="SDK 会反复重试这种永远不会成功的请求",
    mend="Look at the smallest request that fails and its stack trace: mostly a converter that does not expect a "
    "null, a list or a missing optional field.",
    mend_zh="查看能复现的最小请求及其堆栈:多半是转换程序没有料到 null、列表或缺少的可选字段。",
)
def valid_no_5xx(exchange: Exchange) -> Iterator[Finding]:
    """A request that the documents allow MUST NOT lead to an internal error."""
    if _breaks_down(exchange):
        yield Finding("status", "no internal error", exchange.status, message_of(exchange))


@rule(
    "generated.invalid.refused",
    doc="openai:chat/create",
    lines=("1.5",),
    zh="不符合任何文档的请求应以 4xx 拒绝",
    operations=_ASKED,
    probe="generated-invalid",
    answers=Answers.REFUSAL,
    sampled=True,
    breaks="mistakes in requests are hidden, and billed",
    breaks_zh="请求中的错误被掩盖,并照样计费",
    mend="Validate types and ranges before choosing a channel and answer 400 naming the field, or pass the upstream's "
    "400 on instead of dropping the field.",
    mend_zh="选择渠道之前校验类型和范围,返回指明字段的 400;或转发上游的 400,不要丢弃该字段。",
)
def invalid_refused(exchange: Exchange) -> Iterator[Finding]:
    """A request that no document allows SHOULD be refused with a 4xx status."""
    if exchange.status < 400:
        yield Finding("status", "4xx", exchange.status, exchange.case.mutation)


@rule(
    "generated.invalid.no-5xx",
    doc="openai:guides/error-codes",
    lines=("1.5",),
    zh="不符合文档的请求不得使中转站出现内部错误",
    operations=_ASKED,
    probe="generated-invalid",
    answers=Answers.EVERYTHING,
    sampled=True,
    applies=lambda exchange: exchange.answered and exchange.status not in BUSY,
    breaks="SDKs retry a 5xx: the mistake is hidden",
    breaks_zh="SDK 会对 5xx 反复重试,掩盖真正的错误",
    mend="Map the errors of your own parsing and validation to 400, and pass an upstream's 4xx on as 4xx.",
    mend_zh="把自身解析和校验的错误映射为 400,上游的 4xx 也以 4xx 转发。",
)
def invalid_no_5xx(exchange: Exchange) -> Iterator[Finding]:
    """A request that no document allows MUST NOT lead to an internal error."""
    if _breaks_down(exchange):
        code = str((exchange.error or {}).get("code"))
        label = _OLD_NEW_API if exchange.status == 500 and code.startswith("invalid") else ""
        said = f"{exchange.case.mutation}: {message_of(exchange)}"
        yield Finding("status", "4xx", exchange.status, said, deviation=label)


@rule(
    "generated.invalid.in-time",
    doc="openai:guides/error-codes",
    basis="implied",
    zh="不符合文档的请求必须及时得到回答",
    operations=_ASKED,
    probe="generated-invalid",
    answers=Answers.EVERYTHING,
    sampled=True,
    breaks="a mistake in a request hangs the program that made it",
    breaks_zh="请求中的一个错误会让程序一直等待",
    mend="Validate before anything is sent on, and do not retry a request on other channels after an upstream has "
    "refused it with 4xx.",
    mend_zh="转发之前先校验;上游以 4xx 拒绝后,不要再换其他渠道重试。",
    noisy=True,
)
def invalid_in_time(exchange: Exchange) -> Iterator[Finding]:
    """A request that no document allows MUST be answered in time."""
    if exchange.failure is not None and exchange.failure.kind in _LATE:
        yield Finding("", "an answer", exchange.failure.detail, exchange.case.mutation)


@rule(
    "generated.invalid.named",
    doc="openai:guides/error-codes",
    lines=("ERR-02",),
    zh="拒绝时可以不指出是哪个字段有误",
    operations=_ASKED,
    probe="generated-invalid",
    answers=Answers.REFUSAL,
    sampled=True,
    cases=lambda case: "/" in case.mutation,
    applies=lambda exchange: exchange.status in range(400, 500) and exchange.error is not None,
    breaks="people look for the mistake in the wrong place",
    breaks_zh="用户会在错误的地方寻找问题",
    mend="Nothing has to change; write the path of the wrong field into `param`, or at least its name into the "
    "message.",
    mend_zh="无须修改;可在 `param` 中写明出错字段的路径,或至少在信息中写出字段名。",
)
def invalid_named(exchange: Exchange) -> Iterator[Finding]:
    """A refusal MAY leave open which field is wrong."""
    error = exchange.error or {}
    field, *inner = exchange.case.mutation.partition("/")[2].split("/")
    said = " ".join(str(error[name]) for name in ("param", "code", "message") if error.get(name))
    names = [name for name in (field, *inner) if not name.isdecimal()]
    if field and not any(re.search(rf"(?<![A-Za-z0-9_])(?:{spelled(name)})(?![A-Za-z0-9_])", said) for name in names):
        yield Finding("/error/param", field, error.get("param"), exchange.case.mutation)


@rule(
    "generated.invalid.recovers",
    doc="openai:guides/error-codes",
    basis="implied",
    zh="错误的请求之后,正常请求必须仍能得到回答",
    operations=_ASKED,
    probe=RECOVERY,
    answers=Answers.EVERYTHING,
    sampled=True,
    applies=lambda exchange: exchange.answered and not _says_nothing(exchange),
    breaks="one user's mistake takes the service from others",
    breaks_zh="一个错误请求会影响后续的正常请求",
    mend="Do not bench a channel because of an upstream's 4xx, and let no bad request end a worker: catch its error "
    "where the request is handled.",
    mend_zh="不要因上游的 4xx 停用渠道,也不要让错误的请求使工作进程退出:在处理请求处捕获异常。",
)
def recovers(exchange: Exchange) -> Iterator[Finding]:
    """A good request MUST be answered after bad ones."""
    if exchange.status >= 300 and not refused_part(exchange):
        yield Finding("status", 200, exchange.status, message_of(exchange))
