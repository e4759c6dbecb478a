"""The rules, one module for each area of the contract; importing a module registers its rules."""

from importlib import import_module

AREAS = (
    "http",
    "auth",
    "gateway",
    "errors",
    "models",
    "shape",
    "chat",
    "parameters",
    "formats",
    "tools",
    "tools_stream",
    "tools_turns",
    "usage",
    "stream",
    "stream_delivery",
    "stream_usage",
    "generated",
    "documented",
    "operations",
    "completions",
    "embeddings",
    "rerank",
    "moderations",
    "responses",
    "responses_stream",
    "messages",
    "messages_stream",
    "gemini",
    "speech",
    "transcription",
    "translation",
    "billing",
    "images",
    "images_address",
    "images_edits",
    "vision",
    "variants",
    "reasoning",
)


def load() -> None:
    """Import every area, in report order."""
    for area in AREAS:
        import_module(f"conformance.rules.{area}")
