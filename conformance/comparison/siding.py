"""One recorded run to one side of a comparison: read, cut to the common cases, judged, and boiled down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from conformance.clients.storing import CLIENTS_FILE, read_readings
from conformance.clients.verdicts import client_verdicts
from conformance.comparison.nouns import Claim, Side
from conformance.errors import UsageError
from conformance.judging import judge
from conformance.ledger import read_ledger
from conformance.measures import Measure, Reliability, measures, reliability
from conformance.model import Ledger, Spent
from conformance.outcomes import CONCLUSIVE, Key, Outcome, outcomes
from conformance.planning import select_rules
from conformance.profiles import bundled_profiles, load_profile
from conformance.reporting.requests import claim_rows
from conformance.reporting.summary import run_verdict, spent
from conformance.rules.base import catalogue
from conformance.support import parameter_support
from conformance.waivers import applied, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from conformance.clients.verdicts import ClientVerdict
    from conformance.comparison.headers import Header
    from conformance.model import Judgement, Waiver
    from conformance.profiles import Profile

_RUN_VERDICTS = ("pass", "inconclusive", "fail", "error")
"""From best to worst."""


@dataclass(frozen=True)
class Wanted:
    """Which part of the runs is compared, and by which rules: the same for every side."""

    cases: frozenset[str]
    rules: frozenset[str]
    profiles: tuple[Profile, ...] = ()
    """Pages of providers that lie in folders of the user's; those that come with this package need not be given."""
    waivers: Mapping[str, tuple[Waiver, ...]] = field(default_factory=dict)
    """By side: breaches that are accepted until a day, beside those of its profile."""


@dataclass(frozen=True)
class _Round:
    """One recording of a side, boiled down."""

    ledger: Ledger
    """Without its exchanges."""
    verdict: str
    outcomes: dict[Key, Outcome]
    measures: list[Measure]
    reliability: Reliability
    spent: Spent
    waivers: tuple[Waiver, ...]


@dataclass(frozen=True)
class Boiled:
    """A run that somebody has judged whole, boiled down: where all of it is compared, it need not be read again."""

    round: _Round
    extras: Mapping[str, Any]


def boiled(ledger: Ledger, judgements: Sequence[Judgement], folder: Path, profile: Profile | None) -> Boiled:
    """Keep what a comparison needs of a run and all its judgements."""
    return Boiled(_kept(ledger, ledger, judgements), _extras(ledger, folder, profile, judgements))


def side_of(header: Header, name: str, wanted: Wanted, ready: Boiled | None = None) -> Side:
    """Judge every round of a run on the common cases; no more than one ledger is in memory at a time.

    `ready`: the same run judged whole, for where its whole plan and all its rules are compared.
    """
    whole = len(header.ledgers) == 1 and header.cases.keys() == wanted.cases and shared_rules([header]) == wanted.rules
    if ready is not None and whole:
        return _side(header, name, wanted, [ready.round], ready.extras)
    ledger = read_ledger(header.ledgers[0])
    profile = profile_of(ledger, wanted.profiles)
    first = _round(ledger, name, wanted, profile)
    extras = _extras(ledger, header.folder, profile)
    del ledger
    others = (_round(read_ledger(path), name, wanted, profile) for path in header.ledgers[1:])
    return _side(header, name, wanted, [first, *others], extras)


def _side(header: Header, name: str, wanted: Wanted, rounds: Sequence[_Round], extras: Mapping[str, Any]) -> Side:
    """A side out of its rounds."""
    first = rounds[0]
    stops = [each.ledger.stop for each in rounds if each.ledger.stop]
    complete = all(each.ledger.complete for each in rounds)
    shown = replace(first.ledger, stop=stops[0] if stops else None, complete=complete)
    return Side(
        name=name,
        folder=header.folder,
        **_about(shown),
        seed_and_plan=header.plan,
        planned=len(header.cases),
        compared=len(wanted.cases),
        complete=complete,
        stop=shown.stop,
        verdict=_worst_run(rounds),
        spent=_sum_spent(each.spent for each in rounds),
        reliability=_sum_reliability(each.reliability for each in rounds),
        outcomes=_folded([each.outcomes for each in rounds]),
        measures=_pooled([each.measures for each in rounds]),
        seconds=round(sum(each.ledger.seconds for each in rounds), 3),
        repeats=len(rounds),
        waivers=_waivers(rounds),
        **extras,
    )


def judged(
    ledger: Ledger, name: str, wanted: Wanted, profile: Profile | None, only: Sequence[str] = ()
) -> list[Judgement]:
    """The judgements of one round of a side on the common part; `only`: just these rules."""
    waivers = together(profile.waivers if profile else (), wanted.waivers.get(name, ()))
    found = judge(cut(ledger, wanted.cases), only, profile, waivers)
    return [judgement for judgement in found if judgement.rule in wanted.rules]


def cut(ledger: Ledger, cases: frozenset[str]) -> Ledger:
    """A run as if only these cases had been planned."""
    return replace(
        ledger,
        plan=tuple(case for case in ledger.plan if case.id in cases),
        exchanges=tuple(exchange for exchange in ledger.exchanges if exchange.case.id in cases),
        minimised=tuple(found for found in ledger.minimised if found.case in cases),
    )


def profile_of(ledger: Ledger, given: Sequence[Profile] = ()) -> Profile | None:
    """The provider's page of a run, in the same edition: one of those given, or of those that we ship; else none.

    A ledger may come from a stranger: what it names is looked up, never opened as a folder.
    """
    name, page = ledger.provider.profile, ledger.provider.page
    if not name:
        return None
    bundled = [load_profile(name)] if name in bundled_profiles() else []
    return next((each for each in (*given, *bundled) if each.name == name and page in {each.digest, ""}), None)


def shared_rules(headers: Iterable[Header]) -> frozenset[str]:
    """Ids of the rules that every plan was made for."""
    known: dict[tuple[str, ...], frozenset[str]] = {}
    for header in headers:
        try:
            known[header.rules] = frozenset(rule.id for rule in select_rules(header.rules))
        except UsageError as error:
            raise UsageError(f"{header.folder}: {error.message}", "was it recorded by another version?") from error
    return frozenset.intersection(*known.values())


def _round(ledger: Ledger, name: str, wanted: Wanted, profile: Profile | None) -> _Round:
    """One recording, judged; what it holds of exchanges is let go."""
    return _kept(ledger, cut(ledger, wanted.cases), judged(ledger, name, wanted, profile))


def _kept(ledger: Ledger, common: Ledger, judgements: Sequence[Judgement]) -> _Round:
    """What is kept of one recording, and of its judgements on the common part."""
    return _Round(
        ledger=replace(ledger, plan=(), exchanges=(), preflight=(), minimised=(), resent=()),
        verdict=run_verdict(judgements, ledger, strict=False),
        outcomes=outcomes(judgements),
        measures=measures(common),
        reliability=reliability(common),
        spent=spent(ledger),
        waivers=applied(judgements),
    )


def _about(ledger: Ledger) -> dict[str, Any]:
    """What the ledger says of the provider."""
    provider = ledger.provider
    return {
        "base_url": provider.base_url,
        "model": provider.model,
        "models": dict(ledger.models),
        "profile": provider.profile,
        "started": ledger.started,
    }


def _extras(
    ledger: Ledger, folder: Path, profile: Profile | None, judgements: Sequence[Judgement] | None = None
) -> dict[str, Any]:
    """What is told of the whole run of the first round, not only of the common cases."""
    path = folder / CLIENTS_FILE
    if not (profile or path.exists()):
        return {"parameters": tuple(parameter_support(ledger)), "clients": (), "claims": ()}
    if judgements is None:
        judgements = judge(ledger, (), profile)
    claims = claim_rows(profile, judgements, ledger)
    return {
        "parameters": tuple(parameter_support(ledger)),
        "clients": _clients(path, ledger, judgements),
        "claims": tuple(Claim(row.title, row.operation, row.method, row.state) for row in claims),
    }


def _clients(path: Path, ledger: Ledger, judgements: Sequence[Judgement]) -> tuple[ClientVerdict, ...]:
    """How real clients fare that have read this run; none where nobody has."""
    return tuple(client_verdicts(ledger, read_readings(path, ledger), judgements)) if path.exists() else ()


def _worst_run(rounds: Sequence[_Round]) -> str:
    return max((each.verdict for each in rounds), key=_RUN_VERDICTS.index)


def _waivers(rounds: Sequence[_Round]) -> tuple[Waiver, ...]:
    """Those of all rounds, each once; one that ended between two rounds has ended."""
    found = dict.fromkeys(waiver for each in rounds for waiver in each.waivers)
    ended = {replace(waiver, expired=False) for waiver in found if waiver.expired}
    return tuple(sorted((each for each in found if each not in ended), key=lambda waiver: not waiver.expired))


def _sum_spent(all_spent: Iterable[Spent]) -> Spent:
    found = list(all_spent)
    return Spent(
        sum(each.requests for each in found),
        sum(each.input_tokens for each in found),
        sum(each.output_tokens for each in found),
    )


def _sum_reliability(rounds: Iterable[Reliability]) -> Reliability:
    found = list(rounds)
    return Reliability(sum(each.answered for each in found), sum(each.asked for each in found))


def _pooled(rounds: Sequence[Sequence[Measure]]) -> tuple[Measure, ...]:
    """Samples of the same quantity of all rounds together."""
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for found in rounds:
        for measure in found:
            values[measure.operation, measure.what] += measure.values
    return tuple(Measure(operation, what, tuple(each)) for (operation, what), each in values.items())


def _folded(rounds: Sequence[dict[Key, Outcome]]) -> dict[Key, Outcome]:
    """One outcome for each requirement: the worst conclusive one of the rounds, with the signs of all that broke it.

    Of a noisy rule it is the middle one: else the side with more rounds would look worse.
    """
    keys = dict.fromkeys(key for found in rounds for key in found)
    return {key: _fold([found[key] for found in rounds if key in found]) for key in keys}


def _fold(found: Sequence[Outcome]) -> Outcome:
    """What a rule in which chance has a part shows in one round of three is chance; what it shows in two is not."""
    settled = sorted((each for each in found if each.verdict in CONCLUSIVE), key=lambda each: each.verdict)
    if not settled:
        return max(found, key=lambda each: each.verdict)
    chosen = settled[len(settled) // 2] if catalogue()[settled[0].rule].noisy else settled[-1]
    broken = [each for each in settled if each.broken] if chosen.broken else []
    signs = frozenset(sign for each in broken for sign in each.signs)
    return replace(chosen, signs=signs, waived=bool(broken) and all(each.waived for each in broken))
