"""One run to what is remembered of it: judged by this version, its rounds folded into one."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING

from conformance.errors import ConformanceError, LedgerError
from conformance.history.nouns import SHOWN, Files, Identity, Read, Speed
from conformance.intervals import median_interval
from conformance.judging import judge
from conformance.ledger import read_ledger
from conformance.measures import measures
from conformance.model import Verdict
from conformance.outcomes import CONCLUSIVE, Outcome, outcomes
from conformance.profiles import bundled_profiles, load_profile
from conformance.reporting.summary import run_verdict
from conformance.rules.base import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from conformance.model import Judgement, Ledger, Provider
    from conformance.profiles import Profile

LARGEST = 256 * 1024 * 1024
"""Bytes of a ledger that is read."""
_NOBODY = Identity("", "", "")
_SILENT = frozenset({Verdict.NOT_APPLICABLE, Verdict.NOT_RUN})


def read_run(files: Files) -> Read:
    """What a run comes to; one that cannot be read or judged has a `problem`, and nothing raises."""
    try:
        return _read(files.ledgers)
    except ConformanceError as error:
        return Read(_NOBODY, 0.0, 0.0, "", 0, narrowed=False, problem=error.message)


def _read(paths: Sequence[Path]) -> Read:
    """Judge one round after the other; a later round that was interrupted is left out."""
    first = _whole(paths[0])
    rounds: list[list[Judgement]] = []
    samples: dict[tuple[str, str], list[float]] = defaultdict(list)
    for ledger in chain([first], map(_whole, paths[1:])):
        if ledger.complete or ledger is first:
            rounds.append(judge(ledger, (), _profile(ledger.provider)))
            for measure in measures(ledger):
                samples[measure.operation, measure.what].extend(measure.values)
    return _remembered(first, rounds, samples)


def _remembered(
    ledger: Ledger, rounds: Sequence[Sequence[Judgement]], samples: Mapping[tuple[str, str], Sequence[float]]
) -> Read:
    """What is kept; of a run that was interrupted nothing is, because what it would have shown is not known."""
    provider, folded = ledger.provider, _folded(rounds)
    return Read(
        Identity(provider.title, _address(provider.base_url), provider.model),
        ledger.started,
        ledger.seconds,
        run_verdict(folded, ledger, strict=False),
        len(rounds),
        narrowed=bool(ledger.rules),
        problem="" if ledger.complete else "interrupted: the record has no end",
        outcomes=tuple(_kept(folded)) if ledger.complete else (),
        speeds=tuple(_speeds(samples)) if ledger.complete else (),
    )


def _address(base_url: str) -> str:
    """A run that ended early may not have learnt that the API is below `/v1`."""
    return base_url.rstrip("/").removesuffix("/v1")


def _folded(rounds: Sequence[Sequence[Judgement]]) -> list[Judgement]:
    """One judgement for each rule and operation: the middle one of the rounds that say something."""
    found: dict[tuple[str, str], list[Judgement]] = defaultdict(list)
    for judgement in chain.from_iterable(rounds):
        found[judgement.rule, judgement.operation].append(judgement)
    return [_over_rounds(judgements) for judgements in found.values()]


def _over_rounds(judgements: Sequence[Judgement]) -> Judgement:
    """The worst verdict of the rounds; of a noisy rule the middle one, the worse of two.

    What one round of three shows is chance where chance has a part in it, and a breach everywhere else.
    """
    clear = sorted((each for each in judgements if each.verdict in CONCLUSIVE), key=lambda each: each.verdict)
    if not clear:
        return max(judgements, key=lambda each: each.verdict)
    return clear[len(clear) // 2] if catalogue()[clear[0].rule].noisy else clear[-1]


def _kept(judgements: Iterable[Judgement]) -> Iterator[Outcome]:
    return (outcome for outcome in outcomes(judgements).values() if outcome.verdict not in _SILENT)


def _speeds(samples: Mapping[tuple[str, str], Sequence[float]]) -> Iterator[Speed]:
    for (operation, what), values in samples.items():
        found = median_interval(values) if what in SHOWN else None
        if found is not None:
            yield Speed(operation, what, found.middle, found.low, found.high, found.count)


def _whole(path: Path) -> Ledger:
    """A ledger of a size that can be read."""
    try:
        size = path.stat().st_size
    except OSError as error:
        raise LedgerError(f"{path}: {error.strerror}") from error
    if size > LARGEST:
        raise LedgerError(f"{path}: {size:,} bytes, more than the {LARGEST:,} that are read")
    return read_ledger(path)


def _profile(provider: Provider) -> Profile | None:
    """The page that the run was held to, where it comes with this package in the same edition."""
    profile = load_profile(provider.profile) if provider.profile in bundled_profiles() else None
    return profile if profile and provider.page in {profile.digest, ""} else None
