"""The dataset of the surrogate: many sampled materials and their labels in one node."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from aiida import orm
from aiida.engine import calcfunction
from numpy.typing import NDArray

from aiida_ion.calculations.surrogate.arrays import DATASET_ARRAYS, TEMPERATURE_TOLERANCE, arrays_sha256, dataset_arrays
from aiida_ion.calculations.surrogate.labels import Label, LabelRefusedError
from aiida_ion.calculations.surrogate.materials import (
    Material,
    configurations,
    description,
    identity,
    label,
    material_of,
    short_md_step_fs,
)

#: What may differ between materials if the parameters allow it -> its name in messages.
MIXABLE = {
    "level_of_theory": "levels of theory",
    "temperature": "temperatures",
    "mobile_species": "mobile species",
}
#: Arrays of the offsets of parts.
OFFSETS = ("atom_offsets", "position_offsets", "replica_offsets")
_NAME = re.compile(r"(material_\d+)_(.+)")


def material_key(index: int) -> str:
    """Return the name of a material among the inputs."""
    return f"material_{index:04d}"


@calcfunction
def gather_dataset(parameters: orm.Dict, **nodes: Any) -> orm.ArrayData:
    """Gather sampled materials and their labels in one node.

    :param parameters: ``materials`` (material -> what is known about it), ``sampling`` (how it was sampled) and
        ``allow_mixed`` (any of level_of_theory, temperature, mobile_species).
    :param nodes: of each material, as ``material_0000_structure``: ``structure``, ``diffusion`` (the label, where there
        is one), ``displaced`` and ``displaced_forces``, ``trajectories_*`` and ``trajectory_forces``, ``short_md_*``
        and ``short_md_forces``.
    :returns: the arrays of :data:`~aiida_ion.calculations.surrogate.arrays.DATASET_ARRAYS`; in words as attributes.
    :raises ValueError: if the materials cannot be in one dataset; the message says what to do.
    """
    settings = parameters.get_dict()
    given = materials_of(nodes, settings.get("materials") or {})
    kept, labels, left_out = labelled(given)
    descriptions = [description(material) for material in kept]
    check_together([material.name for material in kept], descriptions, settings.get("allow_mixed") or [], left_out)
    return dataset_node(stack(kept, labels), descriptions, left_out, settings.get("sampling") or {})


@calcfunction
def join_datasets(parameters: orm.Dict, **parts: Any) -> orm.ArrayData:
    """Join datasets.

    AiiDA compares every input of a process with every other, so that a thousand of them take minutes: a large dataset
    is gathered in parts.

    :param parameters: ``allow_mixed``, as of `gather_dataset`.
    :param parts: datasets, in the order of their names.
    :returns: as `gather_dataset`.
    :raises ValueError: if the materials cannot be in one dataset; the message says what to do.
    """
    nodes = [parts[name] for name in sorted(parts)]
    descriptions = [one for node in nodes for one in node.base.attributes.get("materials")]
    left_out = [one for node in nodes for one in node.base.attributes.get("left_out")]
    names = [f"{one['formula']} ({one['level_of_theory']})" for one in descriptions]
    check_together(names, descriptions, parameters.get_dict().get("allow_mixed") or [], left_out)
    sampling = nodes[0].base.attributes.get("sampling")
    return dataset_node(concatenate([dataset_arrays(node) for node in nodes]), descriptions, left_out, sampling)


def dataset_node(
    arrays: Mapping[str, NDArray[Any]],
    materials: Sequence[Mapping[str, Any]],
    left_out: Sequence[Mapping[str, Any]],
    sampling: Mapping[str, Any],
) -> orm.ArrayData:
    """Return arrays and descriptions of materials as an unstored dataset."""
    node = orm.ArrayData()
    for name, array in arrays.items():
        node.set_array(name, array)
    node.base.attributes.set_many(
        {
            "temperature_K": float(np.mean([float(material["temperature_K"]) for material in materials])),
            "mobile_species": sorted({material["mobile_species"] for material in materials}),
            "levels_of_theory": sorted({material["level_of_theory"] for material in materials}),
            "n_materials": len(materials),
            "n_configurations": len(arrays["material"]),
            "n_censored": int(arrays["censored"].sum()),
            "sources": sorted(
                material["diffusion_uuid"] for material in materials if material["diffusion_uuid"] is not None
            ),
            "sha256": arrays_sha256(arrays),
            "materials": [dict(material) for material in materials],
            "left_out": list(left_out),
            "sampling": dict(sampling),
        }
    )
    return node


def concatenate(parts: Sequence[Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Return the arrays of several datasets as those of one; indices and offsets count on."""
    joined = {name: np.concatenate([part[name] for part in parts]) for name in DATASET_ARRAYS}
    n_materials = offsets([len(part["log10_slope"]) for part in parts])[:-1]
    joined["material"] = np.concatenate(
        [part["material"] + first for part, first in zip(parts, n_materials, strict=True)]
    ).astype(DATASET_ARRAYS["material"])
    for name in OFFSETS:
        joined[name] = offsets(np.concatenate([np.diff(part[name]) for part in parts]).tolist())
    return joined


def materials_of(nodes: Mapping[str, Any], about: Mapping[str, Any]) -> list[Material]:
    """Return the materials among the inputs, in the order of their names.

    :raises ValueError: for an unknown name, or an incomplete material.
    """
    groups: dict[str, dict[str, Any]] = {}
    for name, node in sorted(nodes.items()):
        match = _NAME.fullmatch(name)
        if match is None:
            raise ValueError(f"{name} is not an input of a dataset; names are like material_0000_structure")
        groups.setdefault(match[1], {})[match[2]] = node
    return [material_of(_title(key, about), group, about.get(key) or {}) for key, group in groups.items()]


def _title(key: str, about: Mapping[str, Any]) -> str:
    formula = (about.get(key) or {}).get("formula")
    return f"{key} ({formula})" if formula else key


def labelled(
    materials: Sequence[Material],
) -> tuple[list[Material], list[Label], list[dict[str, Any]]]:
    """Return the materials that are kept, their labels, and the reasons why others are left out."""
    kept, labels, left_out = [], [], []
    for material in materials:
        try:
            labels.append(label(material))
            kept.append(material)
        except LabelRefusedError as error:
            uuid = material.diffusion.uuid if material.diffusion is not None else None
            left_out.append({"name": material.name, "diffusion_uuid": uuid, "reason": str(error)})
    return kept, labels, left_out


def check_together(
    names: Sequence[str],
    materials: Sequence[Mapping[str, Any]],
    allow_mixed: Sequence[str],
    left_out: Sequence[Mapping[str, Any]],
) -> None:
    """Refuse materials that cannot be in one dataset.

    :param names: how messages name them.
    :param materials: descriptions.
    :raises ValueError: saying what to do.
    """
    unknown = sorted(set(allow_mixed) - set(MIXABLE))
    if unknown:
        raise ValueError(f"allow_mixed knows {', '.join(MIXABLE)}, got {', '.join(unknown)}")
    if not materials:
        why = f": {left_out[0]['name']}: {left_out[0]['reason']}" if left_out else ""
        raise ValueError(f"no material is left for the dataset{why}; choose others, or run them longer")
    for name, words in MIXABLE.items():
        if name not in allow_mixed and len(different := _different(materials, name)) > 1:
            raise ValueError(
                f"the materials have {len(different)} {words} ({', '.join(different[:4])}): choose one, or allow it "
                f"with allow_mixed {name}"
            )
    first: dict[Any, int] = {}
    for index, one in enumerate(materials):
        for what in (identity(one), one["diffusion_uuid"]):
            if what is not None and first.setdefault(what, index) != index:
                raise ValueError(f"{names[index]} is {names[first[what]]} once more; give each material once")


def _different(materials: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    """Return the values that the materials have of a property, each once."""
    if name != "temperature":
        return sorted({str(material[name]) for material in materials})
    temperatures = sorted({float(material["temperature_K"]) for material in materials})
    if temperatures[-1] <= (1 + TEMPERATURE_TOLERANCE) * temperatures[0]:
        return [f"{temperatures[0]:g} K"]
    return [f"{temperature:g} K" for temperature in temperatures]


def stack(materials: Sequence[Material], labels: Sequence[Label]) -> dict[str, NDArray[Any]]:
    """Return the arrays of the dataset.

    :raises ValueError: if the configurations of a material do not fit its structure.
    """
    crystals = [material.structure.get_ase() for material in materials]
    sampled = [configurations(material) for material in materials]
    frames = [len(item["kind"]) for item in sampled]
    atoms = [len(crystal) for crystal in crystals]
    replicas = [item.replicas for item in labels]
    columns: dict[str, Any] = {
        "atom_offsets": offsets(atoms),
        "atomic_numbers": np.concatenate([crystal.numbers for crystal in crystals]),
        "masses_amu": np.concatenate([crystal.get_masses() for crystal in crystals]),
        "mobile": np.concatenate([_mobile(item, crystal) for item, crystal in zip(materials, crystals, strict=True)]),
        "reference_positions_A": np.concatenate([crystal.positions for crystal in crystals]),
        "cells_A": np.array([crystal.cell.array for crystal in crystals]),
        "material": np.repeat(np.arange(len(materials)), frames),
        "position_offsets": offsets(np.repeat(atoms, frames).tolist()),
        "log10_slope": [item.log10_slope for item in labels],
        "log10_slope_std": [item.std for item in labels],
        "censored": [item.censored for item in labels],
        "replica_offsets": offsets([len(item) for item in replicas]),
        "replica_log10_slope": list(itertools.chain(*replicas)),
        "short_md_steps_fs": [short_md_step_fs(material) for material in materials],
    }
    for name in ("kind", "amplitude_A", "time_fs"):
        columns[name] = np.concatenate([item[name] for item in sampled])
    for name in ("positions_A", "forces_eV_A"):
        columns[name] = np.concatenate([item[name].reshape(-1, 3) for item in sampled])
    arrays = {name: np.asarray(columns[name], dtype=kind) for name, kind in DATASET_ARRAYS.items()}
    if not (np.isfinite(arrays["positions_A"]).all() and np.isfinite(arrays["forces_eV_A"]).all()):
        raise ValueError("positions or forces hold numbers that are not finite; sample that material again")
    return arrays


def offsets(counts: Sequence[int]) -> NDArray[np.int64]:
    """Return the offsets of parts, and the end of the last."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)


def _mobile(material: Material, crystal: Any) -> NDArray[np.bool_]:
    mobile: NDArray[np.bool_] = np.array(crystal.get_chemical_symbols()) == str(material.about["mobile_species"])
    if not mobile.any():
        raise ValueError(f"{material.name} has no {material.about['mobile_species']}, its mobile species")
    return mobile


def label_range(dataset: orm.ArrayData) -> tuple[float, float]:
    """Return the lowest and the highest label; NaN where there is none."""
    labels = dataset.get_array("log10_slope")
    known = labels[np.isfinite(labels)]
    return (float(known.min()), float(known.max())) if len(known) else (math.nan, math.nan)
