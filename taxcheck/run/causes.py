"""Diagnosis: causes are hypotheses; those that the data bears out take the offenders they explain.

A cause is certain where it explains at least 99 % of what is left of a finding and at least twenty
offenders, and likely where it explains all of fewer. Of several that explain the same offenders the
one that was told less counts, but one that explains more comes before it. What is left stays a
finding of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from msgspec import structs

from taxcheck.model.arrays import BoolArray, distinct
from taxcheck.model.cause import Cause, Explanation, Mend
from taxcheck.model.finding import Outcome, Unavailable, known
from taxcheck.model.result import Explained, FoundCause, RuleResult
from taxcheck.model.room import Unasked, held_bytes
from taxcheck.model.vocabulary import plural
from taxcheck.run.clues import Clues
from taxcheck.run.diagnosis import Diagnosis
from taxcheck.run.gather import Gathered
from taxcheck.run.replay import PAIRWISE
from taxcheck.run.trial import Trial, attempt
from taxcheck.statistics.symptoms import Symptoms, rule_of

if TYPE_CHECKING:
    from taxcheck.audit.examination import Audit

# A node that is gone takes the parent of any number of others away.
_GONE, _ORPHANED = "coverage_gap", ("several_roots", "missing_parent")
SHARE, FEWEST = 0.99, 20
# Rows that are in the file, and in no pair.
_UNPLACED = ("invalid_pair_row", "index_out_of_range", "unusable_weight")
_CHANCE = 10  # times as many as chance would explain
_WORSE = 0.01  # new offenders that a trial may make, as a share of those that it explains


@dataclass(frozen=True)
class Accepted:
    """A cause that holds: what it explains, and what undoes it."""

    result: FoundCause
    mend: Mend | None


@dataclass(frozen=True)
class _Candidate:
    cause: Cause
    explanation: Explanation
    masks: Mapping[str, BoolArray]  # by the name of the rule; (k,)
    whole: frozenset[str]  # rules without single offenders that it accounts for

    def counts(self, left: Mapping[str, BoolArray]) -> dict[str, int]:
        """How many of the offenders that are left it explains, by rule."""
        return {name: int(np.count_nonzero(mask & left[name])) for name, mask in self.masks.items()}

    def may_be(self, rows: int) -> bool:
        """Whether so many rows are too many for it to say that what it explains is lost."""
        explained = max((int(np.count_nonzero(mask)) for mask in self.masks.values()), default=0)
        return rows > (1 - SHARE) * explained


def _accepted(
    causes: Iterable[Cause],
    data: Gathered,
    results: tuple[RuleResult, ...],
    audit: Audit | None,
    broken: list[str],
) -> tuple[Accepted, ...]:
    """The causes that hold, the one that explains most of the data first."""
    found = {r.name: r for r in results if r.outcome in (Outcome.FAIL, Outcome.WARN)}
    if not found:
        return ()
    clues = Clues(data, found, audit)
    broken += _unasked(clues)
    unplaced = sum(_of(found[name]) for name in _UNPLACED if name in found)
    candidates, unknown = [], False
    unasked: dict[str, list[str]] = {}
    for cause in causes:
        try:
            candidate = _candidate(cause, clues)
        except Unasked as why:
            unasked.setdefault(str(why), []).append(cause.name)
        except Exception as error:  # the verdict stands without it
            broken.append(
                f"The cause {cause.name} broke and was left out: {type(error).__name__}: {error}. "
                "Please report this."
            )
        else:
            if candidate is not None and cause.loss and candidate.may_be(unplaced):
                unknown = True
            elif candidate is not None:
                candidates.append(candidate)
    broken += [
        f"Whether it was {' or '.join(names)} was not asked: {why}."
        for why, names in unasked.items()
    ]
    if unknown:
        broken.append(
            f"Whether pairs were lost was not asked: {plural(unplaced, 'row')} that could not be "
            "read or found in the mapping may be those that seem to be missing."
        )
    left = {
        name: np.ones(len(clues.symptoms[name]), dtype=bool)
        for name in clues.symptoms
        if rule_of(name) in found
    }
    accepted = [
        Accepted(_told(candidate, counts, certain, clues), _undoing(candidate.explanation))
        for candidate, counts, certain in _chosen(candidates, left)
    ]
    return tuple(sorted(accepted, key=lambda one: (-(one.result.share or 0.0), one.result.name)))


def _unasked(clues: Clues) -> list[str]:
    """What is not known of causes because there are more offenders than are kept."""
    overfull = clues.symptoms.overfull
    names = sorted({rule_of(name) for name in overfull} & clues.found.keys())
    if not names:
        return []
    told = " and ".join(f"{clues.found[name].id} {name}" for name in names)
    none = "; no cause whose undoing would change pairs was tried" * bool(
        overfull.intersection(PAIRWISE)
    )
    return [
        f"What caused {told} was not asked: more than {clues.symptoms.most:,} offenders of one "
        f"kind are not kept in the memory that is given{none}."
    ]


def _undoing(explanation: Explanation) -> Mend | None:
    mend = explanation.mend
    return None if mend is None or mend.only_tried or explanation.guess else mend


def _candidate(cause: Cause, clues: Clues) -> _Candidate | None:
    """A cause's explanation with what it explains, where there is one."""
    given = {name: clues.get(name) for name in (*cause.needs, *cause.wants)}
    if any(isinstance(given[name], Unavailable) for name in cause.needs):
        return None
    given = {name: value for name, value in given.items() if not isinstance(value, Unavailable)}
    explanation = cause.function(**given)
    if explanation is None:
        return None
    masks = {
        name: mask
        for name, mask in explanation.explains.items()
        if rule_of(name) in clues.found and name in clues.symptoms and not isinstance(mask, bool)
    }
    whole = {name for name, mask in explanation.explains.items() if mask is True}
    if explanation.mend is not None:
        tried = _tried(explanation.mend, clues)
        if tried is None:
            return None
        whole |= tried.whole
        for name, mask in tried.explained.items():
            if rule_of(name) in clues.found:
                masks[name] = masks[name] | mask if name in masks else mask
    return _Candidate(cause, explanation, masks, frozenset(whole & clues.found.keys()))


def _tried(mend: Mend, clues: Clues) -> Trial | None:
    """What undoing a cause explains; None where it makes things worse."""
    data = clues.data
    if data.intake is None:
        return Trial({}, 0)
    if (room := known(clues.room)) is not None:
        # all is kept and counted a second time, but for the mapping
        again = held_bytes(data.intake.mapping.n_nodes, len(data.intake.training.spool))
        room.ask(again, "undoing them in a copy of all pairs")
    trial = attempt(mend, data, clues.joins)
    explained = sum(int(np.count_nonzero(mask)) for mask in trial.explained.values())
    return None if trial.worse > _WORSE * explained else trial


def _chosen(
    candidates: list[_Candidate], left: dict[str, BoolArray]
) -> Iterable[tuple[_Candidate, dict[str, int], bool]]:
    """Those that hold, one after the other; ``left`` loses what each explains."""
    open_ = list(candidates)
    while open_:
        together = {
            name: np.logical_or.reduce([c.masks[name] for c in open_ if name in c.masks] or [~rest])
            & rest
            for name, rest in left.items()
        }
        ranked = sorted(
            ((c, c.counts(left)) for c in open_),
            key=lambda one: (
                one[0].explanation.guess,  # what is proved takes its offenders first
                -sum(one[1].values()),
                one[0].explanation.free,
            ),
        )
        for candidate, counts in ranked:
            certain = _holds(candidate, counts, left, together)
            if certain is None:
                continue
            taken = {name: mask & left[name] for name, mask in candidate.masks.items()}
            for name, mask in taken.items():
                left[name] = left[name] & ~mask
            open_.remove(candidate)
            own = replace(candidate, masks=taken)
            yield own, counts, certain and not candidate.explanation.guess
            break
        else:
            return


def _holds(
    candidate: _Candidate,
    counts: Mapping[str, int],
    left: Mapping[str, BoolArray],
    together: Mapping[str, BoolArray],
) -> bool | None:
    """True where a cause is certain, False where it is likely, None where it does not hold."""
    likely = False
    for name, count in counts.items():
        of = int(np.count_nonzero(left[name]))
        if count <= _CHANCE * candidate.explanation.chance or count <= candidate.explanation.free:
            continue
        shared = int(np.count_nonzero(together[name]))  # what all of them explain between them
        if count >= FEWEST and (count >= SHARE * of or shared >= SHARE * of):
            return True
        likely |= 0 < count == of
    if not counts and candidate.cause.found_by is not None:
        return True
    claimed = sum(int(np.count_nonzero(mask)) for mask in candidate.masks.values())
    likely &= 2 * sum(counts.values()) >= claimed  # else another cause explains what it speaks of
    return False if likely or (not counts and candidate.whole) else None


def _told(
    candidate: _Candidate, counts: Mapping[str, int], certain: bool, clues: Clues
) -> FoundCause:
    explanation, found = candidate.explanation, clues.found
    by_rule = dict.fromkeys(rule_of(name) for name in candidate.masks)
    explains = [e for rule in by_rule if (e := _explained(found[rule], counts, clues.symptoms))]
    named = {one.rule for one in explains}
    explains += [
        Explained(found[name].id, _of(found[name]), _of(found[name]))
        for name in sorted(candidate.whole)
        if found[name].id not in named
    ]
    own = candidate.cause.found_by
    failed = {r.id for r in found.values() if r.outcome is Outcome.FAIL}
    explains.sort(
        key=lambda one: (
            one.rule != own,
            one.rule not in failed,
            -one.count / max(one.of, 1),
            -one.count,
            one.rule,
        )
    )
    worst = [found[n].outcome for n in (*by_rule, *candidate.whole)]
    return FoundCause(
        name=candidate.cause.name,
        certainty="certain" if certain else "likely",
        outcome=Outcome.FAIL if Outcome.FAIL in worst else Outcome.WARN,
        message=explanation.message,
        parameters=dict(explanation.parameters),
        explains=tuple(explains),
        share=_share(candidate, clues),
        impact=explanation.impact,
        fix=explanation.fix,
        repair=None if (mend := _undoing(explanation)) is None else mend.what,
        why_not=explanation.why_not,
        guess=explanation.guess,
        document=candidate.cause.document,
    )


def _explained(
    result: RuleResult, counts: Mapping[str, int], symptoms: Symptoms
) -> Explained | None:
    """How many of what a rule counts are explained; where it only tells, of what it tells.

    A rule that counts offenders of a further kind has all of them in its count.
    """
    kinds = {name: len(symptoms[name]) for name in symptoms if rule_of(name) == result.name}
    of = _of(result) or sum(kinds.values())
    if of != sum(kinds.values()):
        kinds = {name: size for name, size in kinds.items() if name == result.name}
    explained = sum(counts.get(name, 0) for name in kinds)
    if not explained:
        return None
    return Explained(result.id, _in_terms(of, explained, sum(kinds.values())), of)


def _of(result: RuleResult) -> int:
    return result.count or 0


def _in_terms(of: int, explained: int, offenders: int) -> int:
    """The count as its rule counts, which may count groups where offenders are single rows."""
    return explained if offenders == of else round(explained * of / max(offenders, 1))


def _share(candidate: _Candidate, clues: Clues) -> float:
    """Explained rows and nodes as a share of the data that they touch, 0 to 1."""
    pairs, mapping = known(clues.evidence.pairs), known(clues.evidence.mapping)
    closure = known(clues.evidence.closure)
    rows = [
        symptom.rows[mask]
        for name, mask in candidate.masks.items()
        if (symptom := clues.symptoms[name]).rows is not None
    ]
    shares = [0.0]
    if rows and pairs is not None:
        shares.append(len(distinct(np.concatenate(rows))) / max(pairs.rows, 1))
    for name, mask in candidate.masks.items():
        symptom = clues.symptoms[name]
        if symptom.rows is not None:
            continue
        count = int(np.count_nonzero(mask))
        if len(symptom.nodes) == 1 and mapping is not None:
            shares.append(count / max(mapping.nodes, 1))
        elif len(symptom.nodes) == 2 and closure is not None:
            shares.append(count / max(closure.expected, 1))
    return min(max(shares), 1.0)


def diagnose(
    causes: Iterable[Cause],
    data: Gathered,
    results: tuple[RuleResult, ...],
    audit: Audit | None = None,
) -> Diagnosis:
    """Ask all causes, and put those that hold to the results that they explain.

    ``audit`` is what was measured of a table, where there is one.
    """
    broken: list[str] = []
    accepted = _accepted(causes, data, results, audit, broken)
    names: dict[str, list[str]] = {}
    for one in (found.result for found in accepted):
        for explained in one.explains:
            names.setdefault(explained.rule, []).append(one.name)
    found = {r.id: r for r in results if r.outcome in (Outcome.FAIL, Outcome.WARN)}
    told = (_below(result, found, names.get(result.id, []), data) for result in results)
    mends = {one.result.name: one.mend for one in accepted if one.mend is not None}
    return Diagnosis(tuple(told), tuple(one.result for one in accepted), mends, tuple(broken))


def _below(
    result: RuleResult, found: Mapping[str, RuleResult], causes: Iterable[str], data: Gathered
) -> RuleResult:
    """A result with the causes that explain it, and the findings that it follows from."""
    above = [c for c in result.caused_by if c in found]
    follows = [f for c in above if (f := _follows(result, found[c], data)) is not None]
    folded = {f.rule for f in follows if f.count >= SHARE * f.of}
    if result.name not in data.symptoms:  # nothing to count
        folded |= {*above}
    caused_by = (*causes, *(c for c in above if c in folded))
    return structs.replace(result, caused_by=caused_by, follows=tuple(follows))


def _follows(result: RuleResult, above: RuleResult, data: Gathered) -> Explained | None:
    """How many offenders of a finding are rows, or touch nodes, of another one's."""
    symptoms = data.symptoms
    if result.name not in symptoms or above.name not in symptoms:
        return None
    own, other = symptoms[result.name], symptoms[above.name]
    belongs = np.zeros(len(own), dtype=bool)
    if own.rows is not None and other.rows is not None:
        belongs |= np.isin(own.rows, other.rows)
    n = 0 if data.mapping is None else data.mapping.n_nodes
    nodes = other.touched(n)
    if 2 * np.count_nonzero(nodes) < n:  # else touching one of them says nothing
        for column in own.nodes:
            known_ = (column >= 0) & (column < n)
            belongs |= known_ & nodes[np.where(known_, column, 0)]
    if above.name == _GONE and result.name in _ORPHANED:
        belongs[:] = True
    count = int(np.count_nonzero(belongs))
    if not count:
        return None
    return Explained(above.id, _in_terms(_of(result), count, len(own)), _of(result))
