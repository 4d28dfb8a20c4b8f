"""Molecular dynamics with VASP through wall time, kills and electrons that do not converge."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node

from aiida_ion.workchains.md.vasp import VaspMdWorkChain
from aiida_ion.workchains.md.vasp_inputs import (
    electrons_of,
    incar_of_protocol,
    recommended_potentials,
    with_enough_encut,
)
from tests.conftest import OPTIONS

SETTINGS = {"temperature_K": 400.0, "timestep_fs": 1.0, "n_steps": 12, "sample_every": 3, "seed": 4, "ensemble": "nve"}
Run = Callable[..., orm.WorkChainNode]

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")


@pytest.fixture
def run_md(lithium_oxide: orm.StructureData, vasp_engine: dict[str, Any]) -> Run:
    """Return a factory: the work chain with a code of the caller's choice."""

    def run(code: Any = None, options: dict[str, Any] | None = None, **change: Any) -> orm.WorkChainNode:
        engine = vasp_engine | {"metadata": {"options": OPTIONS | (options or {})}}
        node: orm.WorkChainNode = run_get_node(
            VaspMdWorkChain,
            structure=lithium_oxide,
            parameters=orm.Dict(SETTINGS | change),
            engine=engine | ({"code": code} if code else {}),
        )[1]
        return node

    return run


def joined(node: orm.WorkChainNode, namespace: str, name: str) -> Any:
    segments = node.outputs[namespace]
    return np.concatenate([segments[label].get_array(name) for label in sorted(segments)])


def assert_undisturbed(node: orm.WorkChainNode, whole: orm.WorkChainNode) -> None:
    assert joined(node, "trajectories", "steps").tolist() == list(range(0, 13, 3))
    assert joined(node, "thermo", "steps").tolist() == list(range(13))
    expected = joined(whole, "trajectories", "positions")
    assert joined(node, "trajectories", "positions") == pytest.approx(expected, abs=5e-6)


@pytest.mark.slow
def test_wall_time_and_kills_lose_nothing(run_md: Run, vasp_program: Any, tmp_path: Path) -> None:
    whole = run_md()
    assert whole.is_finished_ok, whole.exit_message
    killed = run_md(dying_once(vasp_program, tmp_path))
    assert killed.is_finished_ok, killed.exit_message
    assert [job.exit_status for job in killed.called if isinstance(job, orm.CalcJobNode)] == [400, 0]
    assert_undisturbed(killed, whole)
    # The watchdog's STOPCAR comes after 0.95 x 4 s, in the middle of 13 steps of 0.45 s.
    slow = run_md(vasp_program(step_seconds=0.45), {"max_wallclock_seconds": 4})
    assert slow.is_finished_ok, slow.exit_message
    jobs = sorted((job for job in slow.called if isinstance(job, orm.CalcJobNode)), key=lambda job: job.pk)
    assert jobs[0].exit_status == 400
    assert "told to stop after step" in jobs[0].exit_message
    assert jobs[-1].exit_status == 0
    assert_undisturbed(slow, whole)
    assert slow.outputs.cost.get_dict()["n_jobs"] == len(jobs)


def dying_once(vasp_program: Any, tmp_path: Path) -> orm.InstalledCode:
    """Return a code of which the first job is killed from outside after some steps, by kill -9."""
    code, mark = vasp_program(step_seconds=0.05), tmp_path / "died"
    program = Path(str(code.filepath_executable))
    inner = program.with_name("slow_inner")
    program.rename(inner)
    program.write_text(f"""#!/bin/bash
if [ -e {mark} ]; then exec {inner}; fi
touch {mark}
{inner} &
until [ "$(grep -c '</calculation>' vasprun.xml 2> /dev/null)" -ge 5 ] 2> /dev/null; do sleep 0.01; done
kill -9 $!
""")
    program.chmod(0o755)
    return code


def test_electrons_get_another_chance(run_md: Run, vasp_program: Any) -> None:
    node = run_md(vasp_program(hard_step=7))
    assert node.is_finished_ok, node.exit_message
    jobs = sorted((job for job in node.called if isinstance(job, orm.CalcJobNode)), key=lambda job: job.pk)
    assert [job.exit_status for job in jobs] == [440, 0]
    tags = [job.inputs.incar.get_dict() for job in jobs]
    assert [(tag["algo"], tag["nelm"]) for tag in tags] == [("Fast", 100), ("All", 200)]
    assert joined(node, "trajectories", "steps").tolist() == list(range(0, 13, 3))
    assert joined(node, "thermo", "steps").tolist() == list(range(13))


def test_electrons_that_never_converge(run_md: Run, vasp_program: Any) -> None:
    node = run_md(vasp_program(never_converges=1))
    assert node.exit_status == 520, node.exit_message
    assert "The electrons do not converge" in node.exit_message
    jobs = [job for job in node.called if isinstance(job, orm.CalcJobNode)]
    assert [job.exit_status for job in jobs] == [440] * 3
    assert sorted(job.inputs.incar.get_dict()["nelm"] for job in jobs) == [100, 200, 400]


def test_an_error_of_vasp_ends_the_run_and_keeps_its_frames(run_md: Run, vasp_program: Any) -> None:
    node = run_md(vasp_program(fails_after=0))
    assert node.exit_status == 500
    assert "ZHEGV" in node.exit_message
    assert joined(node, "trajectories", "steps").tolist() == [0]


def test_inputs_for_a_structure(
    lithium_oxide: orm.StructureData, vasp_program: Any, potcar_family: str, vasp_engine: dict[str, Any]
) -> None:
    engine = VaspMdWorkChain.engine_inputs(
        lithium_oxide, "obelix", code=vasp_program(), potential_family=potcar_family, incar={"NCORE": 4, "nelmin": None}
    )
    tags = engine["incar"].get_dict()
    expected = {"gga": "PE", "encut": 520.0, "ispin": 1, "ncore": 4, "prec": "Accurate"}
    assert expected.items() <= tags.items()
    assert "nelmin" not in tags
    assert {kind: node.symbol for kind, node in engine["potential"].items()} == {"Li": "Li_sv", "O": "O"}
    assert engine["kpoints"].get_kpoints_mesh() == ([1, 1, 1], [0.0, 0.0, 0.0])
    assert VaspMdWorkChain.level_of_theory(engine) == "VASP PBE"
    assert VaspMdWorkChain.level_of_theory(engine | {"incar": orm.Dict({"metagga": "R2SCAN"})}) == "VASP R2SCAN"
    assert electrons_of(lithium_oxide, engine["potential"]) == 12.0
    builder = VaspMdWorkChain.relax_builder(lithium_oxide, engine)
    assert builder.incar.get_dict() == tags
    assert set(builder.potential) == {"Li", "O"}


@pytest.mark.parametrize("protocol", ["fast", "balanced", "stringent", "obelix"])
def test_every_protocol_gives_tags_that_vasp_knows(protocol: str) -> None:
    tags = incar_of_protocol(protocol, None).get_dict()
    assert tags["encut"] == 520.0
    assert tags["ismear"] == 0


def test_what_engine_inputs_refuse(lithium_oxide: orm.StructureData, vasp_program: Any, potcar_family: str) -> None:
    code = vasp_program()

    def ask(structure: orm.StructureData = lithium_oxide, **choices: Any) -> None:
        VaspMdWorkChain.engine_inputs(structure, "fast", code=code, **choices)

    with pytest.raises(ValueError, match="give potential_family"):
        ask()
    with pytest.raises(ValueError, match=r"no family of POTCARs 'PBE.54'.*aiida-vasp potcar uploadfamily"):
        ask(potential_family="PBE.54")
    with pytest.raises(ValueError, match=r"no POTCAR Li for Li in the family STAND-IN: the family has Li_sv"):
        ask(potential_family=potcar_family, potential_mapping={"Li": "Li"})
    sulfide = orm.StructureData(cell=[[4, 0, 0], [0, 4, 0], [0, 0, 4]])
    sulfide.append_atom(symbols="S", position=[0, 0, 0])
    with pytest.raises(ValueError, match=r"no POTCAR S for S in the family STAND-IN.*uploadfamily"):
        ask(sulfide, potential_family=potcar_family)
    with pytest.raises(ValueError, match="incar: nsw cannot be set here"):
        ask(potential_family=potcar_family, incar={"nsw": 4})
    with pytest.raises(ValueError, match='unknown protocol "moderate"; choose from fast, balanced, stringent'):
        VaspMdWorkChain.engine_inputs(lithium_oxide, "moderate", code=code, potential_family=potcar_family)


def test_remarks(lithium_nitride: orm.StructureData, vasp_engine: dict[str, Any], potcar_family: str) -> None:
    engine = VaspMdWorkChain.engine_inputs(
        lithium_nitride, "fast", code=vasp_engine["code"], potential_family=potcar_family, incar={"ismear": 1}
    )
    text = " ".join(VaspMdWorkChain.remarks(lithium_nitride, engine))
    assert "6.4.3" in text
    assert "ediff 0.0001 eV is loose for 4 atoms" in text
    assert "ismear above 0 is for metals" in text
    assert "odd number" not in text
    odd = orm.StructureData(cell=[[4, 0, 0], [0, 4, 0], [0, 0, 4]])
    odd.append_atom(symbols="N", position=[0, 0, 0])
    assert "5 electrons, an odd number" in " ".join(VaspMdWorkChain.remarks(odd, engine))


def test_recommended_potentials_are_those_of_the_materials_project() -> None:
    recommended = recommended_potentials()
    assert (recommended["Li"], recommended["O"], recommended["Ti"]) == ("Li_sv", "O", "Ti_pv")


def test_encut_below_enmax_is_marked_and_warned_of(
    lithium_oxide: orm.StructureData, vasp_engine: dict[str, Any], potcar_family: str
) -> None:
    mapping = {"Li": "Li_sv", "O": "O"}
    make = VaspMdWorkChain.engine_inputs
    low = make(lithium_oxide, "fast", potential_family=potcar_family, potential_mapping=mapping, incar={"encut": 300})
    assert VaspMdWorkChain.level_of_theory(low) == "VASP PBE (300 eV, below 400 eV)"
    remarks = [text for text in VaspMdWorkChain.remarks(lithium_oxide, low) if "suggests" in text]
    assert [text.split(" suggests")[0] for text in remarks] == [
        "Li: the POTCAR PAW_PBE Li_sv 10Sep2004",
        "O: the POTCAR PAW_PBE O 08Apr2002",
    ]
    assert "at least 400 eV, and 300 eV is given" in remarks[0]
    assert not any("suggests" in text for text in VaspMdWorkChain.remarks(lithium_oxide, vasp_engine))


def test_a_protocol_below_enmax_takes_enmax(vasp_engine: dict[str, Any]) -> None:
    potential, tags = vasp_engine["potential"], orm.Dict({"encut": 300.0, "ediff": 1e-5})
    assert with_enough_encut(tags, None, potential).get_dict() == {"encut": 400.0, "ediff": 1e-5}
    assert with_enough_encut(tags, {"ENCUT": 300}, potential).get_dict()["encut"] == 300.0, "the user's word counts"
    assert with_enough_encut(vasp_engine["incar"], None, potential) is vasp_engine["incar"]
