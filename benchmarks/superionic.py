"""A superionic model against what is published of the same model: oxygen in PuO2 with the MOX-07 pair potentials.

Published: Seitov, Nekrasov, Ustiuzhanin, Boyarchenkov, Kuznetsova, Pitskhelaury, Gupta, Crystals 15, 919 (2025),
doi:10.3390/cryst15110919, full text. It states activation energies and where on the scale of D the regions end; its
diffusivities are drawn in figures and not printed. The parameters and the lattice constant at zero pressure are those
of the group's own program (github.com/boyarchenkov/idgpu, IDGPU/Data/PuO2.spp), with the charges that the paper gives.

``python benchmarks/superionic.py`` prints Markdown tables: each run as the package analyses it, beside LAMMPS's own
``compute msd``, and the activation energies beside the published ones.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ase import units
from real_runs import Run, fluorite, in_lammps

from aiida_ion.analysis.arrhenius.fit import ArrheniusPoint, fit_arrhenius
from aiida_ion.analysis.diffusion.analyse import DiffusionResult, DiffusionSettings, analyse_diffusion
from aiida_ion.lammps.potentials import load_potential
from aiida_ion.settings.md import MdSettings
from aiida_ion.units import CM2_S_PER_A2_PS, FS_PER_PS

#: A, B, C of A exp(-B r) - C / r^6 (eV, 1/angstrom, eV angstrom^6), and the charge of plutonium, e.
OXYGEN, PLUTONIUM_OXYGEN = (50211.74, 5.520015, 74.79611), (871.7899, 2.807875, 0.0)
CATION_E = 4 * 0.6862303
#: a(T) = a2 T^2 + a1 T + a0 at zero pressure, angstrom and K.
LATTICE_A = (8.22179410e-09, 5.46845199e-05, 5.37619492)
TIMESTEP_FS = 3.0
EQUILIBRATION_PS = 6.0
#: Temperature, K, and time after equilibration, ps. The paper calls the state superionic where ln D is above -10
#: (D in cm^2/s), and region I what is below, down to 5e-8 cm^2/s.
RUNS = {
    "superionic": ((3100.0, 20.0), (3400.0, 20.0), (3700.0, 20.0)),
    "region I": ((2550.0, 15.0), (2400.0, 20.0), (2300.0, 30.0)),
}
#: What the paper states of the two, eV.
PUBLISHED = {
    "superionic": "close to 1.0",
    "region I": "4.2 +- 0.05 (periodic, 1500 ions); 3.47 +- 0.05 (free surface, 5460 ions)",
}
MSD_FILE = "own_msd.txt"


class RunResult(NamedTuple):
    """A run as the package sees it, and the slope of LAMMPS's own mean squared displacement over 6, cm^2/s."""

    result: DiffusionResult
    lammps_cm2_s: float
    pressure_GPa: float


def mox_07() -> dict[str, object]:
    """The potential as a user would give it, in LAMMPS's words."""
    pairs = {"O O": OXYGEN, "Pu O": PLUTONIUM_OXYGEN}
    lines = [f"pair_coeff {pair} {a} {1.0 / b:.8g} {c}" for pair, (a, b, c) in pairs.items()]
    commands = ["pair_style buck/coul/long 10.0", "kspace_style pppm 1.0e-4", "pair_coeff Pu Pu 0.0 1.0 0.0", *lines]
    charges = {"Pu": CATION_E, "O": -CATION_E / 2}
    return {"commands": "\n".join(commands), "charges": charges, "level_of_theory": "classical/MOX-07"}


def measured(repeat: int, temperature_and_time: tuple[float, float]) -> RunResult:
    """Run once at constant volume, and analyse."""
    temperature_K, time_ps = temperature_and_time
    settings = MdSettings.from_dict(
        {
            "temperature_K": temperature_K,
            "timestep_fs": TIMESTEP_FS,
            "n_steps": round((time_ps + EQUILIBRATION_PS) * FS_PER_PS / TIMESTEP_FS),
            "sample_every": 20,
            "seed": 1,
        }
    )
    own = (
        "compute own_msd type_2 msd com yes\n"
        f"fix own_msd all ave/time 10 10 100 c_own_msd[4] c_thermo_press file {MSD_FILE}"
    )
    atoms = fluorite("Pu", "O", float(np.polyval(LATTICE_A, temperature_K)), repeat)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = load_potential(mox_07())
        run = in_lammps(folder, atoms, model, {"Pu": 4.0, "O": -2.0}, settings, own, EQUILIBRATION_PS)
        step, msd_A2, pressure_bar = np.loadtxt(folder / MSD_FILE, unpack=True)
    times_ps = step * TIMESTEP_FS / FS_PER_PS
    late = times_ps > EQUILIBRATION_PS
    slope = float(np.polyfit(times_ps[late], msd_A2[late], 1)[0])
    return RunResult(
        analysed(run), slope / 6.0 * CM2_S_PER_A2_PS, float(pressure_bar[late].mean()) * units.bar / units.GPa
    )


def analysed(run: Run) -> DiffusionResult:
    charges = {"Pu": 4.0, "O": -2.0}
    return analyse_diffusion(
        [[run.segment]], run.symbols, "O", charges, run.temperature_K, settings=DiffusionSettings(seed=1)
    )


def row(temperature_K: float, time_ps: float, run: RunResult) -> str:
    result = run.result
    value, interval = result.tracer_diffusivity_cm2_s, result.tracer_diffusivity_ci95_cm2_s
    if value is None or interval is None:
        shown = f"no number | below {result.tracer_diffusivity_upper_bound_cm2_s:.3g}"
    else:
        shown = f"{value:.3g} | {interval[0]:.3g} to {interval[1]:.3g}"
    logarithm = "" if value is None else f"{np.log(value):.2f}"
    cells = [f"{temperature_K:g}", f"{time_ps:g}", shown, logarithm, f"{run.lammps_cm2_s:.3g}", result.grade]
    return "| " + " | ".join([*cells, f"{run.pressure_GPa:+.2f}"]) + " |"


def energy(results: Sequence[RunResult]) -> str:
    """The activation energy over the diffusive runs, with its interval."""
    moved = [one.result for one in results if one.result.tracer_diffusivity_samples_cm2_s is not None]
    if len(moved) < 3:
        return f"no number: the ions moved at {len(moved)} temperature(s)"
    points = [ArrheniusPoint(one.temperature_K, one.tracer_diffusivity_samples_cm2_s) for one in moved]
    law = fit_arrhenius(points, float(np.mean([one.temperature_K for one in moved])))
    if law.activation_energy_eV is None or law.activation_energy_ci95_eV is None:
        return f"no number: {law.reason}"
    low, high = law.activation_energy_ci95_eV
    return f"{law.activation_energy_eV:.2f} [{low:.2f}, {high:.2f}]"


def plain_energy(results: Sequence[RunResult]) -> str:
    """A straight line through the logarithms of LAMMPS's own slopes, no interval."""
    inverse = 1.0 / (units.kB * np.array([one.result.temperature_K for one in results]))
    return f"{-np.polyfit(inverse, np.log([one.lammps_cm2_s for one in results]), 1)[0]:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=4, help="unit cells along each edge")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--only", choices=list(RUNS), help="one of the two")
    arguments = parser.parse_args()
    print("| T, K | time, ps | D*, cm2/s | 95 % interval | ln D* | LAMMPS's compute msd | grade | pressure, GPa |")
    print("|---|---|---|---|---|---|---|---|")
    energies = {}
    for name in [arguments.only] if arguments.only else RUNS:
        results = []
        with ProcessPoolExecutor(arguments.jobs) as pool:
            for run, one in zip(RUNS[name], pool.map(partial(measured, arguments.repeat), RUNS[name]), strict=True):
                results.append(one)
                print(row(*run, one), flush=True)
        energies[name] = f"{energy(results)} | {plain_energy(results)}"
    print("\n| activation energy, eV | here [95 %] | of LAMMPS's compute msd | published |\n|---|---|---|---|")
    for name, here in energies.items():
        print(f"| {name} | {here} | {PUBLISHED[name]} |")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
