"""Outputs of pw.x around a walk of known diffusivity: every unit, label and end, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aiida_ion.trajectory_files.dft_output import DftOutput
from aiida_ion.trajectory_files.pw.read import read_pw
from aiida_ion.trajectory_files.read import read_trajectory
from aiida_ion.trajectory_files.run import read_run
from benchmarks.synthetic_dft import CELL_A, TIMESTEP_FS, Walk, diffusivity_cm2_s, pw_text

WALK = Walk.of(60)
THERMOSTAT = "     Starting temperature  =   800.00 K\n     temperature is controlled by {}"


def read(folder: Path, text: str, name: str = "md.out") -> DftOutput:
    (folder / name).write_text(text)
    return read_pw(folder / name)


def part(first: int, last: int | None) -> str:
    """Return the output of a run that goes from one step of the walk to another."""
    return pw_text(Walk(WALK.positions[first:last]))


@pytest.mark.parametrize("unit", ["angstrom", "bohr", "alat", "crystal"])
def test_positions_in_every_unit(tmp_path: Path, unit: str) -> None:
    result = read(tmp_path, pw_text(WALK, unit))
    assert len(result.steps) == 59
    assert result.steps.positions == pytest.approx(WALK.positions[:-1], abs=1e-5)
    expected = diffusivity_cm2_s(WALK.positions[:-1], WALK.symbols, TIMESTEP_FS)
    assert diffusivity_cm2_s(result.steps.positions, result.symbols, TIMESTEP_FS) == pytest.approx(expected, rel=1e-4)
    assert result.facts["length_unit"] == ("cell vectors" if unit == "crystal" else unit)
    assert result.remarks == []


@pytest.mark.parametrize(
    ("card", "unit"),
    [("{alat}", "alat"), (" alat", "alat"), ("(alat= 17.3855)", "alat"), ("", "alat"), (" BOHR", "bohr")],
)
def test_spellings_of_the_unit(tmp_path: Path, card: str, unit: str) -> None:
    text = pw_text(WALK, unit).replace(f"ATOMIC_POSITIONS ({unit})", f"ATOMIC_POSITIONS {card}".rstrip())
    assert read(tmp_path, text).steps.positions == pytest.approx(WALK.positions[:-1], abs=1e-5)


def test_a_unit_that_is_not_known(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="its positions are in 'furlong'; angstrom, bohr, alat and crystal are read"):
        read(tmp_path, pw_text(WALK).replace("(angstrom)", "(furlong)"))


def test_a_unit_that_is_not_the_one_of_the_numbers(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="between its steps 0 and 1 an atom of Li moves .* angstrom"):
        read(tmp_path, pw_text(WALK, "bohr").replace("(bohr)", "(angstrom)"))


@pytest.mark.parametrize("with_table", [True, False])
@pytest.mark.parametrize("labels", [("LI1", "O"), ("li", "o"), ("Li_", "O-a"), ("Li2", "Ox")])
def test_labels_that_pw_accepts(tmp_path: Path, labels: tuple[str, str], with_table: bool) -> None:
    names = [labels[0]] * 8 + [labels[1]] * 4
    text = pw_text(WALK, labels=names)
    if not with_table:
        text = text.replace("atomic species   valence", "something else")
    result = read(tmp_path, text)
    assert result.symbols == WALK.symbols
    assert result.masses[[0, -1]] == pytest.approx([6.94, 15.999])


def test_the_pseudopotential_says_which_element_a_label_is(tmp_path: Path) -> None:
    result = read(tmp_path, pw_text(WALK, labels=["X1"] * 8 + ["O"] * 4))
    assert result.symbols == WALK.symbols
    assert result.remarks == ["WARNING: its species X1 is read as Li, from its pseudopotential."]
    text = pw_text(WALK, labels=["X1"] * 8 + ["O"] * 4).replace("atomic species", "")
    with pytest.raises(ValueError, match="species 'X1' is not an element"):
        read(tmp_path, text)


def test_deuterium_and_other_masses(tmp_path: Path) -> None:
    text = pw_text(WALK, labels=["Li"] * 8 + ["D"] * 4)
    result = read(tmp_path, text.replace("15.99900     O ", "2.01400     H "))
    assert result.symbols[-1] == "H"
    assert result.masses[-1] == 2.014
    assert result.remarks == ["Its species D has a mass of 2.014 g/mol, and H has 1.008."]
    assert read(tmp_path, text.replace("atomic species", "")).masses[-1] == pytest.approx(2.0141)


def test_a_hybrid_functional_prints_several_energies_a_step(tmp_path: Path) -> None:
    result = read(tmp_path, pw_text(WALK, energies=3))
    assert len(result.steps) == 59
    assert result.steps.scf_iterations.tolist() == [30] * 59
    assert result.steps.positions == pytest.approx(WALK.positions[:-1], abs=1e-5)


def test_held_atoms(tmp_path: Path) -> None:
    text = pw_text(WALK)
    lines = [f"{line}    0   0   0" if line.startswith("O   ") else line for line in text.splitlines()]
    message = read(tmp_path, "\n".join(lines) + "\n")
    assert message.facts["frozen_atoms"] == 4
    assert message.facts["degrees_of_freedom"] == 24
    assert "frozen_atoms" not in read(tmp_path, text).facts


@pytest.mark.parametrize(
    ("control", "target"),
    [("stochastic velocity rescaling", 800.0), ("velocity rescaling (rescale-T)", None), (None, None)],
)
def test_a_target_only_where_something_holds_it(tmp_path: Path, control: str | None, target: float | None) -> None:
    words = (
        THERMOSTAT.format(control)
        if control
        else "     Starting temperature  =   800.00 K\n     temperature is set once"
    )
    facts = read(tmp_path, pw_text(WALK, temperature=words)).facts
    assert facts.get("target_temperature_K") == target
    assert facts["ensemble"] == ("nvt" if control else "nve")
    assert facts["mean_temperature_K"] == pytest.approx(800.1)


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ("BFGS Geometry Optimization", "it is a relaxation"),
        ("Damped Dynamics Calculation", "it is a relaxation"),
        ("Over-damped Langevin Dynamics Calculation", "steps are not steps in time"),
    ],
)
def test_what_is_not_molecular_dynamics(tmp_path: Path, mark: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read(tmp_path, pw_text(WALK).replace("Molecular Dynamics Calculation", mark))


def test_a_cell_that_changes(tmp_path: Path) -> None:
    card = "CELL_PARAMETERS (angstrom)\n"
    with pytest.raises(ValueError, match="its cell changes; only molecular dynamics at constant volume is read"):
        read(tmp_path, pw_text(WALK).replace("ATOMIC_POSITIONS", f"{card}ATOMIC_POSITIONS"))


def test_outputs_of_a_run_and_its_restart_are_one(tmp_path: Path) -> None:
    # A restarted run lists the positions of its input, which are not where it begins.
    restarted = pw_text(Walk(np.concatenate([WALK.positions[:1], WALK.positions[31:]])), first=31)
    result = read(tmp_path, part(0, 31) + restarted)
    assert result.steps.positions == pytest.approx(WALK.positions[:-1], abs=1e-5)
    assert result.remarks == []
    overlapping = read(tmp_path, part(0, 41) + restarted)
    assert overlapping.steps.positions == pytest.approx(WALK.positions[:-1], abs=1e-5)
    assert "Its last 10 steps before step 30 were computed twice" in overlapping.remarks[0]
    alone = read(tmp_path, restarted)
    assert alone.steps.first_step == 31
    assert alone.steps.positions == pytest.approx(WALK.positions[31:-1], abs=1e-5)
    assert "the positions of its first step, step 30, are not in its output" in alone.remarks[0]
    assert alone.facts["timestep_fs"] == pytest.approx(2.0), "from the times of its steps, for it does not state it"
    with pytest.raises(ValueError, match="one ends with step 19, the next begins with step 30"):
        read(tmp_path, part(0, 21) + restarted)


def test_a_run_that_goes_on_from_new_input(tmp_path: Path) -> None:
    later = Walk(WALK.positions[30:] + np.array([CELL_A, 0.0, -CELL_A]))
    result = read(tmp_path, part(0, 31) + pw_text(later))
    assert result.steps.positions == pytest.approx(WALK.positions[:-1], abs=2e-5)
    with pytest.raises(ValueError, match="the second begins .* angstrom away from where the first ends"):
        read(tmp_path, part(0, 31) + part(40, None))


def test_the_same_output_twice(tmp_path: Path) -> None:
    result = read(tmp_path, pw_text(WALK) * 2)
    assert len(result.steps) == 59
    assert result.remarks == ["WARNING: it holds the same run twice; it is read once."]
    with pytest.raises(ValueError, match="two runs from the same start"):
        read(tmp_path, pw_text(WALK) + pw_text(Walk(np.concatenate([WALK.positions[:1], WALK.positions[:0:-1]]))))


def test_two_different_runs_in_one_file(tmp_path: Path) -> None:
    other = pw_text(WALK).replace("41.34 a.u.,  2.0000", "20.67 a.u.,  1.0000").replace(" pico", "0 pico")
    for step in range(1, 60):
        other = other.replace(f"= {step * 0.002:8.4f}0 pico", f"= {step * 0.001:8.4f} pico")
    with pytest.raises(ValueError, match="different time steps"):
        read(tmp_path, pw_text(WALK) + other)
    with pytest.raises(ValueError, match="different crystals"):
        read(tmp_path, pw_text(WALK) + pw_text(WALK, labels=["Na"] * 8 + ["O"] * 4))


def test_a_run_that_is_not_dynamics_before_one_that_is(tmp_path: Path) -> None:
    relaxation = pw_text(WALK).replace("Molecular Dynamics Calculation", "BFGS Geometry Optimization")
    result = read(tmp_path, relaxation + pw_text(WALK))
    assert len(result.steps) == 59
    assert result.remarks == [
        "WARNING: output 1 of the 2 in this file is left out: it is a relaxation (BFGS), not molecular dynamics."
    ]


def without(text: str, mark: str, number: int) -> str:
    """Return a text without the n-th line that holds a mark."""
    lines = text.splitlines(keepends=True)
    rows = [i for i, line in enumerate(lines) if mark in line]
    return "".join(lines[: rows[number]] + lines[rows[number] + 1 :])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda text: without(text, "force =", 12 * 20 + 3),
            "after step 20, its table of forces has 3 rows in order for 12",
        ),
        (lambda text: without(text, "Forces acting", 20), "after step 20, a step has no forces"),
        (lambda text: without(text, "(Ekin)", 20), "after step 20, a step has no kinetic energy"),
        (lambda text: without(text, "iteration =", 20), "after iteration 20 comes iteration without a number"),
        (lambda text: text.replace("iteration =    21", "iteration =    22"), "after iteration 20 comes iteration 22"),
        (lambda text: text[: text.index("iteration =    21") + 200], "the output ends within the step after step 20"),
    ],
)
def test_steps_that_are_left_out_are_said(tmp_path: Path, change: Callable[[str], str], reason: str) -> None:
    result = read(tmp_path, change(pw_text(WALK)))
    assert len(result.steps) == 20
    assert result.steps.positions == pytest.approx(WALK.positions[:20], abs=1e-5)
    assert reason in result.remarks[-1]
    assert result.remarks[-1].startswith("WARNING: ")
    assert result.facts["n_steps_left_out"] >= 1


def test_positions_that_fortran_could_not_print(tmp_path: Path) -> None:
    head, _, tail = pw_text(WALK).partition("iteration =    21")
    lines = tail.splitlines(keepends=True)
    row = next(i for i, line in enumerate(lines) if line.startswith("Li "))
    lines[row] = f"{lines[row][:10]}{'*' * 18}{lines[row][28:]}"
    result = read(tmp_path, f"{head}iteration =    21{''.join(lines)}")
    assert len(result.steps) == 20
    assert "its positions contain something other than numbers" in result.remarks[-1]


def test_rows_that_are_swapped(tmp_path: Path) -> None:
    lines = pw_text(WALK).splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if "iteration =    21" in line)
    rows = [i for i in range(first, first + 20) if lines[i].startswith("Li ")]
    lines[rows[0]], lines[rows[3]] = lines[rows[3]], lines[rows[0]]
    with pytest.raises(ValueError, match="between its steps 20 and 21 an atom of Li moves"):
        read(tmp_path, "".join(lines))


def test_numbers_that_contradict_each_other(tmp_path: Path) -> None:
    text = pw_text(WALK)
    with pytest.raises(ValueError, match=r"it states a time step of 41.34 a.u., which is 2 fs, and of 4.0000 fs"):
        read(tmp_path, text.replace("2.0000 femto", "4.0000 femto"))
    with pytest.raises(ValueError, match="it states a time step of 1 fs, but its steps are 2 fs apart"):
        read(tmp_path, text.replace("41.34 a.u.,  2.0000", "20.67 a.u.,  1.0000"))
    with pytest.raises(ValueError, match=r"its axes span .* angstrom\^3 but it states a volume of"):
        read(tmp_path, text.replace("=      17.3855  a.u.", "=      77.3855  a.u."))


def test_an_input_beside_it_that_does_not_help(tmp_path: Path) -> None:
    (tmp_path / "md.in").write_text('&CONTROL\n calculation="md"\n/\nATOMIC_POSITIONS alat\nLi 0 0 0\n')
    result = read(tmp_path, pw_text(WALK))
    assert len(result.steps) == 59
    assert "md.in next to it cannot be read" in result.remarks[0]
    (tmp_path / "md.in").write_text(
        "&SYSTEM\n ibrav=0, nat=1, ntyp=1\n/\nATOMIC_SPECIES\nLi 6.94 Li.upf\nATOMIC_POSITIONS angstrom\nLi 0 0 0\n"
        "CELL_PARAMETERS angstrom\n3 0 0\n0 3 0\n0 0 3\n"
    )
    assert "md.in next to it is of another crystal" in read(tmp_path, pw_text(WALK)).remarks[0]


def test_asterisks_for_the_number_of_a_late_step(tmp_path: Path) -> None:
    text = pw_text(Walk(WALK.positions[:11]), first=99_995)
    for number in range(100_000, 100_006):
        text = text.replace(f"iteration = {number:5d}", "iteration = *****")
    result = read(tmp_path, text)
    assert len(result.steps) == 9, "the first positions of a restarted run are not known"
    assert result.facts["n_steps_left_out"] == 1


def test_a_restart_in_a_file_of_its_own_takes_its_start_from_the_file_before(tmp_path: Path) -> None:
    restarted = pw_text(Walk(np.concatenate([WALK.positions[:1], WALK.positions[31:]])), first=31)
    given = {"target_temperature_K": 800.0}
    for n_first in (31, 41):  # ended where the other begins; ended later than the last restart file
        (tmp_path / "a.out").write_text(part(0, n_first))
        (tmp_path / "b.out").write_text(restarted)
        run = read_run([tmp_path / "a.out", tmp_path / "b.out"], given)
        positions = np.concatenate([segment.positions for segment in run.segments])
        assert positions == pytest.approx(WALK.positions[:-1], abs=2e-5)
        assert not any("was restarted" in remark for remark in run.remarks)
    (tmp_path / "a.out").write_text(part(0, 21))
    with pytest.raises(
        ValueError, match="steps 19 and 31 follow each other|the second does not continue where the first ends"
    ):
        read_run([tmp_path / "a.out", tmp_path / "b.out"], given)


def test_an_output_of_cp(tmp_path: Path) -> None:
    (tmp_path / "cp.out").write_text("\n     Program CP v.7.3 starts on  1Jan2026\n")
    with pytest.raises(ValueError, match=r"cp.out is an output of cp.x, .* convert its .pos and .cel files"):
        read_trajectory(tmp_path / "cp.out")
