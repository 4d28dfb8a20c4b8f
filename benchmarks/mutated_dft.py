"""Outputs of pw.x and VASP with one random change each: what is refused, what is said, what passes in silence.

``python -m benchmarks.mutated_dft --seeds 1000`` counts them. A change passes in silence where the file is read without
a word and its diffusivity, cell, elements or temperature are not what they were.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from aiida_ion.trajectory_files.dft_output import DftOutput
from aiida_ion.trajectory_files.pw.read import read_pw
from aiida_ion.trajectory_files.vasp.vasprun import read_vasp
from benchmarks.synthetic_dft import VaspOptions, Walk, pw_text, vasprun_text

WALK = Walk.of(40)
RESTARTED = Walk(np.concatenate([WALK.positions[:1], WALK.positions[21:]]))
#: By how much diffusivity and mean temperature may change, relatively: by one digit of one number among forty frames.
ONE_OF_FORTY = 0.1
CONTROL = "     Starting temperature  =   800.00 K\n     temperature is controlled by stochastic velocity rescaling"
TEXTS = {
    "pw angstrom": pw_text(WALK),
    "pw crystal": pw_text(WALK, "crystal", temperature=CONTROL),
    "pw hybrid": pw_text(WALK, "alat", energies=3),
    "pw two runs": pw_text(Walk(WALK.positions[:21])) + pw_text(RESTARTED, first=21),
    "vasp": vasprun_text(WALK),
    "vasp learned": vasprun_text(WALK, VaspOptions(tags={"ML_LMLFF": "T"}, ab_initio_every=5)),
    "vasp held": vasprun_text(WALK, VaspOptions(held=(8, 9, 10, 11))),
    "vasp two runs": vasprun_text(Walk(WALK.positions[:20])) + vasprun_text(Walk(WALK.positions[20:])),
}


@dataclass
class Counted:
    """What became of the changes.

    :param silent: those that changed a number in silence, and tracebacks: text, change and seed.
    """

    n_errors: int = 0
    n_remarks: int = 0
    n_harmless: int = 0
    silent: list[str] = field(default_factory=list)
    tracebacks: list[str] = field(default_factory=list)


def try_mutations(folder: Path, seeds: Iterable[int]) -> Counted:
    """Change each text once for each seed, and read it."""
    counted, whole = Counted(), {name: _read(folder, name, text) for name, text in TEXTS.items()}
    for seed in seeds:
        for name, text in TEXTS.items():
            draw = random.Random(f"{seed} {name}")
            change = draw.choice(CHANGES)
            label = f"{name}, {change.__name__.strip('_')}, seed {seed}"
            try:
                result = _read(folder, name, change(text, draw))
            except ValueError:
                counted.n_errors += 1
            except Exception:  # any other is a bug in this package, and counted
                counted.tracebacks.append(f"{label}: {traceback.format_exc(limit=-1)}")
            else:
                _count(counted, result, whole[name], label)
    return counted


def _read(folder: Path, name: str, text: str) -> DftOutput:
    path = folder / ("vasprun.xml" if name.startswith("vasp") else "md.out")
    path.write_text(text, encoding="latin-1")
    return read_vasp(path) if name.startswith("vasp") else read_pw(path)


def _count(counted: Counted, run: DftOutput, whole: DftOutput, label: str) -> None:
    if run.remarks and run.remarks != whole.remarks:
        counted.n_remarks += 1
        return
    differences = _differences(run, whole)
    if differences:
        counted.silent.append(f"{label}: {', '.join(differences)}")
    else:
        counted.n_harmless += 1


def _differences(run: DftOutput, whole: DftOutput) -> list[str]:
    """Return the names of what changed.

    A fact that is not there is asked for when a trajectory is imported; its target is compared with what was measured.
    """
    changed: list[str] = [
        name
        for name in ("timestep_fs", "sample_every", "level_of_theory", "degrees_of_freedom")
        if name in run.facts and run.facts[name] != whole.facts.get(name)
    ]
    ratios = {
        "diffusivity": _moved(run) / _moved(whole),
        "volume": np.linalg.det(run.steps.cell) / np.linalg.det(whole.steps.cell),
        "mean temperature": run.facts.get("mean_temperature_K", np.nan) / whole.facts["mean_temperature_K"],
        "number of steps": len(run.steps) / len(whole.steps),
    }
    allowed = {"diffusivity": ONE_OF_FORTY, "volume": 1e-3, "mean temperature": ONE_OF_FORTY, "number of steps": 0.0}
    changed += [name for name, ratio in ratios.items() if not abs(ratio - 1) <= allowed[name]]
    return changed + (["elements"] if run.symbols != whole.symbols else [])


def _moved(run: DftOutput) -> float:
    """Return the mean squared displacement of lithium over five steps, angstrom^2."""
    positions = run.steps.positions[:, np.array(run.symbols) == "Li"]
    return float(((positions[5:] - positions[:-5]) ** 2).sum(axis=2).mean()) if len(positions) > 5 else np.nan


def _pick(lines: list[str], draw: random.Random) -> int:
    """Return a line: of the head nearly as often as of all that follows."""
    return draw.randrange(min(len(lines), 80)) if draw.random() < 0.4 else draw.randrange(len(lines))


def _byte_flipped(text: str, draw: random.Random) -> str:
    place = draw.randrange(len(text))
    return text[:place] + chr(draw.randrange(1, 255)) + text[place + 1 :]


def _digit_replaced(text: str, draw: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    row = _pick(lines, draw)
    digits = [place for place, letter in enumerate(lines[row]) if letter.isdigit()]
    if digits:
        place = draw.choice(digits)
        by = draw.choice([*"0123456789*-. ", "e9", "NaN"])
        lines[row] = lines[row][:place] + by + lines[row][place + 1 :]
    return "".join(lines)


def _cut(text: str, draw: random.Random) -> str:
    return text[: draw.randrange(len(text))]


def _lines_dropped(text: str, draw: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    row = _pick(lines, draw)
    return "".join(lines[:row] + lines[row + draw.choice([1, 1, draw.randrange(2, 200)]) :])


def _lines_repeated(text: str, draw: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    row = _pick(lines, draw)
    return "".join(lines[: row + draw.choice([1, 1, draw.randrange(2, 200)])] + lines[row:])


def _lines_swapped(text: str, draw: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    row = _pick(lines, draw)
    size, gap = draw.choice([1, 1, draw.randrange(2, 200)]), draw.randrange(1, 30)
    one, between, other = (
        lines[row : row + size],
        lines[row + size : row + size + gap],
        lines[row + size + gap :][:size],
    )
    rest = lines[row + size + gap + len(other) :]
    return "".join(lines[:row] + other + between + one + rest)


def _line_inserted(text: str, draw: random.Random) -> str:
    lines = text.splitlines(keepends=True)
    row = _pick(lines, draw)
    words = draw.choice(["\n", "garbage\n", "<x>\n", "0.1 0.2 0.3\n", "     Program PWSCF v.1\n", "<modeling>\n"])
    return "".join([*lines[:row], words, *lines[row:]])


CHANGES: tuple[Callable[[str, random.Random], str], ...] = (
    *(_byte_flipped, _digit_replaced, _digit_replaced, _cut),
    *(_lines_dropped, _lines_repeated, _lines_swapped, _line_inserted),
)


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counted = try_mutations(Path(folder), range(given.first, given.first + given.seeds))
    print("\n".join([*counted.silent, *counted.tracebacks]))
    print(
        f"{given.seeds * len(TEXTS)} changed outputs: {counted.n_errors} refused, {counted.n_remarks} read with a "
        f"remark, {counted.n_harmless} harmless, {len(counted.silent)} silent, {len(counted.tracebacks)} tracebacks"
    )


if __name__ == "__main__":
    main()
