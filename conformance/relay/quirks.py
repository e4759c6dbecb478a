"""Honest but awkward: what real relays and weak models do without breaking any promise.

A checker must come out clean against any combination of these. Which quirks a relay has is drawn from a seed;
what they do to a request is drawn from the seed and the number of the request.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

from conformance.errors import UsageError
from conformance.relay import wire
from conformance.relay.call import Refusal, Stage
from conformance.relay.words import respond, tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from conformance.relay.call import Call, Choice, Hook

_SHARE = 0.4
"""The share of quirks that a seed turns on."""

_EVEN = 0.5
_DATE = "-2024-05-13"
_DRAWS = ("-all", f"-all{_DATE}")
_COMMENTS = (b": PING\n\n", b":\n\n", b": OPENROUTER PROCESSING\n\n")
_MOST_CUTS = 24
_MOST_TOKENS_AT_ONCE = 4
_TOO_MANY_REQUESTS = 429
_BAD = frozenset({400, 404, 413})
_THOUGHT = "The user wants something simple, so a short answer will do. "
_REFUSAL = "I cannot help with that."
_REFUSAL_ZH = "抱歉,我无法回答这个问题。"
_WORDY = (
    "Certainly! That is a wonderful question, and I am glad that you asked it. Before we come to the point, "
    "let us take a moment to think about what it means, where it comes from and why people care about "
    "it. There are several ways to look at the matter, each with its own merits, and none of them should be "
    "dismissed lightly."
)


@dataclass(frozen=True)
class Quirks:
    """The quirks of one relay.

    `only` names the quirks that are on, instead of what the seed says. `latency` is the longest wait, `bench`
    how long good requests are turned away after a bad one (both in seconds), `busy` the share of chat
    requests that is turned away for no reason.
    """

    seed: int
    only: Collection[str] | None = None
    latency: float = 0.02
    bench: float = 2.0
    busy: float = 0.02

    @property
    def on(self) -> tuple[str, ...]:
        """The names of the quirks that are on."""
        if self.only is None:
            random = Random(self.seed)  # noqa: S311 - has to be the same on every machine
            return tuple(name for name in KNOWN if random.random() < _SHARE)
        unknown = sorted(set(self.only) - set(KNOWN))
        if unknown:
            raise UsageError(f"there is no quirk {unknown[0]!r}", f"known: {', '.join(KNOWN)}")
        return tuple(name for name in KNOWN if name in self.only)

    def hooks(self) -> list[tuple[Stage, Hook]]:
        """What to do at which stage."""
        found = [(stage, self._bound(change)) for name in self.on for stage, change in KNOWN[name]]
        return [(Stage.ARRIVED, self._draw), *found]

    def _draw(self, call: Call) -> None:
        number = call.state.count("requests")
        call.random = Random(f"{self.seed}:{number}")  # noqa: S311 - has to be the same on every machine

    def _bound(self, change: Callable[[Call, Quirks], None]) -> Hook:
        return lambda call: change(call, self)


KNOWN: dict[str, list[tuple[Stage, Callable[[Call, Quirks], None]]]] = {}
"""Every quirk by name, in the order in which they work."""


def quirk(name: str, *stages: Stage) -> Callable[[Callable[[Call, Quirks], None]], Callable[[Call, Quirks], None]]:
    """Enter a function as (a part of) the quirk of this name."""

    def enter(change: Callable[[Call, Quirks], None]) -> Callable[[Call, Quirks], None]:
        KNOWN.setdefault(name, []).extend((stage, change) for stage in stages)
        return change

    return enter


def coin(call: Call) -> bool:
    """Heads or tails."""
    return call.random.random() < _EVEN


@quirk("no-retrieve", Stage.ARRIVED)
def _(call: Call, _quirks: Quirks) -> None:
    """Offer no `GET /models/{id}`."""
    if call.path.startswith("/v1/models/"):
        raise Refusal(404, f"Invalid URL ({call.method} {call.path[:200]})", code="unknown_url")


@quirk("bench", Stage.ERROR)
def _(call: Call, quirks: Quirks) -> None:
    """After a bad chat request, turn good ones away for a while."""
    if call.is_chat and call.status in _BAD:
        call.state.memory["benched until"] = time.monotonic() + quirks.bench


@quirk("bench", Stage.ADMITTED)
def _(call: Call, _quirks: Quirks) -> None:
    """Say for how long."""
    left = call.state.memory.get("benched until", 0.0) - time.monotonic()
    if call.is_chat and left > 0:
        raise _later("The upstream is cooling down, please try again later.", left)


@quirk("busy", Stage.ADMITTED)
def _(call: Call, quirks: Quirks) -> None:
    """Turn a chat request away now and then."""
    if call.is_chat and call.random.random() < quirks.busy:
        raise _later("Rate limit reached, please try again later.", 1)


def _later(message: str, seconds: float) -> Refusal:
    wait = [(b"retry-after", b"%d" % math.ceil(seconds))]
    return Refusal(_TOO_MANY_REQUESTS, message, kind="requests", code="rate_limit_exceeded", headers=wait)


@quirk("dated-model", Stage.PROMPT)
def _(call: Call, _quirks: Quirks) -> None:
    """Name the model with its date."""
    call.model += _DATE


@quirk("weak-model", Stage.TEXT)
def _(call: Call, _quirks: Quirks) -> None:
    """Refuse, ramble, fall silent or miss the point."""
    if call.model.endswith(_DRAWS):
        return  # what is sold as drawing does draw
    forgetful = [respond(call.messages[-1:], index) for index in range(call.count)]
    for index, text in enumerate(call.texts):
        sayings = (_REFUSAL, _REFUSAL_ZH, _WORDY, "", " ", "\n", ".", forgetful[index])
        call.texts[index] = call.random.choice(sayings) if coin(call) else text


@quirk("weak-model", Stage.USAGE)
def _(call: Call, _quirks: Quirks) -> None:
    """Count the end token of an answer that is empty, or do not."""
    silent = sum(not choice.pieces and not choice.thought for choice in call.choices)
    if silent and coin(call):
        _bill(call, call.usage["completion_tokens"] + silent)


def _bill(call: Call, completion: int) -> None:
    """Change the number of completion tokens, and the total with it."""
    call.usage["completion_tokens"] = completion
    call.usage["total_tokens"] = call.usage["prompt_tokens"] + completion


@quirk("reasoning", Stage.CHOICES)
def _(call: Call, _quirks: Quirks) -> None:
    """Think first, on the budget of the answer: a small limit leaves nothing for the answer itself."""
    for choice in call.choices:
        choice.thought = list(tokens(_THOUGHT * call.random.randint(1, 3)))[: call.limit]
        if call.limit is not None and len(choice.pieces) >= call.limit - len(choice.thought):
            choice.pieces = choice.pieces[: call.limit - len(choice.thought)]
            choice.finish = "length"
    thought = sum(len(choice.thought) for choice in call.choices)
    _bill(call, thought + sum(len(choice.pieces) for choice in call.choices))
    call.usage["completion_tokens_details"]["reasoning_tokens"] = thought


@quirk("several-tokens-at-once", Stage.CHOICES)
def _(call: Call, _quirks: Quirks) -> None:
    """Put a few tokens into one chunk."""
    for choice in call.choices:
        choice.pieces = list(_grouped(choice, call.random))


def _grouped(choice: Choice, random: Random) -> Iterator[str]:
    start = 0
    while start < len(choice.pieces):
        end = start + random.randint(1, _MOST_TOKENS_AT_ONCE)
        yield "".join(choice.pieces[start:end])
        start = end


@quirk("extra-fields", Stage.ANSWER)
def _(call: Call, _quirks: Quirks) -> None:
    """Add fields that no document names."""
    call.answer |= {"provider": "Reference", "x_timing": {"queue": 0.001}}
    call.answer["usage"] = call.usage | {
        "prompt_cache_hit_tokens": 0,
        "input_tokens": call.usage["prompt_tokens"],
    }
    for choice in call.answer["choices"]:
        choice |= {"native_finish_reason": choice["finish_reason"], "content_filter_results": {}}
        choice["message"] |= {"annotations": [], "reasoning_details": []}


@quirk("extra-fields", Stage.CHUNKS)
def _(call: Call, _quirks: Quirks) -> None:
    """Add fields to chunks, and the padding that OpenAI adds."""
    for chunk in call.chunks:
        chunk |= {"provider": "Reference", "obfuscation": "x" * call.random.randint(0, 12)}
        for choice in chunk["choices"]:
            choice["native_finish_reason"] = choice["finish_reason"]


@quirk("extra-fields", Stage.MODELS)
def _(call: Call, _quirks: Quirks) -> None:
    """Add the fields of one-api and new-api to the list of models."""
    call.answer["success"] = True
    for model in call.answer["data"]:
        model.update(_one_api_fields(model["id"]))


@quirk("extra-fields", Stage.MODEL)
def _(call: Call, _quirks: Quirks) -> None:
    """Add the same fields to one model."""
    call.answer |= _one_api_fields(call.answer["id"])


def _one_api_fields(name: str) -> dict[str, object]:
    return {"permission": [], "root": name, "parent": None, "supported_endpoint_types": ["openai"]}


@quirk("absent-fields", Stage.ANSWER)
def _(call: Call, _quirks: Quirks) -> None:
    """Leave out what is optional."""
    for choice in call.answer["choices"]:
        if choice["logprobs"] is None:
            _drop(call, choice, "logprobs")
        _drop(call, choice["message"], "refusal")
    _drop(call, call.answer, "system_fingerprint")
    _drop_details(call)


@quirk("absent-fields", Stage.CHUNKS)
def _(call: Call, _quirks: Quirks) -> None:
    """Leave out what is optional in chunks; the first delta need not have any content."""
    for chunk in call.chunks:
        _drop(call, chunk, "system_fingerprint")
        for choice in chunk["choices"]:
            if choice["logprobs"] is None:
                _drop(call, choice, "logprobs")
            if choice["delta"].get("content") == "":
                _drop(call, choice["delta"], "content")
    _drop_details(call)


def _drop_details(call: Call) -> None:
    """Leave out what the tokens were for, unless some went into thinking: that is billed, so it is said."""
    if not call.usage["completion_tokens_details"]["reasoning_tokens"]:
        _drop(call, call.usage, "prompt_tokens_details", "completion_tokens_details")


def _drop(call: Call, owner: dict[str, object], *names: str) -> None:
    if coin(call):
        for name in names:
            owner.pop(name, None)


@quirk("no-usage", Stage.ANSWER)
def _(call: Call, _quirks: Quirks) -> None:
    """Give no usage in some plain answers."""
    _drop(call, call.answer, "usage")


@quirk("usage-null", Stage.CHUNKS)
def _(call: Call, _quirks: Quirks) -> None:
    """Where a stream will end with its usage, say in the other chunks that it is null, as OpenAI does."""
    for chunk in call.chunks:
        if call.include_usage:
            chunk.setdefault("usage", None)


@quirk("message-ids", Stage.ANSWER)
def _(call: Call, _quirks: Quirks) -> None:
    """Give the ids of another vendor."""
    call.answer["id"] = call.answer["id"].replace("chatcmpl-", "msg_")


@quirk("message-ids", Stage.CHUNKS)
def _(call: Call, _quirks: Quirks) -> None:
    """Give the ids of another vendor in chunks."""
    for chunk in call.chunks:
        chunk["id"] = chunk["id"].replace("chatcmpl-", "msg_")


@quirk("comments", Stage.FRAMES)
def _(call: Call, _quirks: Quirks) -> None:
    """Keep the connection alive with comments."""
    for _number in range(call.random.randint(0, 4)):
        call.frames.insert(call.random.randrange(len(call.frames)), call.random.choice(_COMMENTS))


@quirk("no-space", Stage.FRAMES)
def _(call: Call, _quirks: Quirks) -> None:
    """Leave out the blank after `data:`."""
    call.frames = [frame.replace(b"data: ", b"data:", 1) for frame in call.frames]


@quirk("crlf", Stage.FRAMES)
def _(call: Call, _quirks: Quirks) -> None:
    """End lines with CRLF."""
    call.frames = [frame.replace(b"\n", b"\r\n") for frame in call.frames]


@quirk("charset", Stage.REPLY)
def _(call: Call, _quirks: Quirks) -> None:
    """State the charset in the content type."""
    kind = wire.header(call.reply_headers, b"content-type")
    if kind and b";" not in kind:
        wire.set_header(call.reply_headers, b"content-type", kind + b"; charset=utf-8")


@quirk("one-api-request-id", Stage.REPLY)
def _(call: Call, _quirks: Quirks) -> None:
    """Name the header of the request id as one-api does."""
    value = wire.header(call.reply_headers, b"x-request-id")
    wire.drop_header(call.reply_headers, b"x-request-id")
    call.reply_headers.append((b"x-oneapi-request-id", value))


@quirk("rate-limit-headers", Stage.REPLY)
def _(call: Call, _quirks: Quirks) -> None:
    """State the rate limits."""
    for what in (b"requests", b"tokens"):
        limit = call.random.choice((500, 30_000))
        call.reply_headers += (
            (b"x-ratelimit-limit-" + what, b"%d" % limit),
            (b"x-ratelimit-remaining-" + what, b"%d" % call.random.randint(0, limit)),
            (b"x-ratelimit-reset-" + what, call.random.choice((b"6ms", b"1m2.5s", b"12"))),
        )


@quirk("padded-json", Stage.REPLY)
def _(call: Call, _quirks: Quirks) -> None:
    """Keep the connection alive with blank lines before the JSON text."""
    if wire.header(call.reply_headers, *wire.JSON_TYPE[:1]) == wire.JSON_TYPE[1]:
        call.body = b"\n" * call.random.randint(0, 3) + call.body


_FAMILIES = (Stage.COMPLETIONS, Stage.EMBEDDINGS, Stage.RERANK, Stage.MODERATIONS, Stage.RESPONSES, Stage.MESSAGES)
_MORE_FAMILIES = (Stage.GEMINI, Stage.IMAGES, Stage.BILLING)


@quirk("extra-fields", *_FAMILIES, *_MORE_FAMILIES)
def _(call: Call, _quirks: Quirks) -> None:
    """Add fields to the answers of other operations."""
    call.answer["x_provider"] = "Reference"
    for item in call.answer.get("data") or () if isinstance(call.answer.get("data"), list) else ():
        item["x_cached"] = False


@quirk("uneven-vectors", Stage.EMBEDDINGS)
def _(call: Call, _quirks: Quirks) -> None:
    """Give vectors that differ a little from call to call, as on graphics cards."""
    for item in call.answer["data"]:
        if isinstance(item["embedding"], list):
            item["embedding"] = [value * (1 + call.random.uniform(-1e-4, 1e-4)) for value in item["embedding"]]


@quirk("comments", Stage.WIRE)
def _(call: Call, _quirks: Quirks) -> None:
    """Keep the streams of other operations alive with comments, too."""
    if call.streaming and not call.is_chat and not call.refusal:
        call.frames = [part for frame in call.frames for part in _commented(call, frame)]


def _commented(call: Call, frame: bytes) -> Iterator[bytes]:
    if coin(call):
        yield call.random.choice(_COMMENTS)
    yield frame


@quirk("cut-anywhere", Stage.WIRE)
def _(call: Call, _quirks: Quirks) -> None:
    """Write byte pieces that end anywhere, in the middle of a character too."""
    whole = b"".join(call.frames)
    cuts = call.random.randint(1, _MOST_CUTS)
    if len(whole) > cuts:
        edges = [0, *sorted(call.random.sample(range(1, len(whole)), cuts)), len(whole)]
        call.frames = [whole[start:end] for start, end in pairwise(edges)]
        call.piecemeal = True


@quirk("latency", Stage.WIRE)
def _(call: Call, quirks: Quirks) -> None:
    """Take some time."""
    call.pause += call.random.uniform(0, quirks.latency)
    call.spread += call.random.uniform(0, quirks.latency)
