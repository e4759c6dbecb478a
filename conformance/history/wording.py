"""Every sentence of the history page, in English and in Chinese."""

from __future__ import annotations

from conformance.history.nouns import Change, State
from conformance.measures import FIRST_CONTENT, TOKEN_RATE
from conformance.reporting.texts import Text

CHANGES = {
    Change.BROKE: Text("broke", "出现问题"),
    Change.HEALED: Text("healed", "恢复正常"),
    Change.DROPPED: Text("is no longer offered", "不再提供"),
    Change.OFFERED: Text("is offered now, and holds", "现已提供且符合要求"),
}
SIGNS = {Change.BROKE: "✕", Change.HEALED: "✓", Change.DROPPED: "−", Change.OFFERED: "✓"}
TONES = {Change.BROKE: "fail", Change.HEALED: "pass", Change.DROPPED: "unsupported", Change.OFFERED: "pass"}
BEFORE = {
    State.HOLDS: Text("after holding in {count} runs", "此前连续 {count} 次检测符合要求"),
    State.BROKEN: Text("after being broken in {count} runs", "此前连续 {count} 次检测不符合要求"),
    State.DROPPED: Text("after not being offered in {count} runs", "此前连续 {count} 次检测不提供"),
}
BEFORE_ONE = {
    State.HOLDS: Text("after holding in 1 run", "上一次检测符合要求"),
    State.BROKEN: Text("after being broken in 1 run", "上一次检测不符合要求"),
    State.DROPPED: Text("after not being offered in 1 run", "上一次检测不提供"),
}
STATES = {
    State.HOLDS: Text("holds in {count}", "{count} 次符合"),
    State.BROKEN: Text("broken in {count}", "{count} 次不符合"),
    State.DROPPED: Text("not offered in {count}", "{count} 次不提供"),
}
SILENT = Text("{count} say nothing", "{count} 次没有结论")
QUANTITIES = {
    FIRST_CONTENT: Text("seconds to first content", "首个内容的秒数"),
    TOKEN_RATE: Text("output tokens a second", "每秒输出 token 数"),
}
WORDS = {
    "kind": Text("history", "历史记录"),
    "skip": Text("Skip to the providers", "跳到服务商"),
    "title": Text("When rules broke, and when they healed", "规则何时出现问题，何时恢复"),
    "numbers": Text("Runs: {runs} · providers: {providers}", "检测：{runs} 次 · 服务商：{providers} 个"),
    "lead": Text(
        "Runs that tested only some rules, came to no conclusion or were "
        "interrupted leave gaps: a gap neither breaks nor heals anything.",
        "只检测部分规则、没有结论或被中断的检测留下空白；空白既不算出现问题，也不算恢复。",
    ),
    "empty": Text("No run was found here.", "这里没有找到任何检测记录。"),
    "provider": Text("Provider", "服务商"),
    "model": Text("Model", "模型"),
    "last": Text("Last run", "最近一次"),
    "runs": Text("Runs", "检测次数"),
    "broken-now": Text("Broken now", "当前不符合"),
    "runs-lead": Text("Oldest first; a sign leads to the report of that run.", "从旧到新；点击符号可查看该次报告。"),
    "older": Text(
        "Older runs, counted below and not drawn here: {count}.", "更早的 {count} 次已计入统计，未在此显示。"
    ),
    "changed": Text("What changed", "变化"),
    "changed-none": Text("Nothing changed between these runs.", "这些检测之间没有变化。"),
    "more": Text("… and {count} more.", "……另有 {count} 项。"),
    "all-of": Text("{count} rules", "{count} 条规则"),
    "and-others": Text("further rules that went the same way: {count}", "以及另外 {count} 条规则，情况相同"),
    "run": Text("run", "检测"),
    "flapping": Text("flapping", "反复变化"),
    "flapping-means": Text(
        "changed at least {flaps} times within the last {lately} runs that judged it",
        "最近 {lately} 次判定中至少变化 {flaps} 次",
    ),
    "rules": Text("Rules that changed or are broken", "有变化或不符合的规则"),
    "rules-none": Text("No rule ever changed, and none is broken.", "没有规则发生过变化，也没有不符合的规则。"),
    "steady": Text(
        "Further rules, which never changed and are not broken: {count}.", "另有 {count} 条规则从未变化，也没有不符合。"
    ),
    "rule": Text("Rule", "规则"),
    "now": Text("Now", "当前"),
    "over": Text("Over the runs", "历次结果"),
    "counted": Text("Counted", "统计"),
    "speed": Text("Speed", "速度"),
    "speed-lead": Text(
        "Medians of each run; the band is where the true median lies with 95 % confidence, where there were answers "
        "enough to say.",
        "每次检测的中位数；色带为 95 % 置信区间，仅在回答足够多时显示。",
    ),
    "quantity": Text("Quantity", "指标"),
    "latest": Text("Last", "最近"),
    "range": Text("Lowest and highest median", "中位数的最低与最高"),
    "interval": Text("{low} to {high}, {count} answers", "{low} 至 {high}，{count} 个回答"),
    "few": Text("too few answers for an interval ({count})", "回答太少，没有区间（{count}）"),
    "unread": Text("Runs that change nothing", "不计入的检测"),
    "unread-lead": Text("They could not be read, or were interrupted.", "无法读取，或被中断。"),
    "narrowed": Text("some rules only", "仅部分规则"),
    "rounds": Text("{count} rounds", "{count} 轮"),
    "others": Text("Further providers, which are not drawn: {count}.", "另有 {count} 个服务商未显示。"),
    "legend": Text("Legend", "图例"),
    "holds": Text("holds", "符合"),
    "broken": Text("broken", "不符合"),
    "dropped": Text("not offered", "不提供"),
    "silent": Text("no conclusion", "没有结论"),
}
