"""`aiida-ion benchmark obelix`: crystals once, links once, and only what is missing is computed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiida import orm
from aiida.common.links import LinkType
from aiida.engine import run_get_node

from aiida_ion.aiida_private.builders import builder_inputs, validate_builder
from aiida_ion.analysis.disorder.settings import OrderingSettings
from aiida_ion.campaigns import RunRequest
from aiida_ion.campaigns.obelix.materials import materials_of
from aiida_ion.campaigns.obelix.scores import scored
from aiida_ion.campaigns.obelix.tasks import Task, open_tasks, store_and_link, tasks_of
from aiida_ion.campaigns.plans import comparison
from aiida_ion.datasets.obelix import read_obelix
from aiida_ion.datasets.obelix_crystals import select
from aiida_ion.engines.fits import register_diffusion_code
from aiida_ion.engines.registration import register
from aiida_ion.queries.experiments import experiments
from tests.cli.conftest import Invoke, only_line
from tests.conftest import engine_environment
from tests.datasets.obelix_files import LITHIUM_FLUORIDE, cif, row, write_dataset

#: Lithium fluoride in which every cation place is half lithium and half sodium.
MIXED = [
    (element, *place, 0.5 if element in ("Li", "Na") else 1.0)
    for name, *rest in LITHIUM_FLUORIDE
    for place in [rest[:3]]
    for element in (("Li", "Na") if name == "Li" else (name,))
]
SHORT: dict[str, Any] = {
    "protocol": "fast",
    "temperatures_K": [900.0, 1000.0],
    "time_ps": 0.3,
    "threads": 1,
    "equilibration_ps": 0.05,
    "sample_every": 5,
}


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "obelix")


def tasks(dataset: Path, *engines: str, ids: tuple[str, ...] = ("ggg",), **options: Any) -> list[Task]:
    result, _ = materials_of(select(read_obelix(dataset), ids))
    return tasks_of(result, engines, RunRequest.from_options(**SHORT | options))


def count(kind: type[orm.Node]) -> int:
    return orm.QueryBuilder().append(kind).count()


def test_a_dry_run_lists_all_and_stores_nothing(invoke: Invoke, lj_engine: str, dataset: Path) -> None:
    words = ("--source", dataset, "--select", "ordered,ccc", "--select", "ddd", "--engine", lj_engine, "--dry-run")
    result = invoke("benchmark", "obelix", *words)
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    cell = "4.0 x 4.0 x 4.0 3 x 3 x 3 216 800, 900, 1000, 1100, 1200 5 of 100 ps 250,000 unknown - new"
    assert f"aaa LiF 1e-12 Lennard-Jones {cell}" in lines
    assert any(line.startswith("bbb LiCl < 1e-10 Lennard-Jones 5.1 x 5.1 x 5.1 2 x 2 x 2 64") for line in lines)
    assert any(line.startswith("In all: 4 cells and engines, computing unknown") for line in lines)
    assert "Nothing was submitted" in lines[-1]
    assert any(line.startswith("REFUSED OBELiX ddd: ") and "vacan" in line for line in result.stderr.splitlines())
    assert "REFUSED OBELiX eee: its structure file holds LiF, the table says Li2O" in result.stderr
    assert result.stderr.count("noise of 0.01 in the fractional coordinates: the ions are relaxed") == 1
    assert "NOTE OBELiX ccc: sites with an occupancy of 0.97 and more are treated as full." in result.stderr
    assert count(orm.StructureData) == count(orm.ProcessNode) == 0


def test_a_crystal_with_partly_occupied_sites_is_an_ensemble(invoke: Invoke, lj_engine: str, tmp_path: Path) -> None:
    """Li and Na on one site: ordered, linked to its measurement, found again, and scored by its pooled value."""
    name, rows, cifs = "hhh", [row("hhh", "Li0.5Na0.5F", "1e-6")], {"hhh": cif(MIXED, (4.3, 4.3, 4.3))}
    folder = write_dataset(tmp_path / "mixed", rows, cifs)
    words = ("--source", folder, "--select", name, "--engine", lj_engine, "--orderings", 3, "--max-atoms", 64)
    output = invoke("benchmark", "obelix", *words, "--dry-run").stdout
    assert "5 of 100 ps x 3" in " ".join(output.split())
    settings = OrderingSettings.from_dict({"n_orderings": 3, "max_atoms": 64})
    materials, refused = materials_of(select(read_obelix(folder), [name]), settings)
    assert not refused
    request = RunRequest.from_options(**SHORT, ordering_settings={"max_atoms": 64})
    (task,) = tasks_of(materials, [lj_engine], request)
    assert (task.plan.entry_point, task.plan.n_members, task.state) == ("ion.ensemble", 3, "new")
    assert task.plan.builder.ordering.parameters["target_composition"]
    assert validate_builder(comparison([task.plan], request)) is None
    assert store_and_link(materials) == 1 and store_and_link(materials) == 0
    (again,), _ = materials_of(select(read_obelix(folder), [name]), settings)
    assert again.structure.uuid == materials[0].structure.uuid
    link_of = experiments().iloc[0]
    assert link_of["entry_id"] == name and bool(link_of["from_dataset"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--select", "zzz"), "OBELiX has no entry zzz"),
        (("--select", "paper"), "OBELiX has no entry kfp, clt"),
        (("--select", "aaa"), "broker"),  # the profile of the tests has none
        (("--select", "aaa", "--temperatures", "-1"), "--temperatures must be a list of numbers from 1 to 10,000 K"),
    ],
)
def test_what_cannot_be_set_up_is_one_line(
    invoke: Invoke, lj_engine: str, dataset: Path, words: tuple[str, ...], message: str
) -> None:
    result = invoke("benchmark", "obelix", "--source", dataset, "--engine", lj_engine, *words, code=1)
    assert message in [line for line in result.stderr.splitlines() if not line.startswith("NOTE")][-1]
    assert count(orm.StructureData) == 0


def test_a_crystal_that_the_engine_does_not_know_is_listed(invoke: Invoke, lj_engine: str, dataset: Path) -> None:
    register("lammps", "/bin/ls", "ion.md.lammps")
    result, _ = materials_of(select(read_obelix(dataset), ["aaa", "ggg"]))
    refused: list[str] = []
    request = RunRequest.from_options(**SHORT, potential="pedone-2006")
    done = tasks_of(result, ["lammps"], request, refused)
    assert [task.material.entry.entry_id for task in done] == ["ggg"]
    assert "has no F" in refused[0]
    with pytest.raises(ValueError, match="has no F"):
        tasks_of(result, ["lammps"], request)


def test_noisy_crystals_are_relaxed_or_not_run(invoke: Invoke, lj_engine: str, dataset: Path, tmp_path: Path) -> None:
    assert tasks(dataset, lj_engine)[0].plan.builder.parameters["relax_ions"] is True
    (tmp_path / "off.yaml").write_text("relax_ions: false")
    words = ("--source", dataset, "--select", "aaa", "--engine", lj_engine, "--overrides", tmp_path / "off.yaml")
    assert "have to be relaxed first" in only_line(invoke("benchmark", "obelix", *words, "--dry-run", code=1))


def test_refused_entries_alone_are_an_error(invoke: Invoke, lj_engine: str, dataset: Path) -> None:
    words = ("--source", dataset, "--select", "ddd,fff", "--engine", lj_engine, "--dry-run")
    result = invoke("benchmark", "obelix", *words, code=1)
    assert "none of these entries can be simulated" in result.stderr
    assert result.stderr.count("REFUSED") == 2


def test_crystals_are_stored_and_linked_once(invoke: Invoke, dataset: Path, tmp_path: Path) -> None:
    entries = select(read_obelix(dataset), ["aaa", "bbb"])
    first, _ = materials_of(entries)
    assert (store_and_link(first), store_and_link(first)) == (2, 0)
    again, _ = materials_of(entries)
    assert [one.structure.uuid for one in again] == [one.structure.uuid for one in first]
    assert store_and_link(again) == 0
    assert (count(orm.StructureData), len(experiments())) == (2, 2)
    text = (dataset / "all.csv").read_text()
    (dataset / "all.csv").write_text(text.replace("1.0e-12", "3.0e-12"))  # measured again
    changed, _ = materials_of(select(read_obelix(dataset), ["aaa"]))
    assert store_and_link(changed) == 1
    assert count(orm.StructureData) == 2
    assert experiments()["ionic_conductivity_mS_cm"][0] == pytest.approx(3e-9)


def put_in(node: orm.WorkChainNode, inputs: Mapping[str, Any], prefix: str = "") -> None:
    """Store inputs and link them to a process."""
    for name, value in inputs.items():
        if isinstance(value, Mapping):
            put_in(node, value, f"{prefix}{name}__")
        elif isinstance(value, orm.Data):
            node.base.links.add_incoming(value.store(), LinkType.INPUT_WORK, f"{prefix}{name}")


def process(kind: str, inputs: Mapping[str, Any], state: str, exit_status: int | None = None) -> orm.WorkChainNode:
    node = orm.WorkChainNode(process_type=f"aiida.workflows:ion.{kind}")
    node.set_process_state(state)
    if exit_status is not None:
        node.set_exit_status(exit_status)
    put_in(node, inputs)
    return node.store()


def test_what_runs_is_left_alone_and_what_failed_is_done_again(invoke: Invoke, lj_engine: str, dataset: Path) -> None:
    (task,) = tasks(dataset, lj_engine)
    assert (task.state, task.pk) == ("new", None)
    inputs = builder_inputs(task.plan.builder)
    failed = process("conductivity", inputs, "finished", 502)
    (task,) = tasks(dataset, lj_engine)
    assert (task.state, task.pk) == ("failed", failed.pk)
    assert open_tasks([task]) == [task]
    runs = {"runs": {"OBELiX_ggg": {lj_engine: inputs}, "OBELiX_aaa": {lj_engine: {"structure": inputs["structure"]}}}}
    around = process("comparison", runs, "waiting")
    (task,) = tasks(dataset, lj_engine)
    assert (task.state, task.pk) == ("running", around.pk)
    assert open_tasks([task]) == []
    running = process("conductivity", inputs, "running")
    assert tasks(dataset, lj_engine)[0].pk == running.pk
    assert tasks(dataset, lj_engine, temperatures_K=[1100.0])[0].state == "new"
    assert tasks(dataset, lj_engine, fresh=True)[0].state == "new"
    around.set_process_state("killed")
    running.set_process_state("excepted")
    assert tasks(dataset, lj_engine)[0].state == "failed"


@pytest.mark.slow
def test_an_interrupted_benchmark_goes_on_where_it_was(
    invoke: Invoke, dataset: Path, aiida_localhost: orm.Computer, tmp_path: Path
) -> None:
    """One crystal was computed for real, another not: only that is left, and a second engine finds both to do."""
    folder = engine_environment("lammps")
    register_diffusion_code()
    prepend = f"export LD_LIBRARY_PATH={folder}/lib:$LD_LIBRARY_PATH"
    register("lmp", str(folder / "bin" / "lmp"), "ion.md.lammps", prepend=prepend)
    options = {"potential": "pedone-2006", "min_width_A": 4.0}
    (task,) = tasks(dataset, "lmp", **options)
    assert task.plan.builder.md.parameters["keep"] == ["velocities"]
    assert store_and_link([task.material]) == 1
    (node,) = [run_get_node(comparison([task.plan], RunRequest(as_comparison=True)))[1]]
    assert node.is_finished_ok, node.exit_message
    again = tasks(dataset, "lmp", **options)
    assert [one.state for one in again] == ["done"]
    assert again[0].pk == node.called[0].pk
    assert open_tasks(again) == []
    words = ("--source", dataset, "--select", "ggg", "--engine", "lmp", "--potential", "pedone-2006", "--threads", 1)
    words += ("--protocol", "fast", "--temperatures", "900,1000", "--time-ps", 0.3, "--min-width-A", 4)
    words += ("--equilibration-ps", 0.05, "--sample-every", 5)
    output = invoke("benchmark", "obelix", *words).stdout
    assert "in the database" in output
    assert "1 crystals, 0 new links" in output
    assert "Nothing to submit" in output
    (tmp_path / "lmp2").symlink_to(folder / "bin" / "lmp")
    register("other", str(tmp_path / "lmp2"), "ion.md.lammps", prepend=prepend)
    both = tasks(dataset, "lmp", "other", **options)
    assert [one.state for one in both] == ["done", "new"]
    assert open_tasks(both) == both  # their comparison needs each
    (pair,) = scored().pairs
    text = (pair.row["entry_id"], pair.row["formula"], pair.row["level_of_theory"], pair.row["n_temperatures"])
    assert text == ("ggg", "Li2O", "classical/Pedone-2006", 2)
    assert pair.stated.value == pytest.approx(-6.0)
    assert not pair.passed
    assert pair.computed is None or pair.computed.is_bound  # nothing moves in 0.3 ps


def test_one_s_own_structure_is_linked(invoke: Invoke, dataset: Path, lithium_oxide: orm.StructureData) -> None:
    lithium_oxide.store()
    output = invoke("benchmark", "link", "ggg", lithium_oxide.pk, "--source", dataset).output
    assert output == f"Structure {lithium_oxide.pk} is now linked to OBELiX ggg, Li2O\n"
    assert "already linked" in invoke("benchmark", "link", "ggg", lithium_oxide.uuid, "--source", dataset).output
    assert experiments()["from_dataset"].tolist() == [False]
    (own,), _ = materials_of(select(read_obelix(dataset), ["ggg"]))
    assert not own.structure.is_stored  # the dataset's crystal is another
    line = only_line(invoke("benchmark", "link", "aaa", lithium_oxide.pk, "--source", dataset, code=1))
    assert "OBELiX aaa is LiF, and the structure is Li2O" in line
    assert "neither a file nor the pk" in only_line(
        invoke("benchmark", "link", "aaa", 99999, "--source", dataset, code=1)
    )
