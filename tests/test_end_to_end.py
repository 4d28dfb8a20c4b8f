"""From an empty AiiDA folder to a table, by the commands a user types, with the daemon doing the work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write
from ase.spacegroup import crystal

from tests.conftest import ENGINES, engine_environment
from tests.quantumespresso_fixtures import pseudo_paths, pw_executable

BIN = Path(sys.executable).parent
EXAMPLES = Path(__file__).parents[1] / "examples"

SMALL = ("--ecutwfc-Ry", "25", "--ecutrho-Ry", "150", "--kpoints", "2,2,2")

Command = Callable[..., str]


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """Return a function that types a command in a fresh home; the daemon is stopped at the end."""
    engine_environment("lammps")
    home = tmp_path_factory.mktemp("home")
    environment = os.environ | {"AIIDA_PATH": str(home), "AIIDA_ION_ENGINES": str(ENGINES), "OMP_NUM_THREADS": "1"}

    def run(*words: str, status: int = 0) -> str:
        done = subprocess.run(
            [str(BIN / words[0]), *words[1:]], env=environment, capture_output=True, text=True, cwd=home, check=False
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout if status == 0 else done.stderr

    run("aiida-ion", "setup", "--profile-name", "fresh")
    yield run
    # On a busy machine the daemon may need longer than the two seconds that verdi waits.
    stop = [str(BIN / "verdi"), "daemon", "stop"]
    assert any(subprocess.run(stop, env=environment, check=False).returncode == 0 for _ in range(10))


@pytest.mark.slow
def test_setup_can_be_repeated(command: Command) -> None:
    assert "fresh" in command("aiida-ion", "setup", "--profile-name", "fresh")
    assert "lammps" in command("aiida-ion", "engine", "list")


def test_a_run_by_the_daemon_ends_in_the_table(command: Command, tmp_path: Path) -> None:
    atoms = crystal(["Ca", "F"], [(0, 0, 0), (0.25, 0.25, 0.25)], spacegroup=225, cellpar=[5.72] * 3 + [90] * 3)
    write(tmp_path / "CaF2.cif", atoms)
    command(
        *("aiida-ion", "run", str(tmp_path / "CaF2.cif"), "--engine", "lammps", "--potential", "gillan-caf2-1986"),
        *("--protocol", "fast", "--temperatures", "400,500", "--supercell", "1,1,1", "--no-relax", "--wait"),
        *("--time-ps", "1", "--equilibration-ps", "0.2", "--sample-every", "5"),
    )
    rows = json.loads(command("aiida-ion", "table", "--format", "json"))
    text = json.dumps(rows)
    assert "CaF2" in text
    assert "classical/Gillan-1986" in text
    assert "no diffusion detected" in command("aiida-ion", "table")


@pytest.mark.slow
def test_dft_and_a_potential_side_by_side(command: Command, tmp_path: Path) -> None:
    engine_environment("sevenn")
    pseudos = [word for path in pseudo_paths().values() for word in ("--pseudos", str(path))]
    command("aiida-ion", "engine", "add", "qe", "--executable", pw_executable(), *pseudos, *SMALL)
    atoms = bulk("OLi2", "fluorite", a=4.62)
    write(tmp_path / "Li2O.vasp", atoms)
    run = (
        *("aiida-ion", "run", str(tmp_path / "Li2O.vasp"), "--engine", "sevenn", "--engine", "qe", "--no-relax"),
        *("--protocol", "fast", "--temperatures", "100", "--supercell", "1,1,1", "--timestep-fs", "1"),
        *("--time-ps", "0.014", "--equilibration-ps", "0", "--sample-every", "1", "--wait"),
    )
    text = command(*run)
    for words in ("QE PBEsol", "SevenNet 7net-0", "Forces and energies on frames of the reference", "times faster"):
        assert words in text, text
    (row,) = json.loads(command("aiida-ion", "compare", "--format", "json"))["comparison"]
    assert row["reference_level_of_theory"].startswith("QE PBEsol")
    assert row["force_n_frames"] == 15
    assert 0 < row["force_mae_eV_A"] < 1
    assert row["wall_speed_ratio"] > 0
    again = command(*run)  # what is in the database is not run again
    assert "ion.conductivity" not in again.partition("Submitted")[2]
    assert "Forces and energies on frames of the reference" in again


@pytest.mark.slow
def test_a_published_trajectory_is_imported_and_fitted(command: Command) -> None:
    path = files("kinisi") / "tests" / "inputs" / "example_XDATCAR.gz"
    text = command(
        *("aiida-ion", "import", str(path), "--timestep-fs", "2", "--sample-every", "50", "--temperature-K", "500"),
        *("--level-of-theory", "published", "--mobile-species", "Li", "--run"),
    )
    assert "140 frames of 416 atoms" in text
    assert "Li6PS5Cl" in command("aiida-ion", "table", "--material", "Li6PS5Cl")


@pytest.mark.slow
def test_the_python_example_runs_and_its_graph_leads_back(command: Command) -> None:
    text = command("verdi", "run", str(EXAMPLES / "conductivity.py"))
    assert "exit status 0" in text
    assert "activation energy" in text
    pk = text.partition("ConductivityWorkChain<")[2].partition(">")[0]
    assert "finished" in command("aiida-ion", "show", pk).lower()
    assert "fit_conductivity" in command("verdi", "process", "status", pk)
    assert "96 atoms" in command("verdi", "process", "report", pk)
    assert "No process" not in command("aiida-ion", "status", "--all")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("run", "absent.cif", "--engine", "lammps"), "absent.cif"),
        (("run", "present.cif", "--engine", "nowhere"), "nowhere"),
        (("show", "999999"), "999999"),
        (("import", "absent.xyz", "--timestep-fs", "1", "--sample-every", "1", "--temperature-K", "300"), "absent.xyz"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    command: Command, words: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    write(tmp_path / "present.cif", bulk("LiCl", "rocksalt", a=5.1))
    words = tuple(str(tmp_path / word) if word == "present.cif" else word for word in words)
    if words[0] == "import":
        words = (*words, "--level-of-theory", "x")
    done = command("aiida-ion", *words, status=1)
    assert message in done
    assert len(done.strip().splitlines()) == 1, done


@pytest.mark.slow
def test_the_demo_ends_in_its_table(tmp_path: Path) -> None:
    engine_environment("sevenn")
    environment = os.environ | {"AIIDA_PATH": str(tmp_path), "AIIDA_ION_ENGINES": str(ENGINES), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(EXAMPLES / "demo.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    subprocess.run([str(BIN / "verdi"), "daemon", "stop"], env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    table = done.stdout.partition("=== the table")[2]
    lithium_oxide = [line for line in table.splitlines() if line.startswith("Li2O") and "Pedone-2006" in line]
    assert any("measured" in line for line in lithium_oxide), table
    assert "no diffusion detected" in table
    assert "Li6PS5Cl" in table
    assert "QE PBEsol" in done.stdout.partition("side by side: conductivities")[2] or "DFT is left out" in done.stdout
