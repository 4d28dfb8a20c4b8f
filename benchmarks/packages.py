"""One trajectory through every package as its documentation has it: D*, its stated error, the conductivity."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from ase import Atoms
from real_runs import Run

#: Of the mobile species, e.
CHARGE_E = 1
#: Where the diffusive regime begins, which plain kinisi has to be told, ps.
START_PS = 2.0
#: Parts that GEMDAT's own Arrhenius fit takes the scatter over.
N_PARTS = 10


class Estimate(NamedTuple):
    """What a package says: D* and its standard deviation, cm^2/s, an interval if it gives one, conductivity, mS/cm."""

    value: float
    std: float = np.nan
    low: float = np.nan
    high: float = np.nan
    conductivity_mS_cm: float = np.nan


def symmetric(value: float, std: float, conductivity: float) -> Estimate:
    """An interval of two standard deviations each way, where a package leaves that to its user."""
    return Estimate(value, std, value - 1.96 * std, value + 1.96 * std, conductivity)


def interval_fs(run: Run) -> float:
    return float(np.round(np.diff(run.segment.times_ps).mean() * 1000.0, 6))


def aiida_ion(run: Run) -> Estimate:
    from aiida_ion.analysis.diffusion.analyse import analyse_diffusion

    charges = dict.fromkeys(run.symbols, 0.0) | {"Li": float(CHARGE_E)}
    result = analyse_diffusion([[run.segment]], run.symbols, "Li", charges, run.temperature_K)
    if not result.moved:
        return Estimate(np.nan, high=result.tracer_diffusivity_upper_bound_cm2_s or np.nan)
    low, high = result.tracer_diffusivity_ci95_cm2_s or (np.nan, np.nan)
    value, std = result.tracer_diffusivity_cm2_s or np.nan, result.tracer_diffusivity_std_cm2_s or np.nan
    return Estimate(value, std, low, high, result.ionic_conductivity_mS_cm or np.nan)


def _gemdat(run: Run) -> Any:
    from gemdat import Trajectory
    from pymatgen.core import Element

    cell = np.asarray(run.segment.cells, dtype=float).reshape(-1, 3, 3)[0]
    wrapped = np.mod(np.asarray(run.segment.positions, dtype=float) @ np.linalg.inv(cell), 1.0)
    return Trajectory(
        species=[Element(symbol) for symbol in run.symbols],
        coords=wrapped,
        lattice=cell,
        time_step=interval_fs(run) * 1e-15,
        constant_lattice=True,
        metadata={"temperature": run.temperature_K},
    )


def without_drift(trajectory: Any) -> Any:
    framework = sorted({specie.symbol for specie in trajectory.species} - {"Li"})
    return trajectory.apply_drift_correction(fixed_species=framework)


def gemdat(run: Run, corrected: bool = False) -> Estimate:
    trajectory = _gemdat(run)
    metrics = (without_drift(trajectory) if corrected else trajectory).filter("Li").metrics()
    conductivity = float(metrics.tracer_conductivity(z_ion=CHARGE_E, dimensions=3)) * 10.0
    return Estimate(float(metrics.tracer_diffusivity(dimensions=3)) * 1e4, conductivity_mS_cm=conductivity)


def gemdat_corrected(run: Run) -> Estimate:
    return gemdat(run, corrected=True)


def gemdat_parts(run: Run) -> Estimate:
    from gemdat.metrics import TrajectoryMetricsStd

    parts = TrajectoryMetricsStd(without_drift(_gemdat(run)).filter("Li").split(N_PARTS, equal_parts=True))
    diffusivity = parts.tracer_diffusivity(dimensions=3)
    conductivity = parts.tracer_conductivity(z_ion=CHARGE_E, dimensions=3)
    return symmetric(diffusivity.n * 1e4, diffusivity.s * 1e4, conductivity.n * 10.0)


def pymatgen(run: Run, smoothed: str | bool = "max") -> Estimate:
    from pymatgen.analysis.diffusion.analyzer import DiffusionAnalyzer
    from pymatgen.core import Structure

    cell = np.asarray(run.segment.cells, dtype=float).reshape(-1, 3, 3)[0]
    positions = np.asarray(run.segment.positions, dtype=float)
    structure = Structure(cell, run.symbols, positions[0], coords_are_cartesian=True)
    moved = np.swapaxes(positions - positions[:1], 0, 1)
    result = DiffusionAnalyzer(structure, moved, "Li", run.temperature_K, interval_fs(run), 1, smoothed=smoothed)
    return symmetric(result.diffusivity, result.diffusivity_std_dev, result.conductivity)


def pymatgen_unsmoothed(run: Run) -> Estimate:
    return pymatgen(run, smoothed=False)


def kinisi(run: Run, unit: str = "fs") -> Estimate:
    import scipp as sc
    from kinisi.analyze import DiffusionAnalyzer

    cell = np.asarray(run.segment.cells, dtype=float).reshape(-1, 3, 3)[0]
    frames = [Atoms(run.symbols, positions=frame, cell=cell, pbc=True) for frame in run.segment.positions]
    per_unit = {"fs": 1.0, "ps": 1000.0}[unit]
    result = DiffusionAnalyzer.from_ase(
        frames,
        specie="Li",
        time_step=sc.scalar(1.0 / per_unit, unit=unit),
        step_skip=sc.scalar(round(interval_fs(run))),
        progress=False,
    )
    result.diffusion(
        sc.scalar(START_PS * 1000.0 / per_unit, unit=unit), progress=False, random_state=np.random.RandomState(1)
    )
    draws = result.D.values
    low, high = np.percentile(draws, [2.5, 97.5])
    conductivity = nernst_einstein(run, float(draws.mean()))
    return Estimate(float(draws.mean()), float(draws.std()), float(low), float(high), conductivity)


def kinisi_ps(run: Run) -> Estimate:
    return kinisi(run, "ps")


def nernst_einstein(run: Run, diffusivity_cm2_s: float) -> float:
    """For kinisi, which has no tracer conductivity, mS/cm."""
    from scipy import constants

    cell = np.asarray(run.segment.cells, dtype=float).reshape(-1, 3, 3)[0]
    density = run.symbols.count("Li") / abs(np.linalg.det(cell)) * 1e30
    factor = density * (CHARGE_E * constants.e) ** 2 / (constants.k * run.temperature_K)
    return factor * diffusivity_cm2_s * 1e-4 * 10.0


#: What is written in the tables -> how it is run.
PACKAGES: dict[str, Callable[[Run], Estimate]] = {
    "aiida-ion": aiida_ion,
    "kinisi, in fs": kinisi,
    "kinisi, in ps": kinisi_ps,
    "pymatgen, smoothed": pymatgen,
    "pymatgen, not smoothed": pymatgen_unsmoothed,
    "GEMDAT": gemdat,
    "GEMDAT, without drift": gemdat_corrected,
    "GEMDAT, without drift, ten parts": gemdat_parts,
}


def estimate(name: str, run: Run) -> Estimate:
    """Run one package without its warnings and progress bars."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        return PACKAGES[name](run)
