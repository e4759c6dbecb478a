"""A provider's own page as a judge: what it claims to offer, and what an answer breaks of what it documents."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from conformance.contract import SchemaSet

if TYPE_CHECKING:
    from conformance.contract import ShapeError
    from conformance.model import Exchange
    from conformance.profiles import Claim, Profile


@dataclass(frozen=True)
class Documented:
    """What one profile says, ready to be asked."""

    profile: Profile

    def describes(self, operation: str) -> bool:
        """Whether the page documents the answer of an operation."""
        return "response" in self.profile.schemas.get(self._name(operation), {}).get("$defs", {})

    def claim(self, operation: str) -> Claim | None:
        """The first entry of the page's navigation that names an operation; None when none does."""
        return next((claim for claim in self.profile.claims if claim.operation == operation), None)

    def errors(self, exchange: Exchange) -> tuple[ShapeError, ...]:
        """What a successful answer breaks of the page's schema; computed once for an exchange."""
        key = f"documented by {self.profile.digest}"
        if key not in exchange.memo:
            pointer = f"{self._name(exchange.case.operation)}#/$defs/response"
            exchange.memo[key] = tuple(self._schemas.errors(pointer, exchange.json))
        found: tuple[ShapeError, ...] = exchange.memo[key]
        return found

    @cached_property
    def _schemas(self) -> SchemaSet:
        return SchemaSet(self.profile.schemas)

    def _name(self, operation: str) -> str:
        return f"{self.profile.name}/{operation}.json"
