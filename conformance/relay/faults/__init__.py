"""The faults, one module for each area; importing a module registers its faults."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from conformance.relay.faults.base import REGISTRY, Fault, look_up

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Fault", "catalogue", "find"]

AREAS = (
    "http",
    "auth",
    "errors",
    "models",
    "requests",
    "chat",
    "tools",
    "formats",
    "usage",
    "stream",
    "generated",
    "generated_families",
    "page",
    "completions",
    "embeddings",
    "rerank",
    "moderations",
    "responses",
    "messages",
    "gemini",
    "audio",
    "billing",
    "images",
    "vision",
    "variants",
    "reasoning",
)


def catalogue() -> Mapping[str, Fault]:
    """Every fault by name, area by area."""
    for area in AREAS:
        import_module(f"conformance.relay.faults.{area}")
    return REGISTRY


def find(name: str) -> Fault:
    """The fault of this name, or a `UsageError` that names the nearest one."""
    catalogue()
    return look_up(name)
