"""What a stranger stumbled over once: each became a test before it was mended."""

import gc
import gzip
import json
import subprocess
import sys
from dataclasses import replace

import pytest

from conformance import relay
from conformance.cli import main
from conformance.inflate import Inflater
from conformance.jsontext import parse_json
from conformance.judging import judge
from conformance.ledger import read_ledger
from conformance.model import Limits, Provider, Verdict
from conformance.planning import plan
from conformance.redaction import Secrets
from conformance.refusals import refusal_is_plain, wants_other_limit
from conformance.reporting.summary import outlook, run_verdict
from conformance.send import record
from conformance.stream import Stream

KEY = "RELAY_API_KEY"


@pytest.fixture(scope="module")
def server():
    with relay.BackgroundRelay() as background:
        yield background


def run(monkeypatch, *words):
    """The exit code of a command line."""
    monkeypatch.setattr(sys, "argv", ["relay-conformance", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


def recorded(base_url, path, only=("chat.usage",)):
    secrets = Secrets({KEY: relay.DEFAULT_KEY})
    return record(plan(only), Provider(base_url, relay.DEFAULT_MODEL, KEY), path, secrets=secrets, limits=Limits())


@pytest.mark.parametrize(("key", "model"), [("sk-wrong-key-123456", relay.DEFAULT_MODEL), (relay.DEFAULT_KEY, "mokc")])
def test_a_wrong_key_or_model_is_no_fault_of_the_relay(server, tmp_path, monkeypatch, capsys, key, model):
    monkeypatch.setenv(KEY, key)
    out = tmp_path / "out"
    assert run(monkeypatch, "vet", server.base_url, "--model", model, "--out", out) == 6
    assert json.loads((out / "results.json").read_bytes())["verdict"] == "inconclusive"
    assert {each.verdict for each in judge(read_ledger(out / "ledger.jsonl"))} == {Verdict.INCONCLUSIVE}
    assert "Does not conform" not in capsys.readouterr().out


def test_a_closed_pipe_keeps_the_verdict(tmp_path):
    demo = f"{sys.executable} -m conformance demo --out {tmp_path / 'out'} 2>/dev/null"
    command = f"{demo} | head -n 1 >/dev/null; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_a_rate_that_would_take_days_is_a_slip(server, monkeypatch, capsys):
    monkeypatch.setenv(KEY, relay.DEFAULT_KEY)
    assert run(monkeypatch, "vet", server.base_url, "--model", "mock-chat", "--rate", "1e-9") == 2
    assert "1e-09" in capsys.readouterr().err


def test_an_empty_folder_name_is_refused(server, monkeypatch, capsys):
    monkeypatch.setenv(KEY, relay.DEFAULT_KEY)
    assert run(monkeypatch, "vet", server.base_url, "--model", "mock-chat", "--out", "") == 2
    assert "empty name" in capsys.readouterr().err


def test_a_resumed_run_announces_what_is_left(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(KEY, relay.DEFAULT_KEY)
    whole = recorded(server.base_url, tmp_path / "ledger.jsonl")
    lines = (tmp_path / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "ledger.jsonl").write_bytes(b"".join(lines[:6]))
    assert run(monkeypatch, "vet", server.base_url, "--model", "mock-chat", "--resume", "--out", tmp_path) == 0
    assert f"4 of {len(whole.plan)} requests are recorded" in capsys.readouterr().err


def test_the_filter_chunk_of_azure_is_no_part_of_the_answer():
    note = {"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": []}
    stream = Stream.read(f"data: {json.dumps(note)}\n\ndata: [DONE]\n\n".encode())
    assert (len(stream.chunks), len(stream.filter_notes)) == (0, 1)


def test_what_follows_a_byte_order_mark_is_read_all_the_same():
    document = parse_json(b'\xef\xbb\xbf{"a": 1}')
    assert document.value == {"a": 1}
    assert "byte order mark" in document.problem


def test_a_key_without_its_prefix_is_masked():
    secrets = Secrets({KEY: "sk-super-secret-abcdef123456"})
    assert b"super-secret" not in secrets.mask(b"invalid token super-secret-abcdef123456 (request id: 1)")
    assert Secrets({KEY: "sk-abc"}).mask(b"abc is no secret") == b"abc is no secret"


def refusal(server, tmp_path, message, *, status=400, param=None, case="chat/cut-at-6"):
    """An exchange of this case that was refused in these words."""
    ledger = recorded(server.base_url, tmp_path / f"{len(list(tmp_path.iterdir()))}.jsonl", only=("chat.max-tokens",))
    exchange = ledger.by_case[case]
    body = json.dumps({"error": {"message": message, "type": "invalid_request_error", "param": param, "code": None}})
    return replace(exchange, response=replace(exchange.response, status=status, body=body.encode()))


def test_a_relay_may_refuse_a_small_limit_in_plain_words(server, tmp_path):
    assert refusal_is_plain(refusal(server, tmp_path, "Invalid 'max_tokens': expected a value >= 16."))
    assert refusal_is_plain(refusal(server, tmp_path, "too small", param="max_output_tokens"))
    assert not refusal_is_plain(refusal(server, tmp_path, "something is wrong"))


@pytest.mark.parametrize(("status", "param"), [(400, "max_tokens"), (422, "max_tokens")])
def test_the_other_name_of_the_limit_is_tried_whatever_the_language(server, tmp_path, status, param):
    assert wants_other_limit(refusal(server, tmp_path, "不支持该参数", status=status, param=param))


@pytest.mark.parametrize(("fault", "area"), [("model-substituted", "content"), ("hidden-prompt", "money")])
def test_what_a_buyer_must_ask_stands_on_the_first_screen(server, tmp_path, fault, area):
    ledger = recorded(server.variant(f"fault/{fault}"), tmp_path / "ledger.jsonl", only=("chat", "http"))
    judgements = judge(ledger)
    assert run_verdict(judgements, ledger, strict=False) == "pass"
    assert outlook(judgements, area)[0] == "asked"


def test_judging_leaves_the_garbage_collector_as_it_was(server, tmp_path):
    ledger = recorded(server.base_url, tmp_path / "ledger.jsonl")
    judge(ledger)
    assert gc.isenabled()
    gc.disable()
    try:
        judge(ledger)
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_an_encoded_body_is_read_however_small_its_pieces_are(size):
    encoded, inflater = gzip.compress(b'{"ok": true}'), Inflater("gzip")
    pieces = [encoded[at : at + size] for at in range(0, len(encoded), size)]
    assert b"".join(inflater.feed(piece, 100) for piece in pieces) == b'{"ok": true}'
