"""From the name of a potential to the one that is loaded, checked against the structure."""

from __future__ import annotations

import sys
from typing import Any

from ase.data import chemical_symbols

from aiida_ion.runners.checkpoints import (
    given_file,
    refuse_files_that_run_code,
    verified_checkpoint,
)
from aiida_ion.runners.output import RunnerError, versions
from aiida_ion.runners.potentials.loaders import LOADERS
from aiida_ion.runners.potentials.potential import Potential
from aiida_ion.runners.run_inputs import PotentialInputs


def load_potential(inputs: PotentialInputs, numbers: Any) -> Potential:
    """Load the potential that the inputs name.

    :param inputs: the checked inputs.
    :param numbers: atomic numbers of the structure, (N,).
    :raises RunnerError: ``unknown_potential``, ``engine_import_failed``, ``checkpoint_missing``,
        ``checkpoint_mismatch``, ``checkpoint_unreadable``, ``checkpoint_untrusted``, ``element_unknown``, or
        ``invalid_input`` for a device that is not there.
    """
    loader = LOADERS.get(inputs.name)
    if loader is None:
        known = ", ".join(LOADERS)
        raise RunnerError("unknown_potential", f"The potential '{inputs.name}' is unknown; choose from {known}.")
    path = given_file(inputs) if inputs.name != "matgl" else None  # MatGL's is a folder
    if path is not None:
        verified_checkpoint(inputs, path)  # before the seconds that importing torch takes
    refuse_files_that_run_code(inputs)
    potential = loader(inputs)
    potential.is_compiled = "torch" in sys.modules
    if inputs.dtype is not None and potential.dtype is not None and inputs.dtype != potential.dtype:
        potential.warnings.append(
            f"{inputs.name} computes in {potential.dtype}; the {inputs.dtype} asked for was not used."
        )
    if potential.device != inputs.device:
        potential.warnings.append(f"{inputs.name} runs on {potential.device} only, not on {inputs.device}.")
    require_elements(inputs.name, potential, numbers)
    return potential


def describe_potential(results: dict[str, Any], potential: Potential) -> None:
    """Write versions, checkpoint, and what the potential really runs with into the results."""
    results["versions"] = versions(potential.packages) | {"checkpoint": potential.checkpoint}
    results["engine"] |= {"device": potential.device, "dtype": potential.dtype}
    results["warnings"] = potential.warnings


def require_elements(name: str, potential: Potential, numbers: Any) -> None:
    """Refuse a structure with an element that the potential does not know.

    :param numbers: atomic numbers of the structure, (N,).
    :raises RunnerError: ``element_unknown``.
    """
    if potential.elements is None:
        return
    unknown = sorted({int(number) for number in numbers} - potential.elements)
    if unknown:
        symbols = ", ".join(chemical_symbols[number] for number in unknown)
        raise RunnerError("element_unknown", f"The potential {name} does not know {symbols}; choose another one.")
