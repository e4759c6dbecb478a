"""Roles: what kind of model a request needs, and how to find one among the models that a relay lists.

A role is filled by the model that the user gives for it, else by the listed model whose name fits best. A role that
nothing fills is not asked for anything: its requests are *not run*. Names are the vendors' own, and what relays add
in front of them (`openai/…`) or behind (`…-2024-07-18`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True)
class Role:
    """A kind of model."""

    id: str
    title: str
    zh: str
    names: tuple[str, ...] = ()
    """Patterns of names, the best first: a model is picked by the first that fits."""
    falls_back: str = ""
    """The role whose model does as well when none is given or listed."""


CHAT = "chat"

_TABLE = (
    Role(CHAT, "chat", "聊天"),
    Role("vision", "chat with pictures", "看图聊天", falls_back=CHAT),
    Role("completions", "plain completion", "文本补全", (r"instruct", r"davinci-002", r"babbage-002")),
    Role(
        "embeddings",
        "embeddings",
        "嵌入",
        (r"text-embedding-3-small", r"text-embedding-3-large", r"text-embedding", r"embed", r"\bbge-", r"\bgte-"),
    ),
    Role("rerank", "reranking", "重排序", (r"rerank",)),
    Role("moderations", "moderation", "内容审核", (r"omni-moderation", r"moderation")),
    Role("messages", "Anthropic messages", "Anthropic 消息接口", (r"claude.*haiku", r"claude.*sonnet", r"claude")),
    Role("gemini", "Gemini, native", "Gemini 原生接口", (r"gemini.*flash(?!.*(image|tts|audio|live))", r"gemini-pro")),
    Role("speech", "speech", "语音合成", (r"(^|/)tts-1$", r"tts-1", r"gpt-4o-mini-tts", r"\btts\b|-tts")),
    Role(
        "transcription",
        "transcription",
        "语音转录",
        (r"whisper-1", r"whisper", r"gpt-4o-mini-transcribe", r"transcribe"),
    ),
    Role(
        "images",
        "image generation",
        "图像生成",
        (r"dall-e-2", r"dall-e-3", r"gpt-image-1-mini", r"gpt-image", r"dall-e", r"mock-image", r"flux.*schnell"),
    ),
    Role("edits", "image edits", "图像编辑", (r"dall-e-2", r"gpt-image-1-mini", r"gpt-image", r"mock-image")),
    Role("variations", "image variations", "图像变体", (r"dall-e-2", r"mock-image")),
    Role(
        "o1",
        "a model of the o series",
        "o 系列模型",
        (r"(^|/)o[1-9]\d?-mini\b(?!.*-all)", r"(^|/)o[1-9]\d?(-|$)(?!.*(all|deep-research))"),
    ),
    Role("reasoner", "a model that shows its reasoning", "展示推理过程的模型", (r"reasoner", r"deepseek-r1", r"qwq")),
    Role("claude", "Claude in OpenAI format", "OpenAI 格式的 Claude", (r"claude.*haiku", r"claude.*sonnet", r"claude")),
    Role(
        "gemini-chat",
        "Gemini in OpenAI format",
        "OpenAI 格式的 Gemini",
        (r"gemini.*flash(?!.*(image|tts|audio|live))", r"gemini-pro", r"gemini-1\.5"),
    ),
    Role("gpts", "a GPT", "GPTs", (r"gpt-4o?-gizmo-g-\w+",)),
    Role("analysis", "gpt-4-all, reading files", "gpt-4-all 文件分析", (r"gpt-4o?-all$",)),
    Role("drawing", "gpt-4-all, drawing", "gpt-4-all 画图", (r"gpt-4o?-all$",)),
)

ROLES = {role.id: role for role in _TABLE}
"""Roles by id, in the order in which they are shown."""


_VARIANTS = (
    ("drawing", r"-all.*(画|绘|生成图|draw)"),
    ("analysis", r"-all"),
    ("vision", r"vision|分析图|图片分析|识图|看图"),
    ("gpts", r"(?<![a-z])gpts(?![a-z])|gizmo"),
    ("o1", r"(?<![a-z0-9])o[1-9]\d?(?![0-9])"),
    ("reasoner", r"reasoner|deepseek-r\d|推理"),
    ("claude", r"claude"),
    ("gemini-chat", r"gemini"),
)
"""How the pages call variants of chat, the most telling words first."""


def role_of_variant(words: str) -> str:
    """The role that stands for a variant of chat, from the words of a provider's page; empty when there is none."""
    return next((role for role, pattern in _VARIANTS if re.search(pattern, words, re.IGNORECASE)), "")


def pick_models(
    given: Mapping[str, str], listed: Sequence[str], wanted: Iterable[str], preferred: Iterable[str] = ()
) -> dict[str, str]:
    """The model of each wanted role that has one: given, picked from the list, or that of the role it falls back to.

    `given` has the chat model at least. Of listed models that fit a role, those that are also `preferred`, such as the
    ones that the provider's page names, go before all others.
    """
    named = set(preferred)
    first = [model for model in listed if model in named]
    found = {role: given.get(role) or _listed(ROLES[role], first) or _listed(ROLES[role], listed) for role in wanted}
    for role, model in found.items():
        if not model and ROLES[role].falls_back:
            found[role] = given.get(ROLES[role].falls_back, "")
    return {role: model for role, model in found.items() if model}


def _listed(role: Role, listed: Sequence[str]) -> str:
    """The first listed model that the best pattern fits; of several the shortest name, which is the plainest."""
    for pattern in role.names:
        fits = [name for name in listed if re.search(pattern, name, re.IGNORECASE)]
        if fits:
            return min(fits, key=lambda name: (len(name), name))
    return ""
