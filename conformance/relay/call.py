"""One request on its way through the relay, and the places where faults and quirks may touch it.

A hook is a function of one `Call`, bound to a `Stage`: it changes what that stage has just made, or raises
`Refusal`. What has to outlive the request is kept on the `State` of the relay variant that got it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from conformance.relay.wire import Headers


class Stage(Enum):
    """Where a hook is called; members are in the order in which a request meets them."""

    ARRIVED = auto()
    """The path is known, nothing has been checked: `authorization`, `raw`, `headers` are there."""
    ADMITTED = auto()
    """The key is right; the body has not been read as JSON."""
    REQUEST = auto()
    """`request` is the JSON body, not yet validated."""
    PROMPT = auto()
    """The request is valid: `messages`, `limit`, `stops`, `count`, `model` say what will be done."""
    TEXT = auto()
    """`texts` are what the model wants to say, before stop strings and limits."""
    CHOICES = auto()
    """`choices` are what it says, and why it ended."""
    USAGE = auto()
    """`usage` has been counted."""
    ANSWER = auto()
    """`answer` is the plain answer."""
    CHUNKS = auto()
    """`chunks` are the chunks of a streamed answer."""
    FRAMES = auto()
    """`frames` are the server-sent events of a streamed answer."""
    COMPLETIONS_REQUEST = auto()
    """`request` is the body of a text completion, not yet validated; likewise for the families below."""
    COMPLETIONS = auto()
    """`answer` is a text completion."""
    COMPLETIONS_CHUNKS = auto()
    """`events` are the (name, value) pairs of its stream; likewise below."""
    EMBEDDINGS_REQUEST = auto()
    EMBEDDINGS = auto()
    RERANK_REQUEST = auto()
    RERANK = auto()
    MODERATIONS_REQUEST = auto()
    MODERATIONS = auto()
    RESPONSES_REQUEST = auto()
    RESPONSES = auto()
    RESPONSES_EVENTS = auto()
    MESSAGES_REQUEST = auto()
    MESSAGES = auto()
    MESSAGES_EVENTS = auto()
    MESSAGES_ERROR = auto()
    """`answer` is an error in Anthropic's form."""
    GEMINI_REQUEST = auto()
    GEMINI = auto()
    GEMINI_EVENTS = auto()
    GEMINI_ERROR = auto()
    """`answer` is an error in Google's form."""
    SPEECH_REQUEST = auto()
    SPEECH = auto()
    """`body` is the sound, `media_type` says of what kind."""
    TRANSCRIPTION_REQUEST = auto()
    """`form` are the fields, not yet validated."""
    TRANSCRIPTION = auto()
    """`answer` is what was heard, in the JSON form; `body` is filled from it in the form that was asked for."""
    TRANSCRIPTION_TEXT = auto()
    """`body` is the answer in its last form."""
    IMAGES_REQUEST = auto()
    """`request` or `form` is there, not yet validated."""
    IMAGES = auto()
    """`answer` lists the pictures."""
    MEDIA = auto()
    """`body` is a picture that an answer pointed to."""
    BILLING = auto()
    """`answer` is about the quota."""
    MODELS = auto()
    """`answer` is the list of models."""
    MODEL = auto()
    """`answer` is one model."""
    ERROR = auto()
    """`answer` is the error envelope, `refusal` is why, `status` may still change."""
    REPLY = auto()
    """`status`, `reply_headers` and, unless it is a stream, `body` are complete."""
    WIRE = auto()
    """`frames` are the byte pieces that will be written, for a plain answer too."""
    HANGUP = auto()
    """The client has gone before the answer was complete."""


_ANTHROPIC_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_GOOGLE_STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "INVALID_ARGUMENT",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
}


class Refusal(Exception):  # noqa: N818 - an answer, not a mistake of ours
    """The request is answered with an error envelope."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: Iterable[tuple[bytes, bytes]] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.param = param
        self.code = code
        self.headers = tuple(headers)

    def envelope(self, dialect: str = "openai") -> dict[str, Any]:
        """The body of the answer, in the form of OpenAI, Anthropic or Google."""
        if dialect == "anthropic":
            kind = _ANTHROPIC_TYPES.get(self.status, "api_error")
            return {"type": "error", "error": {"type": kind, "message": self.message}}
        if dialect == "gemini":
            status = _GOOGLE_STATUSES.get(self.status, "INTERNAL")
            return {"error": {"code": self.status, "message": self.message, "status": status}}
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}


@dataclass
class ToolCall:
    """One call of a tool."""

    id: str
    name: str
    pieces: list[str]
    """The tokens of its arguments."""

    @property
    def arguments(self) -> str:
        """The JSON text of the arguments."""
        return "".join(self.pieces)


@dataclass
class Choice:
    """One answer to the prompt: its tokens, and why it ended."""

    pieces: list[str]
    finish: str | None
    thought: list[str] = field(default_factory=list)
    """What a reasoning model thinks aloud first."""
    calls: list[ToolCall] = field(default_factory=list)
    """The tools that it calls, instead of saying anything."""

    @property
    def text(self) -> str:
        """The whole answer."""
        return "".join(self.pieces)


@dataclass(frozen=True)
class Upload:
    """A file in a form."""

    name: str
    kind: str
    """Its media type."""
    data: bytes


_FAMILIES = {
    "models": ("MODELS", "MODEL"),
    "chat": ("REQUEST", "PROMPT", "TEXT", "CHOICES", "USAGE", "ANSWER", "CHUNKS", "FRAMES"),
    "audio": ("SPEECH", "SPEECH_REQUEST", "TRANSCRIPTION", "TRANSCRIPTION_REQUEST", "TRANSCRIPTION_TEXT"),
    "images": ("IMAGES", "IMAGES_REQUEST", "MEDIA"),
    **{
        name.lower(): (name, *(f"{name}_{what}" for what in ("REQUEST", "CHUNKS", "EVENTS", "ERROR")))
        for name in ("COMPLETIONS", "EMBEDDINGS", "RERANK", "MODERATIONS", "RESPONSES", "MESSAGES", "GEMINI", "BILLING")
    },
}


def family(stage: Stage) -> str:
    """The family of operations that a stage belongs to; empty for stages that all requests meet."""
    return next((name for name, stages in _FAMILIES.items() if stage.name in stages), "")


Hook = Callable[["Call"], None]
"""What a fault or quirk does at one stage."""


class State:
    """What one variant of the relay remembers between requests."""

    def __init__(self, key: str, models: Iterable[Mapping[str, Any]], hooks: Iterable[tuple[Stage, Hook]]) -> None:
        self.key = key
        self.models = {str(model["id"]): model for model in models}
        self.memory: dict[str, Any] = {}
        """Room for faults and quirks."""
        self.streams: set[Call] = set()
        """Streams that are being sent now."""
        self._counts: Counter[str] = Counter()
        self._hooks: dict[Stage, list[Hook]] = {}
        for stage, hook in hooks:
            self._hooks.setdefault(stage, []).append(hook)

    def count(self, what: str) -> int:
        """How often this has been asked, this time included."""
        self._counts[what] += 1
        return self._counts[what]

    def hooks(self, stage: Stage) -> Iterable[Hook]:
        """The hooks of a stage, in the order in which they were given."""
        return self._hooks.get(stage, ())


@dataclass(eq=False)
class Call:
    """One request and everything that becomes of it."""

    state: State
    method: str
    path: str
    """Without the prefix, such as `/v1/models`; empty outside the API."""
    headers: Mapping[bytes, bytes]
    authorization: str
    request_id: str
    raw: bytes = b""
    created: int = field(default_factory=lambda: int(time.time()))
    random: Random = field(default_factory=Random)

    request: dict[str, Any] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    count: int = 1
    limit: int | None = None
    stops: list[str] = field(default_factory=list)
    model: str = ""
    """The name that the answer gives."""
    tops: int | None = None
    """How many likely tokens are listed beside each that was said; None: no log probabilities are asked for."""
    streaming: bool = False
    include_usage: bool = False

    texts: list[str] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    usage: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, Any] = field(default_factory=dict)
    chunks: list[dict[str, Any]] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    form: dict[str, list[str | Upload]] = field(default_factory=dict)
    """The fields of a multipart body, each with its values."""
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """What is streamed beside chat: the name of each event (empty: none) and its data."""
    media_type: str = ""
    named: str = ""
    """What the path names, such as a model."""
    prefix: str = ""
    """What stands before the path: the variant."""
    dialect: str = "openai"
    """In whose form errors are given: openai, anthropic, gemini."""
    refusal: Refusal | None = None

    status: int = 200
    reply_headers: Headers = field(default_factory=list)
    body: bytes = b""
    pause: float = 0.0
    """Seconds before the first byte."""
    spread: float = 0.0
    """Seconds over which the frames are spread."""
    piecemeal: bool = False
    """Whether each frame is written on its own even when nothing waits in between."""
    cut: bool = False
    """Whether the connection is to be dropped before the next frame."""

    def at(self, stage: Stage) -> None:
        """Let the hooks of a stage do their work."""
        for hook in self.state.hooks(stage):
            hook(self)

    @property
    def is_chat(self) -> bool:
        """Whether the request is for a chat completion."""
        return self.method == "POST" and self.path == "/v1/chat/completions"

    @property
    def is_plain_answer(self) -> bool:
        """Whether `body` is a chat completion that is not streamed."""
        return self.is_chat and not self.streaming and not self.refusal

    @property
    def question(self) -> str:
        """The text of the last message."""
        return text_of(self.messages[-1]) if self.messages else ""


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message: its content, or the text parts of it."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    found = [part.get("text") for part in parts if isinstance(part, dict)]
    return "\n".join(text for text in found if isinstance(text, str))
