"""Many crystals in one command: which can be run, which cannot and why, and how large the cells are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiida_ion.campaigns.expected_cost import atoms_of
from aiida_ion.campaigns.plan import Plan
from aiida_ion.campaigns.plans import check, make_plans
from aiida_ion.campaigns.request import RunRequest
from aiida_ion.campaigns.structures import files_of

#: Larger cells run for weeks: they need --yes.
ASK_ABOVE_ATOMS = 5_000


@dataclass(frozen=True)
class Batch:
    """The crystals of a command.

    :param plans: for the crystals that can be run.
    :param refused: name of each crystal that cannot be run, and why.
    """

    plans: list[Plan]
    refused: dict[str, str]


def make_batch(
    structures: Sequence[str], engines: Sequence[str], request: RunRequest, with_ensembles: bool = False
) -> Batch:
    """Check every crystal, also after the first that cannot be run; a crystal runs with all engines or not at all.

    :param structures: files, folders, pks or uuids.
    :param engines: names of engines.
    :param request: what is asked of them.
    :param with_ensembles: whether crystals with partly occupied sites are ordered; else they are refused.
    :raises ValueError: if an option or an engine is wrong, or all crystals are refused for the same reason.
    """
    names = files_of(structures)
    refused: dict[str, str] = {}
    kept = sound_plans(make_plans(names, engines, request, refused, with_ensembles), refused)
    reasons = {reason.replace(name, "", 1) for name, reason in refused.items()}
    if not kept and refused and (len(names) == 1 or len(reasons) == 1):
        raise ValueError(next(iter(refused.values())))
    return Batch(kept, refused)


def sound_plans(plans: Sequence[Plan], refused: dict[str, str]) -> list[Plan]:
    """Return the plans of the crystals that can be run with all engines.

    :param refused: filled with the crystals that cannot be run, and why.
    """
    for plan in plans:
        try:
            check([plan])
        except ValueError as error:
            refused.setdefault(plan.crystal, str(error))
    return [plan for plan in plans if plan.crystal not in refused]


def require_all(batch: Batch, skip_bad: bool, report: Callable[[str], object]) -> None:
    """Report the crystals that cannot be run, each with its reason, and raise unless the others are wanted.

    :param skip_bad: whether the others run.
    :param report: called with each line.
    :raises ValueError: if a crystal cannot be run and ``skip_bad`` is false, or if none is left.
    """
    if not batch.refused:
        return
    n_good = len({plan.crystal for plan in batch.plans})
    n_all = n_good + len(batch.refused)
    for name, reason in batch.refused.items():
        report(f"REFUSED {reason if name in reason else f'{name}: {reason}'}")
    if n_good == 0:
        raise ValueError(f"none of the {n_all} crystals can be run; see above")
    counts = f"{len(batch.refused)} of {n_all} crystals cannot be run"
    if not skip_bad:
        raise ValueError(f"{counts}, and nothing was submitted; --skip-bad runs the other {n_good}")
    report(f"NOTE {counts} and are left out; {n_good} run (--skip-bad)")


def large_cells(plans: Sequence[Plan]) -> str | None:
    """Return a sentence on the cells above :data:`ASK_ABOVE_ATOMS`; ``None`` if there are none."""
    sizes = {plan.title: atoms_of(plan) for plan in plans}
    large = {title: n_atoms for title, n_atoms in sizes.items() if n_atoms > ASK_ABOVE_ATOMS}
    if not large:
        return None
    largest = max(large, key=lambda title: large[title])
    return (
        f"{len(large)} of {len(plans)} simulated cells have more than {ASK_ABOVE_ATOMS:,} atoms, {largest} has "
        f"{large[largest]:,}"
    )
