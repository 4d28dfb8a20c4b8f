"""Program that makes cells with defects of an ordered crystal: inputs.json in, results.json and cells.json out.

Run as ``python -m aiida_ion.runners.disorder.defects`` in a folder that holds ``inputs.json``, by a Python that has
pymatgen, spglib, ASE and SciPy. ``results.json`` is written last, in one step: without it the program has not finished.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from aiida_ion.runners.disorder.order import PACKAGES, crystal_of, described
from aiida_ion.runners.output import Ledger, RunnerError, run_program, versions, write_json

#: The perfect cell, the same with displaced atoms, then the cells with defects.
CELLS = Path("cells.json")


def body(results: dict[str, Any], _: Ledger) -> None:
    """Make the cells that ``inputs.json`` asks for.

    :raises RunnerError: for defects that cannot be made.
    """
    from aiida_ion.analysis.defects.ensemble import make_defects
    from aiida_ion.analysis.defects.settings import DefectSettings
    from aiida_ion.analysis.trajectories.segment_files import read_inputs

    results["versions"] = versions(PACKAGES)
    try:
        inputs = read_inputs(Path(), ("crystal", "settings"))
        settings = DefectSettings.from_dict(inputs["settings"])
        ensemble = make_defects(crystal_of(inputs["crystal"]), settings)
    except (KeyError, ValueError) as error:
        raise RunnerError("invalid_input", " ".join(str(error).split())) from error
    cells = [ensemble.perfect, ensemble.displaced, *(member.structure for member in ensemble.members)]
    write_json(CELLS, [described(cell) for cell in cells], durable=True)
    results |= {
        "status": "finished",
        "message": f"{len(ensemble.members)} cells of {ensemble.plan.n_atoms} atoms with defects.",
        "n_atoms": ensemble.plan.n_atoms,
        "ensemble": ensemble.attributes() | {"settings": settings.to_dict()},
    }


if __name__ == "__main__":
    sys.exit(run_program(body))
