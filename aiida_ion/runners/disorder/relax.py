"""Relaxation of many ordered cells by a potential: ``python -m aiida_ion.runners.disorder.relax`` in its folder.

Reads ``inputs.json``: ``potential``, ``settings`` (:class:`RelaxOrderingsSettings`), and ``structures`` as all batches
have them. Appends to ``results.jsonl`` one record for each cell, with its relaxed positions; writes ``results.json`` at
the end. A program that is started again in the same folder skips the cells that are there.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiida_ion.runners.output import Ledger, RunnerError, limit_threads, run_program

if TYPE_CHECKING:
    from aiida_ion.runners.potentials import Potential
    from aiida_ion.runners.screening.batch import Material
    from aiida_ion.settings.ordering import RelaxOrderingsSettings

METHOD = "relax_orderings"


def main() -> int:
    """Relax the cells; the exit status is 0 whenever ``results.json`` was written."""
    limit_threads(Path("inputs.json"))
    return run_program(relax_cells)


def relax_cells(results: dict[str, Any], ledger: Ledger) -> None:
    """Relax all cells of the working folder; fill the results of the program.

    :raises RunnerError: for inputs that cannot be read, or a potential that cannot be loaded.
    """
    from aiida_ion.runners.potentials import describe_potential, load_potential
    from aiida_ion.runners.run_inputs import potential_inputs, read_inputs
    from aiida_ion.runners.screening.batch import read_materials, run_batch

    inputs = read_inputs(Path("inputs.json"))
    chosen, settings, cells = potential_inputs(inputs), _settings(inputs), read_materials(inputs)
    results["engine"] = {"potential": chosen.name, "device": chosen.device, "threads": chosen.threads}
    results["n_atoms"] = max((len(cell.symbols) for cell in cells), default=None)
    if chosen.device.startswith("cuda"):
        ledger.hold_gpu()
    potential = load_potential(chosen, [])  # what it does not know is refused for each cell
    describe_potential(results, potential)
    work = Work(potential, settings, ledger)
    always = {"method": METHOD, "mobile_species": settings.mobile_species}
    run_batch(results, cells, work, always, inputs.get("max_seconds"))


class Work:
    """Relaxes one cell after the other.

    :param potential: as it was loaded.
    :param ledger: gets the steps of all cells.
    """

    def __init__(self, potential: Potential, settings: RelaxOrderingsSettings, ledger: Ledger) -> None:
        self._potential, self._settings, self._ledger = potential, settings, ledger

    def __call__(self, cell: Material) -> dict[str, Any]:
        """Return the entries of the record of a cell.

        :raises RefusedError: for one that the potential cannot evaluate.
        """
        import time

        from ase.data import atomic_numbers

        from aiida_ion.runners.disorder.relaxation import relax_ordering
        from aiida_ion.runners.screening.batch import RefusedError

        known = self._potential.elements
        unknown = sorted({one for one in cell.symbols if known is not None and atomic_numbers[one] not in known})
        if unknown:
            raise RefusedError(f"the potential does not know {', '.join(unknown)}")
        atoms, start = cell.atoms(), time.monotonic()
        atoms.calc = self._potential.calculator
        relaxed = relax_ordering(atoms, self._settings)
        self._ledger.n_steps += relaxed["n_steps"]
        self._ledger.loop_wall_s += time.monotonic() - start
        return relaxed


def _settings(inputs: Mapping[str, Any]) -> RelaxOrderingsSettings:
    from aiida_ion.settings.ordering import RelaxOrderingsSettings

    try:
        return RelaxOrderingsSettings.from_dict(inputs.get("settings") or {})
    except ValueError as error:
        raise RunnerError("invalid_input", f"inputs.json, 'settings': {error}") from error


if __name__ == "__main__":
    sys.exit(main())
