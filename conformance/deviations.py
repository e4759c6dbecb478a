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
        "errors without param or code", "错误中缺少 param 或 code", "one-api, new-api (errors of the gateway itself)"
    ),
    "error-code-not-string": Deviation(
        "param or code is not a string", "param 或 code 不是字符串", "one-api with Gemini"
    ),
    "param-holds-status": Deviation("param holds the upstream's status", "param 里是上游的状态码", "one-api"),
    "error-in-200": Deviation("an error with status 200", "以 200 返回错误", "one-api, new-api (models and billing)"),
    "model-404-as-503": Deviation("an unknown model is answered 503", "未知模型返回 503", "one-api (#1494), new-api"),
    "validation-500": Deviation(
        "a bad request is answered 500", "错误的请求返回 500", "new-api from mid-2025 to 2026-08 (#6773)"
    ),
    "models-list-object-missing": Deviation("the list lacks `object`", "列表缺少 object", "aihubmix"),
    "models-created-constant": Deviation(
        "every model has one made-up time", "所有模型的时间都是同一个占位值", "one-api"
    ),
    "models-owner-custom": Deviation("the owner of models is `custom`", "模型所有者为 custom", "one-api"),
    "openai-extra-keys": Deviation("fields beyond OpenAI's", "OpenAI 之外的字段", "one-api, new-api"),
    "azure-backed": Deviation(
        "filter results as Azure sends them", "带有 Azure 的过滤结果", "relays with Azure upstreams"
    ),
    "claude-backed": Deviation("an id as Claude gives it", "Claude 风格的 id", "new-api with Claude"),
    "model-substituted": Deviation(
        "another model's name in the answer", "回答里是另一个模型名", "relays that map one model name to another"
    ),
    "messages-dropped": Deviation(
        "messages do not reach the model", "消息没有送达模型", "channels that convert another vendor's protocol"
    ),
    "params-dropped": Deviation(
        "a parameter is accepted and ignored",
        "参数被接受却不起作用",
        "channels that convert another vendor's protocol",
    ),
    "finish-empty-string": Deviation(
        "finish_reason is an empty string", "finish_reason 为空字符串", "one-api with Claude"
    ),
    "finish-foreign": Deviation(
        "a finish_reason of another vendor", "其他厂商的 finish_reason", "new-api of 2025-04 with Claude"
    ),
    "finish-lost": Deviation(
        "no finish_reason at all", "完全没有 finish_reason", "one-api with Gemini (#1299), new-api (#7489)"
    ),
    "usage-missing": Deviation("no usage", "没有用量", "one-api, in channels that convert another vendor's protocol"),
    "usage-zero": Deviation("token counts of zero", "token 数为零", "channels that go through a vendor's web page"),
    "usage-as-strings": Deviation("token counts as strings", "token 数是字符串", "relays of unknown software"),
    "usage-total-mismatch": Deviation(
        "total is not the sum", "总数不等于两项之和", "new-api with models that think (#1358, #1014)"
    ),
    "usage-every-chunk": Deviation("usage on every chunk", "每个数据块都带用量", "relays with GLM upstreams"),
    "usage-on-finish": Deviation(
        "usage on the finish chunk", "用量在结束数据块上", "channels that convert another vendor's protocol"
    ),
    "usage-with-choice": Deviation("the usage chunk still has a choice", "用量数据块仍带 choices", "LiteLLM"),
    "usage-unasked": Deviation(
        "usage that was not asked for", "未要求却发送用量", "one-api with ENFORCE_INCLUDE_USAGE"
    ),
    "sse-for-plain": Deviation(
        "a stream instead of a plain answer", "非流式请求得到流", "channels that go through a vendor's web page"
    ),
    "json-for-stream": Deviation(
        "a plain answer instead of a stream", "流式请求得到普通回答", "channels that go through a vendor's web page"
    ),
    "message-for-delta": Deviation(
        "`message` instead of `delta` in chunks",
        "数据块里用 message 代替 delta",
        "channels that go through a vendor's web page",
    ),
    "keepalive-comment": Deviation(
        "a keep-alive ends up in the text", "保活内容混入文字", "new-api (#1276), where a client parses by hand"
    ),
    "done-missing": Deviation(
        "the stream lacks [DONE]", "流缺少 [DONE]", "channels that go through a vendor's web page"
    ),
    "id-per-chunk": Deviation("a new id for each chunk", "每个数据块换一个 id", "one-api with Gemini"),
    "created-per-chunk": Deviation("a new time for each chunk", "每个数据块换一个时间", "one-api with Gemini"),
    "model-per-chunk": Deviation("the model changes between chunks", "数据块之间模型名不同", "one-api with Gemini"),
    "role-every-chunk": Deviation(
        "role on every chunk", "每个数据块都带 role", "one-api with Claude, new-api with Gemini"
    ),
    "choice-index-shift": Deviation(
        "a single answer does not have index 0", "单个回答的 index 不是 0", "new-api of 2025-04 with Claude"
    ),
    "embedding-index-zero": Deviation("every embedding has index 0", "每个嵌入的 index 都是 0", "one-api with Gemini"),
    "retrieve-built-in-only": Deviation(
        "only built-in names can be asked for alone", "只有内置的模型名能单独查询", "one-api"
    ),
    "fake-streaming": Deviation(
        "the whole answer at once", "攒完后一次性发送", "channels that go through a vendor's web page"
    ),
    "previous-response-lost": Deviation(
        "an answer just given is not found again", "找不到刚刚给出的回答", "relays with several upstream accounts"
    ),
    "tool-index-missing": Deviation(
        "tool calls in a stream without index",
        "流式工具调用没有 index",
        "one-api with Claude, new-api of 2025-04 with Claude",
    ),
    "tool-index-collision": Deviation(
        "two tool calls share one index", "两个工具调用共用一个 index", "new-api with Claude, where a tool comes first"
    ),
    "tool-index-gap": Deviation(
        "the index of tool calls skips a number", "工具调用的 index 有缺号", "new-api with Claude, after thinking"
    ),
    "tool-arguments-empty": Deviation(
        "the arguments of a call are an empty string",
        "工具参数为空字符串",
        "channels that convert another vendor's protocol",
    ),
    "tool-dropped": Deviation(
        "a tool without parameters is dropped", "没有参数的工具被丢弃", "one-api, new-api with Claude (#6859)"
    ),
    "tool-finish-stop": Deviation(
        "an answer with tool calls ends with stop", "带工具调用的回答以 stop 结束", "one-api with Gemini"
    ),
    "json-fenced": Deviation(
        "JSON inside a Markdown fence",
        "JSON 包在 Markdown 代码块里",
        "channels that convert another vendor's protocol",
    ),
    "params-unchecked": Deviation(
        "a request that OpenAI refuses is answered", "OpenAI 会拒绝的请求也被回答", "most relays"
    ),
    "embedding-first-only": Deviation(
        "only the first text is embedded", "只嵌入第一段文本", "new-api of 2025-04 with Gemini"
    ),
    "embedding-format-ignored": Deviation(
        "floats, or nothing, instead of base64", "要求 base64 却返回浮点数或空值", "new-api (#1402), honcho (#932)"
    ),
    "envelope-mismatch": Deviation(
        "OpenAI's form of an error where another vendor's is due",
        "应为其他厂商的错误格式,却用了 OpenAI 的",
        "new-api (errors of the gateway itself)",
    ),
    "error-type-foreign": Deviation(
        "a type of error that the relay made up", "中转站自造的错误类型", "new-api, one-api"
    ),
    "stop-sequence-lost": Deviation(
        "which stop sequence was hit is not said",
        "没有说明遇到了哪个停止序列",
        "channels that convert another vendor's protocol",
    ),
    "message-delta-missing": Deviation(
        "a stream of messages ends without message_delta", "消息流没有 message_delta 就结束", "new-api (#5345)"
    ),
    "count-tokens-generates": Deviation(
        "countTokens is answered like a request to write", "countTokens 被当作生成请求", "new-api (#7283)"
    ),
    "gemini-converted": Deviation(
        "one more empty object ends the stream", "流末尾多出一个空对象", "new-api with OpenAI upstreams"
    ),
    "audio-octet-stream": Deviation(
        "a sound that does not say of what kind it is", "音频没有标明类型", "relays that store answers"
    ),
    "speech-unvalidated": Deviation(
        "of a request for speech only the model is checked", "语音合成请求只检查 model", "new-api"
    ),
    "audio-convert-500": Deviation(
        "a form without a file is answered 500", "没有文件的表单返回 500", "new-api (convert_request_failed)"
    ),
    "audio-format-500": Deviation(
        "an unknown format is answered 500", "未知格式返回 500", "one-api (unexpected_response_format)"
    ),
    "audio-error-500": Deviation(
        "an upstream's refusal comes back as 500", "上游的拒绝变成 500", "one-api (request_error)"
    ),
    "image-both-keys": Deviation(
        "url and b64_json are both there, one of them empty",
        "url 与 b64_json 同时出现,其中一个为空",
        "new-api of 2025-04",
    ),
    "image-base64-for-url": Deviation(
        "base64 instead of an address", "要求地址却返回 base64", "new-api with GPT image and Gemini (#2321)"
    ),
    "image-data-url": Deviation(
        "a data URL instead of an address or plain base64",
        "以 data URL 代替地址或 base64",
        "channels that convert another vendor's protocol",
    ),
    "image-count-one": Deviation(
        "one picture where several were asked for",
        "要求多张图片只返回一张",
        "relays of models that draw one picture at a time",
    ),
    "picture-dropped": Deviation(
        "a picture is dropped without a word",
        "图片被悄悄丢弃",
        "one-api (addresses as bare strings), models that read text only",
    ),
    "finish-always-stop": Deviation("a cut answer says stop", "被截断也说 stop", "one-api with Gemini"),
    "think-tags": Deviation(
        "reasoning stands in the answer, between think tags",
        "推理过程写在正文的 <think> 里",
        "relays of self-hosted reasoning models",
    ),
    "reasoning-empty": Deviation("an empty reasoning_content", "空的 reasoning_content", "new-api"),
}
