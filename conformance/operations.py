"""The table of operations: what can be asked of a relay, and where its contract is written down."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Operation:
    """One method and path family."""

    id: str
    method: str
    path: str
    """Below the base URL; one that begins with `~` is below the host's root, beside `/v1`."""
    title: str
    zh: str
    schema: str = ""
    """Where its schemas are, below `schemas/` and without `.json`; empty: an answer has no shape to judge."""
    streams: bool = False
    """The answer is server-sent events and `schema` describes the data of one."""
    essential: bool = False
    """A relay that does not offer it cannot be vetted; otherwise its absence is *unsupported*."""
    role: str = ""
    """Whose model it asks (see `roles`); empty: it names no model."""
    dialect: str = "openai"
    """Whose protocol it speaks, in the presentation of the key and the form of errors: openai, anthropic, gemini."""
    price: str = "cheap"
    """free, cheap or dear: what a request costs where its fixture does not say otherwise."""
    writes: bool = False
    """It writes text that is billed by the token, so every request sets a limit."""
    shaped: bool = True
    """Its answers have a shape that `schema` describes; without it, `schema` is about requests only."""
    media: bool = False
    """It answers with pictures or sounds, which take more room than text."""


def _chat(name: str, title: str, zh: str, *, streams: bool = False) -> Operation:
    return Operation(
        name,
        "POST",
        "/chat/completions",
        title,
        zh,
        f"openai/{name}",
        streams,
        essential=True,
        role="chat",
        writes=True,
    )


def _text(name: str, path: str, title: str, zh: str, role: str, dialect: str = "openai") -> tuple[Operation, Operation]:
    """An operation that writes text, plain and streamed."""
    family = name.partition(".")[0]
    plain = Operation(name, "POST", path, title, zh, f"{dialect}/{name}", role=role, dialect=dialect, writes=True)
    streamed = Operation(
        f"{family}.stream",
        "POST",
        path,
        f"{title}, streamed",
        f"{zh}(流式)",
        f"{dialect}/{family}.stream",
        streams=True,
        role=role,
        dialect=dialect,
        writes=True,
    )
    return plain, streamed


def _plain(name: str, path: str, title: str, zh: str, role: str) -> Operation:
    return Operation(name, "POST", path, title, zh, f"openai/{name}", role=role)


def _media(name: str, title: str, zh: str, role: str) -> Operation:
    path = "/" + name.replace(".", "/")
    # Speech is answered with the sound itself, which has no shape.
    schema, shaped = f"openai/{name}", name != "audio.speech"
    return Operation(name, "POST", path, title, zh, schema, role=role, price="dear", shaped=shaped, media=True)


def _quota(name: str, path: str, title: str, zh: str) -> Operation:
    return Operation(name, "GET", path, title, zh, f"openai/{name}", price="free")


_TABLE = (
    Operation("models.list", "GET", "/models", "List models", "列出模型", "openai/models.list", price="free"),
    Operation(
        "models.retrieve",
        "GET",
        "/models/{model}",
        "Retrieve one model",
        "查询单个模型",
        "openai/models.retrieve",
        role="chat",
        price="free",
    ),
    _chat("chat", "Chat completion", "聊天补全"),
    _chat("chat.stream", "Chat completion, streamed", "聊天补全(流式)", streams=True),
    *_text("completions", "/completions", "Completion", "文本补全", "completions"),
    _plain("embeddings", "/embeddings", "Embeddings", "嵌入", "embeddings"),
    _plain("rerank", "/rerank", "Rerank", "重排序", "rerank"),
    _plain("moderations", "/moderations", "Moderation", "内容审核", "moderations"),
    *_text("responses", "/responses", "Responses", "Responses 接口", "chat"),
    *_text("messages", "/messages", "Anthropic messages", "Anthropic 消息接口", "messages", "anthropic"),
    Operation(
        "gemini.generate",
        "POST",
        "~/v1beta/models/{model}:generateContent",
        "Gemini, native",
        "Gemini 原生接口",
        "gemini/gemini.generate",
        role="gemini",
        dialect="gemini",
        writes=True,
    ),
    Operation(
        "gemini.stream",
        "POST",
        "~/v1beta/models/{model}:streamGenerateContent?alt=sse",
        "Gemini, native, streamed",
        "Gemini 原生接口(流式)",
        "gemini/gemini.stream",
        streams=True,
        role="gemini",
        dialect="gemini",
        writes=True,
    ),
    _media("audio.speech", "Speech", "语音合成", "speech"),
    _media("audio.transcriptions", "Transcription", "语音转录", "transcription"),
    _media("audio.translations", "Translation of speech", "语音翻译", "transcription"),
    _media("images.generations", "Image generation", "图像生成", "images"),
    _media("images.edits", "Image edit", "图像编辑", "edits"),
    _media("images.variations", "Image variation", "图像变体", "variations"),
    Operation(
        "media", "GET", "", "Files that answers point to", "回答中链接的文件", price="free", shaped=False, media=True
    ),
    _quota("billing.usage", "/dashboard/billing/usage", "Quota used", "已用额度"),
    _quota("billing.subscription", "/dashboard/billing/subscription", "Quota and limit", "额度上限"),
    _quota("billing.token", "~/api/usage/token", "Quota of the key", "令牌额度"),
    Operation("gateway", "*", "/*", "The gateway itself", "网关本身", price="free", shaped=False),
)

OPERATIONS = {operation.id: operation for operation in _TABLE}
"""Operations by id, in the order in which reports show them."""
