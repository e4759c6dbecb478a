"""Known relay deviations: the labels that findings carry, what they mean, and where they were seen.

A label says which software a relay looks like and whom to ask; it never changes a verdict.
Sources: the source code and issue trackers of one-api and new-api, and the documents of the vendors named.
"""

from __future__ import annotations

from typing import NamedTuple


class Deviation(NamedTuple):
    """What a label means, in both languages, and where it was seen."""

    text: str
    zh: str
    seen: str


DEVIATIONS = {
    "html-fallthrough": Deviation(
        "a web page with status 200 instead of an answer", "以 200 返回网页而不是回答", "one-api"
    ),
    "bare-key-accepted": Deviation(
        "a key without the word Bearer is accepted", "不带 Bearer 的密钥也被接受", "one-api, new-api"
    ),
    "error-keys-missing": Deviation(
        "errors without param or code", "错误中缺少 param 或 code", "one-api, new-api middleware"
    ),
    "error-code-not-string": Deviation(
        "param or code is not a string", "param 或 code 不是字符串", "one-api with Gemini"
    ),
    "param-holds-status": Deviation("param holds the upstream's status", "param 里是上游的状态码", "one-api"),
    "error-in-200": Deviation("an error with status 200", "以 200 返回错误", "one-api, new-api: models, billing"),
    "model-404-as-503": Deviation("an unknown model is answered 503", "未知模型返回 503", "one-api#1494, new-api"),
    "validation-500": Deviation(
        "a bad request is answered 500", "错误的请求返回 500", "new-api mid-2025 to 2026-08 (#6773)"
    ),
    "models-list-object-missing": Deviation("the list lacks `object`", "列表缺少 object", "aihubmix"),
    "models-created-constant": Deviation(
        "every model has one made-up time", "所有模型的时间都是同一个占位值", "one-api"
    ),
    "models-owner-custom": Deviation("the owner of models is `custom`", "模型所有者为 custom", "one-api"),
    "openai-extra-keys": Deviation("fields beyond OpenAI's", "OpenAI 之外的字段", "one-api, new-api"),
    "azure-backed": Deviation("filter results as Azure sends them", "带有 Azure 的过滤结果", "Azure upstreams"),
    "claude-backed": Deviation("an id as Claude gives it", "Claude 风格的 id", "new-api with Claude"),
    "model-substituted": Deviation(
        "another model's name in the answer", "回答里是另一个模型名", "any relay that maps models"
    ),
    "messages-dropped": Deviation("messages do not reach the model", "消息没有送达模型", "converted channels"),
    "params-dropped": Deviation("a parameter is accepted and ignored", "参数被接受却不起作用", "converted channels"),
    "finish-empty-string": Deviation(
        "finish_reason is an empty string", "finish_reason 为空字符串", "one-api with Claude"
    ),
    "finish-foreign": Deviation(
        "a finish_reason of another vendor", "其他厂商的 finish_reason", "new-api 2025-04 with Claude"
    ),
    "finish-lost": Deviation(
        "no finish_reason at all", "完全没有 finish_reason", "one-api with Gemini (#1299), new-api#7489"
    ),
    "usage-missing": Deviation("no usage", "没有用量", "one-api converted channels"),
    "usage-zero": Deviation("token counts of zero", "token 数为零", "reverse channels"),
    "usage-as-strings": Deviation("token counts as strings", "token 数是字符串", "unnamed relays"),
    "usage-total-mismatch": Deviation(
        "total is not the sum", "总数不等于两项之和", "new-api#1358, #1014 (thinking tokens)"
    ),
    "usage-every-chunk": Deviation("usage on every chunk", "每个数据块都带用量", "GLM upstreams"),
    "usage-on-finish": Deviation("usage on the finish chunk", "用量在结束数据块上", "converted channels"),
    "usage-with-choice": Deviation("the usage chunk still has a choice", "用量数据块仍带 choices", "LiteLLM"),
    "usage-unasked": Deviation(
        "usage that was not asked for", "未要求却发送用量", "one-api with ENFORCE_INCLUDE_USAGE"
    ),
    "sse-for-plain": Deviation("a stream instead of a plain answer", "非流式请求得到流", "reverse channels"),
    "json-for-stream": Deviation("a plain answer instead of a stream", "流式请求得到普通回答", "reverse channels"),
    "message-for-delta": Deviation(
        "`message` instead of `delta` in chunks", "数据块里用 message 代替 delta", "reverse channels"
    ),
    "keepalive-comment": Deviation(
        "a keep-alive ends up in the text", "保活内容混入文字", "new-api#1276 (hand-written parsers)"
    ),
    "done-missing": Deviation("the stream lacks [DONE]", "流缺少 [DONE]", "reverse channels"),
    "id-per-chunk": Deviation("a new id for each chunk", "每个数据块换一个 id", "one-api with Gemini"),
    "created-per-chunk": Deviation("a new time for each chunk", "每个数据块换一个时间", "one-api with Gemini"),
    "model-per-chunk": Deviation("the model changes between chunks", "数据块之间模型名不同", "one-api with Gemini"),
    "role-every-chunk": Deviation(
        "role on every chunk", "每个数据块都带 role", "one-api with Claude, new-api with Gemini"
    ),
    "choice-index-shift": Deviation(
        "a single answer does not have index 0", "单个回答的 index 不是 0", "new-api 2025-04 with Claude"
    ),
    "embedding-index-zero": Deviation("every embedding has index 0", "每个嵌入的 index 都是 0", "one-api with Gemini"),
    "fake-streaming": Deviation("the whole answer at once", "攒完后一次性发送", "reverse channels"),
}
