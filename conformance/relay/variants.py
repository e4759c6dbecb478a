"""Which relay a request is for: the honest one, one with faults, or one with quirks.

All of them answer on one port. `/fault/NAME` (several: `/fault/NAME+NAME`) and `/quirks/SEED` at the
beginning of a path select a variant, which has a state of its own; what follows is a path of the API.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from conformance.errors import UsageError
from conformance.relay.call import Refusal, State
from conformance.relay.faults import find
from conformance.relay.quirks import Quirks

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROOTS = frozenset({"v1", "v1beta", "dashboard", "api"})
"""Where the API begins in a path."""
_MOST_VARIANTS = 1024


class Address(NamedTuple):
    """A path, taken apart."""

    faults: tuple[str, ...]
    seed: str
    path: str
    """The path inside the API, from `/v1` on; empty outside it."""
    prefix: str = ""
    """What stands before it."""

    @classmethod
    def of(cls, path: str) -> Address:
        """Take a path apart."""
        parts = path.split("/")[1:]
        faults: list[str] = []
        seed = ""
        while len(parts) > 1 and parts[0] in {"fault", "quirks"}:
            if parts[0] == "fault":
                faults += parts[1].split("+")
            else:
                seed = parts[1]
            del parts[:2]
        start = next((place for place, part in enumerate(parts) if part in _ROOTS), None)
        inside = "/" + "/".join(parts[start:]) if start is not None else ""
        return cls(tuple(faults), seed, inside, path.removesuffix(inside))


@dataclass(frozen=True)
class Setup:
    """What all variants of one relay have in common, and the faults and quirks of its own variant."""

    keys: tuple[str, ...]
    models: tuple[Mapping[str, object], ...]
    faults: tuple[str, ...] = ()
    quirks: Quirks | None = None
    latency: float = 0.0

    def start(self) -> State:
        """A fresh relay."""
        hooks = [hook for name in self.faults for hook in find(name).hooks]
        if self.quirks:
            hooks += self.quirks.hooks()
        return State(self.keys[0], self.models, hooks)


class Variants:
    """The variants that have been asked for; the least recently used are forgotten beyond a large number."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self._base = setup.start()
        self._states: OrderedDict[tuple[tuple[str, ...], str], State] = OrderedDict()

    def state(self, address: Address) -> State:
        """The state of the variant that a path selects; a name that does not exist is refused."""
        key = (address.faults, address.seed)
        if key == ((), ""):
            return self._base
        if key not in self._states:
            self._states[key] = self._start(address)
            if len(self._states) > _MOST_VARIANTS:
                self._states.popitem(last=False)
        self._states.move_to_end(key)
        return self._states[key]

    def _start(self, address: Address) -> State:
        try:
            quirks = self.setup.quirks
            if address.seed:
                quirks = replace(quirks or Quirks(0), seed=int(address.seed), only=None)
            return replace(self.setup, faults=self.setup.faults + address.faults, quirks=quirks).start()
        except UsageError as error:
            raise Refusal(404, f"{error.message}; {error.hint}", code="unknown_fault") from None
        except ValueError:
            raise Refusal(404, "The seed of the quirks is not a number.", code="unknown_seed") from None
