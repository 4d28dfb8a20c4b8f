"""A crystal, a model and an engine -> the inputs of ``ion.surrogate_estimate``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.aiida_private.builders import builder_inputs
from aiida_ion.engine_kinds import engine_class
from aiida_ion.workchains.conductivity.workchain import ConductivityWorkChain

#: Inputs of a conductivity that an estimate has, too.
SHARED = ("structure", "md", "relax_parameters")


def builder_from_protocol(
    process_class: Any,
    structure: orm.StructureData,
    *,
    model: orm.SinglefileData,
    predict_code: orm.AbstractCode,
    engine: str,
    protocol: str | None = None,
    overrides: Mapping[str, Any] | str | None = None,
    **choices: Any,
) -> Any:
    """Return a filled builder; cell, relaxation and engine are those of a conductivity under the same protocol.

    :param model: the `model` of an `ion.surrogate_train`; it has the temperature and the kinds of samples.
    :param predict_code: the Python that runs it.
    :param engine: entry point of the engine whose forces are sampled.
    :param choices: other arguments of the builder of `ion.conductivity`.
    :raises ValueError: if the structure, the model or a setting cannot be used; the message says why.
    """
    sampling = model.base.attributes.get("sampling")
    if "trajectory" in sampling["kinds"]:
        raise ValueError("this model reads frames of a long run, so it cannot predict: train one with another protocol")
    if engine_class(engine).forces_class is None:
        raise ValueError(f"{engine} computes no forces of samples: give a potential or LAMMPS, not DFT")
    run = builder_inputs(
        ConductivityWorkChain.get_builder_from_protocol(
            structure, engine=engine, protocol=protocol, overrides=overrides, **choices
        )
    )
    parameters = run["parameters"].get_dict()
    _check_known(model, parameters["mobile_species"], engine_class(engine).level_of_theory(run["md"]["engine"]))
    about = {name: parameters[name] for name in ("formula", "mobile_species", "charges")}
    cell = {name: parameters.get(name) for name in ("supercell", "min_width_A", "supercell_rule")}
    builder = process_class.get_builder()
    for name in SHARED:
        if run.get(name) is not None:
            setattr(builder, name, run[name])
    builder.model = model
    builder.predict.code = predict_code
    builder.parameters = orm.Dict(about | cell)
    return builder


def _check_known(model: orm.SinglefileData, mobile_species: str, level_of_theory: str) -> None:
    """Refuse an ion or a potential that the model has not learnt from.

    :raises ValueError: saying which it has.
    """
    species, levels = model.base.attributes.get("mobile_species"), model.base.attributes.get("levels_of_theory")
    if mobile_species not in species:
        raise ValueError(f"the model has learnt from {', '.join(species)}, and the mobile ion is {mobile_species}")
    if level_of_theory not in levels and len(levels) == 1:
        raise ValueError(f"the model has learnt from {levels[0]}, and the engine is {level_of_theory}")
