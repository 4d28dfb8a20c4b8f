from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase.calculators.emt import EMT

from aiida_ion.calculations.training.dataset import training_dataset
from aiida_ion.calculations.training.generated import generate_frames
from aiida_ion.campaigns.training.stored import gather_sources
from aiida_ion.workchains.labels import LabelsWorkChain
from tests.calculations.training.nodes import inputs_of
from tests.training.md import run_md

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")


def frames(n_frames: int, seed: int) -> Any:
    """Return a stored trajectory of an alloy."""
    return inputs_of(run_md(n_frames=n_frames, seed=seed))["trajectory_000"]


def test_all_frames_of_all_trajectories_are_labelled_by_one_job_of_a_potential(python_code: Any) -> None:
    trajectories = {"first": frames(5, 1), "second": frames(3, 2), "third": frames(2, 3)}
    structure = orm.StructureData(ase=trajectories["first"].get_step_structure(0).get_ase())
    node = run_get_node(
        LabelsWorkChain,
        structure=structure,
        trajectories=trajectories,
        entry_point=orm.Str("ion.md.mlip"),
        engine={"code": python_code("ion.mlip_md"), "potential": orm.Dict({"name": "emt"})},
    )[1]
    assert node.is_finished_ok, node.exit_message
    assert [child.process_label for child in node.called] == ["ForcesCalculation"]
    labels = node.outputs.labels.first
    assert labels.pk == node.outputs.labels.second.pk
    atoms = trajectories["second"].get_step_structure(2).get_ase()
    atoms.calc = EMT()
    row = np.flatnonzero((labels.get_array("segment") == 1) & (labels.get_array("frames") == 2))[0]
    assert labels.get_array("energies")[row] == pytest.approx(atoms.get_potential_energy(), abs=1e-4)
    splits = {f"trajectory_{i:03d}": split for i, split in enumerate(("train", "test", "validation"))}
    nodes = {f"trajectory_{i:03d}": trajectories[key] for i, key in enumerate(sorted(trajectories))}
    nodes |= {f"labels_{i:03d}": node.outputs.labels[key] for i, key in enumerate(sorted(trajectories))}
    parameters = orm.Dict({"split": "given", "splits": splits, "stride_fs": 0.1})
    dataset: Any = training_dataset(parameters, **nodes)
    assert [dataset.base.attributes.get(f"n_{split}") for split in ("train", "test", "validation")] == [
        5,
        2,
        1,
    ]  # all runs start from one frame


def test_other_atoms_are_refused(python_code: Any) -> None:
    structure = orm.StructureData(cell=np.eye(3) * 5)
    structure.append_atom(position=(0, 0, 0), symbols="Li")
    with pytest.raises(ValueError, match="other atoms than the structure"):
        run_get_node(
            LabelsWorkChain,
            structure=structure,
            trajectories={"frames": frames(2, 1)},
            entry_point=orm.Str("ion.md.mlip"),
            engine={"code": python_code("ion.mlip_md"), "potential": orm.Dict({"name": "emt"})},
        )


def test_single_points_have_the_shifted_mesh_of_the_engine(
    lithium_oxide: orm.StructureData, quantumespresso_engine: dict[str, Any]
) -> None:
    copies: Any = generate_frames(lithium_oxide, orm.Dict({"n_rattled": 1, "n_strained": 0}))
    node = run_get_node(
        LabelsWorkChain,
        structure=lithium_oxide,
        trajectories={"copies": copies},
        entry_point=orm.Str("ion.md.quantumespresso"),
        engine={name: value for name, value in quantumespresso_engine.items() if name != "metadata"},
        options=quantumespresso_engine["metadata"]["options"],
    )[1]
    assert node.is_finished_ok, node.exit_message
    (point,) = [child for child in node.called if isinstance(child, orm.CalcJobNode)]
    assert point.inputs.kpoints.get_kpoints_mesh() == ([2, 2, 2], [0.5, 0.5, 0.5])
    facts = node.outputs.labels.copies.base.attributes.get("level_of_theory_fingerprint")
    assert facts["k_offset"] == [0.5, 0.5, 0.5]
    # The labels are a source of a dataset by the pk of their work chain.
    (source,) = gather_sources([node]).sources
    assert source.trajectory.pk == copies.pk and source.labels.pk == node.outputs.labels.copies.pk
