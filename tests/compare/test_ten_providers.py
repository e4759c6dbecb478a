"""Ten providers with three faults each: exactly these are found, and no key is anywhere."""

from __future__ import annotations

import base64
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from urllib.parse import quote

import pytest

from compare.providers_of_tests import (
    KEYS,
    NAMES,
    PLANTED,
    command,
    environment,
    providers_file,
    read,
    relay,
    run,
    trips,
)
from conformance.contract import schema_errors
from conformance.ledger import read_ledger

BROKEN = {"note", "warn", "fail", "error"}


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory):
    """The folder of a comparison of all ten."""
    folder = tmp_path_factory.mktemp("ten")
    with relay() as server:
        done = run(str(providers_file(server, folder)), "--out", str(folder / "out"), "--control", NAMES[0])
    assert done.returncode == 0, done.stderr
    return folder / "out", done


@pytest.fixture(scope="module")
def document(compared):
    return read(compared[0] / "compare.json")


def test_the_file_keeps_its_format(document):
    assert schema_errors("formats/comparison.json", document) == []


def test_exactly_the_planted_faults_differ(document):
    known = trips()
    for name, faults in zip(NAMES, PLANTED, strict=True):
        expected = frozenset[str]().union(*(known[fault] for fault in faults))
        found = {each["rule"] for each in document["differences"] if each["verdicts"][name] in BROKEN}
        assert found == expected, name


def test_each_difference_shows_what_the_broken_side_did(document):
    for each in document["differences"]:
        broken = {name for name, verdict in each["verdicts"].items() if verdict in BROKEN}
        samples = {sample["side"]: sample for sample in each["samples"]}
        assert set(samples) == set(NAMES)
        assert all(samples[name]["at"] or samples[name]["message"] or samples[name]["actual"] for name in broken)
        assert not any(samples[name]["at"] for name in set(NAMES) - broken)


def test_all_that_only_one_relay_shows_is_charged_to_it(document):
    assert set(document["charged"]) == set(NAMES[1:])
    for name, counts in document["charged"].items():
        assert counts["relay"] > 0, name
        assert counts["upstream"] == counts["both"] == 0, name


def test_every_provider_has_a_report_of_its_own(compared):
    out, done = compared
    for name in NAMES:
        assert (out / name.replace(" ", "-") / "report.html").stat().st_size > 1000
        assert f"{name}: " in done.stderr
    assert "together: " in done.stderr


def test_no_key_is_anywhere(compared):
    out, done = compared
    texts = [path.read_bytes() for path in out.rglob("*") if path.is_file()]
    texts += [done.stdout.encode(), done.stderr.encode()]
    assert len(texts) > 50
    for key in KEYS:
        for form in (key, quote(key, safe=""), base64.b64encode(key.encode()).decode(), key.encode().hex()):
            assert not any(form.encode() in text for text in texts)


def test_a_kill_loses_nothing_and_the_rest_is_sent_once(tmp_path: Path):
    out = tmp_path / "out"
    few = ("--only", "chat.id", "--only", "models")
    with relay(latency=0.1) as server:
        path = providers_file(server, tmp_path)
        process = subprocess.Popen(
            command(str(path), "--out", str(out), *few),
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        ledgers = [out / name.replace(" ", "-") / "ledger.jsonl" for name in NAMES]
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not all(
            each.exists() and each.read_bytes().count(b"\n") > 20 for each in ledgers
        ):
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        kept = {path: path.read_bytes() for path in ledgers}
        partial = [read_ledger(path) for path in ledgers]
        assert not any(each.complete for each in partial)
        done = run(str(path), "--out", str(out), "--resume", *few)
        finished = [each.read_bytes() for each in ledgers]
        again = run(str(path), "--out", str(out), "--resume", *few)
    assert again.returncode == 0, again.stderr
    assert [each.read_bytes() for each in ledgers] == finished
    assert done.returncode == 0, done.stderr
    for each, before in kept.items():
        whole = before[: before.rfind(b"\n") + 1]
        assert each.read_bytes().startswith(whole)
        assert read_ledger(each).complete
        sent = Counter(line for line in each.read_text("utf-8").splitlines() if '"kind":"exchange"' in line[:30])
        cases = Counter(line.split('"case":"', 1)[1].split('"', 1)[0] for line in sent)
        assert max(cases.values()) == 1
    document = read(out / "compare.json")
    assert all(side["complete"] for side in document["sides"])
