"""Chat completions: what an answer says about itself and about the request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from conformance.model import Exchange, Finding
from conformance.refusals import message_of
from conformance.rules.base import Answers, rule
from conformance.rules.views import (
    CHATS,
    FINISHES,
    SUCCESS,
    THINKING_ROLES,
    has_text,
    has_usage,
    is_json,
    is_readable,
    reasoning_tokens,
    says_more_than_text,
    texts,
    usage_of,
)

OWN_RULE = frozenset({"nulls", "after-disconnect", "at-once", "generated"})
"""Probes of valid requests whose acceptance another rule is about."""
_EARLIEST = 1_600_000_000
_DAY = 86_400
_LONGEST_NAME = 200
"""Characters of a model name that are compared."""
_MILLISECONDS = 100_000_000_000
_DATED = re.compile(r"(-(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{4}|latest|preview))+$")
_MOJIBAKE = re.compile("ä½|å¥|ã€|Ã©|ðŸ|\u00ef\u00bc")
_FOREIGN_FINISHES = frozenset({"max_tokens", "tool_use", "end_turn", "stop_sequence", "SAFETY", "MAX_TOKENS", "STOP"})


@rule(
    "chat.request.accepted",
    doc="openai:chat/create",
    lines=("CHAT-01",),
    zh="普通的合法请求必须被接受",
    operations=CHATS,
    answers=Answers.VALID,
    cases=lambda case: not case.feature and not case.probes & OWN_RULE,
    breaks="every client raises on an ordinary request",
    breaks_zh="普通请求也会让所有客户端报错",
    mend="Look the request up in the log: mostly the model has no working channel for this key, or the converter for "
    "the channel cannot cope with an ordinary field.",
    mend_zh="在日志中查这条请求:多半是该密钥下此模型没有可用渠道,或该渠道的转换程序处理不了某个普通字段。",
)
def request_accepted(exchange: Exchange) -> Iterator[Finding]:
    """A plain valid request MUST be accepted."""
    if exchange.status not in SUCCESS:
        yield Finding("status", 200, exchange.status, message_of(exchange))


@rule(
    "chat.id.prefix",
    doc="openai:chat/object#id",
    lines=("CHAT-02",),
    zh="id 可以不以 chatcmpl- 开头",
    operations=("chat",),
    needs=("/id",),
    breaks="nothing; it tells which upstream answered",
    breaks_zh="没有影响;可据此看出上游是谁",
    mend="Nothing has to change; give answers an id of your own that begins with `chatcmpl-` if customers must not "
    "see which upstream answered.",
    mend_zh="无须修改;若不想让客户看出上游,可自行生成以 `chatcmpl-` 开头的 id。",
)
def id_prefix(exchange: Exchange) -> Iterator[Finding]:
    """An id MAY begin otherwise than with `chatcmpl-`."""
    found = exchange.json["id"]
    if not found.startswith("chatcmpl"):
        yield Finding("/id", "chatcmpl-…", found, deviation="claude-backed" if found.startswith("msg_") else "")


@rule(
    "chat.id.fresh",
    doc="openai:chat/object#id",
    lines=("CHAT-13",),
    basis="implied",
    zh="每个回答的 id 必须不同,不得重放旧回答",
    operations=("chat",),
    probe="twice",
    over="run",
    least=2,
    needs=("/id",),
    breaks="a replayed answer is billed as a new one",
    breaks_zh="重放的旧回答被当作新回答计费",
    mend="Switch off answer caching for chat, or give a cached answer a new `id` and do not bill it in full.",
    mend_zh="关闭聊天回答的缓存;若确要缓存,应为回答换新的 `id`,且不按全价计费。",
)
def id_fresh(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """The same request sent twice MUST be answered under two ids."""
    first, second = (exchange.json["id"] for exchange in exchanges[:2])
    if first == second:
        yield Finding("/id", "a new id", second, exchange=exchanges[1].case.id)


def _created(exchange: Exchange) -> tuple[str, int]:
    """(pointer, value) of the first `created`."""
    if exchange.case.operation == "chat.stream":
        chunk = exchange.stream.chunks[0]
        return f"/events/{chunk.event}/created", chunk.value["created"]
    return "/created", exchange.json["created"]


@rule(
    "chat.created.seconds",
    doc="openai:chat/object#created",
    lines=("CHAT-03",),
    zh="created 必须是以秒为单位的 Unix 时间",
    operations=CHATS,
    applies=is_readable,
    needs=("/created",),
    breaks="logs and caches sort answers wrongly",
    breaks_zh="日志和缓存会按错误的时间排序",
    mend="Set `created` in the adapter to the current Unix time in whole seconds (not milliseconds, not 0, not a "
    "text).",
    mend_zh="在适配器中把 `created` 设为当前 Unix 时间的整数秒 (不是毫秒、0 或字符串)。",
)
def created_in_seconds(exchange: Exchange) -> Iterator[Finding]:
    """`created` MUST be the time of the answer in Unix seconds."""
    at, created = _created(exchange)
    if created > _MILLISECONDS:
        yield Finding(at, "seconds", created, "these are milliseconds", "这是毫秒")
    elif not _EARLIEST < created < exchange.started + _DAY:
        yield Finding(at, "about the time of the request", created)


def _model(exchange: Exchange) -> tuple[str, str]:
    if exchange.case.operation == "chat.stream":
        chunk = exchange.stream.chunks[0]
        return f"/events/{chunk.event}/model", chunk.value["model"]
    return "/model", exchange.json["model"]


@rule(
    "chat.model.named",
    doc="openai:chat/object#model",
    lines=("CHAT-04",),
    zh="回答应写明所用模型",
    operations=CHATS,
    applies=is_readable,
    needs=("/model",),
    breaks="nobody can tell which model was billed",
    breaks_zh="无法得知实际计费的模型",
    mend="Write the model into `model` in the adapter where the upstream leaves it empty.",
    mend_zh="上游没有给出模型名时,由适配器在 `model` 中写上。",
)
def model_named(exchange: Exchange) -> Iterator[Finding]:
    """An answer SHOULD name the model that gave it."""
    at, model = _model(exchange)
    if not model.strip():
        yield Finding(at, "a model name", model)


@rule(
    "chat.model.same-family",
    doc="openai:chat/object#model",
    lines=("CHAT-04",),
    basis="implied",
    zh="回答中的模型名可以与请求不同 (日期版本或映射)",
    operations=CHATS,
    applies=is_readable,
    needs=("/model",),
    breaks="another model than the one paid for may have answered",
    breaks_zh="作答的可能不是所购买的模型",
    mend="Check the model mapping of the channel that answered; route each name to the model it stands for, and tell "
    "customers where an alias is meant.",
    mend_zh="检查作答渠道的模型映射:每个名称应路由到它所代表的模型;确属别名的要向客户说明。",
    noisy=True,
)
def model_same_family(exchange: Exchange) -> Iterator[Finding]:
    """The model in an answer MAY be another name of the requested one; ask if it is another model."""
    at, model = _model(exchange)
    asked, named = _family(exchange.model), _family(model)
    if named and asked not in named and named not in asked:
        yield Finding(at, exchange.model, model, deviation="model-substituted")


@lru_cache(64)
def _family(name: str) -> str:
    """A model name without vendor prefix and date."""
    return _DATED.sub("", name.strip()[:_LONGEST_NAME].lower().rpartition("/")[2])


@rule(
    "chat.choices.count",
    doc="openai:chat/create#n",
    lines=("CHAT-05",),
    zh="choices 的数量必须等于 n,下标为 0 到 n-1",
    operations=("chat",),
    applies=is_json,
    needs=("/choices",),
    breaks="client code that reads choices[0] crashes, or n answers are paid and one comes",
    breaks_zh="读取 choices[0] 的代码会崩溃,或付了 n 份只得到一份",
    mend="The converter for this channel drops `n`: pass it to the upstream, ask it `n` times and number the choices "
    "from 0, or answer 400 naming `n`.",
    mend_zh="该渠道的转换程序丢掉了 `n`:应传给上游,或请求 `n` 次并从 0 编号,否则返回指明 `n` 的 400。",
)
def choices_count(exchange: Exchange) -> Iterator[Finding]:
    """There MUST be as many choices as `n` asks for, with indexes from 0."""
    asked = (exchange.case.body or {}).get("n") or 1
    indexes = sorted(choice["index"] for choice in exchange.json["choices"])
    if indexes != list(range(asked)):
        label = "params-dropped" if asked > 1 and indexes == [0] else ""
        yield Finding("/choices", list(range(asked)), indexes, deviation=label)


@rule(
    "chat.content.present",
    doc="openai:chat/object#message",
    lines=("CHAT-07",),
    basis="implied",
    zh="有计费输出的回答必须带有内容",
    operations=("chat",),
    cases=lambda case: case.role not in THINKING_ROLES,
    applies=lambda exchange: is_json(exchange) and has_usage(exchange),
    needs=("/choices", "/usage"),
    breaks="tokens are billed and nothing arrives",
    breaks_zh="扣了费却没有内容",
    mend="Look at what the upstream sent: map all its text parts to `message.content`, and turn an empty or filtered "
    "answer into an error or a `finish_reason` that says so, unbilled.",
    mend_zh="查看上游返回的内容:把所有文本部分映射到 `message.content`;空回答或被过滤的回答应返回错误或相应的 "
    "`finish_reason`,且不计费。",
)
def content_present(exchange: Exchange) -> Iterator[Finding]:
    """An answer that bills output tokens MUST carry content."""
    billed = usage_of(exchange)["completion_tokens"] - reasoning_tokens(exchange)
    ended = {choice["finish_reason"] for choice in exchange.json["choices"]}
    # One or two tokens may be the end marks of a model that had nothing to say.
    if billed > 2 and not any(texts(exchange)) and ended <= {"stop", "", None} and not says_more_than_text(exchange):
        yield Finding("/choices/0/message/content", f"the text of {billed} billed tokens", "no text")


@rule(
    "chat.finish-reason.known",
    doc="openai:chat/object#finish_reason",
    lines=("CHAT-08",),
    zh="finish_reason 必须是文档列出的值,且不为 null",
    operations=("chat",),
    applies=is_json,
    needs=("/choices/*/finish_reason",),
    breaks="agents cannot tell a finished answer from a cut one",
    breaks_zh="智能体无法分辨回答是说完了还是被截断",
    mend="Map the upstream's reasons in the converter: `end_turn` to `stop`, `max_tokens` or `MAX_TOKENS` to "
    "`length`, `tool_use` to `tool_calls`, `SAFETY` to `content_filter`.",
    mend_zh="在转换程序中映射上游的结束原因:`end_turn` 为 `stop`,`max_tokens`、`MAX_TOKENS` 为 `length`,`tool_use` 为 "
    "`tool_calls`,`SAFETY` 为 `content_filter`。",
)
def finish_known(exchange: Exchange) -> Iterator[Finding]:
    """`finish_reason` MUST be one of the documented values."""
    for place, choice in enumerate(exchange.json["choices"]):
        if choice["finish_reason"] not in FINISHES:
            at = f"/choices/{place}/finish_reason"
            yield Finding(at, list(FINISHES), choice["finish_reason"], deviation=finish_label(choice["finish_reason"]))


def finish_label(value: object) -> str:
    """The known deviation behind an undocumented finish reason."""
    if value == "":
        return "finish-empty-string"
    return "finish-foreign" if value in _FOREIGN_FINISHES else ""


@rule(
    "chat.system.reaches-model",
    doc="openai:chat/create#messages",
    lines=("CHAT-14",),
    basis="implied",
    zh="system 消息应送达模型",
    operations=("chat",),
    probe="system",
    over="run",
    least=2,
    applies=lambda exchange: has_text(exchange) and has_usage(exchange),
    needs=("/choices", "/usage"),
    breaks="instructions are silently ignored",
    breaks_zh="指令被悄悄忽略",
    mend="The converter for this channel loses system messages: put them into the upstream's own place for "
    "instructions (`system`, `systemInstruction`), or before the first user turn.",
    mend_zh="该渠道的转换程序丢失了 system 消息:应放入上游专门的位置 (`system`、`systemInstruction`),"
    "或放在第一轮用户消息之前。",
    noisy=True,
)
def system_reaches_model(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """A system message SHOULD reach the model: it is obeyed, or at least counted."""
    yield from _lost_messages(exchanges, "MARIGOLD")


@rule(
    "chat.turns.reach-model",
    doc="openai:chat/create#messages",
    lines=("CHAT-15",),
    basis="implied",
    zh="之前的对话轮次必须送达模型",
    operations=("chat",),
    probe="turns",
    over="run",
    least=2,
    applies=lambda exchange: has_text(exchange) and has_usage(exchange),
    needs=("/choices", "/usage"),
    breaks="every answer forgets the conversation",
    breaks_zh="每次回答都会忘记前文",
    mend="Pass the whole `messages` list on: a converter that takes only the last turn, or a web session instead of a "
    "conversation, loses the rest.",
    mend_zh="完整转发 `messages` 列表:只取最后一轮的转换程序,或用网页会话代替对话,都会丢失前文。",
    noisy=True,
)
def turns_reach_model(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """Earlier turns MUST reach the model: they are used, or at least counted."""
    yield from _lost_messages(exchanges, "48213")


def _lost_messages(exchanges: Sequence[Exchange], told: str) -> Iterator[Finding]:
    """A finding when the longer conversation neither shows in the answer nor costs more than the shorter.

    The words alone prove nothing: a weak model may not obey. The count alone proves enough.
    """
    shorter, longer = sorted(exchanges, key=lambda exchange: len(exchange.request.body))[:2]
    counts = [usage_of(exchange)["prompt_tokens"] for exchange in (shorter, longer)]
    if told not in "".join(texts(longer)) and 0 < counts[1] <= counts[0]:
        expected = f"more than {counts[0]} prompt tokens"
        yield Finding(
            "/usage/prompt_tokens", expected, counts[1], exchange=longer.case.id, deviation="messages-dropped"
        )


@rule(
    "chat.temperature.zero-repeats",
    doc="openai:chat/create#temperature",
    lines=("CHAT-12",),
    zh="temperature 为 0 时,两次回答可以不同",
    operations=("chat",),
    probe="temperature-zero",
    over="run",
    least=2,
    applies=has_text,
    needs=("/choices",),
    breaks="nothing; tests that compare texts are unstable",
    breaks_zh="没有影响;只是比对文本的测试不稳定",
    mend='Nothing has to change; check only that the adapter passes `temperature` 0 on and does not take it for "not '
    'set".',
    mend_zh='无须修改;只需确认适配器会转发 `temperature` 0,没有把它当作 "未设置"。',
    noisy=True,
)
def temperature_zero_repeats(exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    """Two answers at temperature 0 MAY differ."""
    first, second = (texts(exchange) for exchange in exchanges[:2])
    if first != second:
        yield Finding("/choices/0/message/content", first[0], second[0], exchange=exchanges[1].case.id)


@rule(
    "chat.text.intact",
    doc="rfc:8259#section-8.1",
    lines=("CHAT-22",),
    basis="implied",
    zh="中文与表情符号应原样往返,不出现乱码",
    operations=CHATS,
    probe="utf8",
    applies=has_text,
    needs=("/choices",),
    breaks="Chinese text and emoji arrive as garbage",
    breaks_zh="中文和表情符号变成乱码",
    mend="Treat bodies as bytes or as UTF-8 throughout, decode a stream over the borders of its pieces, and never "
    "re-encode as Latin-1.",
    mend_zh="全程按字节或 UTF-8 处理正文,流要跨数据片段连续解码,绝不按 Latin-1 重新编码。",
)
def text_intact(exchange: Exchange) -> Iterator[Finding]:
    """Chinese text and emoji SHOULD arrive intact."""
    for text in texts(exchange):
        # A limit may cut the last character in half; anywhere else a replacement character is damage.
        if "\ufffd" in text.rstrip("\ufffd") or _MOJIBAKE.search(text):
            yield Finding("", "你好,世界 🌏 café", text)
