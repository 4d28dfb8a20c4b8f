"""Which elements are the framework and which are mobile too, by chemistry and by their motion."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from aiida_ion.analysis.checks.framework import rest_checks
from aiida_ion.analysis.checks.limits import CheckLimits
from aiida_ion.analysis.checks.sampled_frames import IntArray, SampledFrames, sample_frames
from aiida_ion.analysis.checks.units import Bonds, Units, find_bonds, find_units
from aiida_ion.analysis.species.framework import validate_framework
from aiida_ion.analysis.trajectories.trajectory import Segment
from aiida_ion.settings.md import NON_METALS

#: Usual mobile ions: if they leave their sites and the rest stays in order, they are mobile too.
MOBILE_CATIONS = frozenset({"Li", "Na", "K", "Rb", "Cs", "Cu", "Ag", "Mg", "Zn"})
MOBILE_ANIONS = frozenset({"H", "F", "Cl", "Br", "I", "O"})
#: Cations with a larger charge hold the crystal together, e.
MAX_CATION_CHARGE_E = 2.0


@dataclass(frozen=True)
class Roles:
    """Roles of the elements of a trajectory.

    :param mobile: the element whose diffusion is analysed.
    :param framework: elements whose mean position is the origin of all displacements, and which must stay in order.
    :param others: other mobile elements.
    :param reason: sentence on why the framework is not simply everything except the mobile species; ``None`` otherwise.
    """

    mobile: str
    framework: tuple[str, ...]
    others: tuple[str, ...]
    reason: str | None = None

    def indices(self, symbols: Sequence[str], elements: Collection[str]) -> IntArray:
        """Return the indices of the atoms of some elements, (k,)."""
        numbers: IntArray = np.flatnonzero([symbol in elements for symbol in symbols]).astype(np.int64)
        return numbers


def assign_roles(
    replicas: Sequence[Sequence[Segment]],
    symbols: Sequence[str],
    mobile_species: str,
    charges: Mapping[str, float],
    *,
    framework_species: Sequence[str] | None = None,
    equilibration_fs: float = 0.0,
    jump_distance_A: float = 3.0,
    limits: CheckLimits | None = None,
) -> Roles:
    """Find the framework: as named, else all but the mobile species and usual mobile ions that leave their sites.

    :param replicas: the segments of each, unwrapped, angstrom.
    :param symbols: element of each atom, (N,).
    :param charges: formal charges of elements, e, where known.
    :param jump_distance_A: an ion displaced by half of this has left its site, angstrom.
    :param limits: limits that the framework must meet.
    :raises ValueError: for a named framework that is not in the trajectory.
    """
    elements = [element for element in dict.fromkeys(symbols) if element != mobile_species]
    problem = validate_framework(framework_species, mobile_species, set(symbols))
    if problem is not None:
        raise ValueError(problem)
    if framework_species is not None:
        others = tuple(element for element in elements if element not in framework_species)
        reason = f"The framework, {' and '.join(framework_species)}, was given." if others else None
        return Roles(mobile_species, tuple(e for e in elements if e in framework_species), others, reason)
    candidates = [element for element in elements if may_be_mobile(element, mobile_species, charges)]
    if not candidates or len(elements) == 1:
        return Roles(mobile_species, tuple(elements), ())
    steady = [element for element in elements if element not in candidates] or elements
    moving: set[str] = set()
    for segments in replicas:
        sampled = sample_frames(segments, symbols, mobile_species, equilibration_fs, framework_species=steady)
        bound_to_others = _in_polyanions(sampled)
        moving |= {
            element
            for element in candidates
            if element not in bound_to_others
            and not _at_rest(sampled, element, jump_distance_A, limits or CheckLimits())
        }
    if not moving or len(moving) == len(elements):
        return Roles(mobile_species, tuple(elements), ())
    framework = tuple(element for element in elements if element not in moving)
    others = tuple(element for element in elements if element in moving)
    reason = (
        f"Ions of {' and '.join(others)}, which are mobile in many crystals, left their sites; the framework is "
        f"{' and '.join(framework)}."
    )
    return Roles(mobile_species, framework, others, reason)


def may_be_mobile(element: str, mobile_species: str, charges: Mapping[str, float]) -> bool:
    """Whether ions of an element, other than the analysed one, are mobile in many crystals.

    Anions only together with analysed anions: if anions leave their sites while the mobile ion is a cation, the crystal
    melts or decomposes.
    """
    charge = charges.get(element)
    if element in MOBILE_CATIONS:
        return charge is None or 0 < charge <= MAX_CATION_CHARGE_E
    beside = charges.get(mobile_species)
    analysed_is_anion = mobile_species in MOBILE_ANIONS if beside is None else beside < 0
    return element in MOBILE_ANIONS and analysed_is_anion and (charge is None or charge < 0)


def _in_polyanions(sampled: SampledFrames) -> set[str]:
    """Elements with atoms bonded to another non-metal at the start, as in polyanions."""
    everything = replace(sampled, is_framework=~sampled.is_mobile)
    bonds = find_bonds(everything)
    pairs = [(sampled.symbols[a], sampled.symbols[b]) for a, b in zip(bonds.first, bonds.second, strict=True)]
    covalent = [pair for pair in pairs if pair[0] != pair[1] and NON_METALS.issuperset(pair)]
    return {element for pair in covalent for element in pair}


def _at_rest(sampled: SampledFrames, element: str, jump_distance_A: float, limits: CheckLimits) -> bool:
    """Whether the atoms of an element stay on their sites, as a framework must.

    The jump distance is used because dilute ions are further apart than their sites.
    """
    chosen = np.array([symbol == element for symbol in sampled.symbols])
    no_bonds = Bonds(*(np.zeros(shape, dtype=np.int64) for shape in ((0,), (0,), (0, 3))))
    units = find_units(replace(sampled, is_framework=chosen), no_bonds)
    near = Units(units.kinds, units.centres, {kind: min(far, jump_distance_A) for kind, far in units.spacing_A.items()})
    growth, _, displaced = rest_checks(sampled, near, limits)
    vibration = rest_checks(sampled, units, limits)[1]
    stays = not {growth.verdict, displaced.verdict} & {"warn", "fail"}
    return stays and vibration.verdict != "fail"
