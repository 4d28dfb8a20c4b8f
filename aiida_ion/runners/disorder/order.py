"""Program that draws ordered cells of a disordered crystal: inputs.json in, results.json and orderings.json out.

Run as ``python -m aiida_ion.runners.disorder.order`` in a folder that holds ``inputs.json``, by a Python that has
pymatgen, spglib, ASE and SciPy. ``results.json`` is written last, in one step: without it the program has not finished.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiida_ion.runners.output import Ledger, RunnerError, run_program, versions, write_json

#: The ordered cells.
ORDERINGS = Path("orderings.json")
PACKAGES = ("pymatgen", "pymatgen-core", "spglib")


def body(results: dict[str, Any], _: Ledger) -> None:
    """Draw the cells that ``inputs.json`` asks for.

    :raises RunnerError: for a crystal that cannot be ordered.
    """
    from aiida_ion.analysis.disorder.ensemble import order_crystal
    from aiida_ion.analysis.disorder.refusal import OrderingRefused
    from aiida_ion.analysis.disorder.settings import OrderingSettings
    from aiida_ion.analysis.trajectories.segment_files import read_inputs
    from aiida_ion.settings.values import SettingsError

    results["versions"] = versions(PACKAGES)
    try:
        inputs = read_inputs(Path(), ("crystal", "settings"))
        settings = OrderingSettings.from_dict(inputs["settings"])
        ensemble = order_crystal(crystal_of(inputs["crystal"]), settings)
    except (OrderingRefused, SettingsError, KeyError, ValueError) as error:
        raise RunnerError("invalid_input", " ".join(str(error).split())) from error
    write_json(ORDERINGS, [described(member.structure) for member in ensemble.members], durable=True)
    results |= {
        "status": "finished",
        "message": f"{len(ensemble.members)} ordered cells of {ensemble.plan.counts.n_atoms} atoms.",
        "n_atoms": ensemble.plan.counts.n_atoms,
        "ensemble": ensemble.attributes() | {"settings": settings.to_dict()},
    }


def crystal_of(given: Mapping[str, Any]) -> Any:
    """Return the disordered crystal that the inputs describe: cell, fractional positions, occupancies and labels."""
    from pymatgen.core.structure import Structure

    from aiida_ion.analysis.disorder.crystal import disordered_crystal

    structure = Structure(given["cell_A"], given["occupancies"], given["fractional"], labels=given["labels"])
    return disordered_crystal(structure)


def described(structure: Any) -> dict[str, Any]:
    """Return an ordered cell as JSON: cell in angstrom, symbols, fractional positions."""
    return {
        "cell_A": structure.lattice.matrix.tolist(),
        "symbols": [site.specie.symbol for site in structure],
        "fractional": structure.frac_coords.tolist(),
    }


if __name__ == "__main__":
    sys.exit(run_program(body))
