"""The children of ``ion.barrier``: what each job gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiida import orm

from aiida_ion.calculations.migration.images import hop_image, make_band
from aiida_ion.engine_kinds import engine_class
from aiida_ion.settings.barrier import BarrierParameters
from aiida_ion.workchains.md.bands import BandSettings

#: Images of a hop that get single points: the ends and the saddle.
PARTS = ("start", "saddle", "end")


def metadata(inputs: Mapping[str, Any], group: str, label: str) -> dict[str, Any]:
    """Return the metadata of a job.

    :param group: ``mlip`` or ``dft``, whose options it has.
    """
    options = inputs[group].get("options")
    content: dict[str, Any] = {"call_link_label": label}
    if options:
        content["options"] = dict(options)
    if inputs["fresh"]:
        content["disable_cache"] = True
    return content


def relaxation_inputs(inputs: Mapping[str, Any], parameters: BarrierParameters) -> tuple[Any, dict[str, Any]]:
    """Return the job that relaxes the crystal, and its inputs."""
    engine = engine_class(inputs["mlip"]["entry_point"].value)
    given = engine.shared_inputs(inputs["mlip"]["engine"]) | {
        "structure": inputs["structure"],
        "parameters": orm.Dict(parameters.relax.to_dict()),
        "metadata": metadata(inputs, "mlip", "relax"),
    }
    return engine.relax_class, given


def hops_inputs(
    inputs: Mapping[str, Any],
    parameters: BarrierParameters,
    crystal: orm.StructureData,
    hops: orm.Dict,
    run: Mapping[str, Any],
) -> tuple[Any, dict[str, Any]]:
    """Return a job of hops, and its inputs.

    :param run: its ``labels``, and the ``name`` of the job.
    """
    engine = engine_class(inputs["mlip"]["entry_point"].value)
    given = engine.shared_inputs(inputs["mlip"]["engine"]) | {
        "structure": crystal,
        "hops": hops,
        "labels": orm.List(list(run["labels"])),
        "parameters": orm.Dict(parameters.hop.to_dict()),
        "metadata": metadata(inputs, "mlip", run["name"]),
    }
    return engine.hops_class, given


def batches(labels: Sequence[str], size: int) -> list[list[str]]:
    """Return labels in batches of at most a size, as equal as possible."""
    count = -(-len(labels) // size)
    return [list(labels[number::count]) for number in range(count)]


def point_runs(barriers: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the single points of hops that converged: ends and saddle; of a symmetric hop one end."""
    runs = []
    for label, entry in sorted(barriers.items()):
        if entry["verdict"] != "converged":
            continue
        last = len(entry["energies_eV"]) - 1
        images = {"start": 0, "saddle": entry["climbing"], "end": last}
        parts = PARTS if entry["path"] == "band" else PARTS[:2]
        runs += [{"what": "point", "hop": label, "part": part, "image": images[part]} for part in parts]
    return runs


def point_inputs(
    inputs: Mapping[str, Any], images: orm.TrajectoryData, run: Mapping[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Return a single point, and its inputs."""
    points = engine_class(inputs["dft"]["entry_point"].value).single_points
    engine = inputs["dft"]["engine"]
    given = points.at(engine, points.cutoffs(engine), engine["kpoints"].get_kpoints_mesh()[0])
    given["structure"] = hop_image(images, orm.Dict({"image": run["image"]}))
    given["metadata"] = metadata(inputs, "dft", f"{run['hop']}_{run['part']}")
    return points.job, given


def band_inputs(
    inputs: Mapping[str, Any], parameters: BarrierParameters, images: orm.TrajectoryData, label: str
) -> tuple[Any, dict[str, Any]]:
    """Return the process of a DFT band, and its inputs."""
    bands = engine_class(inputs["dft"]["entry_point"].value).bands
    settings = BandSettings(parameters.dft_max_force_eV_A, parameters.dft_max_steps)
    band = make_band(images, orm.Dict({"n_images": parameters.dft_images}))
    options = inputs["dft"].get("options") or {}
    given = bands.inputs(inputs["dft"]["engine"], inputs["dft"]["band_code"], band, settings, options)
    given["metadata"] = {**given.get("metadata", {}), "call_link_label": f"band_{label}"}
    return bands.process(), given
