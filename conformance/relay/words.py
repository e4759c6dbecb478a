"""The model behind the relay: a tokenizer, and a maker of texts that does what simple requests ask.

Deterministic: the same messages always get the same answer. Choices after the first say something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from conformance.relay.call import Choice, text_of

# A token is a few letters of a word with the blank before it, up to three digits, one ideograph, one mark or
# one blank: every character is in exactly one token, and no token is empty.
_TOKEN = re.compile(r" ?(?:[^\W\d_\u2e80-\uffff]{1,6}|\d{1,3}|\S)|\s")

_UNITS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_SMALL = (*_UNITS.split(), "seventeen", "eighteen", "nineteen")
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_NUMBERS = {word: number for number, word in enumerate(_SMALL)} | {
    word: number * 10 for number, word in enumerate(_TENS) if word
}
_LARGEST = 99
_LONGEST_COUNT = 1000

_CODE_WORD = re.compile(r"code word (\S*[\w-])", re.IGNORECASE)
_RESULT = frozenset({"tool", "function"})
_FACT = re.compile(r"number is (\d+)", re.IGNORECASE)

ANIMALS = ("Otter", "Heron", "Lynx", "Badger", "Crane")
CITIES = ("Tokyo", "Cairo", "Lima", "Delhi", "Lagos")
COLOURS = ("red, blue, green", "amber, violet, teal", "black, white, grey")

_WEIGHT_OF_MESSAGE = 3
_WEIGHT_OF_REPLY = 3


@lru_cache(maxsize=512)
def tokens(text: str) -> tuple[str, ...]:
    """Cut a text into tokens; joined, they are the text again."""
    return tuple(_TOKEN.findall(text))


def prompt_tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    """What a prompt is billed: its tokens, three for each message and three for the reply."""
    said = sum(len(tokens(text_of(message))) for message in messages)
    return said + _WEIGHT_OF_MESSAGE * len(messages) + _WEIGHT_OF_REPLY


def generate(text: str, limit: int | None, stops: Sequence[str]) -> Choice:
    """Say a text until a stop string or the limit ends it, as a model that makes token after token would."""
    said = list(tokens(text)[:limit])
    shown = "".join(said)
    found = [at for at in (shown.find(stop) for stop in stops if stop) if at >= 0]
    if found:
        return Choice(list(tokens(shown[: min(found)])), "stop")
    return Choice(said, "length" if limit is not None and len(said) >= limit else "stop")


def respond(messages: Sequence[Mapping[str, Any]], index: int = 0) -> str:
    """What the model says to these messages, as choice number `index`."""
    question = text_of(messages[-1]).strip()
    told = messages[-1].get("role") in _RESULT  # by a tool
    text = question if told else _reply(question, messages[:-1], index)
    for message in messages:
        word = _CODE_WORD.search(text_of(message)) if message.get("role") in {"system", "developer"} else None
        if word:
            text = f"{text} {word[1]}"
    return text


def spell(number: int) -> str:
    """A number below one hundred in English words."""
    if number < len(_SMALL):
        return _SMALL[number]
    tens, unit = divmod(number, 10)
    return f"{_TENS[tens]}-{_SMALL[unit]}" if unit else _TENS[tens]


def _reply(question: str, earlier: Sequence[Mapping[str, Any]], index: int) -> str:
    """The answer of the first skill that knows one."""
    if "number did I tell" in question:
        return _recall(earlier)
    for pattern, answer in _SKILLS:
        match = pattern.search(question)
        if match:
            return answer(match, index)
    return "I am a small reference model and know no answer to that."


def _recall(earlier: Sequence[Mapping[str, Any]]) -> str:
    """The last number that an earlier turn stated."""
    stated = [match[1] for message in earlier for match in _FACT.finditer(text_of(message))]
    return stated[-1] if stated else "You have not told me."


def _count(match: re.Match[str], _: int) -> str:
    """Count in digits; a very long count stops early."""
    first, last = int(match[1]), int(match[2])
    return " ".join(map(str, range(first, min(last, first + _LONGEST_COUNT) + 1)))


def _spelled(match: re.Match[str], _: int) -> str:
    """Count in words."""
    first, last = (_NUMBERS.get(match[group].lower(), 0) for group in (1, 2))
    return ", ".join(spell(number) for number in range(first, min(last, _LARGEST) + 1))


def _pick(names: Sequence[str]) -> Callable[[re.Match[str], int], str]:
    """A skill that gives each choice another name."""
    return lambda _, index: names[index % len(names)]


_Skill = tuple[re.Pattern[str], Callable[[re.Match[str], int], str]]


def _skill(pattern: str, answer: Callable[[re.Match[str], int], str]) -> _Skill:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL), answer


_SKILLS: tuple[_Skill, ...] = (
    _skill(r"repeat exactly, nothing else: ?(.*)", lambda match, _: match[1]),
    _skill(r"count from (\d{1,6}) to (\d{1,6})", _count),
    _skill(r"numbers from (\w+) to (\w+) in english words", _spelled),
    _skill(r"\bcolou?rs?\b", _pick(COLOURS)),
    _skill(r"\banimals?\b", _pick(ANIMALS)),
    _skill(r"\bcity|cities\b", _pick(CITIES)),
    _skill(r"\bsay hello\b", lambda *_: "Hello!"),
    _skill(r"\bsay ok\b", lambda *_: "OK"),
)
