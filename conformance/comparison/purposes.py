"""Which provider is good for what: a table that follows from verdicts only. There is no score.

A purpose is a selection of requirements, by patterns of rule names and by operations. Its answer for one side:

broken   a MUST of the selection is broken: it may still do for a user whom that does not concern
absent   else, where the side plainly offers nothing of what the MUSTs are about
unknown  else, where a MUST could not be judged, or none was that is about the purpose itself
unasked  the same, where the reason is that nothing of it was sent
limits   else, where a SHOULD is broken, or the side plainly refuses a part
yes      else: every MUST that was judged holds
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING

from conformance.model import Severity, Verdict
from conformance.reporting.texts import Text

if TYPE_CHECKING:
    from conformance.comparison.nouns import Comparison, Side
    from conformance.outcomes import Key, Outcome


class Fit(StrEnum):
    """Whether a side is good for a purpose."""

    YES = "yes"
    LIMITS = "with limits"
    BROKEN = "broken"
    ABSENT = "not offered"
    UNASKED = "not asked"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Purpose:
    """Something that one wants a provider for, and the requirements that it rests on."""

    name: str
    title: Text
    rules: tuple[str, ...]
    """Patterns of rule names, as `chat.tool-*`."""
    operations: tuple[str, ...] = ()
    """Only at these; none for any."""
    but: tuple[str, ...] = ()
    """Patterns of rule names that are left out."""
    everywhere: bool = False
    """Whether it is about whatever a side offers: what it does not offer takes nothing away."""

    @cache  # noqa: B019 - there are few purposes, and they live as long as the program
    def selects(self, key: Key) -> bool:
        """Whether a requirement belongs to this purpose."""
        if self.operations and key.operation not in self.operations:
            return False
        left_out = any(fnmatchcase(key.rule, pattern) for pattern in self.but)
        return not left_out and any(fnmatchcase(key.rule, pattern) for pattern in self.rules)


_GENERAL: tuple[str, ...] = (
    "error.envelope.shape",
    "error.success.no-error",
    "http.content-type.json",
    "http.body.json",
)
_ROUTE = ("operation.*", "error.success.no-error", "http.content-type.json", "http.body.json")
"""Requirements of every operation: broken, they count; that they hold says nothing of what a purpose is about."""

PURPOSES = (
    Purpose(
        "chat",
        Text("Chat with the OpenAI SDK", "用 OpenAI SDK 聊天"),
        (
            *("chat.request.accepted", "chat.response.compat", "chat.choices.*", "chat.content.*"),
            *("chat.finish-reason.*", "chat.turns.*", "chat.system.*", "chat.stop.honoured", "chat.max-tokens.*"),
            *("chat.text.*", "chat.model.*", *_GENERAL),
        ),
        ("chat",),
    ),
    Purpose(
        "stream",
        Text("Streaming chat", "流式聊天"),
        ("chat.request.accepted", "chat.stream.*", "error.stream.*", "chat.text.*"),
        ("chat.stream",),
        ("chat.stream.tool-calls-*", "chat.stream.usage-*", "chat.stream.logprobs-*", "chat.stream.strict"),
    ),
    Purpose(
        "tools",
        Text("Tools and function calling", "工具与函数调用"),
        ("chat.tool-*", "chat.tools.*", "chat.stream.tool-calls-*"),
    ),
    Purpose("json", Text("Structured output (JSON)", "结构化输出 (JSON)"), ("chat.response-format.*",)),
    Purpose("vision", Text("Pictures in prompts", "在提示中使用图片"), ("vision.*",)),
    Purpose("reasoning", Text("Reasoning models", "推理模型"), ("reasoning.*", "variants.o1.*")),
    Purpose(
        "embeddings",
        Text("Embeddings (search, RAG)", "向量 (检索、RAG)"),
        ("embeddings.*", *_ROUTE),
        ("embeddings",),
        ("operation.response.strict",),
    ),
    Purpose(
        "rerank",
        Text("Reranking (search, RAG)", "重排序 (检索、RAG)"),
        ("rerank.*", *_ROUTE),
        ("rerank",),
        ("operation.response.strict",),
    ),
    Purpose(
        "claude",
        Text("Claude clients (/v1/messages)", "Claude 客户端 (/v1/messages)"),
        ("messages.*", "auth.native-key.*", *_ROUTE),
        ("messages", "messages.stream"),
        ("operation.response.strict",),
    ),
    Purpose(
        "gemini",
        Text("Gemini clients (/v1beta)", "Gemini 客户端 (/v1beta)"),
        ("gemini.*", "auth.native-key.*", *_ROUTE),
        ("gemini.generate", "gemini.stream"),
        ("operation.response.strict",),
    ),
    Purpose(
        "responses",
        Text("Codex-style clients (/v1/responses)", "Codex 类客户端 (/v1/responses)"),
        ("responses.*", *_ROUTE),
        ("responses", "responses.stream"),
        ("operation.response.strict",),
    ),
    Purpose(
        "completions",
        Text("Older completions (/v1/completions)", "旧式补全 (/v1/completions)"),
        ("completions.*", *_ROUTE),
        ("completions", "completions.stream"),
        ("operation.response.strict",),
    ),
    Purpose("speech-out", Text("Text to speech", "文字转语音"), ("speech.*", "operation.*"), ("audio.speech",)),
    Purpose(
        "speech-in",
        Text("Speech to text", "语音转文字"),
        ("transcription.*", "translation.*", "operation.*"),
        ("audio.transcriptions", "audio.translations"),
        ("operation.response.strict",),
    ),
    Purpose(
        "pictures-out",
        Text("Making pictures", "生成图片"),
        ("images.*", "operation.*"),
        ("images.generations", "images.edits", "images.variations", "media"),
        ("operation.response.strict",),
    ),
    Purpose(
        "billing",
        Text("A bill that you can check", "可核对的计费"),
        ("*.usage.*", "*.usage-*", "billing.*"),
        everywhere=True,
    ),
    Purpose(
        "keys",
        Text("Keys: refused as documented, never shown", "密钥：按文档拒绝，绝不外泄"),
        ("auth.*", "*.wrong-key.*", "http.key.*", "error.message.no-leak", "billing.key.*"),
        everywhere=True,
    ),
)
"""Everything that the table answers, in its order."""


@dataclass(frozen=True)
class Answer:
    """Whether one side is good for one purpose, and what decides it."""

    fit: Fit
    because: tuple[Key, ...]
    """The requirements that decide it: those broken, refused, or not judged; none for yes."""
    held: int
    """MUSTs that were judged and hold; those of every operation (`_GENERAL`) are not counted."""


@dataclass(frozen=True)
class Row:
    """One purpose and its answer for every side, by name."""

    purpose: Purpose
    answers: Mapping[str, Answer]


def suited(comparison: Comparison) -> list[Row]:
    """Which side is good for what; a purpose that no side was asked about is left out."""
    rows = [Row(purpose, {side.name: answer(purpose, side) for side in comparison.sides}) for purpose in PURPOSES]
    return [row for row in rows if any(_asked(row.purpose, side) for side in comparison.sides)]


def answer(purpose: Purpose, side: Side) -> Answer:
    """Whether a side is good for a purpose, as the head of this module says."""
    chosen = [outcome for key, outcome in side.outcomes.items() if purpose.selects(key)]
    if purpose.everywhere:
        chosen = [outcome for outcome in chosen if outcome.verdict is not Verdict.UNSUPPORTED]
    musts = [outcome for outcome in chosen if outcome.severity is Severity.MUST]
    broken = _with(musts, Verdict.FAIL)
    refused = _with(musts, Verdict.UNSUPPORTED)
    held = sum(outcome.verdict in {Verdict.PASS, Verdict.NOTE} and _is_own(outcome.rule) for outcome in musts)
    open_ = _with(musts, Verdict.INCONCLUSIVE, Verdict.ERROR)
    if broken or (refused and not held and not open_):
        return Answer(Fit.BROKEN if broken else Fit.ABSENT, broken or refused, held)
    if open_ or not held:
        unasked = not open_ and any(outcome.verdict is Verdict.NOT_RUN for outcome in musts)
        return Answer(Fit.UNASKED if unasked else Fit.UNKNOWN, open_, held)
    limits = (*_with(chosen, Verdict.WARN), *refused)
    return Answer(Fit.LIMITS if limits else Fit.YES, limits, held)


def _is_own(rule: str) -> bool:
    """Whether a rule is about the purpose itself, and not one that every operation shares."""
    return rule not in _GENERAL and not rule.startswith("operation.")


def _with(outcomes: Iterable[Outcome], *verdicts: Verdict) -> tuple[Key, ...]:
    """The requirements with one of these verdicts."""
    return tuple(outcome.key for outcome in outcomes if outcome.verdict in verdicts)


def _asked(purpose: Purpose, side: Side) -> bool:
    return any(purpose.selects(key) for key in side.outcomes)
