"""Cells with one kind of defect at one concentration, as an ensemble."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pymatgen.core.structure import Structure

from aiida_ion.analysis.defects.doping import place_dopants
from aiida_ion.analysis.defects.members import DefectMember, displaced_structure, member_of, merged, perfect_structure
from aiida_ion.analysis.defects.placing import MIN_APART_A, Sites, place_defects, sites_of
from aiida_ion.analysis.defects.plan import DefectPlan, plan_defects
from aiida_ion.analysis.defects.refusal import DefectRefused
from aiida_ion.analysis.defects.settings import DOPANT, DefectSettings
from aiida_ion.analysis.disorder.crystal import DisorderedCrystal
from aiida_ion.analysis.disorder.ensemble import DRIFT


@dataclass(frozen=True)
class DefectEnsemble:
    """Cells with defects, each draw with the same weight.

    :param plan: the supercell and its contents.
    :param perfect: the same cell without defects.
    :param displaced: that one with its atoms displaced at random by about 0.05 angstrom.
    :param members: cells that are not symmetry copies of each other.
    :param n_failed: draws that were left out because interstitials stayed too close.
    :param remarks: in addition to those of the plan.
    """

    plan: DefectPlan
    perfect: Structure
    displaced: Structure
    members: tuple[DefectMember, ...]
    n_failed: int
    remarks: tuple[str, ...]

    @property
    def n_draws(self) -> int:
        """Draws behind the members."""
        return sum(member.count for member in self.members)

    def attributes(self) -> dict[str, Any]:
        """Return everything but the structures, ready for JSON; names are those of ordered cells."""
        return self.plan.attributes() | {
            "n_draws": self.n_draws,
            "n_orderings": len(self.members),
            "n_frameworks": len({member.framework_digest for member in self.members}),
            "n_failed": self.n_failed,
            "draw_remarks": list(self.remarks),
            "members": [
                {
                    "index": member.index,
                    "weight": member.count / self.n_draws,
                    "count": member.count,
                    "ewald_energy_eV": member.energy_eV,
                    "closest_mobile_A": member.closest_mobile_A,
                    "closest_A": member.closest_A,
                    "structure_hash": member.digest,
                    "framework_hash": member.framework_digest,
                    "defects": list(member.defects),
                    "distances_A": [list(pair) for pair in member.distances_A],
                    "closest_defects_A": member.distances_A[0][2] if member.distances_A else None,
                }
                for member in self.members
            ],
        }


def make_defects(crystal: DisorderedCrystal, settings: DefectSettings) -> DefectEnsemble:
    """Return cells of an ordered crystal with one kind of defect at one concentration.

    :raises DefectRefused: where a decision of the user is needed.
    """
    return draw_defects(plan_defects(crystal, settings))


def draw_defects(plan: DefectPlan) -> DefectEnsemble:
    """Return cells as planned.

    :raises DefectRefused: where interstitials cannot keep their distance.
    """
    sites = sites_of(plan)
    members, n_failed, remarks = (_doped if plan.settings.defect == DOPANT else _random)(plan, sites)
    kept = merged(members)
    if len(kept) < len(members):
        remarks.append(f"{len(members)} draws gave {len(kept)} cells that are not copies of each other by symmetry")
    perfect = perfect_structure(sites)
    displaced = displaced_structure(perfect, plan.settings.seed)
    return DefectEnsemble(plan, perfect, displaced, kept, n_failed, tuple(remarks))


def _random(plan: DefectPlan, sites: Sites) -> tuple[list[DefectMember], int, list[str]]:
    numbers = range(plan.settings.n_members)
    return [member_of(plan, sites, place_defects(plan, sites, k), k, None) for k in numbers], 0, []


def _doped(plan: DefectPlan, sites: Sites) -> tuple[list[DefectMember], int, list[str]]:
    numbers = list(range(plan.settings.n_members))
    placements, energies_eV, violations, quality = place_dopants(plan, sites, numbers)
    good = [k for k in numbers if violations[k] == 0]
    if not good:
        raise DefectRefused(
            f"interstitials stay closer than {MIN_APART_A:g} angstrom in every cell: take a lower concentration"
        )
    members = [member_of(plan, sites, placements[k], k, float(energies_eV[k])) for k in good]
    remarks, n_failed = [], len(numbers) - len(good)
    if n_failed:
        remarks.append(f"{n_failed} of {len(numbers)} draws were left out: interstitials stayed too close")
    if quality.drift is not None and abs(quality.drift) > DRIFT:
        remarks.append(
            f"the energy still changed by {quality.drift:+.1f} standard errors over half of the draw: raise sweeps"
        )
    return members, n_failed, remarks
