"""The whole loop with a teacher that costs nothing, effective-medium theory of an alloy, and a student in LAMMPS."""

from __future__ import annotations

from typing import Any

import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase import Atoms
from ase.build import bulk

from aiida_ion.cli.text.students import is_student, student_lines
from aiida_ion.engines.engine import load_engine
from aiida_ion.engines.fitted import register_fitted
from aiida_ion.workchains.student import StudentWorkChain

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")

#: Short runs of a small cell; what is asked of the student is little.
QUICK = {
    "max_temperature_K": 500.0,
    "relax": False,
    "supercell": [2, 2, 2],
    "timestep_fs": 4.0,
    "n_train_steps": 150,
    "n_validation_steps": 25,
    "n_test_steps": 50,
    "explore_ps": 0.2,
    "acceptance_ps": 0.6,
    "student_sample_every": 5,
    "n_seeds": 2,
    "max_loops": 4,
}


def alloy() -> orm.StructureData:
    """Return ordered CuAu with four atoms."""
    atoms = bulk("Cu", "fcc", a=3.9, cubic=True)
    atoms.symbols[[1, 2]] = "Au"
    return orm.StructureData(ase=atoms)


@pytest.fixture
def inputs(python_code: Any, lammps_code: Any) -> Any:
    """Return the inputs of a student with some parameters changed."""

    def make(**changes: Any) -> dict[str, Any]:
        return {
            "structure": alloy(),
            "parameters": orm.Dict(QUICK | changes),
            "teacher": {
                "entry_point": orm.Str("ion.md.mlip"),
                "engine": {"code": python_code("ion.mlip_md"), "potential": orm.Dict({"name": "emt"})},
            },
            "trainer": {
                "entry_point": orm.Str("ion.lammps_train"),
                "code": lammps_code,
                "parameters": orm.Dict({"settings": {"equations_per_descriptor": 2.0}}),
            },
            "watch": {"code": python_code("ion.watch")},
        }

    return make


@pytest.mark.slow
def test_a_student_learns_until_its_runs_survive(inputs: Any) -> None:
    node = run_get_node(StudentWorkChain, **inputs())[1]
    assert node.is_finished_ok, node.exit_message
    about = node.outputs.report.base.attributes.all
    assert about["outcome"] == "accepted"
    last = about["history"][-1]
    assert last["stage"] == "accept"
    assert all(run["ended"] == "survived" for run in last["runs"])
    assert last["force_mae_eV_A"] <= last["target_eV_A"]
    assert about["cpu_time_s"] > 0
    assert about["level_of_theory"].endswith("by POD")
    assert set(node.outputs.potential) == {"param", "coeff"}
    assert about["displacement"]["elements"]["Cu"]["within_scatter"]
    assert is_student(about)
    text = "\n".join(student_lines(node.outputs.report))
    assert "accepted" in text
    assert "equal within scatter" in text
    # Every loop's labels are the teacher's own, of frames that are nodes.
    engine = register_fitted(node, "copper-gold")
    assert engine.entry_point == "ion.md.lammps"
    assert engine.trained["held_out_force_mae_eV_A"] == pytest.approx(last["force_mae_eV_A"])
    assert load_engine("copper-gold").potential["species"] == ["Au", "Cu"]
    labels = [link.node for link in node.base.links.get_outgoing().all() if link.link_label.startswith("labels_")]
    assert len(labels) == last["training"]


def layered() -> Atoms:
    """Return the same atoms in other layers, and in another order."""
    atoms = bulk("Cu", "fcc", a=3.9, cubic=True)
    atoms.symbols[[0, 1]] = "Au"
    return atoms


@pytest.mark.slow
def test_a_student_of_two_orderings_runs_both(inputs: Any) -> None:
    given = inputs(max_loops=2) | {"other_structures": {"layered": orm.StructureData(ase=layered())}}
    node = run_get_node(StudentWorkChain, **given)[1]
    assert node.exit_status in (0, 715), node.exit_message
    called = {link.link_label: link.node for link in node.base.links.get_outgoing().all()}
    own, other = called["teacher_train"], called["teacher_train_layered"]
    assert own.inputs.structure.uuid == node.outputs.supercell.uuid != other.inputs.structure.uuid
    symbols = [next(iter(run.outputs.trajectories.values())).base.attributes.get("symbols") for run in (own, other)]
    assert symbols[0] == symbols[1] == sorted(symbols[0])
    assert own.inputs.parameters["seed"] != other.inputs.parameters["seed"]
    # The two runs of a loop are of the two cells, and their frames are labelled together.
    runs = [called[f"explore_1_seed_{number}"].inputs.structure.uuid for number in range(2)]
    assert runs == [own.inputs.structure.uuid, other.inputs.structure.uuid]
    dataset = node.outputs.dataset
    assert dataset.base.attributes.get("n_train") >= 2 * (150 // 5)
    assert node.outputs.report.base.attributes.get("displacement") is not None


@pytest.mark.parametrize(
    ("other", "changes", "message"),
    [
        (bulk("Cu", "fcc", a=3.9, cubic=True), {}, "its cell is Cu32, and that of structure Au16Cu16"),
        (layered(), {"n_seeds": 1}, "give n_seeds of at least 2"),
    ],
)
def test_other_crystals_that_one_student_cannot_run_are_refused(
    inputs: Any, other: Any, changes: dict[str, Any], message: str
) -> None:
    given = inputs(**changes) | {"other_structures": {"other": orm.StructureData(ase=other)}}
    with pytest.raises(ValueError, match=message):
        run_get_node(StudentWorkChain, **given)


@pytest.mark.slow
def test_a_student_that_is_not_good_enough_is_kept_but_said_not_to_be(inputs: Any) -> None:
    node = run_get_node(StudentWorkChain, **inputs(target_force_error_eV_A=1e-6, max_loops=2))[1]
    assert node.exit_status == 715
    assert "must not be used unseen: out of loops after 2 trainings" in node.exit_message
    assert "potential" in node.outputs
    history = node.outputs.report.base.attributes.get("history")
    assert node.outputs.report.base.attributes.get("outcome") == "out_of_loops"
    assert history[1]["n_train"] > history[0]["n_train"]
    with pytest.raises(ValueError, match="was not accepted \\(out of loops\\)"):
        register_fitted(node, "copper-gold")
    assert register_fitted(node, "copper-gold", unaccepted=True).potential["name"] == "POD"


@pytest.mark.slow
def test_a_student_that_a_python_trains_runs_by_that_python(inputs: Any, python_code: Any) -> None:
    given = inputs(target_force_fraction=1.0, acceptance_ps=0.4, n_seeds=1, max_loops=1)
    given["trainer"] = {
        "entry_point": orm.Str("ion.train"),
        "code": python_code("ion.train", "nequip"),
        "parameters": orm.Dict({"family": "allegro", "protocol": "student", "settings": {"n_epochs": 40}}),
    }
    node = run_get_node(StudentWorkChain, **given)[1]
    assert node.is_finished_ok, node.exit_message
    about = node.outputs.report.base.attributes.all
    assert about["level_of_theory"].endswith("by Allegro")
    assert about["history"][-1]["force_mae_eV_A"] < 0.3
    assert set(node.outputs.potential) == {"potential"}
    runs = [child for child in node.called if child.process_label == "MlipMdWorkChain"]
    assert {run.inputs.engine.potential["name"] for run in runs} == {"emt", "nequip"}


@pytest.mark.parametrize(
    ("role", "entry_point", "message"),
    [("trainer", "ion.lammps_md", "trains no potential"), ("teacher", "ion.md.nothing", "not an installed engine")],
)
def test_what_cannot_teach_or_train_is_refused(inputs: Any, role: str, entry_point: str, message: str) -> None:
    given = inputs()
    given[role]["entry_point"] = orm.Str(entry_point)
    with pytest.raises(ValueError, match=message):
        run_get_node(StudentWorkChain, **given)
