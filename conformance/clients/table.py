"""The table of clients: their packages, and what each of them reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Client:
    """One client."""

    name: str
    title: str
    package: str
    """The distribution that has to be installed."""
    module: str
    """Where its reader is: it has `VERSION`, `API_ERRORS` and `read(job)`."""
    operations: tuple[str, ...]
    several: bool = True
    """Whether it can read several choices from one stream."""

    @property
    def rule(self) -> str:
        """The id of its rule."""
        return f"client.{self.name}.reads-it"


_OPENAI = (
    *("models.list", "models.retrieve", "chat", "chat.stream", "completions", "completions.stream", "embeddings"),
    *("moderations", "responses", "responses.stream", "audio.speech", "audio.transcriptions", "audio.translations"),
    *("images.generations", "images.edits", "images.variations"),
)
_CHATS = ("chat", "chat.stream", "embeddings")

_TABLE = (
    Client("openai", "OpenAI SDK (Python)", "openai", "conformance.clients.openai_sdk", _OPENAI),
    Client(
        "anthropic",
        "Anthropic SDK (Python)",
        "anthropic",
        "conformance.clients.anthropic_sdk",
        ("messages", "messages.stream"),
    ),
    Client("litellm", "LiteLLM", "litellm", "conformance.clients.litellm_client", _CHATS, several=False),
    Client("langchain", "LangChain", "langchain-openai", "conformance.clients.langchain_client", _CHATS, several=False),
)

CLIENTS = {client.name: client for client in _TABLE}
"""Clients by name, in the order in which reports show them."""


def chosen_clients(names: Sequence[str] = ()) -> list[Client]:
    """The clients of these names, all for none; raises UsageError for a name that no client has."""
    for name in names:
        if name not in CLIENTS:
            raise UsageError(f"there is no client {name!r}", f"there are {', '.join(CLIENTS)}")
    return [client for name, client in CLIENTS.items() if name in names or not names]
