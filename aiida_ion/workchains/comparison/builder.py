"""Materials x engines and a protocol -> the inputs of ``ion.comparison``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.aiida_private.builders import builder_inputs
from aiida_ion.engine_kinds import engine_class
from aiida_ion.workchains.conductivity.workchain import ConductivityWorkChain


def builder_from_protocol(
    process_class: Any,
    structures: Mapping[str, orm.StructureData],
    engines: Mapping[str, Mapping[str, Any]],
    protocol: str | None,
    overrides: Mapping[str, Any] | str | None,
    *,
    diffusion_code: orm.AbstractCode,
    parameters: Mapping[str, Any],
) -> Any:
    """Return a filled builder.

    :param process_class: the work chain.
    :param structures: material label -> crystal.
    :param engines: engine label -> its ``entry_point`` and inputs.
    :param protocol: name of the protocol.
    :param overrides: changes to the protocol.
    :param diffusion_code: the Python that has kinisi.
    :param parameters: ``reference`` (may be ``None``), ``max_concurrent``, ``max_force_frames``.
    :raises ValueError: if something cannot be used; the message says what and why.
    """
    runs: dict[str, dict[str, Any]] = {}
    for material, structure in structures.items():
        for label, engine in engines.items():
            choices = {key: value for key, value in engine.items() if key != "entry_point"}
            try:
                run = ConductivityWorkChain.get_builder_from_protocol(
                    structure,
                    engine=engine["entry_point"],
                    protocol=protocol,
                    overrides=overrides,
                    diffusion_code=diffusion_code,
                    **choices,
                )
            except ValueError as error:
                raise ValueError(f"{material} with {label}: {error}") from error
            runs.setdefault(material, {})[label] = builder_inputs(run)
    entry_points = {label: engine["entry_point"] for label, engine in engines.items()}
    return comparison_builder(process_class, runs, entry_points, parameters)


def comparison_builder(
    process_class: Any,
    runs: Mapping[str, Mapping[str, Any]],
    entry_points: Mapping[str, str],
    parameters: Mapping[str, Any],
) -> Any:
    """Return a builder around finished sets of conductivity inputs.

    :param runs: material -> engine -> inputs of an ``ion.conductivity``.
    :param entry_points: engine -> entry point, in the order that the engines were named.
    :param parameters: ``reference`` (``None``: the first DFT engine, else the first), and the rest.
    """
    builder = process_class.get_builder()
    builder.runs = runs
    builder.parameters = orm.Dict(dict(parameters) | {"reference": parameters["reference"] or first_dft(entry_points)})
    return builder


def first_dft(entry_points: Mapping[str, str]) -> str:
    """Return the engine that the others are compared with where none is named."""
    dft = [label for label, entry_point in entry_points.items() if engine_class(entry_point).is_dft]
    return next(iter([*dft, *entry_points]))
