"""Protocol, overrides and the settings of the ordering -> the inputs of ``ion.ensemble``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.aiida_private.builders import builder_inputs, set_inputs
from aiida_ion.analysis.crystals.charges import guess_mobile_species
from aiida_ion.analysis.disorder.settings import OrderingSettings
from aiida_ion.workchains.conductivity.workchain import ConductivityWorkChain
from aiida_ion.workchains.ensemble.parameters import EnsembleParameters
from aiida_ion.workchains.ensemble.stand_in import stand_in
from aiida_ion.workchains.protocols import read_overrides

#: Overrides that decide the size of the simulated cell.
SIZE = ("supercell", "min_width_A", "supercell_rule")


def builder_from_protocol(
    process_class: Any,
    structure: orm.StructureData | None,
    engine: str,
    protocol: str | None,
    overrides: Mapping[str, Any] | str | None,
    *,
    diffusion_code: orm.AbstractCode,
    ordering: Mapping[str, Any] | None = None,
    ordering_code: orm.AbstractCode | None = None,
    ordering_options: Mapping[str, Any] | None = None,
    members: Mapping[str, orm.StructureData] | None = None,
    ensemble: orm.Dict | None = None,
    parameters: Mapping[str, Any] | None = None,
    **choices: Any,
) -> Any:
    """Return a filled builder.

    Cells of an ensemble are as wide as they were made; they are repeated only where overrides set their size.

    :param process_class: the work chain.
    :param structure: the disordered crystal; may be left out where members are given.
    :param engine: entry point of the engine.
    :param protocol: name of the protocol.
    :param overrides: changes to the protocol.
    :param diffusion_code: the Python that has kinisi; it draws the ordered cells too, unless `ordering_code` is given.
    :param ordering: settings of the ordering that differ from the defaults.
    :param ordering_options: ``metadata.options`` of the ordering.
    :param members: ordered cells by label, instead of an ordering.
    :param ensemble: what is known of them: their weights.
    :param parameters: those of :class:`EnsembleParameters` that differ from the defaults.
    :param choices: the rest of what the builder of ``ion.conductivity`` takes: `options`, `code`, `potential`, ...
    :raises ValueError: if the crystal or a setting cannot be used; the message says why.
    """
    changes = read_overrides(overrides)
    builder = process_class.get_builder()
    builder.parameters = orm.Dict(EnsembleParameters.from_dict(parameters or {}).to_dict())
    if structure is not None:
        builder.structure = structure
    if members:
        first = next(iter(members.values()))
        builder.members = dict(members)
        if ensemble is not None:
            builder.ensemble = ensemble
    elif structure is None:
        raise ValueError("give a disordered structure, or members")
    else:
        settings = ordering_settings(structure, ordering or {}, changes).to_dict()
        changes = {**changes, "mobile_species": settings["mobile_species"]}
        first = stand_in(structure, settings)
        builder.ordering.code = ordering_code or diffusion_code
        builder.ordering.parameters = orm.Dict(settings)
        builder.ordering.clean_workdir = True
        if ordering_options:
            builder.ordering.metadata.options = dict(ordering_options)
    if (not members or ensemble is not None) and not any(changes.get(name) is not None for name in SIZE):
        changes = {**changes, "supercell": [1, 1, 1]}
    run = ConductivityWorkChain.get_builder_from_protocol(
        first, engine, protocol, changes, diffusion_code=diffusion_code, **choices
    )
    set_inputs(builder.conductivity, {key: item for key, item in builder_inputs(run).items() if key != "structure"})
    return builder


def ordering_settings(
    structure: orm.StructureData, given: Mapping[str, Any], overrides: Mapping[str, Any]
) -> OrderingSettings:
    """Return the settings of the ordering; the mobile species is that of the runs, or guessed.

    :raises SettingsError: for a setting that cannot be.
    :raises ValueError: for a crystal without a usual mobile ion.
    """
    mobile = given.get("mobile_species") or overrides.get("mobile_species")
    if mobile is None:
        mobile = guess_mobile_species(structure.get_pymatgen_structure().composition)
    return OrderingSettings.from_dict({**given, "mobile_species": mobile})
