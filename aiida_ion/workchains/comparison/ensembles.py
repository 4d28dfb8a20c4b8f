"""Ensembles as runs of a comparison: their inputs, and the cell on which two levels are compared frame by frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from aiida_ion.workchains.conductivity.workchain import ConductivityWorkChain
from aiida_ion.workchains.ensemble.workchain import EnsembleWorkChain

#: Namespace of an ensemble with the inputs that the conductivities of its members share.
CONDUCTIVITY = "conductivity"


class Pair(NamedTuple):
    """Two finished conductivities of one ordered crystal, and the label of that cell where they are of ensembles."""

    reference: Any
    other: Any
    label: str | None


def is_ensemble(run: Mapping[str, Any]) -> bool:
    """Whether the inputs of a run are those of an `ion.ensemble`."""
    return CONDUCTIVITY in run


def chain_of(run: Mapping[str, Any]) -> Any:
    """Return the class of the work chain of a run."""
    return EnsembleWorkChain if is_ensemble(run) else ConductivityWorkChain


def conductivity_of(run: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the inputs of the conductivity; of an ensemble those that its members share."""
    inputs: Mapping[str, Any] = run[CONDUCTIVITY] if is_ensemble(run) else run
    return inputs


def with_fresh(run: Mapping[str, Any], fresh: bool) -> dict[str, Any]:
    """Return the inputs of a run that recomputes existing results, or does not."""
    if not is_ensemble(run):
        return {**run, "fresh": fresh}
    return {**run, CONDUCTIVITY: {**run[CONDUCTIVITY], "fresh": fresh}}


def one_cell(reference: Any, other: Any) -> Pair | None:
    """Return the conductivities of one ordered cell at two levels; ``None`` where no cell is the same at both.

    :param reference: finished work chain of the reference: a conductivity or an ensemble.
    :param other: that of the engine that is compared with it.
    """
    sides = [_cells(chain) for chain in (reference, other)]
    if not any(sides):
        return Pair(reference, other, None)
    labels = [label for label, digest in sorted(sides[0].items()) if digest and sides[1].get(label) == digest]
    if not labels:
        return None
    first, second = (chain.outputs.members[labels[0]].creator.caller for chain in (reference, other))
    return Pair(first, second, labels[0])


def _cells(chain: Any) -> dict[str, str | None]:
    """Return the hash of each pooled cell by its label; nothing of a conductivity."""
    attributes = chain.outputs.conductivity.base.attributes.all
    entries = attributes.get("members") or []
    return {entry["label"]: entry.get("structure_hash") for entry in entries if entry["pooled"]}
