"""The operations that requests are generated for, those about sound and pictures: every one of them is dear."""

from __future__ import annotations

from conformance.generate.surface import USER, Surface, listed

_ASKED = frozenset({"model", "file", "image"})
_SHORT = ("english", "chinese")
_PICTURE = {
    "n": listed(("at its minimum", "取最小值", 1), ("as two", "为 2", 2)),
    "response_format": listed(("as url", "为 url", "url"), ("as b64_json", "为 b64_json", "b64_json")),
    "user": USER,
}
_SIZES = listed(("as 1024x1024", "为 1024x1024", "1024x1024"))
_SPEECH = Surface(
    "audio.speech",
    "openai:audio/createSpeech",
    lambda text, _: {"model": "$model", "input": text, "voice": "alloy"},
    by_hand={
        "instructions": listed(("as a string", "为字符串", "Speak calmly.")),
        "stream_format": listed(("as audio", "为 audio", "audio")),
    },
    left=frozenset({"input"}),
    places=("input", "voice"),
    kinds=_SHORT,
)
_TRANSCRIPTIONS = Surface(
    "audio.transcriptions",
    "openai:audio/createTranscription",
    lambda *_: {"file": "hello.wav", "model": "$model"},
    by_hand={
        "language": listed(("as English", "为英语", "en")),
        "prompt": listed(("as a string", "为字符串", "A greeting: 你好")),
        "response_format": listed(
            *((f"as {name}", f"为 {name}", name) for name in ("json", "text", "srt", "verbose_json", "vtt"))
        ),
        "timestamp_granularities": listed(
            ("as a list of words", "为 word", ["word"]), ("as a list of both", "为两者", ["word", "segment"])
        ),
    },
    left=_ASKED | {"include", "stream", "chunking_strategy"},
    needs={"timestamp_granularities": ("response_format", "as verbose_json")},
    places=("file", "model"),
    files={"file": "hello.wav"},
)
_TRANSLATIONS = Surface(
    "audio.translations",
    "openai:audio/createTranslation",
    lambda *_: {"file": "gruss.wav", "model": "$model"},
    by_hand={"prompt": listed(("as a string", "为字符串", "A greeting."))},
    left=_ASKED,
    places=("file", "model"),
    files={"file": "gruss.wav"},
)
_DRAWN = Surface(
    "images.generations",
    "openai:images/create",
    lambda text, _: {"model": "$model", "prompt": text},
    by_hand={**_PICTURE, "size": _SIZES},
    left=frozenset({"model", "prompt", "stream", "partial_images"}),
    places=("prompt",),
    kinds=_SHORT,
)
_EDITS = Surface(
    "images.edits",
    "openai:images/createEdit",
    lambda *_: {"model": "$model", "image": "square.png", "prompt": "a red house"},
    by_hand={**_PICTURE, "size": _SIZES, "mask": listed(("as a file", "为文件", "mask.png"))},
    left=_ASKED | {"prompt", "stream", "partial_images"},
    places=("image", "prompt"),
    files={"image": "square.png", "mask": "mask.png"},
)
_VARIATIONS = Surface(
    "images.variations",
    "openai:images/createVariation",
    lambda *_: {"model": "$model", "image": "square.png"},
    by_hand=_PICTURE,
    left=_ASKED,
    places=("image",),
    files={"image": "square.png"},
)
MEDIA = (_SPEECH, _TRANSCRIPTIONS, _TRANSLATIONS, _DRAWN, _EDITS, _VARIATIONS)
