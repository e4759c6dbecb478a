"""A run, a comparison and a history in which everything is there that a page can show."""

from dataclasses import dataclass, replace
from pathlib import Path

from browser.hostile import OURS, SHAPED, poison
from conformance import judge
from conformance.clients.comparing import State
from conformance.clients.table import CLIENTS
from conformance.clients.verdicts import ClientVerdict, Trouble
from conformance.comparison.comparing import compare
from conformance.comparison.nouns import Claim as ComparedClaim
from conformance.comparison.nouns import Comparison
from conformance.model import Judgement, Ledger, Minimised, Stop, Verdict, Waiver
from conformance.profiles import Profile, load_profile
from conformance.rules.base import Rule, catalogue

STOP = Stop(
    "no-credit", "The account has no credit left.", "账户余额已用完。", "top up the account, or use another key"
)
IN_FORCE, ENDED = "2099-12-31", "2020-01-31"
FEW = 6


@dataclass(frozen=True)
class Scene:
    """What `report.html` is made of."""

    judgements: list[Judgement]
    ledger: Ledger
    rules: dict[str, Rule]
    profile: Profile
    clients: tuple[ClientVerdict, ...]

    def hostile(self, kept: frozenset[str]) -> "Scene":
        """The same with payloads in everything; of a profile, in what a page shows of it."""
        profile = replace(
            self.profile, title=poison(self.profile.title), claims=poison(self.profile.claims, kept), sources=()
        )
        rules = {poison(name) if not kept else name: poison(rule, kept) for name, rule in self.rules.items()}
        return Scene(
            poison(self.judgements, kept), poison(self.ledger, kept), rules, profile, poison(self.clients, kept | OURS)
        )


def scene(ledger: Ledger) -> Scene:
    """A short run that was stopped, with a profile, clients, waivers of every state, and a case made smaller."""
    profile = load_profile("vman")
    profile = replace(profile, claims=profile.claims[:FEW])
    judgements = list(judge(ledger, (), profile))
    broken = [each for each in judgements if each.verdict is Verdict.FAIL and each.findings]
    whole = replace(
        ledger, stop=STOP, complete=False, minimised=(_smaller(ledger, broken[0]),), rules=("chat", "models")
    )
    return Scene(_waived(judgements, broken), whole, dict(catalogue()), profile, client_verdicts(ledger))


def _waived(judgements: list[Judgement], broken: list[Judgement]) -> list[Judgement]:
    """One waiver in force, one that has ended, one that excuses nothing any more."""
    held = next(each for each in judgements if each.verdict is Verdict.PASS)
    given = {
        (broken[0].rule, broken[0].operation): (IN_FORCE, False),
        (broken[1].rule, broken[1].operation): (ENDED, True),
        (held.rule, held.operation): (IN_FORCE, False),
    }
    return [
        replace(each, waiver=Waiver(each.rule, "ticket 4711, mended soon", "Li", *_until(given, each)))
        if (each.rule, each.operation) in given
        else each
        for each in judgements
    ]


def _until(given: dict[tuple[str, str], tuple[str, bool]], each: Judgement) -> tuple[str, str, bool]:
    until, ended = given[each.rule, each.operation]
    return until, "", ended


def _smaller(ledger: Ledger, broken: Judgement) -> Minimised:
    case = broken.findings[0].exchange
    exchange = ledger.by_case[case]
    return Minimised(case, broken.rule, 7, reproduced=True, complete=False, smallest=0, exchanges=(exchange,))


def client_verdicts(ledger: Ledger) -> tuple[ClientVerdict, ...]:
    """One client of every state, with what it stumbles over."""
    cases = tuple(each.case.id for each in ledger.exchanges[:FEW])
    trouble = Trouble("raises", "KeyError: 'choices'", ("chat",), cases, ("chat.usage.adds-up",))
    minor = Trouble("usage-missing", "", ("chat",), cases[:1], ())
    states = [(State.BREAKS, (trouble, minor)), (State.LIMITS, (minor,)), (State.WORKS, ()), (State.NOT_RUN, ())]
    return tuple(
        ClientVerdict(client, "1.2.3", state, FEW, ("chat", "embeddings"), troubles, "it ended" if troubles else "")
        for client, (state, troubles) in zip(CLIENTS.values(), states, strict=True)
    )


def comparison(folders: tuple[Path, ...], ledgers: tuple[Ledger, ...]) -> Comparison:
    """Two sides of which the first is the yardstick, with waivers, clients, a page's claims, and a stop."""
    names = ["upstream", "relay"]
    broken = [each for each in judge(ledgers[1]) if each.verdict is Verdict.FAIL]
    days = (IN_FORCE, IN_FORCE, ENDED)
    given = [Waiver(each.rule, "known", "Li", day, each.operation) for each, day in zip(broken, days, strict=False)]
    found = compare(folders, control="upstream", names=names, waivers={"relay": tuple(given)})
    claims = tuple(
        ComparedClaim(f"Page {state}", "chat", "POST", state)
        for state in ("checked", "variant", "missing", "unchecked")
    )
    first, last = found.sides
    dressed = [
        replace(first, clients=client_verdicts(ledgers[0]), claims=claims),
        replace(last, clients=client_verdicts(ledgers[1])[::-1], stop=STOP, complete=False, repeats=3),
    ]
    return replace(found, sides=tuple(dressed))


def hostile_comparison(found: Comparison) -> Comparison:
    """The same with payloads in every text of every noun."""
    return poison(found, (SHAPED | OURS) - {"case", "cases"})
