"""Titles and paths to operation ids."""

import pytest

from conformance.derive.naming import Name, base_path, name, path_of

CHAT = ("模型接口", "聊天接口(Chat)")
MJ = ("Midjourney", "任务查询")


@pytest.mark.parametrize(
    ("title", "folder", "method", "operation", "variant"),
    [
        ("聊天接口", CHAT, "POST", "chat", ""),
        ("聊天接口（通用）", CHAT, "POST", "chat", ""),
        ("Create chat completion", (), "", "chat", ""),
        ("gpts", CHAT, "POST", "chat", "gpts"),
        ("gemini-pro", CHAT, "", "chat", "gemini-pro"),
        ("gpt-4-all(生成图片)", ("图像接口(Images)",), "", "chat", "gpt-4-all(生成图片)"),
        ("Suno", CHAT, "POST", "chat", "Suno"),
        ("内容补全接口", (), "", "completions", ""),
        ("创建嵌入", (), "", "embeddings", ""),
        ("创建转录", (), "", "audio.transcriptions", ""),
        ("创建翻译", (), "", "audio.translations", ""),
        ("TTS文本转语音", (), "GET", "audio.speech", ""),
        ("DALL·E 3", (), "", "images.generations", "DALL·E 3"),
        ("创建图像", (), "POST", "images.generations", ""),
        ("图像编辑", (), "", "images.edits", ""),
        ("创建图像变体", (), "", "images.variations", ""),
        ("内容审核", (), "", "moderations", ""),
        ("已用额度查询", (), "GET", "billing.usage", ""),
        ("余额查询", (), "POST", "billing.subscription", ""),
        ("列出可用模型", (), "GET", "models.list", ""),
        ("Retrieve model", (), "GET", "models.retrieve", ""),
        ("Rerank", (), "", "rerank", ""),
        ("Responses API", (), "", "responses", ""),
        ("Claude 原生格式", (), "", "messages", ""),
        ("提交Imagine任务", ("Midjourney", "任务提交"), "", "mj.imagine", ""),
        ("根据ID列表查询任务-字段displays", MJ, "", "mj.task.by-ids", "根据ID列表查询任务-字段displays"),
        ("指定ID获取任务", MJ, "", "mj.task.fetch", ""),
        ("获取任务图片的seed(需设置私信ID)", MJ, "", "mj.task.seed", ""),
        ("生成音乐", ("Suno音乐(逆向)", "v3.5"), "", "suno.v3.music", "v3.5"),
        ("查询任务", ("Suno音乐接口", "Rocket/GoAmz接口格式"), "", "suno.goamz.fetch", ""),
        ("批量查询任务", ("Suno音乐接口", "NewAPI接口格式(通用)"), "", "suno.fetch-many", ""),
        ("flux-dev", ("Flux图像(官方格式)",), "", "flux.generate", "flux-dev"),
        ("文生图", ("Ideogram图像(逆向)",), "", "ideogram.reverse.generate", ""),
        ("Generate(文生图)", ("Ideogram图像(官方格式)",), "", "ideogram.generate", ""),
        ("Multi模板列表", ("Viggle舞蹈(逆向)",), "", "viggle.multi-templates", ""),
        ("Move上传视频并生成视频", ("Viggle舞蹈(逆向)",), "", "viggle.move", ""),
        ("全新接口 Foo Bar", (), "POST", "other.foo-bar", ""),
        ("全新接口", (), "POST", "other.unnamed", ""),
    ],
)
def test_a_title_is_a_name(title, folder, method, operation, variant):
    assert name(title, folder, method) == Name("endpoint", operation, variant)


@pytest.mark.parametrize(
    ("title", "folder", "kind"),
    [
        ("常见问题及解决办法", ("帮助中心",), "text"),
        ("身份验证", (), "text"),
        ("补充 - 其他参数以及回调", ("Midjourney",), "text"),
        ("提交模式与状态码说明", ("绘画模型(Painting)", "MidJourney"), "text"),
        ("Python 示例1-3: 流式输出 复制代码", ("常用调用代码整理",), "text"),
        ("用户协议", (), "text"),
        ("聊天完成块对象", ("聊天(Chat)",), "reference"),
        ("The embedding object", (), "reference"),
    ],
)
def test_a_page_that_documents_no_endpoint_says_what_it_is(title, folder, kind):
    assert name(title, folder) == Name(kind)


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("POST", "/v1/chat/completions", "chat"),
        ("POST", "/v1/completions", "completions"),
        ("GET", "/v1/models", "models.list"),
        ("GET", "/v1/models/{model}", "models.retrieve"),
        ("", "/v1/embeddings", "embeddings"),
        ("POST", "/mj-fast/mj/submit/blend", "mj.blend"),
        ("GET", "/mj/task/{id}/fetch", "mj.task.fetch"),
        ("POST", "/suno/submit/lyrics", "suno.lyrics"),
        ("POST", "/recraft/v1/images/generations", "recraft.generations"),
        ("POST", "/kling/v1/images/generations", "kling.images"),
        ("POST", "/kling/v1/videos/text2video", "kling.text2video"),
        ("POST", "/flux/v1/flux-pro-1.1", "flux.generate"),
        ("POST", "/api/ideogram/merge", "ideogram.reverse.merge"),
        ("POST", "/v1beta/models/gemini-pro:generateContent", "gemini.generate"),
        ("POST", "/v1/brand/new-thing/{id}", "other.brand-new-thing"),
        ("POST", "/", "other.unnamed"),
        ("DELETE", "/v1/models", "other.models"),
    ],
)
def test_a_path_decides_before_the_title(method, path, operation):
    assert name("嵌入", (), method, path).operation == operation


def test_a_long_path_makes_a_bounded_id():
    assert len(name("x", (), "POST", "/a" * 5000).operation) <= 80


def test_a_long_title_is_looked_at_in_part_only():
    assert name("嵌" * 300_000, (), "").kind == "text"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://api.example.com/v1/models?x=1", "/v1/models"),
        ("//api.example.com/v1/models", "/v1/models"),
        ("{{BASE_URL}}/v1/models/", "/v1/models"),
        ("/v1/models", "/v1/models"),
        ("https://api.example.com", ""),
        ("", ""),
    ],
)
def test_the_path_of_a_url(url, path):
    assert path_of(url) == path


@pytest.mark.parametrize(
    ("path", "base"),
    [
        ("/v1/chat/completions", "/v1"),
        ("/chat/completions", ""),
        ("/openai/v1/embeddings", "/openai/v1"),
        ("/mj/submit/imagine", None),
        ("/nothing/known", None),
    ],
)
def test_the_base_path_is_what_stands_before_an_operation(path, base):
    assert base_path(path) == base
