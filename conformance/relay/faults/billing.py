"""Faults of the quota."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.relay.call import Stage
from conformance.relay.faults.base import fault

if TYPE_CHECKING:
    from conformance.relay.call import Call

_STRICT, _COMPAT = "operation.response.strict", "operation.response.compat"


@fault(
    "quota-limits-differ",
    Stage.BILLING,
    trips={"billing.subscription.limits-equal"},
    zh="三个上限互不相同",
)
def _(call: Call) -> None:
    """The soft limit is four fifths of the hard one."""
    if "soft_limit_usd" in call.answer:
        call.answer["soft_limit_usd"] *= 0.8


@fault(
    "quota-access-negative",
    Stage.BILLING,
    trips={"billing.subscription.access-until", _STRICT},
    zh="access_until 是 -1",
)
def _(call: Call) -> None:
    """A key that never expires has access until -1."""
    if "access_until" in call.answer:
        call.answer["access_until"] = -1


@fault("quota-limit-is-rest", Stage.BILLING, trips={"billing.limit.covers-usage"}, zh="上限小于已用额度")
def _(call: Call) -> None:
    """All limits are what little is left, and less than what is used."""
    for name in ("soft_limit_usd", "hard_limit_usd", "system_hard_limit_usd"):
        if name in call.answer:
            call.answer[name] = 1.0


@fault(
    "quota-usage-shrinks",
    Stage.BILLING,
    trips={"billing.usage.never-shrinks", "billing.usage.grows"},
    zh="已用额度越查越小",
)
def _(call: Call) -> None:
    """What is used becomes less each time one asks."""
    if "total_usage" in call.answer and call.path.startswith("/v1"):
        call.answer["total_usage"] /= 4 ** (call.state.count("usage asked") - 1)


@fault(
    "quota-never-booked",
    Stage.USAGE,
    Stage.BILLING,
    trips={"billing.usage.grows"},
    zh="调用从不计入已用额度",
)
def _(call: Call) -> None:
    """What chats cost is never booked."""
    call.state.memory.pop("points used", None)


@fault("quota-limit-moves", Stage.BILLING, trips={"billing.limit.steady"}, zh="额度上限每次都变")
def _(call: Call) -> None:
    """The limits are a fifth less each time one asks."""
    if "hard_limit_usd" in call.answer:
        share = 0.8 ** (call.state.count("limit asked") - 1)
        for name in ("soft_limit_usd", "hard_limit_usd", "system_hard_limit_usd"):
            call.answer[name] *= share


@fault("quota-units-by-door", Stage.BILLING, trips={"billing.usage.same-beside"}, zh="不带 /v1 时单位不同")
def _(call: Call) -> None:
    """Without /v1, what is used is given in units instead of hundredths."""
    if "total_usage" in call.answer and not call.path.startswith("/v1"):
        call.answer["total_usage"] /= 100


@fault(
    "quota-object-by-door",
    Stage.BILLING,
    trips={"billing.usage.same-beside", "billing.subscription.same-beside"},
    zh="不带 /v1 时 object 不同",
)
def _(call: Call) -> None:
    """Without /v1, the answer calls itself something else."""
    if not call.path.startswith("/v1") and "object" in call.answer:
        call.answer["object"] = "credit"


@fault(
    "quota-without-key",
    Stage.ARRIVED,
    trips={"billing.key.required"},
    zh="额度查询不需要密钥",
)
def _(call: Call) -> None:
    """Anybody may ask for the quota."""
    if "/dashboard/" in call.path or call.path.startswith("/api/"):
        call.authorization = f"Bearer {call.state.key}"


@fault(
    "quota-error-in-200",
    Stage.ERROR,
    trips={"billing.key.required", "error.success.no-error"},
    zh="额度查询的错误以 200 返回",
)
def _(call: Call) -> None:
    """Errors of questions about the quota come with status 200."""
    if "/dashboard/" in call.path or call.path.startswith("/api/"):
        call.status = 200


@fault("quota-used-as-text", Stage.BILLING, trips={_COMPAT}, zh="已用额度是字符串")
def _(call: Call) -> None:
    """What is used is a string."""
    if "total_usage" in call.answer:
        call.answer["total_usage"] = str(call.answer["total_usage"])


@fault("token-quota-sum-wrong", Stage.BILLING, trips={"billing.token.adds-up"}, zh="令牌总额不等于已用加剩余")
def _(call: Call) -> None:
    """The granted quota of a key is what is left."""
    if "data" in call.answer:
        call.answer["data"]["total_available"] = 0


@fault(
    "token-quota-negative",
    Stage.BILLING,
    trips={"billing.token.not-negative"},
    zh="令牌剩余额度为负",
)
def _(call: Call) -> None:
    """A key with a limit has less than nothing left."""
    if "data" in call.answer:
        data = call.answer["data"]
        data["total_used"] = 2 * data["total_granted"]
        data["total_available"] = -data["total_granted"]


@fault(
    "token-quota-expires-minus-one",
    Stage.BILLING,
    trips={"billing.token.expires-at", _STRICT},
    zh="expires_at 是 -1",
)
def _(call: Call) -> None:
    """A key that never expires does so at -1."""
    if "data" in call.answer:
        call.answer["data"]["expires_at"] = -1


@fault(
    "token-quota-code-false",
    Stage.BILLING,
    trips={"billing.token.code-true", _STRICT},
    zh="code 是 false",
)
def _(call: Call) -> None:
    """The code of a good answer is false."""
    if "data" in call.answer:
        call.answer["code"] = False
