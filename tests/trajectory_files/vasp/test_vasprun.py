"""Files of VASP around a walk of known diffusivity: learned force fields, held atoms, broken XML, refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aiida_ion.dft.vasp.xml import read_vasprun
from aiida_ion.trajectory_files.dft_output import DftOutput, output_in
from aiida_ion.trajectory_files.frames import FileFrames
from aiida_ion.trajectory_files.vasp.vasprun import read_vasp
from benchmarks.synthetic_dft import TIMESTEP_FS, VaspOptions, Walk, diffusivity_cm2_s, vasprun_text

WALK = Walk.of(60)
LEARNS = {"ML_LMLFF": "T", "ML_MODE": "train"}


def read(folder: Path, text: str | bytes, name: str = "vasprun.xml") -> DftOutput:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode("latin-1"))
    return read_vasp(folder / name)


def text_of(walk: Walk = WALK, /, **options: Any) -> str:
    return vasprun_text(walk, VaspOptions(**options))


def assert_is_the_walk(run: DftOutput, first: int = 0, last: int | None = None) -> None:
    expected = WALK.positions[first:last]
    moved = run.steps.positions - expected
    assert moved - moved[0] == pytest.approx(0.0, abs=1e-6)


def test_a_run_with_all_it_says(tmp_path: Path) -> None:
    result = read(tmp_path, text_of())
    assert_is_the_walk(result)
    assert result.symbols == WALK.symbols
    assert result.remarks == []
    assert result.facts.pop("mean_temperature_K") == pytest.approx(800.0)
    assert result.facts == {
        "program": "VASP 6.4.3",
        "level_of_theory": "VASP PBE",
        "length_unit": "cell vectors",
        "cell_fixed": True,
        "timestep_fs": TIMESTEP_FS,
        "sample_every": 1,
        "n_steps": 60,
        "n_steps_left_out": 0,
        "degrees_of_freedom": 33,
        "ensemble": "nvt",
        "thermostat": "Nose-Hoover",
        "target_temperature_K": 800.0,
    }


def test_a_run_that_learns_a_force_field_is_read_whole(tmp_path: Path) -> None:
    result = read(tmp_path, text_of(tags=LEARNS, ab_initio_every=7))
    assert_is_the_walk(result)
    expected = diffusivity_cm2_s(WALK.positions, WALK.symbols, TIMESTEP_FS)
    assert diffusivity_cm2_s(result.steps.positions, result.symbols, TIMESTEP_FS) == pytest.approx(expected, rel=1e-4)
    assert result.facts["n_steps_ab_initio"] == 9
    assert result.facts["level_of_theory"] == "VASP PBE+MLFF"
    assert result.remarks == [
        "VASP's machine-learned force field gave the forces of 51 of 60 steps; 9 were computed ab initio."
    ]
    assert (result.steps.scf_iterations > 0).sum() == 9


def test_learned_steps_that_are_not_in_the_file(tmp_path: Path) -> None:
    few = text_of(Walk(WALK.positions[::7]), tags=LEARNS | {"NSW": 60})
    with pytest.raises(ValueError, match="of 60 steps and holds positions of only 9, .*; read its XDATCAR instead"):
        read(tmp_path, few)


def test_learned_steps_without_forces_are_positions_alone(tmp_path: Path) -> None:
    result = read(tmp_path, text_of(tags=LEARNS, ab_initio_every=7, forces=False))
    assert_is_the_walk(result)
    assert not result.is_complete
    assert result.remarks[-1].startswith("51 of 60 steps have no forces, energy or temperature in the file")
    assert FileFrames.of_dft(result).dft is None


def test_learned_steps_without_the_tag_are_learned_all_the_same(tmp_path: Path) -> None:
    result = read(tmp_path, text_of(ab_initio_every=7))
    assert_is_the_walk(result)
    assert result.facts["n_steps_ab_initio"] == 9


def test_steps_without_a_kinetic_energy_are_positions_alone(tmp_path: Path) -> None:
    result = read(tmp_path, text_of().replace('"kinetic"', '"nothing"'))
    assert_is_the_walk(result)
    assert FileFrames.of_dft(result).dft is None
    assert "mean_temperature_K" not in result.facts


@pytest.mark.parametrize(
    ("version", "n_written", "expected"),
    [("6.4.3", 6, 10), ("6.4.2", 60, 1), ("6.5.0", 60, 1), ("6.4.3", 30, None)],
)
def test_the_interval_of_a_run_with_a_force_field_alone(
    tmp_path: Path, version: str, n_written: int, expected: int | None
) -> None:
    walk = Walk(WALK.positions[:: 60 // n_written])
    tags = {"ML_LMLFF": ".TRUE.", "ML_MODE": "run", "ML_OUTBLOCK": 10, "NSW": 60, "NBLOCK": 10}
    result = read(
        tmp_path,
        text_of(walk, tags=tags, ab_initio_every=10**6, version=version)
        .replace("<scstep>", "<none>")
        .replace("</scstep>", "</none>"),
    )
    assert result.facts.get("sample_every") == expected
    assert result.facts["level_of_theory"] == "VASP MLFF"


def test_nblock_is_for_other_files(tmp_path: Path) -> None:
    assert read(tmp_path, text_of(tags={"NBLOCK": 50})).facts["sample_every"] == 1


def test_a_cell_that_changes(tmp_path: Path) -> None:
    scales = np.linspace(1.0, 0.97, 60)
    cells = WALK.cell * scales[:, None, None]
    with pytest.raises(
        ValueError, match=r"its cell changes from step 1 on \(778.7 to 710.7 angstrom\^3 in total, ISIF = 3\)"
    ):
        read(tmp_path, text_of(tags={"ISIF": 3, "MDALGO": 3}, cells=cells))
    assert read(tmp_path, text_of(tags={"ISIF": 3})).facts["cell_fixed"], "ISIF = 3 with a cell that stays"


def test_held_atoms_have_no_share_of_the_temperature(tmp_path: Path) -> None:
    text = text_of(held=(8, 9, 10, 11))
    result = read(tmp_path, text)
    assert result.steps.temperature_K == pytest.approx(800.0, rel=1e-6)
    assert result.facts["degrees_of_freedom"] == 24
    assert result.facts["frozen_atoms"] == 4
    assert "4 of 12 atoms are fixed" in result.remarks[0]
    one_direction = read(tmp_path, text.replace("> F F F <", "> T T F <"))
    assert one_direction.facts["degrees_of_freedom"] == 36 - 4 - 2, "the centre of mass rests in two directions"
    assert one_direction.facts["frozen_atoms"] == 0
    assert read(tmp_path, text.replace("> F F F <", "> T T T <")).facts["degrees_of_freedom"] == 33


def test_constraints_beside_it(tmp_path: Path) -> None:
    (tmp_path / "ICONST").write_text("R 1 2 0\nR 1 3 7\n")
    result = read(tmp_path, text_of())
    assert result.steps.temperature_K == pytest.approx(800.0 * 33 / 32, rel=1e-6)
    assert "ICONST constrains 1 coordinates" in result.remarks[-1]


@pytest.mark.parametrize(
    ("name", "mass", "title", "expected"),
    [
        ("r", 91.22, "PAW_PBE Zr_sv 04Jan2005", "Zr"),
        ("r", 91.2, "PAW_PBE r 17Jan2003", "Zr"),
        ("Zr", 91.22, "PAW_PBE Zr_sv 04Jan2005", "Zr"),
        ("ZR", 91.22, "PAW_PBE Zr_sv 04Jan2005", "Zr"),
        ("D", 2.014, "PAW_PBE H 15Jun2001", "H"),
        ("T", 3.016, "PAW_PBE T 15Jun2001", "H"),
        ("H", 2.014, "PAW_PBE H 15Jun2001", "H"),
        ("X", 15.99, "", "O"),
        ("Li", 22.99, "PAW_PBE Na_pv 19Sep2006", "Na"),
    ],
)
def test_names_of_elements(tmp_path: Path, name: str, mass: float, title: str, expected: str) -> None:
    blocks = (("Li", 8, 7.01, "PAW_PBE Li_sv 10Sep2004"), (name, 4, mass, title))
    result = read(tmp_path, text_of(blocks=blocks))
    assert result.symbols[8:] == [expected] * 4
    assert result.masses[-1] == mass
    if name.capitalize() != expected:
        assert result.remarks[0].startswith(f"WARNING: its 4 atoms named {name!r} are read as {expected}")


@pytest.mark.parametrize(("name", "mass", "title"), [("X", 50.0, ""), ("Li", 7.01, "PAW_PBE Na 1"), ("q", 0.0, "q")])
def test_names_of_no_element(tmp_path: Path, name: str, mass: float, title: str) -> None:
    blocks = (("Li", 8, 7.01, "PAW_PBE Li"), (name, 4, mass, title))
    if name == "Li":  # the mass says it, whatever the title
        assert read(tmp_path, text_of(blocks=blocks)).symbols[-1] == "Li"
        return
    with pytest.raises(ValueError, match=rf"the element of its atoms named '{name}', .* cannot be determined"):
        read(tmp_path, text_of(blocks=blocks))


@pytest.mark.parametrize("system", ["Li & O <x>", "a < b && c > d", "Li2O &amp; more", "caf\xe9 \x0c \x01", "</i>"])
def test_a_text_of_the_user_that_is_not_xml(tmp_path: Path, system: str) -> None:
    line = f'  <i type="string" name="SYSTEM">{system}</i>\n'
    result = read(tmp_path, text_of().replace(" <incar>\n", f" <incar>\n{line}"))
    assert_is_the_walk(result)
    if system != "Li2O &amp; more":
        assert result.remarks and "line 8 contains" in result.remarks[0]


def test_a_byte_order_mark_and_words_before_the_file(tmp_path: Path) -> None:
    assert_is_the_walk(read(tmp_path, b"\xef\xbb\xbf" + text_of().encode()))
    assert_is_the_walk(read(tmp_path, "srun: job 12 started\n" + text_of()))


def test_xml_that_ends_in_the_middle(tmp_path: Path) -> None:
    text = text_of()
    place = text.index("<calculation>", len(text) // 2)
    n_before = text[:place].count("</calculation>")
    line = text[:place].count("\n") + 2
    broken = f"{text[:place]}\n<oops></nothing>{text[place:]}"
    result = read(tmp_path, broken)
    assert_is_the_walk(result, 0, n_before)
    assert any(
        f"it is not XML from line {line} on" in remark and remark.startswith("WARNING") for remark in result.remarks
    )
    with pytest.raises(ValueError, match="it holds no complete ionic step: it is not XML from line 3 on"):
        read(tmp_path, text.replace(" <generator>", " </generator>"))


def test_a_file_that_was_cut(tmp_path: Path) -> None:
    text = text_of()
    end = [i for i in range(len(text)) if text.startswith("</calculation>", i)][29] + 14
    result = read(tmp_path, text[: end + 300])
    assert_is_the_walk(result, 0, 30)
    assert "The file ends within step 30" in result.remarks[0]
    # Of a learned step it is not known whether it is whole until its energy is there.
    learned = text_of(tags=LEARNS | {"NSW": 60}, ab_initio_every=7)
    place = [i for i in range(len(learned)) if learned.startswith(" <structure>", i)][40] + 200
    assert len(read(tmp_path, learned[:place]).steps) == 40


def test_numbers_that_vasp_could_not_print(tmp_path: Path) -> None:
    text = text_of()
    for mark, words in (("positions", "some positions are not"), ("forces", "some forces are not")):
        place = text.index(f'name="{mark}"', text.index("<calculation>", len(text) // 2))
        row = text.index("<v>", place) + 4
        result = read(tmp_path, f"{text[:row]}{'*' * 16}{text[row + 16 :]}")
        assert_is_the_walk(result, 0, len(result.steps))
        assert 25 < len(result.steps) < 35
        assert words in result.remarks[-1]


def test_lines_that_are_lost(tmp_path: Path) -> None:
    text = text_of()
    place = text.index('name="positions"', text.index("<calculation>", len(text) // 2))
    row = text.index("   <v>", place)
    result = read(tmp_path, text[:row] + text[text.index("\n", row) + 1 :])
    assert_is_the_walk(result, 0, len(result.steps))
    assert "11 positions or other forces for 12 atoms" in result.remarks[-1]
    first, last = text.index(" <calculation>", len(text) // 2), text.index(' <structure name="finalpos')
    second = text.index(" <calculation>", first + 1)
    lost = read(tmp_path, text[:first] + text[second:])
    assert "WARNING: it should have 60 steps (NSW), but holds 59." in lost.remarks
    repeated = read(tmp_path, text[:first] + text[first:second] + text[first:last] + text[last:])
    assert len(repeated.steps) == 60
    assert any("1 steps repeat the previous one" in remark for remark in repeated.remarks)
    rows = text.splitlines(keepends=True)
    at = [i for i, line in enumerate(rows) if 'name="positions"' in line][30] + 1
    rows[at], rows[at + 5] = rows[at + 5], rows[at]
    with pytest.raises(ValueError, match="an atom of Li moves .* lines of the file are lost, repeated or changed"):
        read(tmp_path, "".join(rows))


def test_two_runs_in_one_file(tmp_path: Path) -> None:
    whole = text_of()
    twice = read(tmp_path, whole + whole)
    assert len(twice.steps) == 60
    assert "WARNING: it holds the same run twice; it is read once." in twice.remarks
    first, second = text_of(Walk(WALK.positions[:30])), text_of(Walk(WALK.positions[30:]))
    assert_is_the_walk(read(tmp_path, first + second))
    repeated = read(tmp_path, first + text_of(Walk(WALK.positions[20:])))
    assert_is_the_walk(repeated)
    assert "Its second run begins at step 20 of the first, which is read up to there." in repeated.remarks
    cut = first[: first.rindex("</calculation>") - 100]
    assert_is_the_walk(read(tmp_path, cut + text_of(Walk(WALK.positions[29:]))))
    with pytest.raises(ValueError, match="an atom of Li moves .* this is not one continuous run"):
        read(tmp_path, second + first)
    with pytest.raises(ValueError, match="two runs of TEBEG 800.0 and 900.0"):
        read(tmp_path, first + text_of(Walk(WALK.positions[30:]), tags={"TEBEG": 900.0}))
    with pytest.raises(ValueError, match="two runs of different atoms"):
        read(tmp_path, first + text_of(Walk(WALK.positions[30:]), blocks=(("Na", 8, 23.0, ""), ("O", 4, 16.0, ""))))
    with pytest.raises(ValueError, match="vasprun.xml holds 2 runs, one after the other"):
        read_vasprun(tmp_path / "vasprun.xml")


@pytest.mark.parametrize(
    ("tags", "thermostat", "target"),
    [
        ({"MDALGO": 0, "SMASS": -3}, None, None),
        ({"MDALGO": 0, "SMASS": -1}, "velocity scaling", 800.0),
        ({"MDALGO": 0, "SMASS": 0.5}, "Nose-Hoover", 800.0),
        ({"MDALGO": 1, "SMASS": -3, "ANDERSEN_PROB": 0.0}, None, None),
        ({"MDALGO": 1, "SMASS": -3, "ANDERSEN_PROB": 0.1}, "Andersen", 800.0),
        ({"MDALGO": 3}, "Langevin", 800.0),
        ({"MDALGO": 5}, "CSVR", 800.0),
        ({"MDALGO": 13}, "Andersen, several", None),
        ({"TEEND": 1200.0}, "Nose-Hoover", None),
    ],
)
def test_a_target_only_where_something_holds_it(
    tmp_path: Path, tags: dict[str, Any], thermostat: str | None, target: float | None
) -> None:
    result = read(tmp_path, text_of(tags=tags))
    assert result.facts.get("thermostat") == thermostat
    assert result.facts.get("target_temperature_K") == target
    assert ("was changed from 800 to 1200 K on purpose" in " ".join(result.remarks)) == ("TEEND" in tags)


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"IBRION": 2}, r"it is not molecular dynamics \(IBRION = 2\)"),
        ({"IBRION": -1}, "it is not molecular dynamics"),
        ({"IMAGES": 5}, "it is one of 5 images of a path"),
        ({"POTIM": 0}, r"its time step is zero \(POTIM = 0\)"),
    ],
)
def test_what_is_not_molecular_dynamics(tmp_path: Path, tags: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read(tmp_path, text_of(tags=tags))


def test_a_single_step_and_two_time_steps(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it holds 1 converged ionic step"):
        read(tmp_path, text_of(Walk(WALK.positions[:1]), tags={"NSW": 0}))
    with pytest.raises(ValueError, match="it states two time steps: POTIM is 1 and 2 fs"):
        read(tmp_path, text_of().replace('"POTIM">2.0', '"POTIM">1.0', 1))


def test_images_of_a_path(tmp_path: Path) -> None:
    for name in ("00", "01", "02"):
        (tmp_path / name).mkdir()
    with pytest.raises(ValueError, match="holds the folders 00, 01, 02, ...: images of a path"):
        output_in(tmp_path)


def test_electrons_that_do_not_converge_end_the_steps(tmp_path: Path) -> None:
    pieces = text_of(tags={"NELM": 3}).split("-99.99999900")
    text = read(tmp_path, "-99.99999900".join(pieces[:31]) + "-99.90000000" + "-99.99999900".join(pieces[31:]))
    assert_is_the_walk(text, 0, 30)
    assert text.remarks[-1] == "WARNING: 30 of 60 steps are left out: from step 30 on the electrons did not converge."
