"""Translation: English, and said to be a translation."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.model import Exchange, Finding
from conformance.rules.base import rule
from conformance.rules.spoken import words
from conformance.rules.transcript_views import has_text, is_verbose, sample_of, text_of
from conformance.rules.views import is_json

_SOURCE_WORDS = frozenset({"guten", "morgen", "wie", "geht", "dir"})
"""Of the sample that is to be translated; two of them left are no chance."""
_SHOWN = 120


@rule(
    "translation.text.english",
    doc="openai:audio/createTranslation",
    lines=("TRL-01",),
    basis="implied",
    zh="翻译结果应为英文,而不是原文",
    operations=("audio.translations",),
    cases=lambda case: sample_of(case) == "gruss.wav",
    applies=has_text,
    breaks="readers get the language that they do not understand",
    breaks_zh="读者得到的仍是看不懂的语言",
    mend="Route this path to the upstream's translation, not to its transcription, and use a model that can translate.",
    mend_zh="该路径应转到上游的翻译接口而不是转录接口,并使用能够翻译的模型。",
    noisy=True,
)
def translated(exchange: Exchange) -> Iterator[Finding]:
    """A translation SHOULD be English, not the words as they were said."""
    if len(_SOURCE_WORDS & set(words(text_of(exchange)))) > 1:
        yield Finding("/text", "English", text_of(exchange)[:_SHOWN])


@rule(
    "translation.verbose.task",
    doc="openai:audio/createTranslation",
    lines=("TRL-02",),
    basis="implied",
    zh="翻译的 verbose_json 里 task 应为 translate",
    operations=("audio.translations",),
    cases=is_verbose,
    applies=lambda exchange: is_json(exchange) and "task" in exchange.json,
    breaks="programs take the translation for a transcript",
    breaks_zh="程序会把翻译当成转录",
    mend='Write `"task": "translate"` on this path; the handler is mostly shared with transcriptions.',
    mend_zh='在该路径上写 `"task": "translate"`;处理程序多半与转录共用。',
)
def translation_task(exchange: Exchange) -> Iterator[Finding]:
    """The `task` of a translation in the format `verbose_json` SHOULD be `translate`."""
    if exchange.json["task"] != "translate":
        yield Finding("/task", "translate", exchange.json["task"])
