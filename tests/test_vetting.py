"""From options to a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.announcing import announce
from conformance.errors import UsageError
from conformance.model import Limits, Provider
from conformance.planning import plan
from conformance.vetting import (
    Run,
    check_secrets,
    check_selection,
    checked_provider,
    folder_to_resume,
    gather_secrets,
    new_folder,
    parse_headers,
    parse_models,
)


def test_headers_are_names_of_variables() -> None:
    assert parse_headers(["X-A=B", "x.y!z=_c1"]) == {"X-A": "B", "x.y!z": "_c1"}


@pytest.mark.parametrize("pair", ["", "=", "X=", "=A", "X=1A", "X Y=A", "X=A B", "X=A\n", "Host=A", "AUTHORIZATION=A"])
def test_what_is_no_header_is_refused(pair: str) -> None:
    with pytest.raises(UsageError):
        parse_headers([pair])


def test_secrets_come_from_the_environment() -> None:
    provider = Provider("http://h", "m", "KEY", headers={"X-A": "TENANT"})

    secrets = gather_secrets(provider, {"KEY": "sk-123456", "TENANT": "tenant-1"})

    assert secrets.values == {"KEY": "sk-123456", "TENANT": "tenant-1"}


def test_a_header_that_is_not_set_has_a_hint_of_its_own() -> None:
    with pytest.raises(UsageError) as refusal:
        gather_secrets(Provider("http://h", "m", "", headers={"X-A": "TENANT"}), {})

    assert refusal.value.hint == "export TENANT=…"


def test_a_secret_that_stands_in_a_request_is_refused() -> None:
    provider = checked_provider("http://h/v1/", ["gpt-4o-mini"], "KEY", "", [])
    secrets = gather_secrets(provider, {"KEY": "gpt-4o-mini"})

    assert provider.base_url == "http://h/v1"
    with pytest.raises(UsageError, match="cannot be masked"):
        check_secrets(provider, secrets, plan())


def test_folders_are_named_after_the_host_and_never_used_twice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("time.strftime", lambda _: "20260102-030405")

    names = []
    for _ in range(120):
        folder = new_folder("https://[::1]:8443/v1")
        folder.mkdir(parents=True)
        names.append(folder.name)

    assert names[:3] == ["20260102-030405--1-8443", "20260102-030405--1-8443-2", "20260102-030405--1-8443-3"]
    assert len(set(names)) == 120


def test_nothing_to_resume_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError) as refusal:
        folder_to_resume(None)

    assert refusal.value.hint == "there is no interrupted run in reports/"


def test_a_plan_is_announced_with_its_ceilings() -> None:
    cases = plan(("chat.id.fresh",))

    lines = announce(cases, Limits(requests=10))

    assert lines[0].startswith("4 requests planned, at most ")
    assert "(6 requests are left" in lines[1]
    assert len(lines) == 2
    assert "larger than the limits" in announce(cases, Limits(output_tokens=1))[2]


def test_a_run_knows_its_ledger(tmp_path: Path) -> None:
    provider = Provider("http://h", "m", "")

    assert Run(provider, gather_secrets(provider, {}), (), Limits(), (), tmp_path).ledger == tmp_path / "ledger.jsonl"


@pytest.mark.parametrize(
    ("header", "variable", "value", "hidden"),
    [
        ("x-portkey-provider", "PROVIDER", "openai", False),
        ("x-portkey-custom-host", "HOST", "http://127.0.0.1:9017/v1", False),
        ("x-portkey-api-key", "PORTKEY", "openai", True),
        ("x-team", "MY_TOKEN", "openai", True),
        ("x-config", "CONFIG", "pc-demo-5f3a9c", True),
        ("x-host", "HOST", "https://user:secret@example.com", True),
        ("x-host", "HOST", "https://example.com/?k=1", True),
    ],
)
def test_an_ordinary_word_in_a_header_is_no_secret(header, variable, value, *, hidden):
    provider = Provider("http://h/v1", "m", "", headers={header: variable})
    secrets = gather_secrets(provider, {variable: value})
    assert secrets.get(variable) == value
    assert (value not in secrets.mask_text(f"<{value}>")) is hidden


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (["a"], {"chat": "a"}),
        (["a,embeddings=b", "speech=c"], {"chat": "a", "embeddings": "b", "speech": "c"}),
        (["chat=a", " embeddings = b "], {"chat": "a", "embeddings": "b"}),
        (["a", "a"], {"chat": "a"}),
        (["chat=a=b"], {"chat": "a=b"}),
    ],
)
def test_models_are_given_by_role(given, found):
    assert parse_models(given) == found


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no chat model is given"),
        (["embeddings=b"], "no chat model is given"),
        (["a,embedings=b"], "there is no role 'embedings'"),
        (["a", "b"], "two models for chat: 'a' and 'b'"),
        (["a,speech="], "'' is no model name"),
        ([""], "'' is no model name"),
    ],
)
def test_what_gives_no_models_is_refused(given, message):
    with pytest.raises(UsageError) as caught:
        parse_models(given)
    assert message in caught.value.message


@pytest.mark.parametrize("only", ["images", "images.picture.decodes", "speech"])
def test_rules_that_need_what_is_dear_ask_for_it(only):
    with pytest.raises(UsageError) as caught:
        check_selection([only], plan([only]), dear=False)
    assert caught.value.hint == "add --dear"


@pytest.mark.parametrize(
    ("only", "dear"), [(["images"], True), (["chat.usage"], False), ([], False), (["http"], False)]
)
def test_rules_that_have_something_to_look_at_are_left_alone(only, dear):
    check_selection(only, plan(only, dear=dear), dear=dear)
