"""Jobs of bond valence site energies for materials: what is known already, and what is left to compute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiida import orm

from aiida_ion.aiida_private.builders import set_inputs, validate_builder
from aiida_ion.analysis.crystals.charges import guess_mobile_species
from aiida_ion.analysis.energy_maps.bvse_settings import BvseSettings
from aiida_ion.calculations.programs import program_node
from aiida_ion.calculations.screening.bvse import BvseCalculation
from aiida_ion.campaigns.screening.materials import Materials
from aiida_ion.engines.fits import diffusion_code, fit_options
from aiida_ion.queries.screening.existing import existing_results

PROCESS_TYPE = "aiida.calculations:ion.bvse"


@dataclass(frozen=True)
class BvsePlan:
    """What is computed of materials.

    :param known: name of a material -> its result in the database.
    :param builders: of the jobs, checked; and under which names their labels are known, in the same order.
    """

    known: dict[str, Any]
    builders: list[Any]
    names: list[dict[str, str]]


def mobile_species_of(materials: Materials) -> str:
    """Return the usual mobile ion of materials.

    :raises ValueError: if they have different ones, or one has none.
    """
    guesses = sorted({guess_mobile_species(node.get_formula("count")) for _, node, _ in materials.crystals})
    if len(guesses) != 1:
        raise ValueError(f"the crystals have different mobile ions ({', '.join(guesses)}): name one with --mobile")
    return guesses[0]


def plan_bvse(
    materials: Materials, settings: Mapping[str, Any], batch_size: int, code_name: str | None = None
) -> BvsePlan:
    """Return the results that are there, and jobs for the other materials.

    :param settings: of :class:`BvseSettings`.
    :param batch_size: materials in a job.
    :param code_name: code of fits; the usual one by default.
    :raises ValueError: for settings that are refused, or a code that is not there.
    """
    code = diffusion_code(code_name)
    parameters = orm.Dict(BvseSettings.from_dict(settings).to_dict())
    program = program_node("screening.bvse")
    shared = {"code": code, "parameters": parameters, "program": program}
    by_hash = existing_results(PROCESS_TYPE, shared, [digest for _, _, digest in materials.crystals if digest])
    known = {name: orm.load_node(uuid=by_hash[digest]) for name, _, digest in materials.crystals if digest in by_hash}
    left = [(name, node) for name, node, digest in materials.crystals if digest not in by_hash]
    builders, names = [], []
    for first in range(0, len(left), batch_size):
        batch = {f"m_{index}": entry for index, entry in enumerate(left[first : first + batch_size])}
        structures = {label: node for label, (_, node) in batch.items()}
        builders.append(_builder(shared | {"structures": structures}, code))
        names.append({label: name for label, (name, _) in batch.items()})
    return BvsePlan(known, builders, names)


def _builder(inputs: Mapping[str, Any], code: orm.InstalledCode) -> Any:
    builder: Any = BvseCalculation.get_builder()
    set_inputs(builder, inputs)
    if options := fit_options(code):
        builder.metadata.options = options
    builder.metadata.label = f"bond valence site energies of {len(inputs['structures'])} crystals"
    builder.clean_workdir = True
    problem = validate_builder(builder)
    if problem is not None:
        raise ValueError(problem)
    return builder
