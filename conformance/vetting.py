"""One run from options to files: what the command line, the demo and pytest do in the same way."""

from __future__ import annotations

import difflib
import os
import re
import time
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from conformance.errors import LedgerError, UsageError
from conformance.failing import BUDGET, MOST_SEARCHES, broken_rules, worth_minimising
from conformance.judging import judge
from conformance.ledger import is_begun, read_ledger
from conformance.model import Limits, Provider
from conformance.planning import plan, select_rules
from conformance.preflight import base_urls
from conformance.profiles import bundled_profiles, load_profile
from conformance.redaction import Secrets
from conformance.roles import CHAT, ROLES
from conformance.rules.base import catalogue
from conformance.waivers import check_known, read_waivers, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conformance.clients.verdicts import ClientVerdict
    from conformance.model import Case, Judgement, Ledger, Waiver
    from conformance.profiles import Profile

REPORTS = Path("reports")
LEDGER = "ledger.jsonl"
TOKENS_EACH = 40
"""Output tokens by which the usual limit grows with each generated request."""

_ONE_EACH = "one run asks one model in each role; those of other roles are given as ROLE=NAME: embeddings=NAME"
_OTHER_KEYS = "; another variable with --key-env, a relay without keys with --no-key"
_HEADER = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+)=([A-Za-z_][A-Za-z0-9_]*)")
_SECRET = re.compile(
    r"(?<![a-z])(key|pass|jwt|bearer|session|sign|signature)(?![a-z])|token|secret|apikey|auth|password|credential|cookie"
)
_PLAIN = re.compile(r"[a-z][a-z._-]{0,31}|https?://[A-Za-z0-9.-]+(:\d+)?(/[A-Za-z0-9._-]{1,20}){0,3}/?")
_OURS = frozenset({"authorization", "content-type", "content-length", "host", "accept-encoding", "transfer-encoding"})


@dataclass(frozen=True)
class Run:
    """Everything that is settled before the first request."""

    provider: Provider
    secrets: Secrets
    cases: tuple[Case, ...]
    limits: Limits
    rules: tuple[str, ...]
    folder: Path
    profile: Profile | None = None
    """The provider's own page, to which it is held as well."""
    minimize_budget: int = BUDGET
    """Requests for making one failing generated request smaller; 0: none are sent."""
    waivers: tuple[Waiver, ...] = ()
    """Breaches that somebody has accepted."""

    @property
    def ledger(self) -> Path:
        """Where the exchanges go."""
        return self.folder / LEDGER


def parse_headers(pairs: Iterable[str]) -> dict[str, str]:
    """`NAME=ENVVAR` pairs; raises UsageError for what is none, and for headers that are ours to set."""
    headers: dict[str, str] = {}
    for pair in pairs:
        found = _HEADER.fullmatch(pair)
        if found is None:
            raise UsageError(
                f"--header {pair!r} is not NAME=ENVVAR",
                "give the name of an environment variable that holds the value, as in X-Token=MY_TOKEN",
            )
        if found[1].lower() in _OURS:
            raise UsageError(f"--header {found[1]} is set by relay-conformance itself", "for the key use --key-env")
        headers[found[1]] = found[2]
    return headers


def gather_secrets(
    provider: Provider, environment: Mapping[str, str] | None = None, hint: str = _OTHER_KEYS
) -> Secrets:
    """The values behind the names; raises UsageError when one is not set. `hint`: what else one can do about a key."""
    environ = os.environ if environment is None else environment
    names = [*([provider.key_env] if provider.key_env else []), *provider.headers.values()]
    for name in names:
        if not environ.get(name):
            more = hint if name == provider.key_env else ""
            raise UsageError(f"the environment variable {name} is not set", f"export {name}=…{more}")
    open_ = {
        variable
        for header, variable in provider.headers.items()
        if variable != provider.key_env and _is_plain(header, variable, environ[variable])
    }
    return Secrets(
        {name: environ[name] for name in names if name not in open_}, {name: environ[name] for name in open_}
    )


def _is_plain(header: str, variable: str, value: str) -> bool:
    """Whether the value of a header is an ordinary word or address, and nothing about it hints at a secret.

    Masking the word `openai` wherever it stands would destroy the evidence, and hide nothing.
    """
    return not _SECRET.search(f"{header} {variable}".lower()) and _PLAIN.fullmatch(value) is not None


def check_secrets(provider: Provider, secrets: Secrets, cases: Sequence[Case]) -> None:
    """Refuse a secret that is also a word of the requests: masking it would destroy the evidence."""
    words = " ".join((provider.base_url, provider.model, *(repr(case.body) + case.path for case in cases)))
    for name, value in secrets.values.items():
        if value in words:
            raise UsageError(
                f"the value of {name} also stands in the requests themselves, so it cannot be masked",
                "is it really the key?",
            )


def new_folder(base_url: str, *, name: str = "") -> Path:
    """A folder for this run: `reports/<time>-<host>`."""
    host = re.sub(r"[^A-Za-z0-9.-]+", "-", name or urlsplit(base_url).netloc) or "relay"
    stamp = time.strftime("%Y%m%d-%H%M%S")
    folder = REPORTS / f"{stamp}-{host}"
    others = (REPORTS / f"{stamp}-{host}-{number}" for number in count(2))
    return folder if not folder.exists() else next(each for each in others if not each.exists())


def folder_to_resume(out: Path | None) -> Path:
    """The folder of an interrupted run; raises UsageError with the likely one when none is given."""
    if out is None:
        unfinished = [path for path in sorted(REPORTS.glob(f"*/{LEDGER}")) if _is_unfinished(path)]
        hint = f"try --out {unfinished[-1].parent}" if unfinished else "there is no interrupted run in reports/"
        raise UsageError("--resume needs --out, the folder of the run to continue", hint)
    if not (out / LEDGER).exists():
        raise UsageError(f"{out} holds no {LEDGER}, so there is nothing to resume", "leave --resume out for a new run")
    return out


def _is_unfinished(path: Path) -> bool:
    """Whether a ledger can be read and has no end."""
    try:
        return not read_ledger(path).complete
    except LedgerError:
        return False


def ledger_in(path: Path) -> Path:
    """The ledger at a path: the file itself, or the one in a folder."""
    return path / LEDGER if path.is_dir() else path


def clients_in(folder: Path, ledger: Ledger, judgements: Sequence[Judgement]) -> list[ClientVerdict]:
    """How real clients fare that have read this run; none where nobody has. Raises LedgerError for damaged readings."""
    from conformance.clients.storing import CLIENTS_FILE, read_readings  # noqa: PLC0415 - rarely there
    from conformance.clients.verdicts import client_verdicts  # noqa: PLC0415

    path = folder / CLIENTS_FILE
    return client_verdicts(ledger, read_readings(path, ledger), judgements) if path.exists() else []


def check_selection(only: Sequence[str], cases: Sequence[Case], *, dear: bool) -> None:
    """Refuse a selection of rules that look at dear requests alone in a run without them; it would judge nothing."""
    for prefix in () if dear else only:
        rules = select_rules([prefix])
        seen = any(rule.selects(case) for rule in rules for case in cases)
        if not seen and any(rule.selects(case) for rule in rules for case in plan([prefix], dear=True)):
            raise UsageError(f"{prefix!r} looks at requests that cost more, which are not sent", "add --dear")


def checked_provider(
    base_url: str,
    models: Iterable[str],
    key_env: str,
    name: str,
    headers: Iterable[str],
    profile: Profile | None = None,
) -> Provider:
    """A provider whose parts make sense; raises UsageError otherwise. `models`: what `parse_models` reads."""
    base_urls(base_url)
    given = parse_models(models)
    return Provider(
        base_url=base_url.rstrip("/"),
        model=given[CHAT],
        key_env=key_env,
        name=name,
        headers=parse_headers(headers),
        profile=profile.name if profile else "",
        page=profile.digest if profile else "",
        models={role: model for role, model in given.items() if role != CHAT},
        page_models=profile.models if profile else (),
    )


def parse_models(given: Iterable[str]) -> dict[str, str]:
    """Role -> model from `NAME` (the chat model) and `ROLE=NAME,ROLE=NAME`; raises UsageError for what is neither."""
    found: dict[str, str] = {}
    for piece in (part for each in given for part in each.split(",")):
        role, mark, model = (part.strip() for part in piece.partition("="))
        role, model = (role, model) if mark else (CHAT, role)
        if role not in ROLES:
            near = difflib.get_close_matches(role, ROLES, 1, 0.4)
            hint = f"did you mean {near[0]!r}?" if near else f"roles: {', '.join(ROLES)}"
            raise UsageError(f"--model {piece.strip()!r}: there is no role {role!r}", hint)
        if not model or not model.isprintable():
            raise UsageError(f"{model!r} is no model name", "copy it from the provider's model list")
        if found.setdefault(role, model) != model:
            raise UsageError(f"two models for {role}: {found[role]!r} and {model!r}", _ONE_EACH)
    if CHAT not in found:
        raise UsageError("no chat model is given", "--model NAME, beside the models of other roles")
    return found


def default_limits(generated: int, requests: int | None, output_tokens: int | None, further: int = 0) -> Limits:
    """Limits with these ceilings; None stands for the usual one and what so many generated requests add to it.

    `further`: requests for making one failing request smaller, which a few searches may spend.
    """
    usual = Limits.requests + generated + (MOST_SEARCHES * further if generated else 0)
    return Limits(
        requests=usual if requests is None else requests,
        output_tokens=Limits.output_tokens + TOKENS_EACH * generated if output_tokens is None else output_tokens,
    )


def chosen_profile(name: str) -> Profile | None:
    """The profile of that name or in that folder; None for an empty name. Raises UsageError for one that is none."""
    return load_profile(name) if name else None


def waivers_of(profile: Profile | None, file: str | Path | None) -> tuple[Waiver, ...]:
    """The waivers of a profile and those of a file, which count where both excuse the same; raises DataError."""
    found = together(profile.waivers if profile else (), read_waivers(Path(file)) if file is not None else ())
    check_known(found, catalogue())
    return found


def profile_of(ledger: Ledger, asked: str | None) -> Profile | None:
    """The profile that is asked for, by name or folder; for None that of the run.

    A ledger only names the profile that its run was planned with, which may lie in a folder of the user's or have
    changed since. Raises UsageError for a profile that is not found, or is another edition.
    """
    name = ledger.provider.profile
    if asked is not None or not name:
        return chosen_profile(asked or "")
    profile = load_profile(name) if name in bundled_profiles() else None
    if profile and ledger.provider.page in {profile.digest, ""}:
        return profile
    raise UsageError(
        f"this run was held to the profile {name!r}, "
        + ("of which this is another edition" if profile else "which does not come with this package"),
        f"give --profile {name if profile else 'FOLDER'}, or judge without it with --profile ''",
    )


def profile_to_plan(asked: str | None, resumed: Path | None) -> Profile | None:
    """The profile to plan with: the one asked for, or that of the run to resume, which has to be the same."""
    if resumed is None or not is_begun(resumed / LEDGER):
        return chosen_profile(asked or "")
    ledger = read_ledger(resumed / LEDGER)
    chosen = profile_of(ledger, asked)
    if chosen is not None and chosen.digest != ledger.provider.page:
        known = ledger.provider.profile or "none"
        raise UsageError(f"the run in {resumed} was planned with another profile ({known})", "resume it with that one")
    return chosen


def minimise_failures(run: Run, ledger: Ledger) -> Ledger:
    """Make the generated requests that failed smaller, within the budget; returns the ledger with what was found."""
    if not run.minimize_budget or ledger.stop or not ledger.complete:
        return ledger
    known = {(found.case, found.rule) for found in ledger.minimised}
    judgements = judge(ledger, (), run.profile)
    pairs = [pair for pair in worth_minimising(judgements, ledger) if pair not in known]
    if not pairs:
        return ledger
    from conformance.resending import minimise  # noqa: PLC0415 - only what sends needs the client

    return minimise(
        run.ledger,
        pairs,
        secrets=run.secrets,
        budget=run.minimize_budget,
        limits=run.limits,
        profile=run.profile,
        within=True,
    )


def check_trusted(provider: Provider, key_env: str, headers: Mapping[str, str]) -> None:
    """Refuse to read variables that only a ledger names: it may come from somebody else.

    `key_env`, `headers`: what the caller names. Raises UsageError where the ledger names others.
    """
    if provider.key_env not in {"", key_env}:
        raise UsageError(
            f"the run read its key from the variable {provider.key_env}",
            f"if you trust this ledger and {provider.base_url}: --key-env {provider.key_env}",
        )
    for name, variable in provider.headers.items():
        if headers.get(name) != variable:
            raise UsageError(
                f"the run sent the header {name} from the variable {variable}",
                f"if you trust this ledger and {provider.base_url}: --header {name}={variable}",
            )


def minimise_case(path: Path, case: str, rule: str, *, budget: int, profile: Profile | None) -> tuple[Ledger, str]:
    """The same for one case of a recorded run, asking its relay again; returns what is new in the ledger, and the rule.

    `rule`: the rule that has to stay broken; when empty, the worst that the case breaks. Raises UsageError when the
    case breaks none.
    """
    ledger = read_ledger(path)
    broken = [rule] if rule else broken_rules(ledger, case, profile)
    if not broken:
        raise UsageError(f"{case} breaks no rule that is about one exchange", "the report lists findings by case")
    from conformance.resending import minimise  # noqa: PLC0415 - only what sends needs the client

    secrets = gather_secrets(ledger.provider, hint="")
    found = minimise(path, [(case, broken[0])], secrets=secrets, budget=budget, profile=profile)
    return replace(found, minimised=tuple(each for each in found.minimised if each not in ledger.minimised)), broken[0]
