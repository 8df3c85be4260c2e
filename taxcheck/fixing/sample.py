"""Pairs that no repair can make a closure, and that are sound as a sample of one."""

from __future__ import annotations

from dataclasses import replace

from taxcheck.fixing.plan import Lacking, Plan
from taxcheck.pipeline import check
from taxcheck.request import Request

_SAMPLE = (
    "or, if the pairs are meant as a sample of the closure, declare it by [dataset] pairs = "
    '"sampled" in the policy: so read, the gate passes them as they are'
)


def or_sampled(plan: Plan, request: Request) -> Plan:
    """Where nothing can be repaired, whether the pairs are sound as a sample, which they may be."""
    if plan.possible or plan.dataset.pairs != "closure":
        return plan
    dataset = replace(request.policy.dataset, pairs="sampled")
    tried = replace(
        request, embeddings=None, drawn=False, policy=replace(request.policy, dataset=dataset)
    )
    if check(tried).exit_code:
        return plan
    return replace(plan, lacking=tuple(map(_as_sample, plan.lacking)))


def _as_sample(one: Lacking) -> Lacking:
    return replace(one, give=f"{one.give}; {_SAMPLE}") if one.blocking else one
