"""Quota: what is used, what is left, and whether the two agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.model import Case, Exchange, Finding
from conformance.refusals import OTHER_FORM, message_of
from conformance.rules.base import Answers, rule
from conformance.rules.views import SUCCESS, has_usage, is_json, usage_of

USAGE, LIMIT, TOKEN = "billing.usage", "billing.subscription", "billing.token"
_VALUES = {USAGE: "total_usage", LIMIT: "hard_limit_usd"}
_LIMITS = ("soft_limit_usd", "hard_limit_usd", "system_hard_limit_usd")
_UNLIMITED = 100_000_000
"""What one-api and new-api give as the limit of a key without one."""
_UNAUTHORIZED = 401
_HUNDREDTHS = 100
_CLOSE = 0.01
_ROOM = 2.0
_SMALL = 10.0
"""Hundredths of a unit: requests that are under way may have reserved so much, and give it back."""
_MILLISECONDS = 100_000_000_000
_BY_DOOR = "the balance depends on how the base URL of a client is written"
_BY_DOOR_ZH = "余额取决于客户端基础地址的写法"
_BREAKS = "what is left cannot be told; clients show a wrong balance"
_BREAKS_ZH = "无法得知余额;客户端显示的余额是错的"


def _amount(value: Any) -> float:
    """A number that can be compared, however large; nan for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return float("nan")
    return float(value) if abs(value) < 10**300 else float("inf")


def _is_documented(case: Case) -> bool:
    """Whether the address is one that has to be there: what stands beside `/v1` may be anything."""
    return OTHER_FORM not in case.probes


def _value(exchange: Exchange) -> float:
    """What the answer is about: the used quota, or the limit."""
    return _amount(exchange.json.get(_VALUES[exchange.case.operation]))


def _is_readable(exchange: Exchange) -> bool:
    return is_json(exchange) and not exchange.error and _value(exchange) == _value(exchange)


def _readings(exchanges: Sequence[Exchange]) -> tuple[Exchange, Exchange]:
    """The first reading and the later one."""
    first, later = sorted(_of_quota(exchanges), key=lambda exchange: "quota-later" in exchange.case.probes)[:2]
    return first, later


def _of_quota(exchanges: Sequence[Exchange]) -> list[Exchange]:
    return [exchange for exchange in exchanges if exchange.case.operation in _VALUES]


@rule(
    "billing.subscription.limits-equal",
    doc="one-api:controller/billing",
    lines=("BIL-02",),
    zh="三个上限应当相等",
    operations=(LIMIT,),
    cases=_is_documented,
    applies=is_json,
    needs=tuple(f"/{name}" for name in _LIMITS),
    breaks="clients that read another of the limits show another balance",
    breaks_zh="读取其他上限字段的客户端会显示不同的余额",
    mend="Write one amount into `soft_limit_usd`, `hard_limit_usd` and `system_hard_limit_usd`, in one unit.",
    mend_zh="把同一金额、同一单位写入 `soft_limit_usd`、`hard_limit_usd` 和 `system_hard_limit_usd`。",
)
def limits_equal(exchange: Exchange) -> Iterator[Finding]:
    """The three limits SHOULD be the same amount."""
    soft, hard, system = (_amount(exchange.json[name]) for name in _LIMITS)
    for name, found in (("soft_limit_usd", soft), ("system_hard_limit_usd", system)):
        if not _alike(found, hard):
            yield Finding(f"/{name}", hard, exchange.json[name])


def _alike(one: float, other: float) -> bool:
    """Whether two amounts are the same but for rounding."""
    return one == other or abs(one - other) <= _CLOSE * max(abs(one), abs(other))


@rule(
    "billing.subscription.access-until",
    doc="one-api:controller/billing",
    lines=("BIL-02",),
    zh="access_until 必须是秒级 Unix 时间,0 表示永不过期",
    operations=(LIMIT,),
    cases=_is_documented,
    applies=is_json,
    needs=("/access_until",),
    breaks="clients take the key for expired, or for one that never expires",
    breaks_zh="客户端会误以为令牌已过期或永不过期",
    mend="Write the key's end as Unix seconds into `access_until`, and 0 (not -1, null or milliseconds) where it has "
    "none.",
    mend_zh="把密钥的到期时间以 Unix 秒写入 `access_until`,没有到期时间时写 0 (不是 -1、null 或毫秒)。",
)
def access_until(exchange: Exchange) -> Iterator[Finding]:
    """`access_until` MUST be a time in Unix seconds, 0 for never."""
    yield from _expiry("/access_until", exchange.json["access_until"])


def _expiry(at: str, value: int) -> Iterator[Finding]:
    if not 0 <= value < _MILLISECONDS:
        expected = "seconds" if value > 0 else "0 or later"
        yield Finding(at, expected, value)


@rule(
    "billing.limit.covers-usage",
    doc="one-api:controller/billing",
    lines=("BIL-03",),
    zh="hard_limit_usd 乘以 100 必须不小于 total_usage,除非额度不限",
    operations=(LIMIT, USAGE),
    probe="quota",
    over="run",
    least=2,
    applies=_is_readable,
    needs=("/hard_limit_usd", "/total_usage"),
    breaks=_BREAKS,
    breaks_zh=_BREAKS_ZH,
    mend="Compute `hard_limit_usd` as what is left plus what is used, and `total_usage` in hundredths of the same "
    "unit.",
    mend_zh="`hard_limit_usd` 应为剩余加已用,`total_usage` 为同一单位的百分之一。",
)
def limit_covers_usage(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """`hard_limit_usd` MUST be at least a hundredth of `total_usage`, unless there is no limit."""
    limit, usage = sorted(exchanges, key=lambda exchange: exchange.case.operation)[:2]
    allowed, taken = _HUNDREDTHS * _value(limit), _value(usage)
    # The last request may overdraw a key a little.
    if _value(limit) != _UNLIMITED and taken > allowed * (1 + _CLOSE) + _SMALL:
        yield Finding("/hard_limit_usd", f"at least {taken / _HUNDREDTHS:.6g}", _value(limit), exchange=limit.case.id)


@rule(
    "billing.usage.never-shrinks",
    doc="one-api:controller/billing",
    lines=("BIL-04",),
    zh="计费调用之后,total_usage 不得变小",
    operations=(USAGE,),
    probe="quota-reading",
    over="run",
    least=2,
    anchor="quota-later",
    applies=_is_readable,
    needs=("/total_usage",),
    breaks=_BREAKS,
    breaks_zh=_BREAKS_ZH,
    mend="Answer from a counter that only grows, for this key, and not from a cache, a day's figures, or another "
    "node's copy.",
    mend_zh="用该密钥只增不减的计数器回答,不要用缓存、当日数据或其他节点的副本。",
)
def usage_never_shrinks(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """`total_usage` MUST NOT become less after calls that are billed.

    Relays reserve something for a request that is under way and give back what it did not take: less than half of it
    is not held against anybody, and neither is a tenth of a unit.
    """
    first, last = _readings(exchanges)
    before, after = _value(first), _value(last)
    if after < before / _ROOM and before - after > _SMALL:
        yield Finding("/total_usage", f"at least {before:.6g}", after, exchange=last.case.id)


def _grows_on(case: Case) -> bool:
    """The readings, and the chat that is billed between them."""
    return "billed" in case.probes or "quota-reading" in case.probes


def _counts(exchange: Exchange) -> bool:
    return has_usage(exchange) if exchange.case.operation == "chat" else _is_readable(exchange)


@rule(
    "billing.usage.grows",
    doc="one-api:controller/billing",
    lines=("BIL-04",),
    zh="total_usage 可以过一会儿才增加 (异步结算),免费模型则不增加",
    operations=(USAGE, "chat"),
    cases=_grows_on,
    over="run",
    least=3,
    anchor="quota-later",
    applies=_counts,
    needs=("/total_usage",),
    breaks="nothing, if it grows within a minute; else nobody can check the bill",
    breaks_zh="一分钟内增加则没有影响;否则无法核对账单",
    mend="Nothing has to change if it grows within a minute; else shorten the interval at which used quota is written "
    "in batches.",
    mend_zh="若一分钟内会增长则无须修改;否则缩短批量写入已用额度的间隔。",
    noisy=True,
)
def usage_grows(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """`total_usage` MAY stay as it was for a while after calls that are billed."""
    first, last = _readings(exchanges)
    billed = any(each.case.operation == "chat" and usage_of(each)["total_tokens"] > 0 for each in exchanges)
    if billed and _value(last) <= _value(first):
        yield Finding("/total_usage", f"more than {_value(first):.6g}", _value(last), exchange=last.case.id)


@rule(
    "billing.limit.steady",
    doc="one-api:controller/billing",
    lines=("BIL-04",),
    zh="调用之后 hard_limit_usd 应保持不变 (已用加剩余)",
    operations=(LIMIT,),
    probe="quota-reading",
    over="run",
    least=2,
    anchor="quota-later",
    applies=_is_readable,
    needs=("/hard_limit_usd",),
    breaks="what is left is counted twice, or not at all",
    breaks_zh="余额会被重复计算或漏算",
    mend="Compute the limit as used plus left from one reading of the database, so that neither is counted twice "
    "while requests are under way.",
    mend_zh="用同一次数据库读取的已用和剩余计算额度,避免请求进行中重复或漏计。",
)
def limit_steady(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """`hard_limit_usd` SHOULD stay as it is while the quota is used: it is what is used plus what is left."""
    first, last = _readings(exchanges)
    before, after = _value(first), _value(last)
    if not _alike(before, after) and abs(after - before) > _SMALL / _HUNDREDTHS:
        yield Finding("/hard_limit_usd", before, after, exchange=last.case.id)


def _same_beside(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """A finding where the address beside `/v1` gives another answer.

    What is used grows meanwhile, so it has to lie between half of the least and twice the most of the others.
    """
    beside = next(each for each in exchanges if OTHER_FORM in each.case.probes)
    others = [each for each in exchanges if each is not beside]
    values, found = [_value(each) for each in others], _value(beside)
    expected, actual = others[0].json.get("object"), beside.json.get("object")
    if not min(values) / _ROOM - _SMALL <= found <= max(values) * _ROOM + _SMALL:
        yield Finding(f"/{_VALUES[beside.case.operation]}", values[0], found, exchange=beside.case.id)
    elif expected != actual:
        yield Finding("/object", expected, actual, exchange=beside.case.id)


@rule(
    "billing.usage.same-beside",
    doc="one-api:router/dashboard",
    lines=("BIL-06",),
    zh="带与不带 /v1 的已用额度地址若都存在,必须给出相同的回答",
    operations=(USAGE,),
    probe="quota-door",
    over="run",
    least=2,
    anchor=OTHER_FORM,
    applies=_is_readable,
    breaks=_BY_DOOR,
    breaks_zh=_BY_DOOR_ZH,
    mend="Register one handler under both paths, `/v1/dashboard/billing/usage` and `/dashboard/billing/usage`.",
    mend_zh="两个路径 `/v1/dashboard/billing/usage` 与 `/dashboard/billing/usage` 应使用同一个处理程序。",
)
def usage_same_beside(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """The used quota MUST be answered alike with and without `/v1`, where both are there."""
    yield from _same_beside(exchanges)


@rule(
    "billing.subscription.same-beside",
    doc="one-api:router/dashboard",
    lines=("BIL-06",),
    zh="带与不带 /v1 的额度上限地址若都存在,必须给出相同的回答",
    operations=(LIMIT,),
    probe="quota-door",
    over="run",
    least=2,
    anchor=OTHER_FORM,
    applies=_is_readable,
    breaks=_BY_DOOR,
    breaks_zh=_BY_DOOR_ZH,
    mend="Register one handler under both paths, `/v1/dashboard/billing/subscription` and "
    "`/dashboard/billing/subscription`.",
    mend_zh="两个路径 `/v1/dashboard/billing/subscription` 与 `/dashboard/billing/subscription` 应使用同一个处理程序。",
)
def limit_same_beside(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """The limit MUST be answered alike with and without `/v1`, where both are there."""
    yield from _same_beside(exchanges)


@rule(
    "billing.key.required",
    doc="one-api:middleware/auth",
    lines=("BIL-07", "BIL-08"),
    zh="没有密钥的额度查询必须以 HTTP 401 拒绝",
    operations=(USAGE, LIMIT, TOKEN),
    probe="no-key",
    answers=Answers.REFUSAL,
    breaks="clients take the error for a balance, or strangers read yours",
    breaks_zh="客户端会把错误当成余额,或他人可读取你的余额",
    mend="Put the key check before these paths too and answer 401 with an error object; an error inside a 200 looks "
    "like a balance.",
    mend_zh="这些路径也要先校验密钥,返回 401 和错误对象;放在 200 里的错误会被当成余额。",
)
def key_required(exchange: Exchange) -> Iterator[Finding]:
    """A question about the quota without a key MUST be refused with HTTP 401."""
    if exchange.status != _UNAUTHORIZED:
        label = "error-in-200" if exchange.status in SUCCESS and exchange.error else ""
        yield Finding("status", _UNAUTHORIZED, exchange.status, message_of(exchange), deviation=label)


def _token(exchange: Exchange) -> dict[str, Any]:
    data: dict[str, Any] = exchange.json["data"]
    return data


@rule(
    "billing.token.adds-up",
    doc="new-api:controller/token",
    lines=("BIL-12",),
    zh="total_granted 必须等于 total_used 加 total_available",
    operations=(TOKEN,),
    applies=is_json,
    needs=("/data",),
    breaks=_BREAKS,
    breaks_zh=_BREAKS_ZH,
    mend="Read `total_used` and `total_available` together and compute `total_granted` as their sum.",
    mend_zh="同时读取 `total_used` 和 `total_available`,并把 `total_granted` 计算为两者之和。",
)
def token_adds_up(exchange: Exchange) -> Iterator[Finding]:
    """What is granted to a key MUST be what it used plus what is left."""
    data = _token(exchange)
    total = _amount(data["total_used"]) + _amount(data["total_available"])
    if not _alike(_amount(data["total_granted"]), total):
        yield Finding("/data/total_granted", total, data["total_granted"])


@rule(
    "billing.token.not-negative",
    doc="new-api:controller/token",
    lines=("BIL-12",),
    zh="令牌的各项额度不得为负,除非额度不限",
    operations=(TOKEN,),
    applies=lambda exchange: is_json(exchange) and _token(exchange)["unlimited_quota"] is False,
    needs=("/data",),
    breaks=_BREAKS,
    breaks_zh=_BREAKS_ZH,
    mend="Show 0 where a key was overdrawn by its last request, and check that reserved quota is given back once only.",
    mend_zh="最后一次请求透支时显示 0,并检查预扣的额度只返还一次。",
)
def token_not_negative(exchange: Exchange) -> Iterator[Finding]:
    """The quota of a key that has a limit MUST NOT be negative."""
    for name in ("total_granted", "total_used", "total_available"):
        found = _token(exchange)[name]
        # The last request may overdraw a key a little.
        if _amount(found) < -_CLOSE * abs(_amount(_token(exchange)["total_granted"])):
            yield Finding(f"/data/{name}", "0 or more", found)


@rule(
    "billing.token.expires-at",
    doc="new-api:controller/token",
    lines=("BIL-12",),
    zh="expires_at 必须是秒级 Unix 时间,0 表示永不过期",
    operations=(TOKEN,),
    applies=is_json,
    needs=("/data",),
    breaks="clients take the key for expired, or for one that never expires",
    breaks_zh="客户端会误以为令牌已过期或永不过期",
    mend="Write the key's end as Unix seconds into `expires_at`, and 0 (not -1, null or milliseconds) where it has "
    "none.",
    mend_zh="把密钥的到期时间以 Unix 秒写入 `expires_at`,没有到期时间时写 0 (不是 -1、null 或毫秒)。",
)
def token_expires_at(exchange: Exchange) -> Iterator[Finding]:
    """`expires_at` MUST be a time in Unix seconds, 0 for never."""
    yield from _expiry("/data/expires_at", _token(exchange)["expires_at"])


@rule(
    "billing.token.code-true",
    doc="new-api:controller/token",
    lines=("BIL-12",),
    zh="成功时 code 必须是布尔值 true",
    operations=(TOKEN,),
    applies=is_json,
    needs=("/code",),
    breaks="clients that test `code` take the answer for an error",
    breaks_zh="检查 code 的客户端会把回答当成错误",
    mend="Write the boolean `true` into `code`, not 0, 200 or a text.",
    mend_zh="`code` 应写布尔值 `true`,不要写 0、200 或字符串。",
)
def token_code_true(exchange: Exchange) -> Iterator[Finding]:
    """`code` of a good answer MUST be true."""
    if exchange.json["code"] is not True:
        yield Finding("/code", True, exchange.json["code"])
