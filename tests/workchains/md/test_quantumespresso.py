"""Molecular dynamics with pw.x: stopped in whatever way, it ends as the run that nothing disturbed."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiida import orm
from aiida.engine import run_get_node
from ase import units
from ase.build import bulk
from ase.data import atomic_masses

from aiida_ion.calculations.quantumespresso.md import QuantumEspressoMdCalculation
from aiida_ion.starting_velocities import starting_velocities
from aiida_ion.workchains.md.quantumespresso import QuantumEspressoMdWorkChain
from tests.quantumespresso_fixtures import FAMILY, NAMELISTS, pw_executable

SETTINGS = {"temperature_K": 300.0, "timestep_fs": 2.0, "n_steps": 16, "sample_every": 4, "seed": 7, "ensemble": "nve"}

Engine = dict[str, Any]
Run = Callable[..., orm.WorkChainNode]


@pytest.fixture
def run_md(lithium_oxide: orm.StructureData, quantumespresso_engine: Engine) -> Run:
    """Return a factory: three atoms of Li2O with changes to the settings and to the engine."""

    def run(engine: Engine | None = None, restart_from: Any = None, **change: Any) -> orm.WorkChainNode:
        more = {} if restart_from is None else {"restart_from": restart_from}
        return run_get_node(
            QuantumEspressoMdWorkChain,
            structure=lithium_oxide,
            parameters=orm.Dict(SETTINGS | change),
            engine=quantumespresso_engine | (engine or {}),
            **more,
        )[1]

    return run


@pytest.fixture
def killed_code(tmp_path: Path, aiida_code_installed: Any) -> orm.InstalledCode:
    """Return pw.x, but the first run called `md` is killed without warning in the middle of its steps."""
    script = tmp_path / "pw-killed-once"
    script.write_text(f"""#!/bin/bash
if [ -e {tmp_path}/killed ] || [ "$2" != md.in ]; then exec {pw_executable()} "$@"; fi
touch {tmp_path}/killed
{pw_executable()} "$@" &
while [ "$(grep -c 'Ekin + Etot' md.out)" -lt 5 ]; do sleep 0.02; done
kill -9 $!
wait
""")
    script.chmod(0o755)
    return aiida_code_installed(label="killed", filepath_executable=str(script))


def joined(node: orm.WorkChainNode, namespace: str, array: str) -> np.ndarray[Any, Any]:
    parts = [node.outputs[namespace][label] for label in sorted(node.outputs[namespace])]
    return np.concatenate([part.get_array(array) for part in parts])


def jobs(node: orm.WorkChainNode) -> list[orm.CalcJobNode]:
    return [child for child in node.called if isinstance(child, orm.CalcJobNode)]


def electrons(**change: Any) -> orm.Dict:
    return orm.Dict(NAMELISTS | {"ELECTRONS": NAMELISTS["ELECTRONS"] | change})


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_killed_it_ends_as_the_undisturbed_run(run_md: Run, killed_code: orm.InstalledCode) -> None:
    undisturbed, killed = run_md(), run_md({"code": killed_code})
    assert len(jobs(killed)) == 2, "it was not disturbed"
    for node in (undisturbed, killed):
        assert node.is_finished_ok, node.exit_message
        assert joined(node, "trajectories", "steps").tolist() == list(range(0, 17, 4))
        assert joined(node, "thermo", "steps").tolist() == list(range(17))
    thermo = undisturbed.outputs.thermo.segment_000
    assert np.ptp(thermo.get_array("conserved_energy")) < 0.1 * np.ptp(thermo.get_array("kinetic_energy"))
    # What pw.x prints (1e-8 Ry/bohr) and how far it converges (1e-12 Ry) limit this.
    for array, tolerance in (("positions", 1e-6), ("velocities_A_fs", 1e-7)):
        result, expected = killed.outputs.state.get_array(array), undisturbed.outputs.state.get_array(array)
        assert result == pytest.approx(expected, abs=tolerance)


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_out_of_time_no_step_is_lost(run_md: Run, lithium_oxide: Any, quantumespresso_engine: Engine) -> None:
    options = {"resources": {"num_machines": 1, "num_mpiprocs_per_machine": 1}, "withmpi": False}
    engine = quantumespresso_engine | {"metadata": {"options": options | {"max_wallclock_seconds": 3}}}
    # No machine does so many steps in three seconds.
    settings = orm.Dict(SETTINGS | {"n_steps": 2000, "max_temperature_ratio": 20.0})
    job = run_get_node(QuantumEspressoMdCalculation, structure=lithium_oxide, parameters=settings, **engine)[1]
    assert job.exit_status == 400, job.exit_message
    assert "the time limit came" in job.exit_message
    reached = job.outputs.state.base.attributes.get("step")
    assert job.outputs.thermo.get_array("steps").tolist() == list(range(reached + 1))
    rest = run_md(restart_from=job.outputs.state, n_steps=reached + 3, sample_every=1, max_temperature_ratio=20.0)
    assert rest.is_finished_ok, rest.exit_message
    assert joined(rest, "trajectories", "steps").tolist() == list(range(reached + 1, reached + 4))
    assert joined(rest, "thermo", "steps").tolist() == list(range(reached + 1, reached + 4))


@pytest.mark.slow
@pytest.mark.usefixtures("aiida_profile_clean")
def test_with_a_thermostat_frames_and_units_are_the_same(
    run_md: Run, killed_code: orm.InstalledCode, lithium_oxide: orm.StructureData
) -> None:
    change = {"ensemble": "nvt", "thermostat_time_fs": 20.0, "n_steps": 12, "sample_every": 1, "keep": ["velocities"]}
    node = run_md({"code": killed_code}, **change)
    assert node.is_finished_ok, node.exit_message
    assert len(jobs(node)) == 2
    assert joined(node, "trajectories", "steps").tolist() == list(range(13))
    assert joined(node, "thermo", "steps").tolist() == list(range(13))
    masses = atomic_masses[lithium_oxide.get_ase().numbers]
    velocities = joined(node, "trajectories", "velocities").astype(float)
    assert velocities[0] == pytest.approx(starting_velocities(masses, 300.0, 7), abs=1e-8)
    kinetic_eV = 0.5 * (masses[:, None] * velocities**2).sum(axis=(1, 2)) / units.fs**2
    temperatures = joined(node, "thermo", "temperature")
    assert 2 * kinetic_eV / (6 * units.kB) == pytest.approx(temperatures, rel=1e-4)
    assert temperatures[0] == pytest.approx(300.0, rel=1e-5)
    assert np.isnan(joined(node, "thermo", "conserved_energy")).all()
    total = joined(node, "thermo", "potential_energy") + joined(node, "thermo", "kinetic_energy")
    assert np.ptp(total) > 0.01, "the thermostat gives and takes heat"


@pytest.mark.usefixtures("aiida_profile_clean")
@pytest.mark.slow
def test_electrons_that_do_not_converge_are_given_up_and_frames_kept(run_md: Run) -> None:
    half = run_md(n_steps=1)
    node = run_md({"namelists": electrons(electron_maxstep=1)}, restart_from=half.outputs.state)
    assert node.exit_status == 520, node.exit_message
    assert [job.exit_status for job in jobs(node)] == [440, 440, 440]
    assert [job.inputs.namelists["ELECTRONS"].get("mixing_beta") for job in jobs(node)] == [None, 0.35, 0.175]
    assert "cost" in node.outputs


@pytest.mark.usefixtures("aiida_profile_clean")
def test_more_robust_scf_continue_the_run(run_md: Run) -> None:
    # The first step needs more iterations than the following, which start from a density that is nearly right.
    node = run_md({"namelists": electrons(electron_maxstep=4, conv_thr=1e-6)}, n_steps=4, sample_every=1)
    assert node.is_finished_ok, node.exit_message
    assert [job.exit_status for job in jobs(node)] == [440, 0]
    assert joined(node, "trajectories", "steps").tolist() == list(range(5))
    assert joined(node, "thermo", "steps").tolist() == list(range(5))


@pytest.mark.usefixtures("aiida_profile_clean")
def test_an_exploding_run_keeps_its_frames(run_md: Run) -> None:
    node = run_md(max_temperature_ratio=1.1, sample_every=1, n_steps=4)
    assert node.exit_status == 410, node.exit_message
    assert joined(node, "trajectories", "steps").tolist() == [0, 1]


@pytest.mark.usefixtures("aiida_profile_clean")
def test_engine_inputs_of_a_protocol_run(
    lithium_oxide: orm.StructureData, quantumespresso_code: Any, pseudo_family: Any
) -> None:
    engine = QuantumEspressoMdWorkChain.engine_inputs(
        lithium_oxide, "fast", code=quantumespresso_code, pseudo_family=FAMILY, kpoints=[2, 2, 2]
    )
    namelists = engine["namelists"].get_dict()
    assert namelists["SYSTEM"] == {"ecutwfc": 25.0, "ecutrho": 150.0, "occupations": "fixed"}
    assert namelists["ELECTRONS"]["conv_thr_per_atom"] == 1e-7
    assert engine["pseudos"] == pseudo_family.get_pseudos(structure=lithium_oxide)
    assert QuantumEspressoMdWorkChain.level_of_theory(engine) == "QE PBEsol"
    assert QuantumEspressoMdWorkChain.remarks(lithium_oxide, engine) == []
    node = run_get_node(
        QuantumEspressoMdWorkChain,
        structure=lithium_oxide,
        parameters=orm.Dict(SETTINGS | {"n_steps": 2, "sample_every": 1, "ensemble": "nvt"}),
        engine=engine,
    )[1]
    assert node.is_finished_ok, node.exit_message
    assert node.outputs.versions["conv_thr_Ry"] == pytest.approx(3e-7)
    builder = QuantumEspressoMdWorkChain.relax_builder(lithium_oxide, engine)
    assert builder.namelists.uuid == engine["namelists"].uuid
    assert set(builder.pseudos) == {"Li", "O"}


@pytest.mark.usefixtures("aiida_profile_clean")
def test_choices_win_over_family_and_protocol(lithium_oxide: orm.StructureData, pseudo_family: Any) -> None:
    engine = QuantumEspressoMdWorkChain.engine_inputs(
        lithium_oxide,
        pseudo_family=pseudo_family,
        ecutwfc_Ry=40.0,
        namelists={"system": {"input_dft": "pbe", "vdw_corr": "grimme-d3"}, "electrons": {"conv_thr": 1e-7}},
    )
    namelists = engine["namelists"].get_dict()
    assert (namelists["SYSTEM"]["ecutwfc"], namelists["SYSTEM"]["ecutrho"]) == (40.0, 240.0)
    assert namelists["ELECTRONS"]["conv_thr"] == 1e-7
    assert "conv_thr_per_atom" not in namelists["ELECTRONS"]
    assert QuantumEspressoMdWorkChain.level_of_theory(engine) == "QE PBE-D3"


@pytest.mark.usefixtures("aiida_profile_clean")
def test_what_is_missing_is_named(lithium_oxide: orm.StructureData, pseudo_family: Any, upfs: Any) -> None:
    make = QuantumEspressoMdWorkChain.engine_inputs
    sodium = orm.StructureData(ase=bulk("NaCl", "rocksalt", a=5.6))
    with pytest.raises(ValueError, match="family PBEsol/test has none for Cl, Na"):
        make(sodium, pseudo_family=FAMILY)
    with pytest.raises(ValueError, match=r"no pseudopotential family 'absent'.*aiida-pseudo install"):
        make(lithium_oxide, pseudo_family="absent")
    with pytest.raises(ValueError, match="no pseudopotential given for Li, O"):
        make(lithium_oxide)
    silent = upfs | {"O": without_hint(upfs["O"])}
    with pytest.raises(ValueError, match=r"O\.silent\.UPF suggests no cut-offs; give ecutwfc_Ry and ecutrho_Ry"):
        make(lithium_oxide, pseudos=silent)
    with pytest.raises(ValueError, match="CONTROL dt is set by the job itself"):
        make(lithium_oxide, pseudos=upfs, ecutwfc_Ry=30.0, namelists={"CONTROL": {"dt": 1.0}})
    engine = make(lithium_oxide, pseudos=upfs, ecutwfc_Ry=30.0)
    assert engine["namelists"]["SYSTEM"]["ecutrho"] == 240.0, "ultrasoft"


def without_hint(upf: Any) -> Any:
    """Return a pseudopotential whose file suggests no cut-offs."""
    content = re.sub(r'(wfc|rho)_cutoff="[^"]*"', r'\1_cutoff="0.0"', upf.get_content())
    return type(upf)(io.BytesIO(content.encode()), filename=f"{upf.element}.silent.UPF")


@pytest.mark.usefixtures("aiida_profile_clean")
def test_cutoffs_of_the_files_are_those_of_the_elements_of_the_structure(
    lithium_oxide: orm.StructureData, upfs: Any
) -> None:
    make = QuantumEspressoMdWorkChain.engine_inputs
    engine = make(lithium_oxide, pseudos=upfs)
    system = engine["namelists"]["SYSTEM"]
    assert (system["ecutwfc"], system["ecutrho"]) == (78.0, 355.0), "of lithium, the higher ones"
    assert QuantumEspressoMdWorkChain.level_of_theory(engine) == "QE PBEsol"
    assert QuantumEspressoMdWorkChain.remarks(lithium_oxide, engine) == []
    oxygen = orm.StructureData(ase=bulk("O", "fcc", a=4.0))
    system = make(oxygen, pseudos=upfs)["namelists"]["SYSTEM"]
    assert (system["ecutwfc"], system["ecutrho"]) == (47.0, 323.0)
    silent = make(lithium_oxide, pseudos={name: without_hint(upf) for name, upf in upfs.items()}, ecutwfc_Ry=30.0)
    assert QuantumEspressoMdWorkChain.level_of_theory(silent) == "QE PBEsol", "nothing is known to be above"


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_run_below_the_hints_says_so_in_its_level_of_theory(lithium_oxide: orm.StructureData, upfs: Any) -> None:
    make = QuantumEspressoMdWorkChain.engine_inputs
    low = make(lithium_oxide, pseudos=upfs, ecutwfc_Ry=30.0, ecutrho_Ry=240.0)
    assert QuantumEspressoMdWorkChain.level_of_theory(low) == "QE PBEsol (30/240 Ry, below 78/355 Ry)"
    remarks = QuantumEspressoMdWorkChain.remarks(lithium_oxide, low)
    for element, hint in (("Li", "78/355 Ry"), ("O", "47/323 Ry")):
        (remark,) = (text for text in remarks if text.startswith(f"{element}: {element}.pbesol"))
        assert hint in remark and "30/240 Ry is given" in remark


@pytest.mark.usefixtures("aiida_profile_clean")
def test_what_a_family_recommends_counts_more_than_the_file(
    lithium_oxide: orm.StructureData, pseudo_family: Any
) -> None:
    given = {upf.element: upf for upf in pseudo_family.nodes}
    engine = QuantumEspressoMdWorkChain.engine_inputs(lithium_oxide, pseudos=given, ecutwfc_Ry=25.0, ecutrho_Ry=150.0)
    assert QuantumEspressoMdWorkChain.level_of_theory(engine) == "QE PBEsol"
    engine = QuantumEspressoMdWorkChain.engine_inputs(lithium_oxide, pseudos=given, ecutwfc_Ry=20.0, ecutrho_Ry=150.0)
    assert QuantumEspressoMdWorkChain.level_of_theory(engine) == "QE PBEsol (20/150 Ry, below 25/150 Ry)"


@pytest.mark.usefixtures("aiida_profile_clean")
def test_what_the_user_should_know_of_the_electrons(lithium_oxide: orm.StructureData, upfs: Any) -> None:
    make, remarks = QuantumEspressoMdWorkChain.engine_inputs, QuantumEspressoMdWorkChain.remarks
    odd = orm.StructureData(ase=bulk("LiO", "rocksalt", a=4.0))
    engine = make(odd, pseudos=upfs, ecutwfc_Ry=30.0)
    assert engine["namelists"]["SYSTEM"]["occupations"] == "smearing"
    assert any("9 valence electrons, an odd number" in remark for remark in remarks(odd, engine))
    metal = orm.StructureData(ase=bulk("Li", "bcc", a=3.5, cubic=True))
    engine = make(metal, pseudos=upfs, ecutwfc_Ry=30.0)
    assert any("All elements are metals" in remark for remark in remarks(metal, engine))
    coarse = make(lithium_oxide, pseudos=upfs, ecutwfc_Ry=30.0, ecutrho_Ry=120.0)
    assert any("ecutrho is 4 times ecutwfc" in remark for remark in remarks(lithium_oxide, coarse))


@pytest.mark.usefixtures("aiida_profile_clean")
def test_a_relaxation_of_the_cell_samples_what_the_supercell_does(
    lithium_oxide: orm.StructureData, quantumespresso_code: orm.InstalledCode, upfs: dict[str, Any]
) -> None:
    engine = QuantumEspressoMdWorkChain.engine_inputs(
        lithium_oxide, "fast", code=quantumespresso_code, pseudos=upfs, ecutwfc_Ry=25.0
    )
    builder = QuantumEspressoMdWorkChain.relax_builder(lithium_oxide, engine, (3, 3, 2))
    assert builder.kpoints.get_kpoints_mesh()[0] == [3, 3, 2]
