"""Jump rates of real trajectories against a count that shares no code with the analysis.

``python benchmarks/jump_rates.py`` prints a Markdown table: Li2O and CaF2 in LAMMPS at superionic temperatures. The
count by hand takes each ion to the site that is nearest and counts changes: by the rule of the analysis (an ion is at
a site within the radius, and has jumped where it reaches another), and without a radius (every change of the nearest
site, crossings that are undone at once included).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from contextlib import suppress
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
from real_runs import Run, fluorite, in_lammps, lithium_oxide

from aiida_ion.analysis.jumps.analyse import analyse_jumps
from aiida_ion.analysis.jumps.rates import poisson_interval
from aiida_ion.analysis.jumps.settings import JumpSettings
from aiida_ion.analysis.jumps.sites import Reference
from aiida_ion.lammps.potentials import load_potential
from aiida_ion.settings.md import MdSettings
from aiida_ion.units import FS_PER_PS

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Lattice constant of CaF2 at zero pressure and 1600 K with this potential, angstrom: the mean of 11 ps of ``npt``.
FLUORITE_A = 5.66
TIMESTEP_FS = 2.0


def calcium_fluoride(folder: Path, temperature_K: float, time_ps: float) -> Run:
    """CaF2 with Gillan's potential, 2 x 2 x 2 cells, 2 fs; the first 2 ps are dropped."""
    settings = MdSettings.from_dict(
        {
            "temperature_K": temperature_K,
            "timestep_fs": TIMESTEP_FS,
            "n_steps": round(time_ps * FS_PER_PS / TIMESTEP_FS),
            "sample_every": 10,
            "seed": 1,
        }
    )
    atoms = fluorite("Ca", "F", FLUORITE_A, 2)
    return in_lammps(folder, atoms, load_potential("gillan-caf2-1986"), {"Ca": 2.0, "F": -1.0}, settings)


def nearest_sites(run: Run, species: str) -> tuple[IntArray, FloatArray]:
    """Site and whole cell that each ion is nearest to, (n, M, 4), and how far it is, angstrom, (n, M)."""
    is_mobile = np.array([symbol == species for symbol in run.symbols])
    cell, positions = run.segment.cells, np.asarray(run.segment.positions, dtype=float)
    assert run.reference is not None
    fixed = positions[:, ~is_mobile] - run.reference[~is_mobile] @ cell
    drift = fixed.mean(axis=1) - fixed.mean(axis=1).mean(axis=0) + fixed.mean(axis=(0, 1))
    mobile = (positions[:, is_mobile] - drift[:, None]) @ np.linalg.inv(cell)
    sites = run.reference[is_mobile] % 1.0
    values, far = np.empty((*mobile.shape[:2], 4), dtype=np.int64), np.empty(mobile.shape[:2])
    images = np.array(list(product((-1, 0, 1), repeat=3)))
    for frame, places in enumerate(mobile):
        home = np.floor(places).astype(int)
        step = (sites[:, None] + images)[None] - (places - home)[:, None, None]
        apart = np.linalg.norm(step @ cell, axis=-1).reshape(len(places), -1)
        best = apart.argmin(axis=1)
        site, image = np.divmod(best, len(images))
        values[frame] = np.column_stack([site, home + images[image]])
        far[frame] = apart[np.arange(len(places)), best]
    return values, far


def count(at: IntArray, far: FloatArray, radius_A: float, shortest_stay: int = 0) -> int:
    """How often ions reach another site than the one before.

    :param shortest_stay: stays of fewer frames do not count.
    """
    total = 0
    for path, distance in zip(at.transpose(1, 0, 2), far.T, strict=True):
        seen = path[distance < radius_A]
        new = np.concatenate([[True], (np.diff(seen, axis=0) != 0).any(axis=1)])
        first = np.flatnonzero(new)
        lasts = np.diff([*first, len(seen)]) > shortest_stay
        stays = seen[first[lasts]]
        total += int((np.diff(stays, axis=0) != 0).any(axis=1).sum())
    return total


def compare(title: str, run: Run, species: str) -> str:
    """A row of the table."""
    reference = Reference(run.segment.cells, run.symbols, run.reference)  # type: ignore[arg-type]
    settings = JumpSettings(sites="structure")
    own = analyse_jumps(
        [[run.segment]], run.symbols, species, run.temperature_K, reference=reference, settings=settings
    )
    told = own.attributes()
    at, far = nearest_sites(run, species)
    ion_time_ps = told["n_mobile_ions"] * told["analysed_time_ps"]
    interval_ps = told["frame_interval_fs"] / FS_PER_PS

    def rate(n: int) -> str:
        low, high = poisson_interval(n)
        return f"{n}: {n / ion_time_ps:.3f} [{low / ion_time_ps:.3f}, {high / ion_time_ps:.3f}]"

    by_rule = count(at, far, told["site_radius_A"])
    every = count(at, far, np.inf)
    lasting = count(at, far, np.inf, round(0.2 / interval_ps))
    long = JumpSettings(sites="structure", minimal_residence_fs=200.0)
    own_long = analyse_jumps(
        [[run.segment]], run.symbols, species, run.temperature_K, reference=reference, settings=long
    )
    cells = [title, f"{told['site_radius_A']:.2f}", f"{told['fraction_at_no_site']:.0%}", rate(told["n_jumps"])]
    return "| " + " | ".join([*cells, rate(by_rule), rate(every), rate(len(own_long.jumps)), rate(lasting)]) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--time-ps", type=float, default=22.0)
    time_ps = parser.parse_args().time_ps
    runs: list[tuple[str, str, Callable[[Path], Run]]] = [
        ("Li2O, 1100 K", "Li", lambda folder: lithium_oxide(folder, 1100.0, time_ps)),
        ("Li2O, 1300 K", "Li", lambda folder: lithium_oxide(folder, 1300.0, time_ps)),
        ("CaF2, 1600 K", "F", lambda folder: calcium_fluoride(folder, 1600.0, time_ps)),
    ]
    print("Number of jumps and rate of an ion, 1/ps, with its 95 % Poisson interval:\n")
    columns = [
        "run",
        "site radius, A",
        "at no site",
        "aiida-ion",
        "by hand, the same rule",
        "by hand, every change of the nearest site",
        "aiida-ion, stays of 0.2 ps",
        "by hand, nearest site, stays of 0.2 ps",
    ]
    print("| " + " | ".join(columns) + " |")
    print("|---|---|---|---|---|---|---|---|")
    for title, species, make in runs:
        with tempfile.TemporaryDirectory() as folder:
            run = make(Path(folder))
        print(compare(title, run, species), flush=True)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
