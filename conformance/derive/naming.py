"""Navigation titles and paths to our operation ids: data, in the order in which it is tried.

What a page calls an endpoint is all that is known of most of them, so titles are names too. A path, where one is
given, decides before the title does.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

KINDS = ("endpoint", "text", "reference")
LONGEST = 200
"""Characters of a title that are looked at."""


@dataclass(frozen=True)
class Name:
    """What a leaf of the navigation is: `kind` one of `KINDS`, an operation id for endpoints that have one."""

    kind: str
    operation: str = ""
    variant: str = ""
    """Which edition of the operation, in the page's own words; empty for the plain one."""


_PATHS = (
    # Path after the base path, without query -> operation. The first that matches counts.
    ("GET", r"/models", "models.list"),
    ("GET", r"/models/[^/]+", "models.retrieve"),
    ("POST", r"/chat/completions", "chat"),
    ("POST", r"/completions", "completions"),
    ("POST", r"/embeddings", "embeddings"),
    ("POST", r"/audio/transcriptions", "audio.transcriptions"),
    ("POST", r"/audio/translations", "audio.translations"),
    ("", r"/audio/speech", "audio.speech"),
    ("POST", r"/recraft(/v1)?/images/generations", "recraft.generations"),
    ("POST", r"/kling(/v1)?/images/generations", "kling.images"),
    ("POST", r"/images/generations", "images.generations"),
    ("POST", r"/images/edits", "images.edits"),
    ("POST", r"/images/variations", "images.variations"),
    ("POST", r"/moderations", "moderations"),
    ("", r"/dashboard/billing/usage", "billing.usage"),
    ("", r"/dashboard/billing/subscription", "billing.subscription"),
    ("POST", r"/rerank", "rerank"),
    ("POST", r"/responses", "responses"),
    ("POST", r"/messages", "messages"),
    ("POST", r"/models/[^/]+:(stream)?generatecontent", "gemini.generate"),
    ("POST", r"/submit/(imagine|action|blend|describe|modal|shorten)", "mj.{1}"),
    ("POST", r"/insight-face/swap", "mj.swap-face"),
    ("POST", r"/submit/upload-discord-images", "mj.upload"),
    ("GET", r"/mj/task/list", "mj.task.list"),
    ("POST", r"/task/list-by-(condition|ids)", "mj.task.by-ids"),
    ("POST", r"/mj/task/query", "mj.task.page"),
    ("GET", r"/mj/task/queue", "mj.task.queue"),
    ("POST", r"/task/[^/]+/cancel", "mj.task.cancel"),
    ("GET", r"/mj/task/[^/]+/fetch", "mj.task.fetch"),
    ("GET", r"/task/[^/]+/image-seed", "mj.task.seed"),
    ("POST", r"/suno/submit/(music|lyrics|concat)", "suno.{1}"),
    ("GET", r"/suno/fetch/[^/]+", "suno.fetch"),
    ("POST", r"/suno/fetch", "suno.fetch-many"),
    ("POST", r"/suno/v1/v3[^/]*/music(/generate)?", "suno.v3.music"),
    ("POST", r"/suno/v1/v3[^/]*/music/concat", "suno.v3.concat"),
    ("GET", r"/suno/v1/v3[^/]*/music/[^/]+", "suno.v3.fetch"),
    ("POST", r"/suno/v1/([^/]+/)?music", "suno.goamz.music"),
    ("GET", r"/suno/v1/([^/]+/)?music/[^/]+", "suno.goamz.fetch"),
    ("POST", r"/luma(/v\d)?/generations", "luma.generate"),
    ("GET", r"/luma(/v\d)?/generations/[^/]+/download_video_url", "luma.download"),
    ("POST", r"/luma(/v\d)?/generations/[^/]+/extend", "luma.extend"),
    ("GET", r"/luma(/v\d)?/generations/[^/]+", "luma.fetch"),
    ("POST", r"/luma(/v\d)?/tasks", "luma.fetch-many"),
    ("GET", r"/get_result", "flux.fetch"),
    ("POST", r"/flux-[\w.-]+", "flux.generate"),
    ("POST", r"/recraft(/v1)?/styles", "recraft.styles"),
    ("POST", r"/images/vectorize", "recraft.vectorize"),
    ("POST", r"/images/removebackground", "recraft.remove-background"),
    ("POST", r"/images/(clarityupscale|crispupscale)", "recraft.clarity-upscale"),
    ("POST", r"/images/(generativeupscale|creativeupscale)", "recraft.generative-upscale"),
    ("POST", r"/stable-image/generate/(ultra|core|sd3)", "stability.{1}"),
    ("POST", r"/generation/[^/]+/text-to-image", "stability.text-to-image"),
    ("POST", r"/api/ideogram/task-request", "ideogram.reverse.fetch"),
    ("POST", r"/api/ideogram/(describe|merge|upscale)", "ideogram.reverse.{1}"),
    ("POST", r"/api/ideogram/text2image", "ideogram.reverse.generate"),
    ("POST", r"/ideogram/(generate|remix|upscale|describe)", "ideogram.{1}"),
    ("POST", r"/videos/(text2video|image2video)", "kling.{1}"),
    ("GET", r"/kling(/v1)?/(images/generations|videos/[^/]+)/[^/]+", "kling.fetch"),
    ("POST", r"/image_to_video", "runway.image-to-video"),
    ("GET", r"/runwayml(/v1)?/tasks/[^/]+", "runway.fetch"),
    ("POST", r"/v4/videos/generations", "cogvideox.generate"),
    ("GET", r"/async-result/[^/]+", "cogvideox.fetch"),
    ("POST", r"/viggle/asset/(image|video)(/[^/]+)?", "viggle.asset.{1}"),
    ("GET", r"/viggle/template2?", "viggle.templates"),
    ("POST", r"/viggle/video-task", "viggle.mix"),
    ("POST", r"/viggle/video-task/by-ids", "viggle.fetch"),
    ("POST", r"/viggle/video-task/credit/calculate", "viggle.credit"),
)

_TEXTS = (
    # Pages that document no endpoint.
    r"常见问题|常见错误|错误代码|状态码|error codes?|faq",
    r"介绍|前言|必读|身份验证|鉴权|发出请求|快速开始|补充 ?-|使用说明|更新日志|价格",
    r"introduction|authentication|making requests|getting started|quick ?start|overview|changelog|pricing",
    r"示例 ?\d|代码例子|代码展示|sdk|(python|java|go|node(\.js)?|curl|php)( 示例| example)",
)
_REFERENCE = r".*(对象|object)"

_FAMILIES = (
    # Folder (or title) -> the titles of that family. None of them is asked about elsewhere.
    (
        r"midjourney|(^|/)mj\b",
        (
            (r"swap.?face|换脸", "mj.swap-face"),
            (r"imagine|文生图|绘图", "mj.imagine"),
            (r"blend|混图", "mj.blend"),
            (r"describe|图生文", "mj.describe"),
            (r"modal|局部重绘", "mj.modal"),
            (r"shorten|缩短", "mj.shorten"),
            (r"上传|upload", "mj.upload"),
            (r"seed", "mj.task.seed"),
            (r"id ?列表|by ids?|批量", "mj.task.by-ids"),
            (r"分页|by page|paginat", "mj.task.page"),
            (r"队列|queue", "mj.task.queue"),
            (r"取消|cancel", "mj.task.cancel"),
            (r"所有任务|list (all )?tasks", "mj.task.list"),
            (r"获取任务|查询.*任务|fetch|get task", "mj.task.fetch"),
            (r"动作|action", "mj.action"),
        ),
    ),
    (
        r"suno.*/(rocket|goamz)",
        ((r"生成|generate|create", "suno.goamz.music"), (r"查询|获取|query|fetch", "suno.goamz.fetch")),
    ),
    (
        r"suno.*/v3",
        (
            (r"合并|concat", "suno.v3.concat"),
            (r"生成|generate|create", "suno.v3.music"),
            (r"获取|查询|fetch|get", "suno.v3.fetch"),
        ),
    ),
    (
        r"suno音乐|suno.*(api|接口|music)",
        (
            (r"歌词|lyrics", "suno.lyrics"),
            (r"合并|concat", "suno.concat"),
            (r"批量|batch", "suno.fetch-many"),
            (r"查询|获取|fetch|query", "suno.fetch"),
            (r"生成|music|generate", "suno.music"),
        ),
    ),
    (
        r"luma",
        (
            (r"无水印|download|watermark", "luma.download"),
            (r"扩展|extend", "luma.extend"),
            (r"批量|batch", "luma.fetch-many"),
            (r"查询|获取|fetch|query|get", "luma.fetch"),
            (r"生成|generate|create", "luma.generate"),
        ),
    ),
    (r"flux", ((r"查询|result|fetch|query", "flux.fetch"), (r"flux|生成|generate", "flux.generate"))),
    (
        r"recraft",
        (
            (r"样式|style", "recraft.styles"),
            (r"矢量|vectori[sz]e", "recraft.vectorize"),
            (r"背景|background", "recraft.remove-background"),
            (r"清晰度|clarity|crisp", "recraft.clarity-upscale"),
            (r"生成式放大|generative|creative", "recraft.generative-upscale"),
            (r"生成|generat", "recraft.generations"),
        ),
    ),
    (
        r"stability|sdxl|stable image",
        (
            (r"ultra", "stability.ultra"),
            (r"core", "stability.core"),
            (r"diffusion 3|sd3", "stability.sd3"),
            (r"text.?to.?image|文生图", "stability.text-to-image"),
        ),
    ),
    (
        r"ideogram.*(逆向|reverse)",
        (
            (r"任务|查询|task", "ideogram.reverse.fetch"),
            (r"描述|describe", "ideogram.reverse.describe"),
            (r"合成|merge|remix", "ideogram.reverse.merge"),
            (r"放大|upscale", "ideogram.reverse.upscale"),
            (r"文生图|generate|text", "ideogram.reverse.generate"),
        ),
    ),
    (
        r"ideogram",
        (
            (r"generate|文生图", "ideogram.generate"),
            (r"remix|混合", "ideogram.remix"),
            (r"upscale|放大", "ideogram.upscale"),
            (r"describe|描述", "ideogram.describe"),
        ),
    ),
    (
        r"kling|可灵",
        (
            (r"图生视频|image.?(2|to).?video", "kling.image2video"),
            (r"文生视频|text.?(2|to).?video", "kling.text2video"),
            (r"查询|获取|fetch|query", "kling.fetch"),
            (r"图像|图片|image", "kling.images"),
        ),
    ),
    (r"runway", ((r"图生视频|image.?to.?video", "runway.image-to-video"), (r"查询|获取|fetch|query", "runway.fetch"))),
    (r"cogvideo", ((r"查询|获取|fetch|query|result", "cogvideox.fetch"), (r"生成|generat", "cogvideox.generate"))),
    (
        r"viggle",
        (
            (r"素材.*视频|视频素材|video asset", "viggle.asset.video"),
            (r"图片素材|素材.*图片|image asset", "viggle.asset.image"),
            (r"multi.*模板|multi.*template", "viggle.multi-templates"),
            (r"模板|template", "viggle.templates"),
            (r"积分|credit", "viggle.credit"),
            (r"查询|获取|fetch|query", "viggle.fetch"),
            (r"(mix|multi|move)\b.*", "viggle.{1}"),
            (r"(mix|multi|move)上传.*", "viggle.{1}"),
        ),
    ),
)

_PLAIN = (
    # Titles of OpenAI's own endpoints. Those of chat come last: whole models are called by their name alone.
    (r"(列出|获取|查询).*模型|模型列表|list (all )?(available )?models", "models.list"),
    (r"(检索|查询单个)模型|retrieve (a )?model", "models.retrieve"),
    (r"嵌入|embeddings?", "embeddings"),
    (r"转录|语音转文字|whisper|transcri", "audio.transcriptions"),
    (r"音频翻译|创建翻译|translation", "audio.translations"),
    (r"tts|文本转语音|文字转语音|语音合成|speech", "audio.speech"),
    (r"变体|image variation|create variation", "images.variations"),
    (r"(图像|图片)编辑|编辑(图像|图片)|image edit|edit (an )?image", "images.edits"),
    (r"gpt.*(画图|生成图片|分析|文件)|图片分析|识图", "chat"),
    (r"dall.?e|stable.?diffusion|(创建|生成)(图像|图片)|图像生成|绘画", "images.generations"),
    (r"(create|generate) (an )?image|image gen", "images.generations"),
    (r"审核|审查|moderation", "moderations"),
    (r"已用额度|用量查询|使用量|usage", "billing.usage"),
    (r"余额|订阅|subscription|balance", "billing.subscription"),
    (r"重排|rerank", "rerank"),
    (r"responses?( api)?", "responses"),
    (r"(claude|anthropic).*(原生|native)|messages", "messages"),
    (r"gemini.*(原生|native)|generatecontent", "gemini.generate"),
    (r"聊天|对话|chat|流式输出", "chat"),
    (r"内容补全|创建完成|自动补全|(create )?(a )?completions?", "completions"),
    (r"gpts?\b|gpt-|gemini|claude|anthropic|\bo\d|deepseek|qwen|suno|模型", "chat"),
    (r"创建函数调用|function call|结构化输出|structured output", "chat"),
)

_GENERAL = re.compile(
    # Titles that mean the operation itself, and no variant of it.
    r"(openai)?(普通)?(聊天|对话)(接口|补全|模型|完成)?(\(通用\))?|openai普通聊天模型|创建聊天(补全|完成)?|"
    r"(创建|生成)?(图像|图片)(生成)?|(create )?(a )?chat( completions?)?|(create )?(an )?images?( generations?)?"
)
_WITH_VARIANTS = frozenset({"chat", "images.generations", "flux.generate"})
_BY_IDS_DISPLAYS = "displays"


def name(title: str, folder: tuple[str, ...] = (), method: str = "", path: str = "") -> Name:
    """What a leaf of the navigation, or an endpoint, is; `path` without host, `method` empty where unknown."""
    plain, place = _normal(title), "/".join(_normal(part) for part in folder)
    operation = _by_path(method, path) or _by_family(plain, place)
    if operation:
        return Name("endpoint", operation, _variant(operation, title, plain, folder))
    if not path and re.fullmatch(_REFERENCE, plain) and not method:
        return Name("reference")
    if not path and not method and any(re.search(each, plain) for each in _TEXTS):
        return Name("text")
    operation = _first(_PLAIN, plain)
    if operation and not path:
        return Name("endpoint", operation, _variant(operation, title, plain, folder))
    if path or method:
        return Name("endpoint", slug(f"/{path.lstrip('/')}" if path else plain))
    return Name("text")


def path_of(url: str) -> str:
    """The path of a URL or path, without query; variables of a page (`{{BASE_URL}}/v1/x`) count as the host."""
    without = re.sub(r"^(https?:)?//[^/?#]*|^\{\{[^}]*\}\}", "", url.strip())
    return re.split(r"[?#\s]", without, maxsplit=1)[0].rstrip("/")


def base_path(path: str) -> str | None:
    """What stands before the operation's own part, such as `/v1`; None for a path that we do not know."""
    for _, pattern, operation in _PATHS:
        found = _pattern(pattern).search(path.lower())
        if found and operation in _BASED:
            return path[: found.start()]
    return None


_BASED = frozenset({
    *("models.list", "models.retrieve", "chat", "completions", "embeddings", "audio.transcriptions"),
    *("audio.translations", "audio.speech", "images.generations", "images.edits", "images.variations"),
    *("moderations", "responses", "messages", "rerank"),
})  # fmt: skip


def _normal(text: str) -> str:
    """Lower case, full-width characters and runs of blanks made plain."""
    return " ".join(unicodedata.normalize("NFKC", text[:LONGEST]).lower().split())


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(f"{path}$")


def _by_path(method: str, path: str) -> str:
    for wanted, pattern, operation in _PATHS:
        found = _pattern(pattern).search(path.lower())
        if found and path and wanted in {"", method or wanted}:
            return operation.replace("{1}", found[1] or "") if "{1}" in operation else operation
    return ""


def _by_family(plain: str, place: str) -> str:
    """The operation of a family that the folder names, or, below a folder that names none, the title."""
    for family, titles in _FAMILIES:
        if re.search(family, place):
            return _first(titles, plain)
    return ""


def _first(table: tuple[tuple[str, str], ...], plain: str) -> str:
    for pattern, operation in table:
        found = re.search(pattern, plain)
        if found:
            return operation.replace("{1}", found[1]) if "{1}" in operation else operation
    return ""


def _variant(operation: str, title: str, plain: str, folder: tuple[str, ...]) -> str:
    """The page's own words for the edition that it documents."""
    if operation.startswith("suno.v3."):
        return folder[-1]
    if operation in _WITH_VARIANTS and not _GENERAL.fullmatch(plain):
        return title.strip()
    return title.strip() if _BY_IDS_DISPLAYS in plain else ""


def slug(text: str) -> str:
    """An id for an endpoint that we have no name for: `other.` and what ASCII its path, title or file has."""
    words = re.findall(r"[a-z0-9]+", re.sub(r"\{[^}]*\}|^/v\d+(?=/)", "", text.lower()))
    return ("other." + ("-".join(words) or "unnamed"))[:80].rstrip("-")
