"""Program that analyses the jumps of one species at one temperature: inputs.json in, results.json out.

Run as ``python -m aiida_ion.runners.jumps`` in a folder that holds ``inputs.json`` and the arrays it names, with
``aiida_ion.analysis`` and ``aiida_ion.units`` importable, by a Python that has GEMDAT. ``results.json`` is written
last, in one step: without it the program has not finished.
"""

from __future__ import annotations

import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from aiida_ion.analysis.jumps.analyse import analyse_jumps
from aiida_ion.analysis.jumps.by_gemdat import GemdatMissingError
from aiida_ion.analysis.jumps.result import JumpResult
from aiida_ion.analysis.jumps.settings import JumpSettings
from aiida_ion.analysis.jumps.sites import Reference
from aiida_ion.analysis.trajectories.segment_files import load_segment, read_inputs, write_results

UNITS = {
    "time": "ps",
    "rate": "1/ps",
    "frame_interval": "fs",
    "frequency": "THz",
    "distance": "angstrom",
    "energy": "eV",
    "diffusivity": "cm^2/s",
    "temperature": "K",
}
PACKAGES = ("gemdat", "numpy", "scipy", "pymatgen", "MDAnalysis", "scikit-image", "spglib")
REQUIRED = ("replicas", "symbols", "mobile_species", "temperature_K")


def main() -> None:
    """Analyse the current folder; exit 0 whenever results.json was written."""
    started = time.perf_counter()
    folder = Path.cwd()
    all_versions = versions()
    try:
        inputs = read_inputs(folder, REQUIRED)
        settings = JumpSettings.from_dict(inputs.get("settings") or {})
        result = analyse(folder, inputs, settings)
    except GemdatMissingError as error:
        outcome: dict[str, Any] = {"status": "engine_import_failed", "message": str(error)}
    except ValueError as error:
        outcome = {"status": "invalid_input", "message": " ".join(str(error).split())}
    except MemoryError:
        outcome = {"status": "out_of_memory", "message": "Not enough memory: lower max_memory_MB or ask for more."}
    else:
        np.savez(folder / "arrays.npz", **result.arrays())  # type: ignore[arg-type]
        outcome = {"status": "finished", "message": f"{len(result.jumps)} jumps between {len(result.sites)} sites."}
        outcome |= result.attributes() | {"settings": settings.to_dict()}
    cost = {"wall_time_s": time.perf_counter() - started, "cpu_time_s": time.process_time()}
    write_results(folder, outcome | {"units": UNITS, "versions": all_versions, "cost": cost})


def analyse(folder: Path, inputs: dict[str, Any], settings: JumpSettings) -> JumpResult:
    """Analyse what ``inputs`` describes.

    :raises ValueError: for input that cannot be analysed.
    :raises GemdatMissingError: if GEMDAT cannot be imported.
    """
    given = inputs.get("reference")
    reference = None
    if given is not None:
        cell, fractional = (np.array(given[name], dtype=float) for name in ("cell", "fractional"))
        reference = Reference(cell, list(given["symbols"]), fractional)
    return analyse_jumps(
        [[load_segment(folder, files) for files in segments] for segments in inputs["replicas"]],
        inputs["symbols"],
        inputs["mobile_species"],
        float(inputs["temperature_K"]),
        reference=reference,
        settings=settings,
    )


def versions() -> dict[str, str]:
    """Return the versions of the packages that decide the numbers, as far as they are installed."""
    packages = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except ModuleNotFoundError:
            continue
    return packages


if __name__ == "__main__":
    main()
