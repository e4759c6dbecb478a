"""Roles: which listed model is picked for which kind of request, and what the pages call variants."""

from __future__ import annotations

import pytest

from conformance.roles import pick_models, role_of_variant

GIVEN = {"chat": "mine"}


@pytest.mark.parametrize(
    ("role", "listed", "picked"),
    [
        ("o1", ["o1-preview", "o1-mini-2024-09-12", "gpt-4o"], "o1-mini-2024-09-12"),
        ("o1", ["openai/o3"], "openai/o3"),
        ("o1", ["gpt-4o-all", "o1-all", "o1-mini-all", "o3-deep-research", "foo1-mini"], ""),
        ("claude", ["claude-3-opus", "claude-3-5-haiku-20241022", "claude-3-haiku"], "claude-3-haiku"),
        ("gemini-chat", ["gemini-2.5-flash-image", "gemini-2.0-flash"], "gemini-2.0-flash"),
        ("gemini-chat", ["gemini-1.5-pro"], "gemini-1.5-pro"),
        ("gpts", ["gpt-4-gizmo-*", "gpt-4-gizmo-g-bo0FiWLY7"], "gpt-4-gizmo-g-bo0FiWLY7"),
        ("analysis", ["gpt-4-allowed", "gpt-4-all"], "gpt-4-all"),
        ("drawing", ["gpt-4o-all"], "gpt-4o-all"),
        ("reasoner", ["deepseek-chat", "deepseek-reasoner"], "deepseek-reasoner"),
        ("vision", ["gpt-4-vision-preview"], "mine"),
    ],
)
def test_a_listed_model_is_picked_by_its_name(role: str, listed: list[str], picked: str) -> None:
    assert pick_models(GIVEN, listed, [role]).get(role, "") == picked


def test_a_given_model_goes_before_listed_ones() -> None:
    assert pick_models(GIVEN | {"o1": "o9"}, ["o1-mini"], ["o1"]) == {"o1": "o9"}


def test_a_preferred_model_goes_before_others_if_it_is_listed_and_fits() -> None:
    listed = ["claude-3-haiku", "claude-3-opus", "gpt-4o"]

    assert pick_models(GIVEN, listed, ["claude"], ["gpt-4o", "claude-3-opus"]) == {"claude": "claude-3-opus"}
    assert pick_models(GIVEN, listed, ["claude"], ["claude-9"]) == {"claude": "claude-3-haiku"}
    assert pick_models(GIVEN, listed, ["o1"], ["gpt-4o"]) == {}


@pytest.mark.parametrize(
    ("words", "role"),
    [
        ("聊天接口(o1系列模型)", "o1"),
        ("Claude3+(Openai格式调用)", "claude"),
        ("Anthropic Claude(全系列,已更新支持第三代)", "claude"),
        ("Gemini1.5+(全系列)", "gemini-chat"),
        ("gemini-pro", "gemini-chat"),
        ("GPTs", "gpts"),
        ("gpts", "gpts"),
        ("gpt-4-all 文件分析", "analysis"),
        ("gpt-4o-all 文件分析", "analysis"),
        ("gpt-4-all(分析图片)", "analysis"),
        ("gpt-4-all(生成图片)", "drawing"),
        ("gpt-4-all模型(画图)", "drawing"),
        ("聊天接口(图片分析)", "vision"),
        ("gpt-4-vision-preview", "vision"),
        ("deepseek-r1", "reasoner"),
        ("Suno", ""),
        ("DALL·E 3", ""),
        ("gpt-4o", ""),
        ("", ""),
    ],
)
def test_the_words_of_a_page_stand_for_a_role(words: str, role: str) -> None:
    assert role_of_variant(words) == role
