"""A dataset -> what is watched while a potential that was trained on it runs."""

from __future__ import annotations

from typing import Any

from aiida import orm

from aiida_ion.settings.watch import BY_HAND, MARGIN, bounds_with_margin


def run_watch(
    dataset: orm.ArrayData, margin_A: float | None = None, below_A: float | None = None
) -> dict[str, Any] | None:
    """Return the input ``watch`` of runs of a potential that was trained on a dataset; ``None`` if it has no distances.

    A dataset that was made before bounds came from frames that were held out has the old ones: the closest pair of its
    training frames, less 0.1 angstrom.

    :param dataset: the output of ``ion.training_dataset``.
    :param margin_A: instead, how far below the closest pair of the training frames a run may come.
    :param below_A: cut-off of the potential where the program counts neighbours only up to there: pairs with a bound
        beyond it are left out.
    """
    attributes = dataset.base.attributes.all
    closest_A, own = attributes.get("closest_pairs_A") or {}, attributes.get("watch")
    if margin_A is not None:
        bounds, rule = bounds_with_margin(closest_A, margin_A), BY_HAND
    elif own:
        bounds, rule = own["bounds_A"], own["rule"]
    else:
        bounds, rule = bounds_with_margin(closest_A), MARGIN
    bounds = {pair: bound for pair, bound in bounds.items() if below_A is None or bound < below_A}
    return {"bounds_A": bounds, "rule": rule, "dataset": dataset.uuid} if bounds else None
