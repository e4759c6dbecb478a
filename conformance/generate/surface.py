"""What has to be known of an operation beside its schema to ask it something sensible: a plain request, values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.generate.chats import KINDS
from conformance.generate.values import By, constant

if TYPE_CHECKING:
    from conformance.generate.draw import Drawer

LONGEST_ANSWER = 16
"""Output tokens that a request allows at most, for each answer."""

Say = Callable[[str, int], dict[str, Any]]
"""A plain request from a text and a limit of output tokens, from 1 to `LONGEST_ANSWER`."""


@dataclass(frozen=True)
class Surface:
    """One operation that requests are generated for. A field inside another is named by its path, as in `a/b`."""

    operation: str
    source: str
    """The page of its contract, as fixtures name it."""
    say: Say
    """The plain request."""
    by_hand: Mapping[str, tuple[By, ...]] = field(default_factory=dict)
    """Fields whose values a schema alone would not make sensible."""
    left: frozenset[str] = frozenset()
    """Fields that are never sent: they cost much, or not every honest relay can have them."""
    inside: tuple[str, ...] = ()
    """Fields inside of which there are optional ones, each as good as one of its own."""
    needs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    clashes: tuple[tuple[str, str], ...] = ()
    places: tuple[str, ...] = ()
    """Paths inside a request where mistakes are made, beside the fields themselves."""
    context: Mapping[str, Any] = field(default_factory=dict)
    """Good values of the fields that these paths lead through."""
    tolerated: frozenset[str] = frozenset()
    """Paths at which a mistake is no reason to refuse."""
    files: Mapping[str, str] = field(default_factory=dict)
    """For a form: field -> asset; the others are text."""
    kinds: tuple[str, ...] = tuple(KINDS)
    """Kinds of text that are sent (see `chats.KINDS`)."""


def listed(*values: tuple[str, str, Any]) -> tuple[By, ...]:
    """(words, zh, value) as choices of that very value."""
    return tuple((words, zh, constant(value)) for words, zh, value in values)


def _user(drawer: Drawer) -> str:
    return f"user-{drawer.random.randint(1, 999)}"


USER: tuple[By, ...] = (("as a string", "为字符串", _user),)
STREAM = listed(("as true", "为 true", True), ("as false", "为 false", False))
SENTENCES = ("Paris is the capital of France.", "Bananas are yellow.", "鲸鱼是哺乳动物。")
