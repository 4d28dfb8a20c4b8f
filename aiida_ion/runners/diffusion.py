"""Program that analyses the diffusion of one species at one temperature: inputs.json in, results.json out.

Run as ``python -m aiida_ion.runners.diffusion`` in a folder that holds ``inputs.json`` and the arrays it names, with
``aiida_ion.analysis`` and ``aiida_ion.units`` importable. ``results.json`` is written last, in one step: without
it the program has not finished.
"""

from __future__ import annotations

import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from aiida_ion.analysis.diffusion.analyse import DiffusionSettings, analyse_diffusion
from aiida_ion.analysis.diffusion.result import DiffusionResult
from aiida_ion.analysis.trajectories.segment_files import load_array, load_segment, read_inputs, write_results
from aiida_ion.analysis.trajectories.thermo import Thermo, join_thermo, temperature_statistics
from aiida_ion.units import FS_PER_PS

UNITS = {
    "diffusivity": "cm^2/s",
    "ionic_conductivity": "mS/cm",
    "msd": "angstrom^2",
    "time": "ps",
    "frame_interval": "fs",
    "temperature": "K",
    "volume": "angstrom^3",
    "number_density": "angstrom^-3",
    "charge": "e",
}
PACKAGES = ("numpy", "scipy", "kinisi", "scipp", "emcee")
REQUIRED = ("replicas", "symbols", "mobile_species", "charges", "target_temperature_K")


def main() -> None:
    """Analyse the current folder; exit 0 whenever results.json was written."""
    started = time.perf_counter()
    folder = Path.cwd()
    try:
        inputs = read_inputs(folder, REQUIRED)
        thermo = load_thermo(folder, inputs)
        temperature = measured_temperature(thermo, _settings(inputs))
        result = analyse(folder, inputs, thermo, temperature)
    except ValueError as error:
        outcome: dict[str, Any] = {"status": "invalid_input", "message": " ".join(str(error).split())}
    except MemoryError:
        outcome = {
            "status": "out_of_memory",
            "message": "Not enough memory: lower max_frames or ask for more.",
        }
    else:
        write_arrays(folder, result)
        outcome = {"status": "finished", "message": result.reason or "The diffusivity was determined."}
        outcome |= result.attributes() | temperature | {"settings": _settings(inputs).to_dict()}
        outcome["target_temperature_K"] = inputs["target_temperature_K"]
    cost = {"wall_time_s": time.perf_counter() - started, "cpu_time_s": time.process_time()}
    write_results(folder, outcome | {"units": UNITS, "versions": versions(), "cost": cost})


def analyse(
    folder: Path, inputs: dict[str, Any], thermo: list[Thermo], temperature: dict[str, float]
) -> DiffusionResult:
    """Analyse what ``inputs`` describes, at the measured temperature if there is one.

    :raises ValueError: for input that cannot be analysed.
    """
    target = float(inputs["target_temperature_K"])
    replicas = [[load_segment(folder, files) for files in segments] for segments in inputs["replicas"]]
    return analyse_diffusion(
        replicas,
        inputs["symbols"],
        inputs["mobile_species"],
        inputs["charges"],
        temperature.get("temperature_mean_K", target),
        settings=_settings(inputs),
        thermo=thermo or None,
        target_temperature_K=target,
    )


def _settings(inputs: dict[str, Any]) -> DiffusionSettings:
    return DiffusionSettings.from_dict(inputs.get("settings") or {})


def load_thermo(folder: Path, inputs: dict[str, Any]) -> list[Thermo]:
    """Return what the replicas recorded at every step; an empty list if nothing was recorded.

    :raises ValueError: for a missing or unreadable file, or segments that do not follow each other.
    """
    n_atoms = len(inputs["symbols"])
    replicas = inputs.get("thermo") or []
    return [join_thermo([_thermo(folder, segment, n_atoms) for segment in segments]) for segments in replicas]


def _thermo(folder: Path, segment: dict[str, Any], n_atoms: int) -> Thermo:
    files, timestep_fs = segment["files"], float(segment["timestep_fs"])
    arrays = {name: load_array(folder, files, name, mapped=True).astype(float) for name in files}
    missing = [name for name in ("steps", "temperature", "potential_energy") if name not in arrays]
    if missing:
        raise ValueError(f"the thermo of a segment lacks {', '.join(missing)}")
    conserved = arrays.get("conserved_energy")
    return Thermo(
        times_ps=arrays["steps"] * timestep_fs / FS_PER_PS,
        temperature_K=arrays["temperature"],
        potential_energy_eV=arrays["potential_energy"],
        # A program that does not state it leaves NaN.
        conserved_energy_eV=conserved if conserved is not None and np.isfinite(conserved).all() else None,
        max_force_eV_A=arrays.get("max_force"),
        charge_current_e_A_fs=arrays.get("charge_current"),
        n_atoms=n_atoms,
        ensemble=segment.get("ensemble"),
        timestep_fs=timestep_fs,
    )


def measured_temperature(thermo: list[Thermo], settings: DiffusionSettings) -> dict[str, float]:
    """Return mean, spread and drift of the temperature after equilibration, K; empty if it is not known."""
    return temperature_statistics([replica.after(settings.equilibration_fs).temperature_K for replica in thermo])


def versions() -> dict[str, str]:
    """Return the versions of the packages that decide the numbers."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def write_arrays(folder: Path, result: DiffusionResult) -> None:
    """Write ``arrays.npz``: plain arrays only."""
    np.savez(folder / "arrays.npz", **result.arrays())  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
