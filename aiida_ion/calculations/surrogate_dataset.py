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

from aiida_ion.calculations.surrogate import DATASET_ARRAYS, TEMPERATURE_TOLERANCE, arrays_sha256
from aiida_ion.calculations.surrogate_labels import Label, LabelRefusedError
from aiida_ion.calculations.surrogate_materials import (
    Material,
    configurations,
    description,
    label,
    material_of,
    short_md_step_fs,
)

#: What may differ between materials where the parameters allow it -> what it is called in a message.
MIXABLE = {
    "level_of_theory": "levels of theory",
    "temperature": "temperatures",
    "mobile_species": "mobile species",
}
_NAME = re.compile(r"(material_\d+)_(.+)")


def material_key(index: int) -> str:
    """Return the name of a material among the inputs."""
    return f"material_{index:04d}"


@calcfunction
def gather_dataset(parameters: orm.Dict, **nodes: Any) -> orm.ArrayData:
    """Put sampled materials and their labels into one node.

    :param parameters: ``materials`` (material -> what is known of it), ``sampling`` (how it was sampled) and
        ``allow_mixed`` (any of level_of_theory, temperature, mobile_species).
    :param nodes: of each material, as ``material_0000_structure``: ``structure``, ``diffusion`` (the label, where there
        is one), ``smeared`` and ``smeared_forces``, ``trajectories_*`` and ``trajectory_forces``, ``short_md_*`` and
        ``short_md_forces``.
    :returns: the arrays of :data:`~aiida_ion.calculations.surrogate.DATASET_ARRAYS`; in words as attributes.
    :raises ValueError: if the materials do not belong in one dataset; the message says what to do.
    """
    settings = parameters.get_dict()
    given = materials_of(nodes, settings.get("materials") or {})
    kept, labels, left_out = labelled(given)
    check_together(kept, settings.get("allow_mixed") or [], left_out)
    arrays = stack(kept, labels)
    node = orm.ArrayData()
    for name, array in arrays.items():
        node.set_array(name, array)
    temperatures = [float(material.about["temperature_K"]) for material in kept]
    node.base.attributes.set_many(
        {
            "temperature_K": float(np.mean(temperatures)),
            "mobile_species": sorted({material.about["mobile_species"] for material in kept}),
            "levels_of_theory": sorted({material.about["level_of_theory"] for material in kept}),
            "n_materials": len(kept),
            "n_configurations": len(arrays["material"]),
            "n_censored": int(arrays["censored"].sum()),
            "sources": sorted(material.diffusion.uuid for material in kept if material.diffusion is not None),
            "sha256": arrays_sha256(arrays),
            "materials": [description(material) for material in kept],
            "left_out": left_out,
            "sampling": settings.get("sampling") or {},
        }
    )
    return node


def materials_of(nodes: Mapping[str, Any], about: Mapping[str, Any]) -> list[Material]:
    """Return the materials among the inputs, in the order of their names.

    :raises ValueError: for a name that says nothing, or a material that lacks something.
    """
    groups: dict[str, dict[str, Any]] = {}
    for name, node in sorted(nodes.items()):
        found = _NAME.fullmatch(name)
        if found is None:
            raise ValueError(f"{name} is no input of a dataset; names are like material_0000_structure")
        groups.setdefault(found[1], {})[found[2]] = node
    return [material_of(_title(key, about), group, about.get(key) or {}) for key, group in groups.items()]


def _title(key: str, about: Mapping[str, Any]) -> str:
    formula = (about.get(key) or {}).get("formula")
    return f"{key} ({formula})" if formula else key


def labelled(
    materials: Sequence[Material],
) -> tuple[list[Material], list[Label], list[dict[str, Any]]]:
    """Return the materials that are kept, their labels, and why others are left out."""
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
    materials: Sequence[Material], allow_mixed: Sequence[str], left_out: Sequence[Mapping[str, Any]]
) -> None:
    """Refuse materials that do not belong in one dataset.

    :raises ValueError: saying what to do.
    """
    unknown = sorted(set(allow_mixed) - set(MIXABLE))
    if unknown:
        raise ValueError(f"allow_mixed knows {', '.join(MIXABLE)}, got {', '.join(unknown)}")
    if not materials:
        why = f": {left_out[0]['name']}: {left_out[0]['reason']}" if left_out else ""
        raise ValueError(f"no material is left for the dataset{why}; choose others, or run them longer")
    for name, words in MIXABLE.items():
        if name not in allow_mixed and len(found := _different(materials, name)) > 1:
            raise ValueError(
                f"the materials have {len(found)} {words} ({', '.join(found[:4])}): choose one, or allow it with "
                f"allow_mixed {name}"
            )
    first: dict[Any, str] = {}
    for material in materials:
        for what in (material.identity, material.diffusion.uuid if material.diffusion is not None else None):
            if what is not None and first.setdefault(what, material.name) != material.name:
                raise ValueError(f"{material.name} is {first[what]} once more; give each material once")


def _different(materials: Sequence[Material], name: str) -> list[str]:
    """Return what the materials have of something, one entry where they agree."""
    if name != "temperature":
        return sorted({str(material.about[name]) for material in materials})
    temperatures = sorted({float(material.about["temperature_K"]) for material in materials})
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
    """Return where each of some parts begins, and where the last ends."""
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
