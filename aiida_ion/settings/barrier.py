"""The parameters of ``ion.barrier``, validated; independent of AiiDA, since help reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from aiida_ion.settings.md import RelaxSettings
from aiida_ion.settings.migration import HopSearchSettings, HopSettings, TransportSettings
from aiida_ion.settings.schema import Part, Settings, flag, number, setting, whole


@dataclass(frozen=True)
class BarrierParameters(Settings):
    """What is computed."""

    what: ClassVar[str] = "barrier setting"

    relax_ions: bool = flag(True, help="Relax the ions of the crystal first, in its cell, with the same potential")
    relax: RelaxSettings = setting(Part(kind=RelaxSettings, help="Settings of that relaxation"), {})
    search: HopSearchSettings = setting(Part(kind=HopSearchSettings, help="Which hops there are"), {})
    hop: HopSettings = setting(Part(kind=HopSettings, help="How each is computed"), {})
    transport: TransportSettings = setting(Part(kind=TransportSettings, help="What follows from the barriers"), {})
    hops_per_job: int = whole(10, least=1, most=1000, help="Hops of a job")
    max_concurrent: int = whole(4, least=1, most=10_000, help="Jobs in parallel")
    reference_energy_eV_atom: float | None = number(
        None,
        unit="eV",
        help="Energy of an atom of the mobile species in a reference, by the same potential: gives a formation energy",
    )
    dft_images: int = whole(7, least=3, most=51, help="Images of DFT bands, with their ends")
    dft_max_force_eV_A: float = number(
        0.05, least=0.001, most=1.0, unit="eV/angstrom", help="Force at which a DFT band has converged"
    )
    dft_max_steps: int = whole(50, least=1, most=1000, help="Most steps of a DFT band")
