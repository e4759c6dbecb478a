"""Conversations worth sending: roles in order, a question that any model can answer, texts of every kind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from conformance.generate.letters import SCRIPTS, texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hypothesis.strategies import DrawFn, SearchStrategy

LONGEST = 600
"""Characters of one text: a case stays cheap."""

IMAGE = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
"""A picture of one pixel."""

_SENTENCES: Mapping[str, tuple[str, ...]] = {
    "english": (
        "Name one animal.",
        "Say hello.",
        "Count from 1 to 9, digits separated by single spaces, nothing else.",
        "What colour is the sky on a clear day?",
        "Which city is the capital of France?",
        "Is seven a prime number?",
    ),
    "chinese": (
        "用一句话介绍杭州。",
        "一年有几个季节?",
        "请说出一种水果的名字。",
        "「天空」是什么颜色?",
        "七乘以八等于多少?",
    ),
    "emoji": (
        "What does 👩‍👩‍👧‍👦 show?",
        "Which country has the flag 🇨🇳?",
        "Is 🏳️‍🌈 one character or several?",
        "Name the animal 🐙 and the skin tone 👍🏽.",
        "Read this aloud: 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𠮷野家.",
    ),
    "right-to-left": ("ما هي عاصمة مصر؟", "אמור שלום במילה אחת.", "كم عدد أيام الأسبوع؟", "כמה הם שתיים ועוד שתיים?"),
}
_CONTROLS = "\x01\x02\x07\x08\t\n\x0b\x0c\r\x1b\x1f\x7f\x85\u200b\u200e\u2028\ufeff"

KINDS: Mapping[str, tuple[str, str]] = {
    "english": ("English text", "英文"),
    "chinese": ("Chinese text", "中文"),
    "emoji": ("emoji", "表情符号"),
    "right-to-left": ("right-to-left text", "从右到左的文字"),
    "control": ("control characters", "控制字符"),
    "long": ("a long text", "较长的文字"),
    "mixed": ("text of many scripts", "多种文字混排"),
}
"""Kinds of text, with the words for them."""

INTACT = frozenset({"chinese", "emoji", "right-to-left"})
"""Kinds of text whose damage would show in an answer."""


@dataclass(frozen=True)
class Shape:
    """What a conversation is to look like, beyond ending with a question of the user's."""

    kind: str = "english"
    opening: str = ""
    """The role of the first message, when it is not the user's: `system` or `developer`."""
    turns: int = 0
    """Earlier questions that were answered."""
    parts: bool = False
    """Contents as arrays of parts."""
    empty: bool = False
    """Earlier messages of the other roles are empty."""
    name: bool = False
    """Every message names its author."""
    image: str = ""
    """The last question shows a picture, at this `detail`."""

    @property
    def words(self) -> tuple[str, str]:
        """What is special about it, in English and Chinese; empty for one plain question."""
        said = [KINDS[self.kind]] if self.kind != "english" else []
        if self.opening:
            said.append((f"a {self.opening} message", f"{self.opening} 消息"))
        if self.turns:
            said.append(("earlier turns", "之前的对话轮次"))
        if self.parts:
            said.append(("content as parts", "分段的 content"))
        if self.empty:
            said.append(("empty earlier messages", "空的前文"))
        if self.name:
            said.append(("named authors", "带 name 的消息"))
        if self.image:
            said.append((f"a picture at detail {self.image}", f"图片 (detail 为 {self.image})"))
        return ", ".join(each for each, _ in said), "、".join(each for _, each in said)


PLAIN = Shape()
SHAPES = (
    *(Shape(kind) for kind in KINDS),
    Shape("chinese", "system"),
    Shape("emoji", turns=1),
    Shape("english", "system", parts=True),
    Shape("emoji", parts=True),
    Shape("english", turns=1, parts=True),
    Shape("right-to-left", "system", turns=1, empty=True),
    Shape("english", turns=2, empty=True),
    Shape("english", "system", turns=1, name=True),
    Shape("mixed", "system", turns=2),
)
"""The conversations that take turns in a plan."""

SPECIAL = (
    Shape(opening="developer"),
    Shape("chinese", "developer", parts=True),
    Shape("emoji", "developer", name=True),
    *(Shape(image=detail, parts=True) for detail in ("auto", "low", "high")),
)
"""Conversations that not every model takes: each has a case without any other optional part."""


def plainer(shape: Shape) -> list[Shape]:
    """The conversation, then ones with less and less that a provider's page may forbid."""
    filled = replace(shape, empty=False)
    texts_only = replace(filled, parts=False, image="")
    unnamed = replace(texts_only, name=False)
    turns_only = replace(unnamed, opening="")
    return list(dict.fromkeys((shape, filled, texts_only, unnamed, turns_only, Shape(shape.kind), PLAIN)))


def questions(kind: str) -> SearchStrategy[str]:
    """Questions of one kind; never empty or blank."""
    if kind in _SENTENCES:
        return st.lists(st.sampled_from(_SENTENCES[kind]), min_size=1, max_size=2, unique=True).map(" ".join)
    english = st.sampled_from(_SENTENCES["english"])
    if kind == "control":
        noise = texts(_CONTROLS, 1, 6)
        return st.tuples(english, noise, english).map(lambda each: f"{each[0]}{each[1]}{each[2]}")
    every = st.sampled_from([sentence for sentences in _SENTENCES.values() for sentence in sentences])
    if kind == "long":
        return st.lists(every, min_size=12, max_size=16).map(lambda found: " ".join(found)[:LONGEST].strip())
    scripts = texts(SCRIPTS, 1, 30)
    return st.tuples(scripts, english).map(lambda each: f"“{each[0]}” {each[1]}")


@st.composite
def conversations(draw: DrawFn, shape: Shape, *, json: bool) -> list[dict[str, Any]]:
    """The messages of a chat of this shape; with `json`, the last one asks for JSON."""
    said: list[tuple[str, str]] = []
    if shape.opening:
        said.append((shape.opening, "" if shape.empty else draw(_INSTRUCTIONS)))
    for _ in range(shape.turns):
        said.append(("user", draw(questions("english"))))
        said.append(("assistant", "" if shape.empty else draw(_ANSWERS)))
    said.append(("user", draw(questions(shape.kind)) + (" Answer in JSON." if json else "")))
    messages = [_message(role, text, shape) for role, text in said]
    if shape.image:
        picture = {"type": "image_url", "image_url": {"url": IMAGE, "detail": shape.image}}
        messages[-1]["content"].append(picture)
    return messages


_INSTRUCTIONS = st.sampled_from(
    ("Be brief.", "You are a helpful assistant.", "请用中文回答。", "Answer in one word. 🙂")
)
_ANSWERS = st.sampled_from(("Understood.", "An otter.", "好的。", "Hello! 👋"))


def _message(role: str, text: str, shape: Shape) -> dict[str, Any]:
    """One message; an empty one is a plain string, since a part without text is refused in many places."""
    content: Any = [{"type": "text", "text": text}] if shape.parts and text else text
    name = {"name": f"{role}_1"} if shape.name else {}
    return {"role": role, "content": content, **name}
