"""What a fault is, and the registry that faults enter on import."""

from __future__ import annotations

import difflib
import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from conformance.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from conformance.relay.call import Hook, Stage


GENERATED, PAGE = "generated", "page"


@dataclass(frozen=True)
class Fault:
    """One way in which a relay misbehaves."""

    name: str
    sentence: str
    """What the relay does wrong."""
    zh: str
    trips: frozenset[str]
    """The rules that this fault breaks, all of them."""
    needs: str
    """What a run needs to show it: nothing, or `GENERATED` requests, or the `PAGE` of a provider."""
    hooks: list[tuple[Stage, Hook]] = field(default_factory=list, compare=False)

    def also(self, stage: Stage) -> Callable[[Hook], Hook]:
        """Add what the fault does at another stage."""

        def enter(hook: Hook) -> Hook:
            self.hooks.append((stage, hook))
            return hook

        return enter


REGISTRY: dict[str, Fault] = {}


def fault(name: str, *stages: Stage, trips: Collection[str], zh: str, needs: str = "") -> Callable[[Hook], Fault]:
    """Enter a function into the registry as a fault; its docstring is the sentence."""

    def enter(hook: Hook) -> Fault:
        sentence = inspect.getdoc(hook) or ""
        if name in REGISTRY or not sentence or not zh or not trips:
            raise ValueError(f"fault {name!r}: needs a new name, a docstring, zh and trips")
        hooks = [(stage, hook) for stage in stages]
        REGISTRY[name] = Fault(name, " ".join(sentence.split()), zh, frozenset(trips), needs, hooks)
        return REGISTRY[name]

    return enter


def look_up(name: str) -> Fault:
    """The fault of this name; the caller has loaded the areas."""
    if name not in REGISTRY:
        close = difflib.get_close_matches(name, REGISTRY, 1, 0.5)
        hint = f"did you mean {close[0]!r}?" if close else "the catalogue of faults lists them all"
        raise UsageError(f"there is no fault {name[:80]!r}", hint)
    return REGISTRY[name]
