"""Sampled materials made by hand: nodes as the samples work chain leaves them, without its jobs."""

from __future__ import annotations

from typing import Any

import numpy as np
from aiida import orm
from ase import Atoms
from ase.build import bulk

from aiida_ion.calculations.mlip.forces import forces_node
from aiida_ion.calculations.surrogate.dataset import gather_dataset, material_key
from aiida_ion.calculations.trajectory_data import trajectory_node

SAMPLED = {"displaced": 3, "trajectory": 2, "short_md": 4}


def crystal(edge_A: float = 5.0, cation: str = "Li", anion: str = "Cl") -> Atoms:
    """Return a rock salt of 8 atoms."""
    return bulk(cation + anion, "rocksalt", a=edge_A, cubic=True)


def diffusion(diffusivity_cm2_s: float | None = 1e-5, **changes: Any) -> orm.ArrayData:
    """Return the diffusion of a rock salt as ``ion.diffusion`` says it; a bound where no diffusivity is given."""
    attributes: dict[str, Any] = {
        "formula": "LiCl",
        "level_of_theory": "toy",
        "mobile_species": "Li",
        "target_temperature_K": 1000.0,
        "charge_e": 1.0,
        "verdict": "moved" if diffusivity_cm2_s else "bound",
        "fit_consistent": True,
        "refused_because": None,
        "tracer_diffusivity_cm2_s": diffusivity_cm2_s,
        "tracer_diffusivity_upper_bound_cm2_s": None if diffusivity_cm2_s else 1e-8,
        "replica_diffusivities_cm2_s": [diffusivity_cm2_s, 0.0] if diffusivity_cm2_s else None,
    }
    node = orm.ArrayData()
    node.base.attributes.set_many(attributes | changes)
    if diffusivity_cm2_s:
        draws = diffusivity_cm2_s * 10 ** np.random.default_rng(1).normal(0, 0.1, 4000)
        node.set_array("tracer_diffusivity_samples_cm2_s", draws)
    return node.store()


def material(atoms: Atoms, label: orm.ArrayData | None, seed: int = 0) -> dict[str, Any]:
    """Return the nodes of a material: three displaced copies, two frames of its run, four of a short one."""
    rng = np.random.default_rng(seed)
    nodes: dict[str, Any] = {"structure": orm.StructureData(ase=atoms)}
    if label is not None:
        nodes["diffusion"] = label
    for kind, n_frames in SAMPLED.items():
        positions = atoms.positions + rng.normal(0, 0.1, (n_frames, len(atoms), 3))
        frames = trajectory_node(
            list(atoms.symbols), 10 * np.arange(n_frames), positions.astype("f4"), atoms.cell.array, timestep_fs=2.0
        )
        if kind == "displaced":
            frames.base.attributes.set("amplitudes_A", [0.05, 0.1, 0.1])
        name = {"displaced": "displaced", "trajectory": "replica_00_segment_000", "short_md": "segment_000"}[kind]
        forces = rng.normal(0, 1, (n_frames, len(atoms), 3))
        chosen = [(name, index) for index in range(n_frames)]
        nodes[f"{kind}_forces"] = forces_node({name: frames}, chosen, {"forces": forces, "energies": forces[:, 0, 0]})
        place = {"displaced": "displaced", "trajectory": f"trajectories_{name}", "short_md": f"short_md_{name}"}[kind]
        nodes[place] = frames
    return nodes


def inputs_of(materials: list[dict[str, Any]]) -> dict[str, Any]:
    """Return materials as inputs of ``gather_dataset``."""
    return {
        f"{material_key(index)}_{name}": node for index, nodes in enumerate(materials) for name, node in nodes.items()
    }


def dataset(n_materials: int = 4, labelled: bool = True) -> Any:
    """Return the dataset of rock salts of different sizes, the last of them censored."""
    materials = [
        material(
            crystal(5.0 + 0.1 * index),
            diffusion(10.0 ** -(5 + index) if index < n_materials - 1 else None) if labelled else None,
            seed=index,
        )
        for index in range(n_materials)
    ]
    known = {"level_of_theory": "toy", "mobile_species": "Li", "temperature_K": 1000.0, "charge_e": 1.0}
    about = {} if labelled else {material_key(index): known for index in range(n_materials)}
    return gather_dataset(parameters=orm.Dict({"materials": about}), **inputs_of(materials))
