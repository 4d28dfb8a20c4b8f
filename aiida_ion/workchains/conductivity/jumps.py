"""The jump analysis of each temperature beside the fits of ``ion.conductivity``; no other result depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiida import orm

from aiida_ion.calculations.jumps import inputs_beside_fit


def define_jumps(spec: Any) -> None:
    """Declare its outputs."""
    spec.output_namespace(
        "jumps",
        valid_type=orm.ArrayData,
        dynamic=True,
        help="The jump analysis of each temperature, where `jumps` is true and GEMDAT is installed.",
    )


def jumps_name(label: str) -> str:
    """Return the link label of the jump analysis of a temperature."""
    return f"jumps_{label}"


def jumps_inputs(inputs: Mapping[str, Any], supercell: orm.StructureData, fit_pk: int, label: str) -> dict[str, Any]:
    """Return the inputs of the jump analysis beside a fit, with the code and the trajectories of the fit.

    :param inputs: of the conductivity.
    :param supercell: it has the sites.
    :param fit_pk: the job of the fit.
    """
    fit: Any = orm.load_node(fit_pk)
    settings = inputs["parameters"].get_dict().get("jump_settings", {})
    metadata = metadata_of_fits(inputs) | {"call_link_label": jumps_name(label)}
    return {
        **inputs_beside_fit(fit, supercell, settings),
        "metadata": metadata | ({"disable_cache": True} if inputs["fresh"] else {}),
    }


def metadata_of_fits(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of the fits without their parser: the jobs run with the same code on the same computer."""
    metadata = dict(inputs["diffusion"].get("metadata", {}))
    options = {name: value for name, value in metadata.get("options", {}).items() if name != "parser_name"}
    return metadata | {"options": options}
