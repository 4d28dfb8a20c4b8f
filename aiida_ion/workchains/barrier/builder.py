"""Protocol and overrides -> the inputs of ``ion.barrier``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.calculations.migration.functions import defect_cell, search
from aiida_ion.engine_kinds import engine_class
from aiida_ion.settings.barrier import BarrierParameters
from aiida_ion.workchains.protocols import merge, protocol_inputs


def builder_from_protocol(
    process_class: Any,
    structure: orm.StructureData,
    engine: str,
    protocol: str | None,
    overrides: Mapping[str, Any] | None,
    *,
    dft: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    **engine_inputs: Any,
) -> Any:
    """Return a filled builder.

    :param process_class: the work chain.
    :param engine: entry point of the engine of the potential.
    :param overrides: changes to the protocol.
    :param dft: ``entry_point`` and inputs of an engine that converges electrons, ``options``, ``band_code``.
    :param options: ``metadata.options`` of the jobs of the potential.
    :param engine_inputs: the engine's own inputs; plain values become nodes.
    :raises ValueError: if the crystal or a setting cannot be used; the message says why.
    """
    inputs = merge(protocol_inputs("barrier", protocol), dict(overrides or {}))
    clean_workdir = inputs.pop("clean_workdir")
    parameters = BarrierParameters.from_dict(inputs)
    hops = search(structure, parameters.search)
    builder = process_class.get_builder()
    builder.structure = structure
    builder.parameters = orm.Dict(inputs)
    builder.clean_workdir = clean_workdir
    builder.mlip.entry_point = orm.Str(engine)
    builder.mlip.engine = engine_class(engine).engine_inputs(structure, protocol, **engine_inputs)
    if options:
        builder.mlip.options = dict(options)
    if dft:
        _add_dft(builder, defect_cell(structure, hops), protocol, dict(dft))
    return builder


def _add_dft(builder: Any, cell: orm.StructureData, protocol: str | None, dft: dict[str, Any]) -> None:
    entry_point, options = dft.pop("entry_point"), dft.pop("options", None)
    band_code = dft.pop("band_code", None)
    builder.dft.entry_point = orm.Str(entry_point)
    # Electrons and k-points are those of the cell with the defect: it may have an odd number of electrons.
    builder.dft.engine = engine_class(entry_point).engine_inputs(cell, protocol, **dft)
    if options:
        builder.dft.options = dict(options)
    if band_code is not None:
        builder.dft.band_code = band_code
