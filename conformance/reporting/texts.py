"""Every sentence that the reports say themselves, in English and in Chinese."""

from __future__ import annotations

from typing import Any, NamedTuple

from conformance.model import Severity, Verdict


class Text(NamedTuple):
    """The same in two languages."""

    en: str
    zh: str

    def fill(self, **values: Any) -> Text:
        """Put values into the places in braces."""
        return Text(self.en.format(**values), self.zh.format(**values))


SYMBOLS = {
    "pass": "✓",
    "note": "i",
    "unsupported": "−",
    "inconclusive": "?",
    "warn": "!",
    "fail": "✕",
    "error": "‼",
    "not-applicable": "∅",
    "not-run": "○",
}
"""One sign for each verdict word, because colour alone tells nothing to some readers."""

VERDICTS = {
    Verdict.FAIL: Text("fail", "不符合"),
    Verdict.WARN: Text("warn", "警告"),
    Verdict.ERROR: Text("error", "工具出错"),
    Verdict.INCONCLUSIVE: Text("inconclusive", "无法判定"),
    Verdict.UNSUPPORTED: Text("unsupported", "不支持"),
    Verdict.NOTE: Text("note", "备注"),
    Verdict.PASS: Text("pass", "通过"),
    Verdict.NOT_APPLICABLE: Text("not applicable", "不适用"),
    Verdict.NOT_RUN: Text("not run", "未测试"),
}

MEANINGS = {
    Verdict.FAIL: Text("a requirement that clients rely on is broken.", "客户端所依赖的要求没有被遵守。"),
    Verdict.WARN: Text(
        "a recommendation is not kept; some clients may notice.", "建议没有被遵守，部分客户端可能受影响。"
    ),
    Verdict.ERROR: Text(
        "the test tool made a mistake; this says nothing about the relay.", "检测工具自身出错，与中转站无关。"
    ),
    Verdict.INCONCLUSIVE: Text(
        "there was no usable answer (time-out, overload, refused key), so nothing can be said either way.",
        "没有得到可用的回答（超时、过载、密钥被拒等），因此无法下结论。",
    ),
    Verdict.UNSUPPORTED: Text(
        "the relay plainly does not offer this; honest, but do not count on it.",
        "中转站明确不提供此功能；做法诚实，但请不要依赖它。",
    ),
    Verdict.NOTE: Text("worth knowing; nothing is broken.", "值得了解，但没有问题。"),
    Verdict.PASS: Text("seen to hold in every answer that could show it.", "在所有能体现它的回答中都成立。"),
    Verdict.NOT_APPLICABLE: Text("no answer of this run could show it.", "本次检测中没有能体现它的回答。"),
    Verdict.NOT_RUN: Text(
        "nothing was asked, so nothing is known; this is never a pass.", "没有发送请求，因此一无所知；这绝不是通过。"
    ),
}

SEVERITIES = {
    Severity.MUST: Text("clients rely on it", "客户端依赖它"),
    Severity.SHOULD: Text("recommended", "建议遵守"),
    Severity.MAY: Text("optional, only recorded", "可选，仅作记录"),
}

RUN_VERDICTS = {
    "pass": Text("Conforms", "符合要求"),
    "fail": Text("Does not conform", "不符合要求"),
    "inconclusive": Text("No conclusion", "无法下结论"),
    "error": Text("Test tool error", "检测工具出错"),
}

NOT_RUN_SENTENCES = (
    Text("{count} operation was not run.", "有 {count} 个接口未测试。"),
    Text("{count} operations were not run.", "有 {count} 个接口未测试。"),
)
"""What stands after a good verdict that is not about everything: for one, and for more."""
WAIVED_SENTENCES = (
    Text("{count} further breach is waived.", "另有 {count} 项不符合已获豁免。"),
    Text("{count} further breaches are waived.", "另有 {count} 项不符合已获豁免。"),
)
"""What stands after a verdict that waivers have a part in: for one, and for more."""
EXPIRED_SENTENCES = (
    Text("{count} waiver has ended.", "有 {count} 项豁免已过期。"),
    Text("{count} waivers have ended.", "有 {count} 项豁免已过期。"),
)
SENTENCES = {
    "fail": Text(
        "This relay breaks {broken} of {total} requirements that clients rely on.",
        "本中转站违反了客户端所依赖的 {total} 项要求中的 {broken} 项。",
    ),
    "fail-strict": Text(
        "This relay strays from {strayed} of {advised} recommendations, which count as breaches here.",
        "本中转站没有遵守 {advised} 项建议中的 {strayed} 项；严格模式将其视为不符合。",
    ),
    "fail-expired": Text(
        "Waivers have ended ({expired} requirements), which fails this run; nothing else is broken.",
        "豁免已过期（{expired} 项要求），因此本次检测不通过；没有其他不符合。",
    ),
    "pass": Text(
        "This relay keeps all {total} requirements that clients rely on.",
        "本中转站遵守了客户端所依赖的全部 {total} 项要求。",
    ),
    "pass-strayed": Text(
        "This relay keeps all {total} requirements that clients rely on, "
        "and strays from {strayed} of {advised} recommendations.",
        "本中转站遵守了客户端所依赖的全部 {total} 项要求，但没有遵守 {advised} 项建议中的 {strayed} 项。",
    ),
    "pass-minor": Text(
        "No breach was found, but no requirement that clients rely on was among what was tested.",
        "没有发现问题，但本次检测没有涉及客户端所依赖的要求。",
    ),
    "error": Text(
        "The test tool itself went wrong (errors: {errors}), so this report is no verdict on the relay.",
        "检测工具自身出错（{errors} 处），因此本报告不能作为对该中转站的结论。",
    ),
    "stopped": Text(
        "The test ended early, so this report cannot say whether the relay conforms.",
        "检测提前结束，因此本报告无法说明该中转站是否符合要求。",
    ),
    "partial": Text(
        "The test was interrupted, so this report cannot say whether the relay conforms.",
        "检测被中断，因此本报告无法说明该中转站是否符合要求。",
    ),
    "nothing": Text(
        "Nothing could be judged, so this report cannot say whether the relay conforms.",
        "没有任何一项可以判定，因此本报告无法说明该中转站是否符合要求。",
    ),
    "unclear": Text(
        "{unclear} of {total} requirements that clients rely on could not be judged: no conclusion yet.",
        "客户端所依赖的 {total} 项要求中有 {unclear} 项无法判定，因此暂时不能下结论。",
    ),
}

AREAS = {
    "content": Text("Answers", "回答"),
    "money": Text("Billing", "计费"),
    "keys": Text("Keys and errors", "密钥与报错"),
}

OUTLOOKS = {
    ("content", "broken"): Text(
        "{broken} of {total} requirements are broken: answers may be lost, cut off or unreadable.",
        "{total} 项要求中有 {broken} 项不符合：在部分程序中，回答可能丢失、被截断或无法读取。",
    ),
    ("money", "broken"): Text(
        "{broken} of {total} requirements are broken: do not rely on the token counts that you pay by.",
        "{total} 项要求中有 {broken} 项不符合：作为计费依据的 token 数不可信。",
    ),
    ("keys", "broken"): Text(
        "{broken} of {total} requirements are broken: refusals may be misread by programs; see below whether a "
        "wrong key was let in, or a key shown.",
        "{total} 项要求中有 {broken} 项不符合：程序可能误解被拒绝的原因；是否放行了错误的密钥或泄露了密钥，见下文。",
    ),
    ("content", "fine"): Text(
        "answers arrived whole and in the form that programs expect.", "回答完整送达，格式符合程序的预期。"
    ),
    ("money", "fine"): Text(
        "the token counts agree with each other and with the answers.", "token 数前后一致，与回答相符。"
    ),
    ("keys", "fine"): Text(
        "keys are checked, and errors come in a form that programs understand.",
        "密钥经过检查，报错格式能被程序理解。",
    ),
    ("content", "asked"): Text(
        "the answers name another model than the one asked for: ask the provider which model you get.",
        "回答里写的是另一个模型：请向服务商确认实际提供的是哪个模型。",
    ),
    ("money", "asked"): Text(
        "requests are billed hundreds of input tokens more than was written: ask the provider why.",
        "每个请求比实际文字多计数百个输入 token：请向服务商询问原因。",
    ),
    ("", "strayed"): Text(
        "nothing essential is broken; {strayed} of {advised} recommendations are not kept.",
        "没有违反关键要求；{advised} 项建议中有 {strayed} 项没有遵守。",
    ),
    ("", "unclear"): Text(
        "{unclear} of {total} requirements could not be judged.", "{total} 项要求中有 {unclear} 项无法判定。"
    ),
    ("", "error"): Text("the test tool made a mistake here.", "检测工具在此处出错。"),
    ("", "unchecked"): Text("not judged in this run.", "本次检测没有判定。"),
}
"""What the verdicts of an area mean; an empty area stands for any."""

COLUMNS = {
    "documented": Text("documented", "自家文档"),
    "compat": Text("compat", "兼容"),
    "strict": Text("strict", "严格"),
    "behaviour": Text("behaviour", "行为"),
}

COLUMN_MEANINGS = {
    "documented": Text("what the provider's own page promises", "服务商自家页面的承诺"),
    "compat": Text("the form that the official SDK needs", "官方 SDK 所需的格式"),
    "strict": Text("the form that the vendor's own document states", "厂商官方文档规定的格式"),
    "behaviour": Text("what the answers say and do", "回答的内容与行为"),
}

SUPPORT = {
    "honoured": Text("accepted and honoured", "接受并生效"),
    "accepted": Text("accepted; an answer does not show whether it is honoured", "接受；从回答看不出是否生效"),
    "ignored": Text("accepted and ignored", "接受但被忽略"),
    "refused": Text("plainly refused", "明确拒绝"),
    "breaks": Text("breaks", "导致出错"),
    "missing": Text("named by the page, not offered", "文档中列出，但不存在"),
    "checked": Text("checked: {verdict}", "已检测：{verdict}"),
    "variant": Text("checked in its plain form; this variant not yet", "已按通用形式检测，该变体尚未检测"),
    "unchecked": Text("not yet checked", "尚未检测"),
}
"""What became of a parameter, or of an endpoint that a page names."""

PARTS = {
    "property": Text("fields", "字段"),
    "enum": Text("listed values", "枚举值"),
    "bound": Text("bounds", "边界值"),
    "branch": Text("alternatives", "可选形式"),
    "pair": Text("pairs of optional fields", "可选字段两两组合"),
}
"""The kinds of parts that a request schema has."""

HINTS = {
    "unreachable": Text("check the address, and whether the relay is online", "请检查地址，以及中转站是否在线"),
    "redirected": Text(
        "if you trust the new address, give it as the base URL", "如果信任重定向后的地址，请把它作为 base URL"
    ),
    "wrong-base-url": Text(
        "look for the API address on the provider's page; it often ends in /v1",
        "请在服务商页面查找 API 地址，通常以 /v1 结尾",
    ),
    "no-credit": Text("top up the account, or use another key", "请充值，或换一个密钥"),
    "key-rejected": Text("check that the key was copied whole and is active", "请检查密钥是否完整复制并且有效"),
    "unknown-model": Text("choose a model that the relay lists", "请选择中转站列出的模型"),
    "no-chat": Text("check the base URL", "请检查 base URL"),
    "unavailable": Text("try again later", "请稍后再试"),
}
"""What to do about a run that stopped, by the code of the stop."""

UI = {
    "parameters": Text("Parameters", "参数支持"),
    "parameters-lead": Text(
        "What became of each optional parameter in the valid requests of this run.",
        "本次检测的合法请求中，每个可选参数的结果。",
    ),
    "parameter": Text("Parameter", "参数"),
    "support": Text("Result", "结果"),
    "sent-times": Text("Sent", "发送次数"),
    "refused-times": Text("plainly refused in {count} of {sent}", "{sent} 次中有 {count} 次被明确拒绝"),
    "beside": Text("together with {names}", "与 {names} 一起时"),
    "page": Text("The provider's own page", "服务商自己的文档"),
    "page-lead": Text("Every endpoint that the navigation of {title} names.", "{title} 的目录中列出的每个接口。"),
    "page-title": Text("Entry", "条目"),
    "method": Text("Method", "方法"),
    "coverage": Text("Generated requests", "生成的请求"),
    "coverage-lead": Text(
        "How much of the request schema the {count} valid generated requests that were answered cover.",
        "得到回答的 {count} 个生成的合法请求覆盖了请求结构的多少。",
    ),
    "coverage-part": Text("Part", "部分"),
    "coverage-covered": Text("Covered", "已覆盖"),
    "coverage-missing": Text("Not covered", "未覆盖"),
    "smallest": Text("The smallest request that still fails", "仍会失败的最小请求"),
    "smallest-took": Text("found with {count} further requests", "另外用了 {count} 次请求"),
    "smallest-more": Text("the budget ended the search, a smaller one may exist", "预算用完，可能还有更小的请求"),
    "title": Text("relay conformance report", "中转站一致性检测报告"),
    "colon": Text(": ", "："),
    "skip": Text("Skip to the findings", "跳到检测发现"),
    "theme": Text("Dark / light", "深色 / 浅色"),
    "base-url": Text("Base URL", "接口地址"),
    "model": Text("Model", "模型"),
    "date": Text("Tested", "检测时间"),
    "tool": Text("Tool", "检测工具"),
    "recorded-by": Text("recorded by", "录制版本"),
    "contract": Text("Contract", "依据"),
    "contract-is": Text(
        "the vendors' interfaces: compat (what the official SDK needs) and strict (the vendor's own document)",
        "各厂商接口：兼容（官方 SDK 所需）与严格（厂商官方文档）",
    ),
    "contract-page": Text("documented (the provider's own page, {title})", "自家文档（服务商页面 {title}）"),
    "strict-on": Text("Recommendations count as requirements here (strict).", "本报告把建议也视为要求（严格模式）。"),
    "for-me": Text("What this means for you", "这对您意味着什么"),
    "spent": Text("What the test used", "检测消耗"),
    "requests": Text("requests", "次请求"),
    "input-tokens": Text("input tokens", "输入 token"),
    "output-tokens": Text("output tokens", "输出 token"),
    "seconds": Text("seconds", "秒"),
    "stopped": Text("The test ended early", "检测提前结束"),
    "partial": Text("The test was interrupted", "检测被中断"),
    "partial-means": Text(
        "The record has no end: what is shown is what had been recorded by then.",
        "记录没有结尾：这里显示的是中断之前录到的内容。",
    ),
    "not-sent": Text(
        "{missing} of {planned} planned requests were not sent.",
        "计划的 {planned} 个请求中有 {missing} 个没有发送。",
    ),
    "only-rules": Text("Only a selection of rules was tested:", "只检测了部分规则："),
    "matrix": Text("At a glance", "总览"),
    "operation": Text("Operation", "接口"),
    "none": Text("none", "无"),
    "findings": Text("Findings", "检测发现"),
    "findings-none": Text("There is nothing to report.", "没有需要报告的内容。"),
    "findings-unjudged": Text(
        "Nothing could be judged: nothing speaks for this relay, and nothing against it.",
        "没有任何一项可以判定：既不能说明它好，也不能说明它不好。",
    ),
    "breaches-none": Text("No requirement or recommendation was found broken.", "没有发现违反要求或建议的情况。"),
    "others": Text("Not judged, not offered, or worth knowing", "无法判定、不支持或值得了解"),
    "breaks": Text("What goes wrong", "后果"),
    "expected": Text("Expected", "预期"),
    "actual": Text("Actual", "实际"),
    "where": Text("Where", "位置"),
    "document": Text("Document", "依据"),
    "exchange": Text("Exchange", "请求与响应"),
    "reason": Text("Reason", "原因"),
    "deviation": Text("Known relay behaviour", "已知的中转站行为"),
    "deviation-means": Text("seen in other relays too; still a deviation", "其他中转站也有此现象，但仍属偏差"),
    "more-places": Text("different elsewhere: {count}", "另有 {count} 处不同的情况"),
    "more-findings": Text("Further ones in results.json: {count}.", "另有 {count} 处，见 results.json。"),
    "curl": Text("Send it again yourself (without the key)", "自行重发请求（不含密钥）"),
    "curl-key": Text("Set {name} to your key first.", "请先将 {name} 设置为您的密钥。"),
    "curl-long": Text(
        "The request is too long to print here; it is in the ledger.",
        "请求过长，未在此显示；完整内容见 ledger。",
    ),
    "copy": Text("Copy", "复制"),
    "copied": Text("Copied", "已复制"),
    "passed": Text("What holds", "通过的项目"),
    "passed-count": Text("Checks passed: {count}", "{count} 项检查通过"),
    "clients": Text("Real clients", "真实客户端"),
    "clients-lead": Text(
        "What these clients make of the recorded answers, replayed to them; the relay was not asked again.",
        "这些客户端读取所录回答（本机回放）的结果；没有再次请求中转站。",
    ),
    "client-cases": Text("answers: {count}, first", "{count} 个回答，首个："),
    "not-run": Text("Not run", "未测试"),
    "not-run-lead": Text(
        "Nothing was asked here, so nothing is known: this is no pass.",
        "这些接口没有发送任何请求，因此一无所知：这不是通过。",
    ),
    "not-run-why": Text("Why", "原因"),
    "not-run-count": Text("Checks that were not run: {count}", "{count} 项检查没有进行"),
    "other-models": Text("Other models", "其他模型"),
    "picked": Text("picked from the relay's list", "个从中转站的模型列表中选取"),
    "given": Text("given by the user", "由用户指定"),
    "not-applicable-count": Text("Checks that did not apply: {count}", "{count} 项检查不适用"),
    "requirement": Text("Requirement", "要求"),
    "level": Text("Level", "级别"),
    "rule": Text("Rule", "规则"),
    "seen-in": Text("Looked at", "检查了"),
    "more": Text("+{count}", "+{count}"),
    "exchanges": Text("Every request and answer", "所有请求与响应"),
    "exchanges-lead": Text(
        "The evidence, with keys masked. Open a line to see what was sent and what came back.",
        "全部证据，密钥已隐去。点开一行即可查看发送与收到的内容。",
    ),
    "preflight": Text("before the test: looking for the base URL, not judged", "检测前：查找接口地址，不参与判定"),
    "print-evidence": Text(
        "Only the exchanges that findings point at are printed, and these shortened; the file report.html has all.",
        "打印时只含检测发现所引用的请求与响应，并有删节；完整内容见 report.html 文件。",
    ),
    "request": Text("Request", "请求"),
    "response": Text("Response", "响应"),
    "headers": Text("Headers", "标头"),
    "body": Text("Body", "正文"),
    "empty": Text("empty", "空"),
    "source": Text("Source", "来源"),
    "values-more": Text("values left out here: {count}; the ledger has them", "此处省略 {count} 个值，见 ledger"),
    "bytes-more": Text("further bytes in the ledger: {count}", "ledger 中另有 {count} 字节"),
    "headers-more": Text("further headers in the ledger: {count}", "ledger 中另有 {count} 个标头"),
    "events": Text("events: {count}", "{count} 个事件"),
    "events-more": Text("further events in the ledger: {count}", "ledger 中另有 {count} 个事件"),
    "no-response": Text("no answer", "没有响应"),
    "failure": Text("What went wrong", "出错原因"),
    "attempts": Text("Earlier attempts", "此前的尝试"),
    "attempt": Text("{what}, then {waited} s of waiting", "{what}，随后等待 {waited} 秒"),
    "times": Text("first byte {first} s, {seconds} s in all", "首字节 {first} 秒，共 {seconds} 秒"),
    "first-byte": Text("first byte", "首字节"),
    "first-content": Text("first content", "首段内容"),
    "timing": Text("How fast", "速度"),
    "timing-lead": Text(
        "Seconds after sending, in this one run. Each mark is one answer.",
        "单位为秒，自发送起计，仅本次检测。每个标记代表一次回答。",
    ),
    "timing-none": Text("There was no successful answer to measure.", "没有可供测量的成功回答。"),
    "what": Text("What", "项目"),
    "least": Text("min", "最短"),
    "median": Text("median", "中位"),
    "most": Text("max", "最长"),
    "answers": Text("answers", "回答数"),
    "scale": Text("0 to {most} s", "0 至 {most} 秒"),
    "strip": Text(
        "answers: {count}, between {least} and {most} seconds, median {median}",
        "{count} 次回答，{least} 至 {most} 秒，中位 {median} 秒",
    ),
    "arrivals": Text("When the events of each stream came", "各个流式响应的事件到达时间"),
    "arrivals-lead": Text(
        "Marks spread over the line: text appears bit by bit. All at the end: it came at once.",
        "标记分散：文字逐步出现。标记都在末尾：内容被攒住，最后一次性送达。",
    ),
    "arrivals-strip": Text("events: {count}, from {first} to {last} seconds", "{count} 个事件，{first} 至 {last} 秒"),
    "arrivals-more": Text("Further streams in the ledger: {count}.", "另有 {count} 个流，见 ledger。"),
    "causes": Text(
        "{lines} findings with {causes} causes, worst first.", "{lines} 项发现，{causes} 个原因，严重的在前。"
    ),
    "same-cause": Text("{count} findings, most likely of one cause", "{count} 项发现，很可能出于同一原因"),
    "more-of-cause": Text("Everything with this cause", "同一原因的全部发现"),
    "mend": Text("How to mend it", "如何修复"),
    "known-in": Text("Known software", "已知软件"),
    "is-missing": Text("is missing here", "此处缺失"),
    "ticket": Text("As text for a ticket", "以文本复制，用于工单"),
    "ticket-head": Text("Conformance finding", "一致性检测发现"),
    "link-here": Text("Link to this place: copies the address", "指向此处的链接（复制地址）"),
    "filter": Text("Filter findings and checks", "筛选发现与检查项"),
    "filter-verdict": Text("Verdict", "结论"),
    "filter-contract": Text("Contract", "依据"),
    "filter-text": Text("Text", "文字"),
    "filter-hint": Text("word, rule or request; press /", "文字、规则或请求；按 /"),
    "filter-all": Text("all", "全部"),
    "filter-reset": Text("Reset", "重置"),
    "filter-shown": Text("of", "/"),
    "filter-unit": Text("shown", "项"),
    "filter-none": Text("Nothing fits this filter.", "没有符合筛选条件的内容。"),
    "waivers": Text("Waivers", "豁免"),
    "waivers-lead": Text(
        "Somebody has accepted these breaches for a time: they do not fail the run, and are not mended either.",
        "有人在一段时间内接受了这些不符合项：它们不使检测失败，但也并未修复。",
    ),
    "waived": Text("waived until {until}", "豁免至 {until}"),
    "waiver-ended": Text("waiver ended on {until}", "豁免已于 {until} 过期"),
    "waiver-by": Text("{owner}: {reason}", "{owner}：{reason}"),
    "waiver-reason": Text("Reason", "理由"),
    "waiver-owner": Text("Owner", "负责人"),
    "waiver-until": Text("Until", "截止"),
    "waiver-state": Text("State", "状态"),
    "interval": Text("95 % interval of the median", "中位数的 95 % 区间"),
    "interval-is": Text("{low} to {high}", "{low} 至 {high}"),
    "too-few": Text("n too small", "样本太少"),
    "tokens-per-second": Text("tokens per second", "每秒 token 数"),
    "scale-rate": Text("0 to {most} tokens per second", "0 至 {most} token/秒"),
    "timeline": Text("When it came", "到达过程"),
    "line-gap": Text(
        "longest gap {seconds:,.3f} s, after event {after}", "最长间隔 {seconds:,.3f} 秒，在事件 {after} 之后"
    ),
    "line-done": Text("[DONE] after {seconds:,.3f} s", "[DONE] 于 {seconds:,.3f} 秒"),
    "line-no-done": Text("no [DONE]", "没有 [DONE]"),
    "line-end": Text("end after {seconds:,.3f} s", "结束于 {seconds:,.3f} 秒"),
    "line-events": Text(
        "{count:,} events, the last after {seconds:,.3f} s", "{count:,} 个事件，最后一个于 {seconds:,.3f} 秒"
    ),
    "line-first-byte": Text("first byte after {seconds:,.3f} s", "首字节于 {seconds:,.3f} 秒"),
    "line-first-content": Text("first content after {seconds:,.3f} s", "首段内容于 {seconds:,.3f} 秒"),
    "limits": Text("What this report does not say", "本报告不说明什么"),
    "limits-quality": Text(
        "Conformance is not quality: a relay may keep every rule and still be slow or dear.",
        "符合要求不等于质量好：遵守全部规则的中转站也可能又慢又贵。",
    ),
    "limits-model": Text(
        "What the model says is not judged, nor whether it is the model that you pay for.",
        "不评判模型说了什么，也不证明它就是您付费购买的模型。",
    ),
    "limits-moment": Text(
        "It saw one moment: a relay may change its upstream the next minute.",
        "只看到一个时刻：中转站下一分钟就可能更换上游。",
    ),
    "glossary": Text("What the words mean", "用词说明"),
}


def text(key: str, **values: Any) -> Text:
    """One of the texts, with its places filled."""
    return UI[key].fill(**values)
