"""One material of a dataset: its nodes are gathered, checked, and turned into arrays."""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from aiida import orm
from numpy.typing import NDArray

from aiida_ion.calculations.md import symbols_of
from aiida_ion.calculations.surrogate.arrays import KINDS
from aiida_ion.calculations.surrogate.labels import Label, label_of
from aiida_ion.former_names import FORMER_KINDS
from aiida_ion.units import FS_PER_PS

#: Tolerance of the symmetry search, angstrom: for relaxed ions, not for an ideal crystal.
SYMMETRY_TOLERANCE_A = 0.1
#: Cells whose vectors differ by more than this are different cells, angstrom.
CELL_TOLERANCE_A = 1e-3
#: What must be known about a material; a diffusion has all of it.
KNOWN = ("level_of_theory", "mobile_species", "temperature_K")
#: Attribute of a diffusion that says it.
SAID_BY_DIFFUSION = {
    "level_of_theory": "level_of_theory",
    "mobile_species": "mobile_species",
    "temperature_K": "target_temperature_K",
    "charge_e": "charge_e",
}


@dataclass
class Material:
    """The nodes of a material.

    :param name: how messages name it.
    :param structure: the relaxed supercell.
    :param about: ``KNOWN``, and further facts.
    :param diffusion: the label, where there is one.
    :param frames: trajectories of each kind of configuration, by the names that the forces node has for them.
    :param forces: forces of each kind of configuration.
    """

    name: str
    structure: orm.StructureData
    about: dict[str, Any]
    diffusion: orm.ArrayData | None = None
    frames: dict[str, dict[str, orm.TrajectoryData]] = field(default_factory=dict)
    forces: dict[str, orm.ArrayData] = field(default_factory=dict)


def identity(facts: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what makes two materials the same one: crystal, potential, temperature, mobile species."""
    return tuple(facts[name] for name in ("fingerprint", *KNOWN))


def fingerprint(structure: orm.StructureData) -> str:
    """Return the sha256 of elements, cell and positions, the same for a copy of the crystal."""
    atoms = structure.get_ase()
    digest = hashlib.sha256()
    for array in (atoms.numbers, atoms.cell.array.round(5), atoms.positions.round(5)):
        digest.update(np.ascontiguousarray(array + 0.0).tobytes())
    return digest.hexdigest()


def material_of(name: str, nodes: Mapping[str, Any], about: Mapping[str, Any]) -> Material:
    """Return the material of some nodes.

    :param nodes: ``structure``; optionally ``diffusion``, ``displaced``, ``trajectories_*``, ``short_md_*``, forces.
    :param about: what is known in addition to its diffusion.
    :raises ValueError: if something is missing or belongs to another material.
    """
    nodes = by_present_names(nodes)
    if "structure" not in nodes:
        raise ValueError(f"{name} has no structure; give the relaxed supercell that was sampled")
    known = dict(about)
    diffusion = nodes.get("diffusion")
    if diffusion is not None:
        facts = {key: diffusion.base.attributes.get(theirs, None) for key, theirs in SAID_BY_DIFFUSION.items()}
        for key in KNOWN:
            if known.get(key) not in (None, facts[key]):
                raise ValueError(f"{name}: {key} is {known[key]}, and its diffusion says {facts[key]}")
        known |= {key: value for key, value in facts.items() if value is not None}
    missing = [key for key in KNOWN if known.get(key) is None]
    if missing:
        raise ValueError(f"{name}: nothing says its {', '.join(missing)}; give it a diffusion, or say it")
    material = Material(name, nodes["structure"], known, diffusion)
    for kind in KINDS:
        if f"{kind}_forces" in nodes:
            material.forces[kind] = nodes[f"{kind}_forces"]
            material.frames[kind] = _frames_of(kind, nodes)
    if not material.forces:
        raise ValueError(f"{name} has no forces of any configuration; sample it with ion.surrogate_samples")
    return material


def by_present_names(nodes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the nodes of a material with the names that kinds of configurations have now."""
    former = {f"{old}{end}": f"{new}{end}" for old, new in FORMER_KINDS.items() for end in ("", "_forces")}
    return {former.get(name, name): node for name, node in nodes.items()}


def _frames_of(kind: str, nodes: Mapping[str, Any]) -> dict[str, orm.TrajectoryData]:
    if kind == "displaced":
        # Their forces name them as they were called when they were computed.
        return dict.fromkeys(("displaced", *FORMER_KINDS), nodes[kind]) if kind in nodes else {}
    prefix = "trajectories_" if kind == "trajectory" else "short_md_"
    taken = {f"{name}_forces" for name in KINDS}
    return {
        key.removeprefix(prefix): node for key, node in nodes.items() if key.startswith(prefix) and key not in taken
    }


def label(material: Material) -> Label:
    """Return the label of a material; NaN where it has no diffusion.

    :raises LabelRefusedError: if its diffusion is not a label.
    """
    return label_of(material.diffusion) if material.diffusion is not None else Label(math.nan, math.nan, False)


def configurations(material: Material) -> dict[str, NDArray[Any]]:
    """Return the configurations of a material, n of N atoms, in the order of kind, amplitude and time.

    :returns: ``kind`` (n,), ``amplitude_A`` (n,), ``time_fs`` (n,), ``positions_A`` (n, N, 3), ``forces_eV_A``
        (n, N, 3).
    :raises ValueError: if frames and forces are not of the same atoms in the same cell.
    """
    parts = [_of_kind(material, kind) for kind in KINDS if kind in material.forces]
    together = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((together["time_fs"], together["amplitude_A"], together["kind"]))
    return {name: array[order] for name, array in together.items()}


def _of_kind(material: Material, kind: str) -> dict[str, NDArray[Any]]:
    forces, frames = material.forces[kind], material.frames[kind]
    attributes = forces.base.attributes.all
    missing = sorted(set(attributes["segments"]) - set(frames))
    if missing:
        raise ValueError(f"{material.name}: the {kind} forces are those of {', '.join(missing)}, which is not given")
    for node in (forces, *frames.values()):
        if node.base.attributes.get("symbols") != symbols_of(material.structure):
            raise ValueError(
                f"{material.name}: {kind} configurations (node {node.uuid}) hold other atoms than its structure, or "
                "the same in another order; sample it again"
            )
    segments, indices = forces.get_array("segment"), forces.get_array("frames")
    chosen = [
        (frames[attributes["segments"][segment]], int(index)) for segment, index in zip(segments, indices, strict=True)
    ]
    cell = material.structure.get_ase().cell.array
    if any(np.abs(node.get_array("cells")[index] - cell).max() > CELL_TOLERANCE_A for node, index in chosen):
        raise ValueError(f"{material.name}: {kind} configurations are of another cell than its structure; use nvt runs")
    displaced = kind == "displaced"
    nan = np.full(len(chosen), math.nan)
    amplitudes = [node.base.attributes.get("amplitudes_A")[index] for node, index in chosen] if displaced else nan
    times = nan if displaced else [float(node.get_array("times")[index]) * FS_PER_PS for node, index in chosen]
    return {
        "kind": np.full(len(chosen), KINDS.index(kind)),
        "amplitude_A": np.asarray(amplitudes, dtype=float),
        "time_fs": np.asarray(times, dtype=float),
        "positions_A": np.array([node.get_array("positions")[index] for node, index in chosen], dtype=np.float32),
        "forces_eV_A": np.asarray(forces.get_array("forces"), dtype=np.float32),
    }


def short_md_step_fs(material: Material) -> float:
    """Return the time step of the short run, fs; NaN without one."""
    nodes = list(material.frames.get("short_md", {}).values())
    return float(nodes[0].base.attributes.get("timestep_fs")) if nodes else math.nan


def description(material: Material) -> dict[str, Any]:
    """Return the description of a material in the dataset."""
    crystal = material.structure.get_pymatgen_structure()
    with warnings.catch_warnings():
        # The order of elements in a formula needs electronegativities; noble gases have none.
        warnings.filterwarnings("ignore", message="No Pauling electronegativity")
        formula = crystal.composition.reduced_formula
        words = {"chemical_system": crystal.composition.chemical_system, "prototype": prototype(crystal)}
    noted = {key: value for key, value in material.about.items() if key not in ("formula", *words)}
    return {
        "formula": material.about.get("formula") or formula,
        **words,
        **noted,
        "fingerprint": fingerprint(material.structure),
        "structure_uuid": material.structure.uuid,
        "diffusion_uuid": material.diffusion.uuid if material.diffusion is not None else None,
        "label_steps": material.about.get("label_steps"),
        "label_wall_s": material.about.get("label_wall_s"),
    }


def prototype(crystal: Any) -> str:
    """Return anonymous formula and space group of a relaxed cell, such as ``AB 225``; group 1 where none is found."""
    from pymatgen.symmetry.analyzer import SpacegroupAnalyzer, SymmetryUndeterminedError

    with warnings.catch_warnings():
        # A deprecation of spglib's error handling.
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        try:
            number = SpacegroupAnalyzer(crystal, symprec=SYMMETRY_TOLERANCE_A).get_space_group_number()
        except (SymmetryUndeterminedError, TypeError, ValueError):
            number = 1
    return f"{crystal.composition.reduced_composition.anonymized_formula} {number}"
