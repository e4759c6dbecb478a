"""Addresses of pictures: public, there without a key, and of a picture."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from conformance.model import Exchange, Finding
from conformance.refusals import BUSY, message_of
from conformance.rules.base import Answers, rule
from conformance.rules.image_views import PICTURES, is_plain
from conformance.rules.views import SUCCESS


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
    operations=("media", *PICTURES),
    cases=is_plain,
    answers=Answers.EVERYTHING,
    over="run",
    least=2,
    anchor="address",
    applies=_was_looked_up,
    breaks="no client outside the relay's network can fetch the picture",
    breaks_zh="中转站内网之外的客户端无法下载图片",
    mend="Give out your public address: set the gateway's or the storage's external address in its settings instead "
    "of the internal one.",
    mend_zh="给出公网地址:在网关或存储的设置中填写对外地址,而不是内网地址。",
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
    mend="Keep the file for as long as its address is given out, serve it without a key, and proxy upstream addresses "
    "that need one or that expire at once.",
    mend_zh="在地址有效期内保留文件并允许无密钥访问;上游地址需要密钥或很快过期时由自己代理。",
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
    applies=lambda exchange: exchange.status in SUCCESS,
    breaks="browsers offer a download, or show text, instead of the picture",
    breaks_zh="浏览器会提示下载或显示文字,而不是图片",
    mend="Set `Content-Type` to the picture's type when storing or serving it; many storages default to "
    "`application/octet-stream`.",
    mend_zh="保存或提供图片时把 `Content-Type` 设为图片的类型;许多存储默认为 `application/octet-stream`。",
)
def address_typed(exchange: Exchange) -> Iterator[Finding]:
    """The address of a picture MUST answer with an image type."""
    if not exchange.media_type.startswith("image/"):
        yield Finding("header:content-type", "image/*", exchange.media_type or "absent")
