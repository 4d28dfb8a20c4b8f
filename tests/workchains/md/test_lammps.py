"""A fitted POD potential as an engine, and a user's own one from a file."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from aiida import orm
from aiida.engine import run_get_node

from aiida_ion.calculations.lammps.fitted import fitted_potential
from aiida_ion.calculations.lammps.job import validate_lammps_inputs
from aiida_ion.engines.registration import register
from aiida_ion.engines.testing import run_test
from aiida_ion.workchains.md.lammps import LammpsMdWorkChain
from aiida_ion.workchains.md.lammps_options import read_potential
from tests.calculations.lammps.pod_fits import dataset, fit
from tests.conftest import OPTIONS

pytestmark = pytest.mark.usefixtures("aiida_profile_clean")
PARAM = "species Au Cu\nrin 0.8\nrcut 5.0\n"


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """Return the path of a potential of a user."""
    (tmp_path / "my_param.pod").write_text(PARAM)
    (tmp_path / "my_coeff.pod").write_text("model_coefficients: 1 0 0\n0.5\n")
    content = {
        "commands": "pair_style pod\npair_coeff * * my_param.pod my_coeff.pod {elements}",
        "level_of_theory": "mine",
        "files": ["my_param.pod", "my_coeff.pod"],
    }
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(content))
    return tmp_path / "mine.yaml"


def change(given: Path, **values: object) -> None:
    given.write_text(yaml.safe_dump(yaml.safe_load(given.read_text()) | values))


def test_the_order_of_a_users_potential_is_read_from_its_file(given: Path) -> None:
    potential, files = read_potential(str(given))
    assert potential["species"] == ["Au", "Cu"]
    inputs = {"potential": orm.Dict(potential), "files": files}
    assert validate_lammps_inputs(inputs, ["Cu", "Au"]) is None
    assert "each of them" in str(validate_lammps_inputs(inputs, ["Cu"]))
    change(given, species=["Cu", "Au"])
    with pytest.raises(ValueError, match=r"my_param\.pod has the species Au Cu"):
        read_potential(str(given))
    change(given, species=["Au", "Cu"])
    assert read_potential(str(given))[0] == potential
    (given.parent / "my_param.pod").write_text("rcut 5.0\n")
    with pytest.raises(ValueError, match="needs one line 'species'"):
        read_potential(str(given))


def test_another_order_in_the_file_of_a_job_is_refused(given: Path) -> None:
    potential, files = read_potential(str(given))
    exchanged = orm.SinglefileData.from_string("species Cu Au\n", filename="my_param.pod")
    inputs = {"potential": orm.Dict(potential), "files": {**files, "file_00": exchanged}}
    assert "says species Au Cu, and my_param.pod Cu Au" in str(validate_lammps_inputs(inputs, ["Cu", "Au"]))


def test_a_fit_becomes_an_engine(lammps_code: orm.InstalledCode) -> None:
    node = fit(lammps_code, dataset())
    potential, files = fitted_potential(node.outputs.files)
    program, prepend = str(lammps_code.filepath_executable), lammps_code.prepend_text
    engine, _ = register("student", program, "ion.md.lammps", potential=potential, files=files, prepend=prepend)
    engine, tested = run_test(engine)
    assert tested.is_finished_ok, tested.exit_message
    assert engine.tested["n_atoms"] == 8
    engine_inputs = LammpsMdWorkChain.engine_inputs(
        tested.inputs.structure, code=engine.code, potential=engine.potential, files=engine.files
    )
    assert LammpsMdWorkChain.level_of_theory(engine_inputs) == "EMT by POD"
    chain = run_get_node(
        LammpsMdWorkChain,
        structure=tested.inputs.structure,
        parameters=orm.Dict({"temperature_K": 300.0, "timestep_fs": 2.0, "n_steps": 50}),
        engine=engine_inputs | {"metadata": {"options": OPTIONS}},
    )[1]
    assert chain.is_finished_ok, chain.exit_message
    assert chain.outputs.versions["level_of_theory_fingerprint"]["files_sha256"].keys() == {"param.pod", "coeff.pod"}


def test_what_is_no_fit() -> None:
    file = orm.SinglefileData.from_string("x", filename="coeff.pod")
    for files in ({}, {"coeff": file}, {"coeff": file, "param": file}):
        with pytest.raises(ValueError, match=r"a finished ion\.lammps_train"):
            fitted_potential(files)
