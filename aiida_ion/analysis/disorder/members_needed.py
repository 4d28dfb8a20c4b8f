"""How many ordered cells a crystal needs: one where the mobile ions alone are disordered."""

from __future__ import annotations

from aiida_ion.analysis.disorder.plan import Plan

#: Of a crystal whose disorder molecular dynamics samples by itself.
ONE = 1


def members_needed(plan: Plan, n_orderings: int) -> int:
    """Return how many cells to draw.

    Molecular dynamics moves mobile ions among their sites and nothing else, so that any arrangement of them will do
    where the framework is ordered; what the framework does not hold in one cell needs several.

    :param n_orderings: of a crystal whose framework is disordered.
    """
    return ONE if plan.roles.kind == "mobile" else n_orderings
