"""Pooled results of two levels of theory on the same ordered cells, compared cell by cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiida import orm

from aiida_ion.analysis.arrhenius.members import ENERGY, TARGET
from aiida_ion.analysis.comparison.paired import MemberPart, paired_difference, paired_ratio
from aiida_ion.analysis.comparison.ratios import Difference, Ratio
from aiida_ion.analysis.disorder.spread import Sampling
from aiida_ion.calculations.conductivity.member_arrays import FREEDOM, SHARE, TRACER, WEIGHTS, within_name

MATCHED, POOLED = "matched", "pooled"


@dataclass(frozen=True)
class Match:
    """The pooled cells of two levels.

    :param order: for each cell of the reference its place among those of the compared level; ``None`` where not all of
        them are the same.
    :param n_common: cells that both have.
    :param n_level: cells of the compared level, and ``n_reference`` those of the reference.
    """

    order: list[int] | None
    n_common: int
    n_level: int
    n_reference: int

    @property
    def attributes(self) -> dict[str, Any]:
        """What a comparison says of it."""
        how = MATCHED if self.order is not None else POOLED
        return {"members_compared": how, "n_members_common": self.n_common}

    @property
    def sentence(self) -> str | None:
        """Why pooled values are compared although the cells are not the same; ``None`` where they are."""
        if self.order is not None:
            return None
        return (
            f"Cell by cell: {self.n_common} of {self.n_level} and {self.n_reference} pooled cells are the same at both "
            "levels, so that the pooled values are compared, each with the spread between its own cells."
        )


def match_of(nodes: Mapping[str, Any]) -> Match | None:
    """Return how the cells behind two pooled conductivities correspond; ``None`` where one of them is not pooled.

    :param nodes: `conductivity` and `reference_conductivity`; any may be missing.
    """
    sides = [_cells(nodes.get(name)) for name in ("conductivity", "reference_conductivity")]
    level, reference = sides
    if level is None or reference is None:
        return None
    common = set(level) & set(reference)
    counts = (len(common), len(level), len(reference))
    same = len(common) == len(level) == len(reference)
    if not same or not np.allclose([level[key] for key in reference], list(reference.values()), rtol=1e-6):
        return Match(None, *counts)
    return Match([list(level).index(key) for key in reference], *counts)


def _cells(node: Any) -> dict[str, float] | None:
    """Return the hash of each pooled cell, in their order, with its share of the weight."""
    if node is None or not node.base.attributes.get("members", None):
        return None
    attributes = node.base.attributes.all
    by_label = {entry["label"]: entry for entry in attributes["members"]}
    pooled = [by_label[label] for label in attributes["members_pooled"]]
    total = sum(entry["weight"] for entry in pooled)
    # Results of earlier versions do not say which cells they are of: those are like no others.
    keys = [str(entry.get("structure_hash") or f"{node.uuid} {entry['label']}") for entry in pooled]
    return {key: entry["weight"] / total for key, entry in zip(keys, pooled, strict=True)}


def matched_diffusivity(match: Match | None, level: Any, reference: Any) -> Ratio | None:
    """Return the ratio of the tracer diffusivities at a temperature; ``None`` where cells cannot be matched."""
    pair = _parts(match, level, reference, TRACER, logarithmic=True)
    return None if pair is None else paired_ratio(*pair)


def matched_target(match: Match | None, level: Any, reference: Any) -> Ratio | None:
    """Return the ratio of the conductivities at the target temperature; ``None`` where cells cannot be matched."""
    pair = _parts(match, level, reference, TARGET)
    if pair is None:
        return None
    # Cells of both levels have the same charge and, relaxed by each level, nearly the same density.
    density = [float(node.base.attributes.get("number_density_A3")) for node in (level, reference)]
    shift = float(np.log10(density[0] / density[1]))
    moved = MemberPart(pair[0].within + shift, pair[0].deviations, pair[0].variances)
    return paired_ratio(moved, *pair[1:])


def matched_energy(match: Match | None, level: Any, reference: Any) -> Difference | None:
    """Return the difference of the activation energies, eV; ``None`` where cells cannot be matched."""
    pair = _parts(match, level, reference, ENERGY)
    return None if pair is None else paired_difference(*pair)


def _parts(
    match: Match | None, level: Any, reference: Any, name: str, logarithmic: bool = False
) -> tuple[MemberPart, MemberPart, Sampling] | None:
    """Return both sides, cells in the order of the reference, and how the cells stand for the crystal.

    :param logarithmic: draws are of the quantity, deviations relative to its mean: both become decimal logarithms.
    """
    if match is None or match.order is None or level is None or reference is None:
        return None
    sides = [_part(node, name, logarithmic) for node in (level, reference)]
    own, other = sides
    if own is None or other is None or not len(own.deviations) == len(match.order) == len(other.deviations):
        return None
    weights = np.asarray(reference.get_array(WEIGHTS), dtype=float)
    share, freedom = (float(reference.base.attributes.get(key)) for key in (SHARE, FREEDOM))
    sampling = Sampling(weights / weights.sum(), share, freedom)
    ordered = MemberPart(own.within, own.deviations[match.order], own.variances[match.order])
    return ordered, other, sampling


def _part(node: orm.ArrayData, name: str, logarithmic: bool) -> MemberPart | None:
    if within_name(name) not in node.get_arraynames():
        return None
    arrays = [
        np.asarray(node.get_array(full), dtype=float)
        for full in (within_name(name), f"member_deviations_of_{name}", f"member_variances_of_{name}")
    ]
    if not logarithmic:
        return MemberPart(*arrays) if np.all(np.isfinite(arrays[0])) else None
    decade = np.log(10.0)
    return MemberPart(np.log10(arrays[0]), arrays[1] / decade, arrays[2] / decade**2)
