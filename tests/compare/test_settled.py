"""What a file of providers asks for reaches each run, and no other: limits, keys, models, pages, waivers, requests."""

from __future__ import annotations

from pathlib import Path

import pytest

from compare.providers_of_tests import run
from conformance.commands.several import Asked, settled
from conformance.ledger import read_ledger
from conformance.model import Case, Limits
from conformance.relay import DEFAULT_MODEL, BackgroundRelay, create_app

KEYS = {"SETTLED_KEY_A": "sk-settled-aaaa-104729", "SETTLED_KEY_B": "sk-settled-bbbb-224737"}
TEAM = "secret-team-of-a-350377"
FILE = """format = 1
[defaults]
timeout = 30
[[providers]]
name = "A"
base_url = "https://a.example/v1"
model = "model-a"
key_env = "SETTLED_KEY_A"
headers = { X-Secret-Team = "SETTLED_TEAM" }
models = { embeddings = "embeds-a" }
rate = 5
timeout = 90
concurrency = 1
profile = "mtu"
waivers = "waivers-a.toml"
[[providers]]
name = "B"
base_url = "https://b.example/v1"
model = "model-b"
key_env = "SETTLED_KEY_B"
models = { speech = "speech-b" }
rate = 0.5
concurrency = 3
profile = "tutujin"
control = true
"""
WAIVERS = """format = 1
[[waivers]]
rule = "chat.usage.adds-up"
reason = "they know"
owner = "me"
until = 2027-01-31
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two providers that differ in everything, with what they need."""
    for name, value in {**KEYS, "SETTLED_TEAM": TEAM}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "waivers-a.toml").write_text(WAIVERS, "utf-8")
    found = tmp_path / "providers.toml"
    found.write_text(FILE, "utf-8")
    return found


def generated(cases: tuple[Case, ...]) -> dict[str, object]:
    """The generated requests; in which order they are sent depends on how many may be on their way at once."""
    return {case.id: case.body for case in cases if "generated" in case.id}


def test_every_run_gets_what_its_own_provider_says(path: Path, tmp_path: Path):
    (a, b), control = settled(path, Asked(requests=50, output_tokens=900), tmp_path / "out", resume=False)

    assert control == "B"
    assert (a.folder, b.folder) == (tmp_path / "out" / "A", tmp_path / "out" / "B")
    assert a.limits == Limits(50, 900, concurrency=1, rate=5.0, timeout=90.0, idle=Limits.idle)
    assert b.limits == Limits(50, 900, concurrency=3, rate=0.5, timeout=30.0, idle=min(Limits.idle, 30.0))
    assert a.secrets.values == {"SETTLED_KEY_A": KEYS["SETTLED_KEY_A"], "SETTLED_TEAM": TEAM}
    assert b.secrets.values == {"SETTLED_KEY_B": KEYS["SETTLED_KEY_B"]}
    assert a.profile is not None
    assert b.profile is not None
    assert (a.profile.name, b.profile.name) == ("mtu", "tutujin")
    assert [(each.rule, each.owner) for each in a.waivers] == [("chat.usage.adds-up", "me")]
    assert b.waivers == ()


def test_every_provider_keeps_its_own_address_models_and_headers(path: Path, tmp_path: Path):
    (a, b), _ = settled(path, Asked(), tmp_path / "out", resume=False)

    assert (a.provider.name, a.provider.base_url, a.provider.model) == ("A", "https://a.example/v1", "model-a")
    assert (b.provider.name, b.provider.base_url, b.provider.model) == ("B", "https://b.example/v1", "model-b")
    assert (a.provider.key_env, a.provider.profile) == ("SETTLED_KEY_A", "mtu")
    assert (b.provider.key_env, b.provider.profile) == ("SETTLED_KEY_B", "tutujin")
    assert (a.provider.models, a.provider.headers) == ({"embeddings": "embeds-a"}, {"X-Secret-Team": "SETTLED_TEAM"})
    assert (b.provider.models, b.provider.headers) == ({"speech": "speech-b"}, {})
    assert a.provider.page != b.provider.page


def test_all_are_sent_the_same_generated_requests_and_others_for_another_seed(path: Path, tmp_path: Path):
    # With a page of its own, a provider is asked only for what that page allows.
    path.write_text("".join(line for line in FILE.splitlines(keepends=True) if not line.startswith("profile")), "utf-8")

    def planned(seed: int) -> list[dict[str, object]]:
        runs, _ = settled(path, Asked(generated={"chat": 6}, seed=seed), tmp_path / "out", resume=False)
        return [generated(each.cases) for each in runs]

    first, second = planned(7)
    assert len(first) == 6
    assert first == second
    assert planned(7) == [first, second]
    assert planned(8)[0] == planned(8)[1] != first


def test_no_provider_is_sent_the_key_of_another(tmp_path: Path):
    servers = [BackgroundRelay(create_app(key)) for key in KEYS.values()]
    with servers[0] as one, servers[1] as two:
        rows = [
            f'[[providers]]\nname = "{name}"\nbase_url = "{server.base_url}"\nkey_env = "{variable}"\n'
            for name, server, variable in zip("AB", (one, two), KEYS, strict=True)
        ]
        path = tmp_path / "providers.toml"
        path.write_text(f'format = 1\n[defaults]\nmodel = "{DEFAULT_MODEL}"\n' + "".join(rows), "utf-8")
        done = run(str(path), "--out", str(tmp_path / "out"), "--only", "models", **KEYS)

    assert done.returncode == 0, done.stderr
    for name in "AB":
        ledger = read_ledger(tmp_path / "out" / name / "ledger.jsonl")
        assert ledger.complete
        listed = [each.status for each in ledger.exchanges if each.case.id == "models.list/list"]
        assert listed == [200], name
