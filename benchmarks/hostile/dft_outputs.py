"""Outputs of pw.x and VASP that are damaged, contradict themselves, or are of something else."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from aiida_ion.trajectory_files.read import read_trajectory
from benchmarks.hostile.hostile_input import HostileInput
from benchmarks.synthetic_dft import VaspOptions, Walk, pw_text, vasprun_text

WALK = Walk.of(24)
FIRST, LAST = Walk(WALK.positions[:13]), Walk(WALK.positions[12:])
#: Of a file that is cut in its head, or within its first step.
NOTHING_WHOLE = (
    "no complete (ionic )?step|head does not|head does not list|not an output of pw.x|not a vasprun.xml|at least two|"
    "unknown trajectory format|is empty|it holds no molecular|no complete frame"
)

Change = Callable[[str], str]


def inputs(folder: Path) -> list[HostileInput]:
    """Write the files to a folder and return what must come of each."""
    results = []
    for kind, texts in (("pw", _pw()), ("vasp", _vasp())):
        for name, (text, pattern) in texts.items():
            target = folder / f"{kind}_{re.sub(r'[^a-z0-9]+', '_', name.lower())}"
            target.mkdir(parents=True)
            path = target / ("md.out" if kind == "pw" else "vasprun.xml")
            path.write_bytes(text.encode("latin-1"))
            results.append(HostileInput(f"{kind}: {name}", partial(read_or_say, path), pattern))
    return results


def read_or_say(path: Path) -> None:
    """Read a file; what is said of one that is read is raised, so that nothing but silence passes.

    :raises ValueError: with the reason of a refusal, or the remarks on what was read.
    """
    frames = read_trajectory(path)
    if frames.remarks:
        raise ValueError(" ".join(frames.remarks))


def _pw() -> dict[str, tuple[str, str]]:
    text, crystal = pw_text(WALK), pw_text(WALK, "crystal")
    step = text.index("iteration =    10")
    cuts = {
        f"cut after {part} % of the head": (text[: int(3000 * part / 100)], NOTHING_WHOLE) for part in (5, 40, 70, 95)
    }
    return cuts | {
        "cut within a step": (text[: step + 300], "ends within the step after step 9"),
        "cut within the number of an energy": (
            text[: text.index("!", step) + 30],
            "left out|no whole|ends within|does not end with JOB DONE",
        ),
        "units changed": (text.replace("(angstrom)", "(bohr)"), "moves .* angstrom"),
        "units of one step changed": (
            _once(text, "(angstrom)", "(bohr)", 10),
            "positions are in bohr instead of angstrom",
        ),
        "unit that is not known": (text.replace("(angstrom)", "(ell)"), "positions are in 'ell'"),
        "fractions called angstrom": (crystal.replace("(crystal)", "(angstrom)"), "moves .* angstrom"),
        "no table of forces": (_once(text, "Forces acting", "Frces acting", 9), "a step has no forces"),
        "a row of forces lost": (_without(text, "force =", 12 * 9 + 3), "table of forces has 3 rows"),
        "a row of forces twice": (_again(text, "force =", 12 * 9 + 3), "table of forces has 4 rows"),
        "rows of forces swapped": (_swapped(text, "force =", 12 * 9 + 3, 12 * 9 + 5), "table of forces has 3 rows"),
        "asterisks for a force": (
            _once(text, "0.00100000   -0.00100000", "**********   -0.00100000", 12 * 9),
            "asterisks",
        ),
        "a row of positions lost": (
            _in_step(text, 10, lambda part: _without(part, "Li ", 0)),
            "positions has 11 rows for 12",
        ),
        "a row of positions twice": (
            _in_step(text, 10, lambda part: _again(part, "Li ", 0)),
            "positions has 13 rows for 12",
        ),
        "two rows of positions swapped": (
            _in_step(text, 10, lambda part: _swapped(part, "Li ", 0, 3)),
            "moves .* angstrom",
        ),
        "two labels swapped": (
            _in_step(text, 10, lambda part: _swapped(part, " ", 6, 10)),
            "another order|rows|left out|moves",
        ),
        "asterisks for a position": (_in_step(text, 10, _stars), "other than numbers"),
        "a position that is NaN": (_in_step(text, 10, lambda part: _stars(part, "NaN")), "other than numbers"),
        "a digit of a position changed": (
            _in_step(text, 10, lambda part: re.sub(r"(Li +-?)\d", r"\g<1>9", part, count=1)),
            "moves",
        ),
        "no kinetic energy": (_without(text, "(Ekin)", 9), "a step has no kinetic energy"),
        "no temperature": (_without(text, "temperature  ", 9), "a step has no temperature"),
        "an energy without a number": (_once(text, "-33.10000000 Ry", "************ Ry", 9), "left out"),
        "a step lost": (_drop_step(text, 10), "after iteration 9 comes iteration 11"),
        "a step twice": (_repeat_step(text, 10), "after iteration 10 comes iteration 10"),
        "two steps swapped": (_swap_steps(text, 10), "after iteration 9 comes iteration 11"),
        "a step without a number": (text.replace("iteration =    10", "iteration =      "), "without a number"),
        "another number of atoms": (
            text.replace("cell      =           12", "cell      =           13"),
            "list its 13 atoms",
        ),
        "fewer atoms than there are": (
            text.replace("cell      =           12", "cell      =           11"),
            "other atoms|rows",
        ),
        "a billion atoms": (
            text.replace("cell      =           12", "cell      =   1000000000"),
            "list its 1000000000 atoms",
        ),
        "another lattice parameter": (text.replace("17.3855  a.u.", "27.3855  a.u."), "axes span .* states a volume"),
        "another axis": (text.replace("a(1) = (   1.000000", "a(1) = (   2.000000"), "axes span .* states a volume"),
        "an axis that is not a number": (text.replace("a(1) = (   1.000000", "a(1) = (   ********"), "not numbers"),
        "no lattice parameter": (text.replace("lattice parameter", "lattice"), "lacks cell or atoms"),
        "no positions in the head": (text.replace("positions (alat units)", "positions"), "list its 12 atoms"),
        "two time steps": (text.replace("2.0000 femto", "4.0000 femto"), "states a time step of"),
        "times that are not those of the time step": (
            text.replace("41.34 a.u.,  2.0000", "82.68 a.u.,  4.0000"),
            "2 fs apart",
        ),
        "a species of no element": (text.replace("Li ", "Qq ").replace("atomic species", ""), "'Qq' is not an element"),
        "a species with another's pseudopotential": (text.replace("     Li( 1.00)", "     Na( 1.00)"), "read as Na"),
        "a mass of a thousand": (text.replace("6.94000", "1000.00"), "mass of 1000"),
        "a relaxation": (text.replace("Molecular Dynamics Calculation", "BFGS Geometry Optimization"), "a relaxation"),
        "over-damped dynamics": (
            text.replace("Molecular Dynamics", "Over-damped Langevin Dynamics"),
            "not steps in time",
        ),
        "a cell that changes": (
            text.replace("ATOMIC_POS", "CELL_PARAMETERS (angstrom)\nATOMIC_POS"),
            "its cell changes",
        ),
        "an output of cp.x": (text.replace("Program PWSCF", "Program CP"), "output of cp.x"),
        "an output of another program": (text.replace("Program PWSCF", "Program PHONON"), "unknown trajectory format"),
        "no step at all": (text[: text.index("     Self-consistent")], "no complete step"),
        "one step": (pw_text(Walk(WALK.positions[:2])), "at least two"),
        "nothing": ("", "is empty"),
        "the same run twice": (text * 2, "the same run twice"),
        "two runs that do not follow": (pw_text(LAST) + pw_text(FIRST), "do not follow each other|same start"),
        "two crystals": (text + pw_text(WALK, labels=["Na"] * 8 + ["O"] * 4), "different crystals"),
        "a restart alone": (pw_text(WALK, first=31), "was restarted"),
        "zero bytes at its end": (text[: step + 300] + "\0" * 4096, "ends within the step"),
        "lines with the ends of Windows, cut": (text.replace("\n", "\r\n")[: step + 300], "left out|ends within"),
    }


def _vasp() -> dict[str, tuple[str, str]]:
    text = vasprun_text(WALK)
    middle = text.index("<calculation>", len(text) // 2)
    learned = vasprun_text(WALK, VaspOptions(tags={"ML_LMLFF": "T"}, ab_initio_every=5))
    few = vasprun_text(Walk(WALK.positions[::5]), VaspOptions(tags={"ML_LMLFF": "T", "NSW": 24}))
    shrinking = vasprun_text(WALK, VaspOptions(cells=WALK.cell * np.linspace(1, 0.97, 24)[:, None, None]))
    cuts = {
        f"cut after {part} % of the head": (text[: int(2500 * part / 100)], NOTHING_WHOLE) for part in (5, 40, 70, 95)
    }
    return cuts | {
        "cut within a step": (text[: middle + 700], "ends within step"),
        "a tag that is not closed": (_once(text, "</structure>", "", 9), "not XML from line"),
        "a calculation that is not closed": (_once(text, "</calculation>", "", 9), "not XML from line"),
        "a calculation that was not opened": (_once(text, "<calculation>", "", 9), "not XML from line"),
        "garbage in the middle": (text[:middle] + "\x07<<<>>>" + text[middle:], "not XML from line"),
        "zero bytes at its end": (text[:middle] + "\0" * 4096, "ends within|control|not XML"),
        "a text of the user's that is not XML": (_system(text, "Li & O <x>"), "line 8 contains & or <"),
        "a control character": (_system(text, "Li\x0cO"), "line 8 contains control characters"),
        "a row of positions lost": (
            _row_of(text, "positions", 10, _no_row),
            "11 positions or other forces for 12",
        ),
        "a row of positions twice": (
            _row_of(text, "positions", 10, lambda row: row * 2),
            "13 positions or other forces",
        ),
        "a row of forces lost": (_row_of(text, "forces", 9, _no_row), "positions or other forces for 12"),
        "asterisks for a position": (_row_of(text, "positions", 10, _starred), "some positions are not numbers"),
        "asterisks for a force": (_row_of(text, "forces", 9, _starred), "some forces are not numbers"),
        "a position of two numbers": (
            _row_of(text, "positions", 10, lambda row: row.replace(".", " ", 0)[:28] + "</v>\n"),
            "left out",
        ),
        "a position far away": (_row_of(text, "positions", 10, lambda row: re.sub(r"0\.\d", "0.5", row)), "moves|0.0"),
        "two rows swapped": (_swap_rows(text, 10), "moves .* angstrom"),
        "a step lost": (_without_calculation(text, 10), "holds 23"),
        "a step twice": (_without_calculation(text, 10, times=2), "repeat the previous one"),
        "two runs that do not follow": (vasprun_text(LAST) + vasprun_text(FIRST), "moves .* angstrom|first"),
        "the same run twice": (text * 2, "the same run twice"),
        "two temperatures": (text + vasprun_text(LAST, VaspOptions(tags={"TEBEG": 900.0})), "two runs of TEBEG"),
        "two sets of atoms": (
            text + vasprun_text(WALK, VaspOptions(blocks=(("Na", 12, 23.0, ""),))),
            "different atoms",
        ),
        "a cell that changes": (shrinking, "its cell changes from step 1 on"),
        "a cell that jumps once": (_cell_of(text, 10), "its cell changes from step"),
        "only the steps computed ab initio": (few, "read its XDATCAR"),
        "steps of a learned force field": (learned, "19 of 24 steps; 5 were computed ab initio"),
        "a relaxation": (_tag(text, "IBRION", "2"), "IBRION = 2"),
        "a static calculation": (_tag(text, "IBRION", "-1"), "IBRION = -1"),
        "images of a path": (text.replace(" <incar>\n", ' <incar>\n  <i name="IMAGES">4</i>\n'), "images of a path"),
        "no time step": (_tag(text, "POTIM", "0.0"), "time step is zero"),
        "two time steps": (text.replace('"POTIM">2.0', '"POTIM">1.0', 1), "two time steps"),
        "one step": (vasprun_text(Walk(WALK.positions[:1])), "at least two"),
        "a ramp of the temperature": (_tag(text, "TEEND", "900.0"), "changed from 800 to 900 K"),
        "atoms of no element": (
            _block(text, "<c>O </c>", "<c>Q </c>").replace("PAW_PBE O", "Q Q").replace("16.00000000", "1.23"),
            "cannot be determined",
        ),
        "a name without its first letter": (_block(text, "<c>Li</c>", "<c>i </c>"), "read as Li"),
        "more atoms than positions": (
            _block(text, "<c>   8</c>", "<c>   9</c>"),
            "no complete ionic|for 13 atoms",
        ),
        "a count that is not a number": (
            _block(text, "<c>   8</c>", "<c>   *</c>"),
            "no complete ionic|for 4 atoms",
        ),
        "a billion atoms": (
            _block(text, "<c>   8</c>", "<c>1000000000</c>"),
            "no complete ionic step|for 1000000004 atoms",
        ),
        "held atoms": (vasprun_text(WALK, VaspOptions(held=(8, 9))), "degrees of freedom"),
        "electrons that do not converge": (
            _tag(_tag(text, "NELM", "3"), "EDIFF", "1e-9"),
            "electrons did not converge",
        ),
        "no atoms": (re.sub(r"<rc>.*</rc>\n", "", text), "12 positions per step for 0 atoms"),
        "another root": (text.replace("modeling>", "nothing>"), "unknown trajectory format"),
    }


def _once(text: str, old: str, new: str, number: int) -> str:
    """Return a text in which the n-th occurrence is another."""
    parts = text.split(old)
    return old.join(parts[: number + 1]) + new + old.join(parts[number + 1 :])


def _lines(text: str, mark: str) -> tuple[list[str], list[int]]:
    lines = text.splitlines(keepends=True)
    return lines, [i for i, line in enumerate(lines) if mark in line]


def _without(text: str, mark: str, number: int) -> str:
    lines, rows = _lines(text, mark)
    return "".join(lines[: rows[number]] + lines[rows[number] + 1 :])


def _again(text: str, mark: str, number: int) -> str:
    lines, rows = _lines(text, mark)
    return "".join(lines[: rows[number] + 1] + lines[rows[number] :])


def _swapped(text: str, mark: str, one: int, other: int) -> str:
    lines, rows = _lines(text, mark)
    lines[rows[one]], lines[rows[other]] = lines[rows[other]], lines[rows[one]]
    return "".join(lines)


def _in_step(text: str, number: int, change: Change) -> str:
    """Return an output of pw.x in which what follows the number of a step is changed."""
    begin = text.index("ATOMIC_POSITIONS", text.index(f"iteration = {number:5d}"))
    end = text.index("kinetic energy", begin)
    return text[:begin] + change(text[begin:end]) + text[end:]


def _stars(part: str, value: str = "*" * 18) -> str:
    row = part.index("Li ")
    return part[: row + 10] + value.rjust(18) + part[row + 28 :]


def _steps(text: str, number: int) -> tuple[int, int, int]:
    places = [match.start() for match in re.finditer(" +Self-consistent Calculation", text)]
    return places[number - 1], places[number], places[number + 1]


def _drop_step(text: str, number: int) -> str:
    begin, end, _ = _steps(text, number)
    return text[:begin] + text[end:]


def _repeat_step(text: str, number: int) -> str:
    begin, end, _ = _steps(text, number)
    return text[:end] + text[begin:]


def _swap_steps(text: str, number: int) -> str:
    begin, middle, end = _steps(text, number)
    return text[:begin] + text[middle:end] + text[begin:middle] + text[end:]


def _row_of(text: str, table: str, number: int, change: Change) -> str:
    """Return a vasprun.xml in which the third row of the n-th table is another."""
    place = [match.start() for match in re.finditer(f'name="{table}"', text)][number]
    for _ in range(3):
        place = text.index("   <v>", place + 1)
    end = text.index("\n", place) + 1
    return text[:place] + change(text[place:end]) + text[end:]


def _no_row(_: str) -> str:
    return ""


def _starred(row: str) -> str:
    return re.sub(r"\d+\.\d+", "*" * 10, row, count=1)


def _swap_rows(text: str, number: int) -> str:
    lines, rows = _lines(text, 'name="positions"')
    at = rows[number] + 1
    lines[at], lines[at + 4] = lines[at + 4], lines[at]
    return "".join(lines)


def _without_calculation(text: str, number: int, times: int = 0) -> str:
    parts = text.split(" <calculation>")
    return " <calculation>".join(parts[:number] + [parts[number]] * times + parts[number + 1 :])


def _cell_of(text: str, number: int) -> str:
    place = [match.start() for match in re.finditer('name="basis"', text)][number]
    return text[:place] + text[place:].replace("9.20000000", "9.30000000", 1)


def _tag(text: str, name: str, value: str) -> str:
    return re.sub(rf'(name="{name}">)[^<]*', rf"\g<1>{value}", text)


def _system(text: str, words: str) -> str:
    return text.replace(" <incar>\n", f' <incar>\n  <i type="string" name="SYSTEM">{words}</i>\n')


def _block(text: str, old: str, new: str) -> str:
    return text.replace(old, new, 1)
