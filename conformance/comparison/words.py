"""Every sentence that the page of a comparison says itself, in English and in Chinese."""

from __future__ import annotations

from typing import Any

from conformance.comparison.nouns import Charge
from conformance.reporting.texts import Text

WORDS = {
    "kind": Text("providers compared", "服务商对比"),
    "title": Text("{count} providers, side by side", "{count} 家服务商对比"),
    "skip": Text("Skip to the differences", "跳到差异"),
    "compared": Text("Compared on", "对比范围"),
    "cases": Text("requests that all of them were sent: {count}", "所有服务商都收到的 {count} 个请求"),
    "requirements": Text("Requirements", "要求"),
    "counted": Text("{differ} differ, {alike} are alike", "{differ} 项有差异，{alike} 项一致"),
    "recorded": Text("Recorded", "录制时间"),
    "to": Text("to", "至"),
    "control": Text("Yardstick", "对照"),
    "provider": Text("Provider", "服务商"),
    "providers": Text("Providers", "服务商"),
    "fairness": Text("How fair this comparison is", "这次对比有多公平"),
    "same-plan": Text("All sides were sent the same requests.", "所有服务商收到的请求完全相同。"),
    "left-out": Text(
        "The plans differ. Compared is only what all sides were sent; left out:",
        "各次检测的计划不同。只对比所有服务商都收到的请求；未参与对比的有：",
    ),
    "left-out-of": Text("{left} of {planned} requests", "{planned} 个请求中的 {left} 个"),
    "nothing-common": Text(
        "There is not one request that all sides were sent, so nothing could be compared.",
        "没有任何一个请求是所有服务商都收到的，因此无法对比。",
    ),
    "times-differ-hours": Text(
        "The runs were recorded {count} hours apart: load and upstreams may have been different.",
        "各次录制相隔 {count} 小时：负载与上游可能不同。",
    ),
    "times-differ-days": Text(
        "The runs were recorded {count} days apart: load and upstreams may have been different.",
        "各次录制相隔 {count} 天：负载与上游可能不同。",
    ),
    "narrowed": Text(
        "Some runs were planned for some rules only: all are compared on the rules that all have.",
        "部分检测只针对部分规则：只对比各次检测共有的规则。",
    ),
    "unsettled": Text(
        "Requirements on which fewer than two sides could be judged, so nothing is compared: {count}.",
        "有 {count} 项要求能判定的服务商不足两家：无法对比。",
    ),
    "models-differ": Text(
        "Different models were asked: a difference may be the model's, not the provider's.",
        "请求的模型不同：差异可能来自模型，而不是服务商。",
    ),
    "ended-early": Text("The run of {name} ended early.", "{name} 的检测提前结束。"),
    "interrupted": Text("The record of {name} has no end: it was interrupted.", "{name} 的记录没有结尾：检测被中断。"),
    "rounds-differ": Text(
        "Some sides were recorded more often than others: more rounds find more.",
        "各服务商的录制轮数不同：轮数越多，发现的问题越多。",
    ),
    "results": Text("The result in one sentence", "一句话结论"),
    "all-kept": Text("Keeps all {total} requirements that clients rely on.", "遵守客户端所依赖的全部 {total} 项要求。"),
    "strayed": Text(
        "Strays from {strayed} of {advised} recommendations.", "没有遵守 {advised} 项建议中的 {strayed} 项。"
    ),
    "broken": Text(
        "Breaks {broken} of {total} requirements that clients rely on.",
        "违反客户端所依赖的 {total} 项要求中的 {broken} 项。",
    ),
    "no-must": Text(
        "No requirement that clients rely on was among what was compared.",
        "所对比的内容不涉及客户端所依赖的要求。",
    ),
    "unclear": Text(
        "{unclear} of {total} requirements that clients rely on could not be judged.",
        "客户端所依赖的 {total} 项要求中有 {unclear} 项无法判定。",
    ),
    "errors": Text("The test tool itself went wrong here.", "检测工具在此处出错。"),
    "no-verdict": Text("The run did not come to its end: no conclusion.", "检测没有进行完：无法下结论。"),
    "excused": Text("Breaches that a waiver excuses: {excused}.", "已豁免的问题：{excused} 项。"),
    "ended": Text(
        "Waivers that have ended, which fails this side: {ended}.", "豁免已过期 {ended} 项，因此判为不符合。"
    ),
    "more-waivers": Text("{count} more are in compare.json.", "另有 {count} 项，见 compare.json。"),
    "every-operation": Text("every operation", "所有接口"),
    "worst-at": Text("Broken at", "出问题的接口"),
    "not-offered": Text("Not offered", "不提供"),
    "only-here": Text("Only here, and nowhere else", "仅此一家的问题"),
    "open-report": Text("folder", "文件夹"),
    "suited": Text("Which one for what", "哪家适合做什么"),
    "suited-lead": Text(
        "Whether each provider keeps what a purpose rests on. Every answer follows from verdicts alone; there is no "
        "score. What is broken stands under Why: it may not concern you.",
        "每家服务商是否遵守各用途所依赖的要求。每个结论都只由判定得出，没有打分。违反了什么见“原因”：也许与您无关。",
    ),
    "use": Text("You want to", "用途"),
    "yes": Text("yes", "可以"),
    "broken-for": Text("breaks requirements", "违反要求"),
    "absent-for": Text("not offered", "不提供"),
    "unasked-for": Text("not asked", "未检测"),
    "limits": Text("with limits", "有限制"),
    "unknown": Text("unknown", "未知"),
    "why": Text("Why", "原因"),
    "matrix": Text("Operation by operation", "逐个接口"),
    "matrix-lead": Text(
        "Each field has the sign of its worst verdict, and how many verdicts are that bad. "
        "Open a field for all counts; a dash means that nothing was judged.",
        "每格是最差判定的符号及其数量。点开可看全部计数；横线表示没有判定。",
    ),
    "contracts": Text("Show the contracts", "显示各项依据"),
    "operation": Text("Operation", "接口"),
    "see": Text("see the differences", "查看差异"),
    "signs": Text("Signs", "符号"),
    "differences": Text("Where they differ", "差异"),
    "differences-lead": Text(
        "Requirement by requirement, the worst first; {alike} requirements on which all agree are left out.",
        "逐项列出，最严重的在前；所有服务商一致的 {alike} 项不列出。",
    ),
    "differences-none": Text(
        "On everything that was compared, all sides have the same verdict.", "在所有对比项上，各服务商的判定都相同。"
    ),
    "filter": Text("Filter the differences", "筛选差异"),
    "filter-provider": Text("Trouble at", "出问题的服务商"),
    "filter-operation": Text("Operation", "接口"),
    "filter-contract": Text("Contract", "依据"),
    "filter-verdict": Text("Verdict", "判定"),
    "filter-text": Text("Text", "文字"),
    "any": Text("any", "全部"),
    "shown": Text("shown", "项显示"),
    "reset": Text("Show all", "显示全部"),
    "none-fits": Text("No difference fits this filter.", "没有符合筛选条件的差异。"),
    "breaks": Text("What goes wrong", "后果"),
    "mend": Text("How to mend it", "如何修复"),
    "document": Text("Document", "依据文档"),
    "who": Text("Who", "服务商"),
    "expected": Text("Expected", "预期"),
    "actual": Text("Actual", "实际"),
    "where": Text("Where", "位置"),
    "case": Text("Request", "请求"),
    "status": Text("HTTP status", "HTTP 状态"),
    "no-answer": Text("no answer", "没有响应"),
    "waived": Text("waived", "已豁免"),
    "not-judged": Text("not judged", "没有判定"),
    "link": Text("Link to this difference", "此差异的链接"),
    "more-ways": Text("{count} more are in compare.json.", "另有 {count} 种，见 compare.json。"),
    "side-by-side": Text("The answers side by side", "并排查看回答"),
    "against": Text("{this} beside {other}", "{this} 与 {other} 对比"),
    "answers": Text("The answers as they came", "回答原文"),
    "field": Text("Field", "字段"),
    "line": Text("Line", "行"),
    "skipped": Text("lines left out: {count}", "略去 {count} 行"),
    "alike-lines": Text("lines alike: {count}", "{count} 行相同"),
    "partly": Text("Only the first part was compared.", "只对比了开头部分。"),
    "same-body": Text("The bodies of both answers are the same.", "两个回答的正文相同。"),
    "not-same-request": Text(
        "These are answers to different requests, so only their form can be compared.",
        "两者回答的不是同一个请求，只能比较形式。",
    ),
    "no-reference": Text(
        "No side has a good answer to compare with; the answers are below as they came.",
        "没有正常的回答可供对比；原文见下。",
    ),
    "no-room": Text(
        "The page is full: the comparison of these answers is left out. They are in the ledgers.",
        "页面篇幅已满：此处省略回答的对比；原文在 ledger 中。",
    ),
    "same": Text("same", "相同"),
    "value": Text("other value", "值不同"),
    "type": Text("other type", "类型不同"),
    "added": Text("only here", "仅此处有"),
    "removed": Text("missing here", "此处缺少"),
    "pointed": Text("the finding is about this", "问题在此"),
    "empty": Text("empty", "空"),
    "characters-more": Text("further characters in the ledger: {count}", "ledger 中另有 {count} 个字符"),
    "rest-in-ledger": Text("The rest is in the ledger.", "其余部分见 ledger。"),
    "parameters": Text("Parameters", "参数支持"),
    "parameters-lead": Text(
        "What became of each optional parameter in the valid requests. The ones that differ stand first.",
        "合法请求中每个可选参数的结果；有差异的在前。",
    ),
    "parameter": Text("Parameter", "参数"),
    "parameters-alike": Text("Parameters on which all agree", "结果一致的参数"),
    "parameters-none": Text("No optional parameter was sent.", "没有发送可选参数。"),
    "not-sent": Text("not sent", "未发送"),
    "clients": Text("Known clients", "常见客户端"),
    "clients-lead": Text(
        "What real clients make of the recorded answers, replayed to them.", "真实客户端读取所录回答（回放）的结果。"
    ),
    "client": Text("Client", "客户端"),
    "clients-none": Text(
        "No client has read these runs. For each run folder, do this, and compare again:",
        "还没有客户端读取过这些检测。请对每个文件夹执行下面的命令，然后重新对比：",
    ),
    "clients-some": Text(
        "No client has read some of the runs. For these, do this, and compare again:",
        "部分检测还没有客户端读取过。请执行下面的命令，然后重新对比：",
    ),
    "answers-read": Text("answers: {count}", "{count} 个回答"),
    "speed": Text("How fast", "速度"),
    "speed-lead": Text(
        "One dot is one good answer at the first attempt. The bar is where the median lies with 95 % confidence, the "
        "tick is the median. All providers of a drawing share one scale. Overlapping bars: no difference is shown.",
        "一个点是一次首次尝试即成功的回答。横条是中位数的 95 % 置信区间，竖线是中位数。"
        "同一图中的服务商用同一刻度。横条重叠：看不出差别。",
    ),
    "speed-none": Text("There was no good answer to measure.", "没有可供测量的成功回答。"),
    "speed-more": Text("Other operations", "其他接口"),
    "first-byte": Text("seconds to the first byte", "首字节用时（秒）"),
    "first-content": Text("seconds to the first content", "首段内容用时（秒）"),
    "tokens-per-second": Text("output tokens a second", "每秒输出 token 数"),
    "less": Text("less is better", "越小越好"),
    "more": Text("more is better", "越大越好"),
    "measured": Text("Samples", "样本"),
    "median": Text("Median", "中位数"),
    "interval": Text("95 % interval", "95 % 区间"),
    "count": Text("n", "n"),
    "too-few": Text("n too small for an interval", "n 太小，没有区间"),
    "beyond": Text("{count} beyond the scale", "{count} 个超出刻度"),
    "not-measured": Text("nothing measured", "没有测到"),
    "scale": Text("{least} to {most}", "{least} 至 {most}"),
    "reliability": Text("Reliability at the first attempt", "首次尝试的可靠性"),
    "reliability-lead": Text(
        "The share of good requests that met neither a limit (429), nor an internal error (5xx), nor silence at once. "
        "What is meant to be refused, and what is not offered, is not counted. "
        "A retry that went well does not count as success. The interval is Wilson's, 95 %.",
        "首次尝试时没有遇到限流（429）、内部错误（5xx）或无响应的正常请求所占比例。"
        "本应被拒绝的请求，以及不提供的接口，都不计入。重试后成功不算成功。"
        "区间为 95 % Wilson 区间。",
    ),
    "answered": Text("Answered at once", "首次即有回答"),
    "share": Text("Share", "比例"),
    "cost": Text("What each run cost", "各次检测的消耗"),
    "cost-lead": Text("Of the whole run, attempts included.", "按整次检测计算，包括重试。"),
    "requests": Text("Requests", "请求数"),
    "input-tokens": Text("Input tokens", "输入 token"),
    "output-tokens": Text("Output tokens", "输出 token"),
    "seconds": Text("Seconds", "秒"),
    "rounds": Text("Rounds", "轮数"),
    "planned": Text("Planned", "计划"),
    "compared-cases": Text("Compared", "参与对比"),
    "base-url": Text("Base URL", "接口地址"),
    "model": Text("Model", "模型"),
    "limits-title": Text("What this page does not say", "本页不说明什么"),
    "limit-moment": Text(
        "It saw one moment from one place: a provider may be faster, slower or routed elsewhere the next hour.",
        "只看到一个时刻、一个地点：下一小时可能更快、更慢，或换了上游。",
    ),
    "limit-names": Text(
        "Names of models are only names: nothing here proves which model answered.",
        "模型名只是名称：这里不能证明实际回答的是哪个模型。",
    ),
    "limit-quality": Text(
        "Conformance is not quality: what the models say is not judged, nor what it costs.",
        "符合要求不等于质量好：不评判模型说了什么，也不评判价格。",
    ),
    "limit-score": Text(
        "There is no ranking: which requirement matters depends on what you do.",
        "没有排名：哪项要求重要，取决于您的用途。",
    ),
    "limit-charge": Text(
        "Charges follow from one recording of the yardstick: it may have had luck, or none. And a relay may ask its "
        "upstream in another way than this page did: by another interface, or for another model.",
        "归属只依据对照的一次录制：它可能碰巧正常，也可能碰巧出错。"
        "另外，中转站请求上游的方式可能与本页不同：另一个接口，或另一个模型。",
    ),
    "glossary": Text("What the words mean", "用词说明"),
    "charged": Text("charged to", "归属"),
}

CHARGES = {
    Charge.RELAY: Text("relay", "中转站"),
    Charge.UPSTREAM: Text("upstream", "上游"),
    Charge.BOTH: Text("both", "两者"),
    Charge.UNKNOWN: Text("unknown", "未知"),
}
CHARGE_MEANINGS = {
    Charge.RELAY: Text("charged to the relay: the yardstick does not show it.", "归于中转站：对照没有此问题。"),
    Charge.UPSTREAM: Text(
        "charged to the upstream or the model: the yardstick shows it too.", "归于上游或模型：对照也有此问题。"
    ),
    Charge.BOTH: Text(
        "broken in ways that the yardstick shows, and in others that it does not.",
        "部分问题对照也有，部分对照没有。",
    ),
    Charge.UNKNOWN: Text(
        "the yardstick was not judged on it, or it passed there and chance has a part in it (time, or what a model "
        "happens to say).",
        "对照在此项上没有判定，或对照通过、但此项有偶然因素（耗时，或模型恰好怎么回答）。",
    ),
}


def word(key: str, **values: Any) -> Text:
    """One of the texts, with its places filled."""
    return WORDS[key].fill(**values)
