"""Why something could not be judged, in both languages."""

from __future__ import annotations

from conformance.model import Finding

_REASONS = {
    "stopped": ("not sent: the run stopped after its first requests", "未发送:测试在最初的请求之后停止"),
    "interrupted": ("not sent: the run was interrupted", "未发送:测试被中断"),
    "unsent": ("not sent", "未发送"),
    "cancelled": ("cancelled", "已取消"),
    "refused": ("the connection was refused", "连接被拒绝"),
    "dns": ("the host name has no address", "主机名无法解析"),
    "tls": ("the TLS handshake failed", "TLS 握手失败"),
    "reset": ("the connection broke", "连接中断"),
    "timeout": ("not finished in time", "未在规定时间内结束"),
    "idle": ("no byte came for too long", "长时间没有收到任何数据"),
    "too-large": ("more bytes than any answer to this request needs", "返回的数据远超该请求所需"),
    "protocol": ("the answer is not valid HTTP", "返回的不是合法的 HTTP"),
    "encoding": ("the body is not in the encoding that it claims", "响应体与声明的编码不符"),
    "trouble": ("the relay or its upstream could not answer", "中转站或其上游暂时无法回答"),
    "no-credit": ("the account could not pay for the request", "账户无法支付该请求"),
    "error-event": ("the stream reported an error of the upstream", "流中报告了上游错误"),
    "no-model": (
        "not run: no model is known for this; give one with --model ROLE=NAME",
        "未测试:没有可用的模型;可用 --model 角色=模型名 指定",
    ),
    "no-basis": ("not run: the step before it gave nothing to go on with", "未测试:前一步的回答无法继续"),
    "model-refused": ("the relay does not serve this model here", "中转站在这里不提供该模型"),
    "private": ("the address that the answer names is not public", "回答给出的地址不是公网地址"),
    "no-route": ("the relay does not offer this operation", "中转站不提供这个接口"),
    "feature-refused": ("the relay plainly refuses this field", "中转站明确拒绝该字段"),
    "refused-request": ("the request was refused, so there is no answer to look at", "请求被拒绝,没有可供检查的回答"),
    "not-again": (
        "found once, but not again when the same request was repeated",
        "出现过一次,但重复同一请求时没有再出现",
    ),
    "blocked": ("the answer has the wrong shape here (see the shape findings)", "此处的结构不正确(见结构检查结果)"),
    "bug": ("this rule failed; that is our mistake, please report it", "该规则自身出错,这是我们的问题,请反馈"),
}


def finding(code: str, detail: str = "") -> Finding:
    """The reason as a finding: its sentence, and what was seen."""
    message, zh = _REASONS[code]
    return Finding(message=message, zh=zh, actual=detail or None)
