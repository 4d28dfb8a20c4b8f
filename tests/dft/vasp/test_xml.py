"""``vasprun.xml`` of real molecular dynamics, whole and cut off anywhere."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from aiida_ion.dft.vasp.xml import read_vasprun
from tests.dft.vasp.running import DATA

RUNS = pytest.mark.parametrize("name", ["ti", "h2o"])


def real(name: str, file: str = "vasprun.xml") -> Path:
    path = DATA / name / file
    if not path.is_file():
        pytest.skip(f"no recorded VASP run in {DATA}")
    return path


@RUNS
def test_energies_and_forces_are_those_of_outcar(name: str) -> None:
    run, outcar = read_vasprun(real(name)), real(name, "OUTCAR").read_text()
    assert len(run) == 10
    assert run.ended
    number = r"\s+(-?\d+\.\d+)"
    for pattern, values, printed in (
        (rf"free  energy   TOTEN  ={number}", run.energies["free_energy_eV"], 8),
        (rf"kinetic energy EKIN   ={number}", run.energies["kinetic_energy_eV"], 6),
        (rf"total energy   ETOTAL ={number}", run.energies["total_energy_eV"], 6),
    ):
        text = np.array(re.findall(pattern, outcar), dtype=float)
        assert text == pytest.approx(values, abs=0.51 * 10**-printed)
    tables = re.findall(r"TOTAL-FORCE \(eV/Angst\)\n -+\n(.*?)\n -+", outcar, re.DOTALL)
    text = np.array([[line.split()[3:] for line in table.splitlines()] for table in tables], dtype=float)
    printed_steps = run.forces[[0, -1]] if name == "ti" else run.forces  # NWRITE = 0 prints those of the ends
    assert text == pytest.approx(printed_steps, abs=0.51e-6)


@RUNS
def test_electronic_iterations_are_those_of_outcar(name: str) -> None:
    run, outcar = read_vasprun(real(name)), real(name, "OUTCAR").read_text()
    iterations = np.array(re.findall(r"- Iteration +(\d+)\( *(\d+)\)", outcar), dtype=int)
    last = [iterations[iterations[:, 0] == step, 1].max() for step in range(1, 11)]
    assert run.scf_iterations.tolist() == last
    assert outcar.count("aborting loop because EDIFF is reached") == 10
    assert run.unconverged() is None
    assert (run.last_change_eV <= run.number("EDIFF")).all()


@RUNS
def test_times_are_those_of_outcar(name: str) -> None:
    run, outcar = read_vasprun(real(name)), real(name, "OUTCAR").read_text()
    text = re.findall(r"LOOP\+:\s+cpu time\s+([\d.]+): real time\s+([\d.]+)", outcar)
    assert run.seconds == pytest.approx(np.array(text, dtype=float), abs=0.006)


def test_what_the_run_was() -> None:
    run = read_vasprun(real("h2o"))
    assert (run.program, run.version) == ("vasp 5.4.4.18Apr17-6-g9f103f2a35", (5, 4, 4))
    assert [block["title"] for block in run.blocks] == ["PAW_PBE O 08Apr2002", "PAW_PBE H 15Jun2001"]
    assert [(block["count"], block["valence"], block["mass"]) for block in run.blocks] == [(2, 6, 16), (4, 1, 1)]
    assert (run.number("NELECT"), run.number("ENMAX"), run.number("POTIM"), run.n_kpoints) == (16.0, 800.0, 1.0, 1)
    assert run.number("NO_SUCH_TAG") is None


@RUNS
def test_cut_off_anywhere(name: str, tmp_path: Path) -> None:
    whole, content = read_vasprun(real(name)), real(name).read_bytes()
    ends = [match.end() for match in re.finditer(b"</calculation>", content)]
    rng = np.random.default_rng(0)
    places = [0, 1, 40, ends[0] - 1, ends[0], ends[4] - 3, ends[4] + 7, len(content) - 2]
    places += rng.integers(0, len(content), 25).tolist()
    for place in places:
        path = tmp_path / "vasprun.xml"
        path.write_bytes(content[:place])
        run = read_vasprun(path)
        assert len(run) == sum(end <= place for end in ends)
        assert not run.ended
        if len(run):
            assert run.positions == pytest.approx(whole.positions[: len(run)])
            assert run.program == whole.program
            assert run.number("EDIFF") == whole.number("EDIFF")
            assert (run.cell == whole.cell).all()


def test_garbage_after_the_cut(tmp_path: Path) -> None:
    """A file system that crashed fills up with zero bytes."""
    content = real("ti").read_bytes()
    path = tmp_path / "vasprun.xml"
    path.write_bytes(content[: len(content) // 2] + b"\0" * 4096)
    assert 0 < len(read_vasprun(path)) < 10


def test_numbers_that_do_not_fit_are_not_numbers(tmp_path: Path) -> None:
    path = tmp_path / "vasprun.xml"
    text = real("ti").read_text(encoding="latin-1").replace("0.20036532", "**********")
    path.write_text(text, encoding="latin-1")
    forces = read_vasprun(path).forces
    assert np.isnan(forces[0, 0, 1])
    assert np.isfinite(forces[1:]).all()


def test_electrons_that_ran_out_of_iterations(tmp_path: Path) -> None:
    content = real("ti").read_text(encoding="latin-1")
    path = tmp_path / "vasprun.xml"
    # Step 1 took 11 iterations; its last one changed the energy by 1e-7 eV.
    limited = re.sub(r'(name="NELM">\s*)100', r"\g<1>11", content)
    path.write_text(limited.replace('name="EDIFF">      0.00000100', 'name="EDIFF">      0.00000001'))
    assert read_vasprun(path).unconverged() == 0
    path.write_text(limited)
    assert read_vasprun(path).unconverged() is None, "converged in the very last iteration that it had"
