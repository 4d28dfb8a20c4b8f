"""Trajectory files that are broken, or that say something else than the options."""

from __future__ import annotations

import gzip
import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import write

from benchmarks.hostile.hostile_input import HostileInput
from benchmarks.trajectory_writers import (
    EDGE_A,
    SYMBOLS,
    SyntheticRun,
    dump,
    extxyz,
    synthetic_run,
    write_traj,
    xdatcar,
    xdatcar_frames,
    xdatcar_header,
)

FACTS = ("--timestep-fs", "2", "--sample-every", "10", "--temperature-K", "800", "--level-of-theory", "LJ")
RUN = synthetic_run()
WRAPPED = RUN.wrapped()
LINES_PER_FRAME = len(SYMBOLS) + 1


class _Files:
    """Writes files into a folder, and gathers what must come of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inputs: list[HostileInput] = []

    def error(self, name: str, content: str | bytes, pattern: str, *options: str, suffix: str = "") -> None:
        """Expect a refusal."""
        self._add(name, content, pattern, options, suffix, warns=False)

    def warning(self, name: str, content: str | bytes, pattern: str, *options: str, suffix: str = "") -> None:
        """Expect that it is read, with a word."""
        self._add(name, content, pattern, options, suffix, warns=True)

    def call(self, name: str, files: Sequence[str], pattern: str, *options: str, warns: bool = False) -> None:
        """Expect the same of files that are written already."""
        paths = [str(self.folder / file) for file in files]
        call = ("import", *paths, *(options or FACTS), "--dry-run")
        self.inputs.append(HostileInput(f"trajectory: {name}", call, pattern, "warning" if warns else "error"))

    def write(self, name: str, content: str | bytes) -> str:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    def _add(
        self, name: str, content: str | bytes, pattern: str, options: Sequence[str], suffix: str, *, warns: bool
    ) -> None:
        file = self.write(f"{len(self.inputs):03d}{suffix}", content)
        self.call(name, [file], pattern, *options, warns=warns)


def inputs(folder: Path) -> list[HostileInput]:
    """Write the files into a folder, and return what must come of each."""
    files = _Files(folder)
    for add in (_xdatcar, _xdatcar_numbers, _dumps, _dump_numbers, _extxyz, _traj, _packed, _options, _several):
        add(files)
    return files.inputs


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _xdatcar(files: _Files) -> None:
    text = xdatcar(RUN)
    lines = _lines(text)

    def error(name: str, content: str, pattern: str, *options: str) -> None:
        files.error(f"XDATCAR, {name}", content, pattern, *options, suffix=".XDATCAR")

    def warning(name: str, content: str, pattern: str) -> None:
        files.warning(f"XDATCAR, {name}", content, pattern, suffix=".XDATCAR")

    error("empty", "", "is empty")
    error("blank lines only", "\n" * 50, "is empty")
    error("header alone", xdatcar_header(), "is too small|no complete frame")
    error("cut in the header", "".join(lines[:4]), "ends within its header")
    error("1e11 atoms", text.replace("16 8", "100000000000 8"), "100,?000,?000,?008|1e\\+11")
    error("2e7 atoms in a small file", text.replace("16 8", "10000000 8000000"), "is too small")
    error("no atoms", text.replace("16 8", "0 0"), "states 0 atoms")
    error("negative counts", text.replace("16 8", "-16 8"), "expected names or numbers of atoms")
    error("fractional counts", text.replace("16 8", "16.5 8"), "expected names or numbers of atoms")
    error("more names than counts", text.replace("Li O\n", "Li O H\n"), "3 elements but 2 numbers")
    error("more counts than names", text.replace("16 8", "16 4 4"), "elements but")
    error("an element that is none", text.replace("Li O\n", "Li Qq\n"), "'Qq' is not an element; give the structure")
    error("a POTCAR slip for a name", text.replace("Li O\n", "r O\n"), "'r' is not an element")
    error("no names and no structure", text.replace(" Li O\n", ""), "names no elements; give the structure")
    error("scale zero", text.replace(" 1.0\n", " 0.0\n", 1), "the scale 0 is not possible")
    error("scale nan", text.replace(" 1.0\n", " nan\n", 1), "the scale nan is not possible")
    error("scale of two numbers", text.replace(" 1.0\n", " 1.0 1.0\n", 1), "begins neither a frame nor a header")
    error("scale a word", text.replace(" 1.0\n", " one\n", 1), "begins neither a frame nor a header")
    error("scale in nanometres", text.replace(" 1.0\n", " 0.1\n", 1), "density is 510 g/cm3")
    error("scale in picometres", text.replace(" 1.0\n", " 100.0\n", 1), "density is")
    error("flat cell", text.replace("9.200000", "0.000000"), "no periodic cell")
    error("cell of two vectors", "".join(lines[:4] + lines[5:]), "begins neither a frame nor a header|elements but")
    error("cell nan", text.replace("9.200000", "nan     ", 1), "the cell is not finite")
    error("stars", _spoilt(text, 20, "************ 0.1 0.2"), r"line 20: .*got '\*+ 0.1 0.2'")
    error("two columns", _spoilt(text, 20, "0.1 0.2"), "got '0.1 0.2'")
    error("a word among the numbers", _spoilt(text, 20, "0.1 x 0.2"), "got '0.1 x 0.2'")
    error("a position nan", _spoilt(text, 40, "nan 0.1 0.2"), "frame 1 are not finite")
    error("a position inf", _spoilt(text, 40, "inf 0.1 0.2"), "frame 1 are not finite")
    error("a blank line within a frame", _spoilt(text, 20, ""), "line 20: .*got ''")
    error("binary in the middle", _spoilt(text, 20, "\x00\x01\x02"), "line 20")
    error("one long line", "x" * 2_000_000, "unknown kind|longer than", *FACTS, "--format", "xdatcar")
    error("one frame", xdatcar(RUN[:1]), "at least two|one frame")
    error("all frames the same", xdatcar_header() + xdatcar_frames(RUN[:1]) * 50, "the same as the frame before")
    error("atoms change in the middle", text + xdatcar(RUN).replace("16 8", "15 9"), "the atoms change here")
    error("header of VASP 4", "4 4 1\n 0.9E+02 0.9E-09\n CAR\n unknown\n\n 0.1 0.1 0.1\n", "header of VASP 4")
    error("a POSCAR", xdatcar_header() + "Direct\n" + "0.1 0.2 0.3\n" * 24, "expected names or numbers of atoms")
    warning("cut in the last frame", "".join(lines[:-3]), "after 59 frames one was cut off|After 59 frames one")
    warning("cut within a number", text[:-4], "After 59 frames one was cut off")
    warning("deuterium", text.replace("Li O\n", "D O\n"), r"D are read as H \(deuterium\)")
    warning("cut, and the next run appended", "".join(_lines(xdatcar(RUN[:30]))[:-5]) + xdatcar(RUN[30:]), "missing")
    warning("lengths in bohr", text.replace(" 1.0\n", " 1.8897\n", 1), "WARNING: .*density")


def _spoilt(text: str, number: int, line: str) -> str:
    """Return a text with one line, counted from 1, replaced."""
    lines = _lines(text)
    lines[number - 1] = line + "\n"
    return "".join(lines)


def _xdatcar_numbers(files: _Files) -> None:
    def error(name: str, numbers: Sequence[int], pattern: str) -> None:
        files.error(f"XDATCAR, {name}", xdatcar(RUN, numbers), pattern, suffix=".XDATCAR")

    def warning(name: str, numbers: Sequence[int], pattern: str) -> None:
        files.warning(f"XDATCAR, {name}", xdatcar(RUN, numbers), pattern, suffix=".XDATCAR")

    count = list(range(1, 61))
    error("configurations missing", [*count[:30], *range(41, 71)], "configurations 30 and 41 .* 10 frames are missing")
    error("two configurations swapped", [*count[:30], 32, 31, *count[32:]], "out of order")
    error("numbers decrease", count[::-1], "out of order")
    error("spacing changes", [*count[:30], *range(32, 92, 2)], "follow each other")
    error("numbers beyond any", [10**30 + number for number in count], "is not possible")
    warning("NBLOCK 50", [50 * number for number in count], "the file says 50, --sample-every 10; the file is used")
    warning("runs joined in one file", [*count[:30], *count[:30]], "restart once")
    stars = xdatcar(RUN).replace("configuration=    60", "configuration= *****")
    files.warning("XDATCAR, a number of stars", stars, "not all configurations are numbered", suffix=".XDATCAR")
    files.call("a gap, overridden", ["gap.XDATCAR"], "treated as consecutive", *FACTS, "--override-file", warns=True)
    files.write("gap.XDATCAR", xdatcar(RUN, [*count[:30], *range(41, 71)]))
    again = xdatcar_header() + xdatcar_frames(RUN[:31], count[:31]) + xdatcar_frames(RUN[30:], count[30:])
    files.warning("XDATCAR, a frame of a restart twice", again, "kept once", suffix=".XDATCAR")
    files.warning("XDATCAR, twice in one file", xdatcar(RUN) * 2, "60 frames repeat earlier ones", suffix=".XDATCAR")
    moved = synthetic_run(seed=9).positions
    moved[0] = RUN.positions[0]
    other = xdatcar(SyntheticRun(moved))
    files.error("XDATCAR, another run from the same start", xdatcar(RUN) + other, "two runs", suffix=".XDATCAR")
    other = xdatcar(synthetic_run(seed=9))
    files.error("XDATCAR, another run in the same file", xdatcar(RUN) + other, "does not continue", suffix=".XDATCAR")
    half = xdatcar(RUN[:20]) + xdatcar(RUN[50:])
    files.error("XDATCAR, half of it missing", half, "does not continue", suffix=".XDATCAR")


def _dumps(files: _Files) -> None:
    text = dump(WRAPPED)

    def error(name: str, content: str, pattern: str, *options: str) -> None:
        files.error(f"dump, {name}", content, pattern, *options, suffix=".lammpstrj")

    def warning(name: str, content: str, pattern: str) -> None:
        files.warning(f"dump, {name}", content, pattern, suffix=".lammpstrj")

    error("a header alone", "ITEM: TIMESTEP\n0\n", "no complete frame")
    error("reduced units", "ITEM: UNITS\nlj\n" + text, "units are lj")
    error("units that are none", "ITEM: UNITS\nfurlong\n" + text, "'furlong' are unknown")
    error("units that change", "ITEM: UNITS\nmetal\n" + text + "ITEM: UNITS\nreal\n" + text, "units change")
    error("1e11 atoms", text.replace("\n24\n", "\n100000000000\n", 1), "1e\\+11 atoms")
    error("more atoms than room", text.replace("\n24\n", "\n9000000\n", 1), "is too small")
    error("negative atoms", text.replace("\n24\n", "\n-24\n", 1), "states -24 atoms")
    error("the number of atoms a word", text.replace("\n24\n", "\nmany\n", 1), "'many' is not a number")
    error("a step that is a word", text.replace("TIMESTEP\n0\n", "TIMESTEP\nzero\n", 1), "'zero' is not a number")
    error("a step beyond any", text.replace("TIMESTEP\n0\n", f"TIMESTEP\n{10**30}\n", 1), "not possible")
    error("fixed boundaries", dump(WRAPPED, bounds="ff pp pp"), "not periodic along a")
    error("shrink-wrapped boundaries", dump(WRAPPED, bounds="ss ss ss"), "not periodic along a, b, c")
    error("a box without volume", text.replace(f"0 {EDGE_A}\n", "0 0\n"), "no volume")
    error("a box of words", text.replace(f"0 {EDGE_A}\n", "lo hi\n", 1), "columns of a box")
    error("no positions", dump(WRAPPED, columns="id type element mass"), "no positions x y z")
    error("two dimensions", dump(WRAPPED, columns="id type element x y"), "no positions x y z")
    error("types only", dump(WRAPPED, columns="id type x y z"), "names no elements; give the structure")
    error("types without names", text.replace(" Li ", " C ").replace(" O ", " C "), "all its types are named C")
    error("an element that is none", text.replace(" O ", " Qq "), "'Qq' is not an element")
    error("a mass of no element", dump(WRAPPED, columns="id mass x y z").replace(" 6.94 ", " 777.7 "), "no element has")
    error("an id twice", text.replace("\n2 1 Li", "\n1 1 Li", 1), "two atoms have the id 1")
    error("an id that changes", _last(text, "\n24 2 O", "\n99 2 O"), "lacks 24 and has new 99")
    error("an element that changes", _last(text, "\n24 2 O", "\n24 2 N"), "an atom changes its element")
    error("an atom lost", _last(text, "\n24\n", "\n23\n"), "expected a line with ITEM:|not those of frame 0")
    error("a row too short", _last(text, "\n24 2 O", "\n24 O"), "words in 6 columns")
    error("a number that is none", _last(text, "\n24 2 O ", "\n24 2 O x"), "is not a number")
    error("a position nan", _nan(text), "frame 59 .*not finite")
    error("no ids, another order in each", dump(WRAPPED, columns="x y z element"), "no ids, and the rows change")
    alike = dump(WRAPPED, columns="element x y z").replace("O ", "Li ")
    error("no ids, another order of one element", alike, "have no ids, and their order changes")
    boxless = text.replace("ITEM: BOX BOUNDS pp pp pp\n", "").replace(f"0 {EDGE_A}\n", "")
    error("no box", boxless, "without step, number")
    error("a section that is not known", text + "ITEM: ENTRIES\n1\n", "unknown in a dump of atoms")
    error("text after the end", text + "and so on\n", "expected a line with ITEM:")
    error("steps of half a cell", dump(_far()), "many steps are that long|does not|order|nearer")
    warning("cut in the last frame", "".join(_lines(text)[:-3]), "After 59 frames one was cut off")
    warning("cut within a number", text[:-5], "After 59 frames one was cut off")
    middle = "".join(_lines(dump(WRAPPED[:30]))[:-3]) + dump(WRAPPED[30:], range(300, 600, 10))
    warning("cut in the middle", middle, "a frame is missing after the first 29")
    warning("in bohr, and said", "ITEM: UNITS\nelectron\n" + dump(WRAPPED), "Lengths are converted from electron")
    warning(
        "no ids, one order", dump(RUN.positions, columns="element xu yu zu", seed=None), "no ids, but none comes near"
    )
    warning("elements by mass", dump(WRAPPED, columns="id mass x y z"), "derived from the masses")
    warning("lengths in nanometres", dump(0.5 * WRAPPED), "density|jump")
    warning("straying atoms", dump(RUN.strayed()), "the positions were wrapped and are unwrapped")


def _last(text: str, old: str, new: str) -> str:
    """Return a text in which the last occurrence of something is replaced."""
    before, result, after = text.rpartition(old)
    assert result
    return before + new + after


def _nan(text: str) -> str:
    lines = _lines(text)
    lines[-1] = " ".join([*lines[-1].split()[:-1], "nan"]) + "\n"
    return "".join(lines)


def _far() -> np.ndarray:
    """Return positions whose steps are half a cell and more."""
    rng = np.random.default_rng(1)
    walked = np.cumsum(rng.normal(0.0, 0.4 * EDGE_A, WRAPPED.shape), axis=0)
    result: np.ndarray = walked % EDGE_A
    return result


def _dump_numbers(files: _Files) -> None:
    steps = [10 * number for number in range(60)]

    def error(name: str, numbers: Sequence[int], pattern: str) -> None:
        files.error(f"dump, {name}", dump(WRAPPED, numbers), pattern, suffix=".lammpstrj")

    error("steps missing", [*steps[:30], *range(500, 800, 10)], "20 frames are missing")
    error("two frames swapped", [*steps[:30], 310, 300, *steps[32:]], "out of order")
    error("steps fall", steps[::-1], "out of order")
    hundreds = dump(WRAPPED, [10 * step for step in steps])
    files.warning("dump, steps 100 apart", hundreds, "the file says 100, --sample-every 10")
    files.warning("dump, all steps 0", dump(WRAPPED, [0] * 60), "all frames have the number 0")
    times = dump(WRAPPED).replace("ITEM: TIMESTEP\n", "ITEM: TIME\n{}\nITEM: TIMESTEP\n")
    picoseconds, wrong = (times.format(*[step * value for step in steps]) for value in (0.002, 0.004))
    metal = "ITEM: UNITS\nmetal\n"
    files.warning("dump, another time step by its times", metal + wrong, "the file says 4 fs, --timestep-fs 2")
    absurd = metal + picoseconds.replace("\nITEM: TIMESTEP", "e9\nITEM: TIMESTEP")
    files.error("dump, a time step of no run", absurd, "according to the file", suffix=".lammpstrj")
    files.error("dump, times that fit in no unit", wrong, "from the times in the file the time step is 0.004 or 4")
    options = (*FACTS[2:], "--timestep-fs", "1")
    files.warning("dump, times in picoseconds", metal + picoseconds, "the file says 2 fs, --timestep-fs 1", *options)


def _extxyz(files: _Files) -> None:
    text = extxyz(WRAPPED)

    def error(name: str, content: str, pattern: str, *options: str) -> None:
        files.error(f"extxyz, {name}", content, pattern, *options, suffix=".extxyz")

    def warning(name: str, content: str, pattern: str, *options: str) -> None:
        files.warning(f"extxyz, {name}", content, pattern, *options, suffix=".extxyz")

    error("1e11 atoms", text.replace("24\n", "100000000000\n", 1), "1e\\+11 atoms")
    error("more atoms than room", text.replace("24\n", "9000000\n", 1), "is too small")
    error("no Lattice", text.replace("Lattice", "Box"), "unknown trajectory format")
    error("no Lattice in a later frame", _last(text, "Lattice", "Box"), "has no Lattice|number of atoms should be")
    error("a Lattice of six numbers", text.replace(' 0.0 9.2"', '"', 1), "cannot be read")
    error("an element that is none", text.replace("O ", "Qq "), "'Qq' is not an element")
    error("another atom in a later frame", _last(text, "O ", "N "), "are not those of frame 0")
    error("not periodic", extxyz(WRAPPED, pbc="F F F"), "not periodic along a, b, c")
    error("a slab", extxyz(WRAPPED, pbc="T T F"), "not periodic along c")
    error("text in between", text + "and so on\n" + text, "'and so on' where the number of atoms")
    error("a number that is none", _last(text, ".", "x"), "cannot be read")
    error("a position nan", _nan(text), "frame 59 are not finite")
    error("the same id twice", extxyz(WRAPPED, ids=1).replace(" 2\n", " 1\n", 1), "atoms have the id 1")
    error("ids that change", _last(extxyz(WRAPPED, ids=1), " 2\n", " 99\n"), "the ids of frame 59")
    error("another order without ids", _shuffled(), "order seems to change|nearer to the place|not those of frame 0")
    uneven = extxyz(WRAPPED[:30], "time={frame}") + extxyz(WRAPPED[30:], "time=3{frame}.3")
    error("uneven times", uneven, "not evenly spaced")
    error("times that fit in no unit", extxyz(WRAPPED, "time={frame}00"), "from the times in the file the interval")
    missing = extxyz(WRAPPED[:30], "step=1{frame:02d}0") + extxyz(WRAPPED[30:], "step=3{frame:02d}0")
    error("steps missing", missing, "170 frames are missing")
    error("frames missing, without numbers", extxyz(WRAPPED[:20]) + extxyz(WRAPPED[50:]), "does not continue there")
    warning("steps 100 apart", extxyz(WRAPPED, "step={frame}00"), "the file says 100, --sample-every 10")
    warning("another temperature", extxyz(WRAPPED, "temperature=12{frame:02d}"), "mean temperature .* is 12")
    warning("not periodic, overridden", extxyz(WRAPPED, pbc="F F F"), "treated as periodic", *FACTS, "--override-file")
    warning("cut in the last frame", "".join(_lines(text)[:-3]), "After 59 frames one was cut off")
    warning("ids in another order", extxyz(WRAPPED, ids=1), "sorted by their ids")
    blocks = extxyz(np.concatenate([RUN.positions[:30] + 5 * EDGE_A, WRAPPED[30:31], _on(30)]))
    warning("a block from wrapped positions", blocks, "jump by whole cells")


def _on(first: int) -> np.ndarray:
    """Return the rest of the run as one that starts from wrapped positions goes on."""
    result: np.ndarray = RUN.positions[first + 1 :] - RUN.positions[first] + WRAPPED[first]
    return result


def _shuffled() -> str:
    rng = np.random.default_rng(3)
    order = [np.concatenate([rng.permutation(16), 16 + rng.permutation(8)]) for _ in WRAPPED]
    return extxyz(np.array([frame[rows] for frame, rows in zip(WRAPPED, order, strict=True)]))


def _traj(files: _Files) -> None:
    write_traj(files.folder / "whole.traj", RUN.positions)
    whole = (files.folder / "whole.traj").read_bytes()
    broken = "cut off, damaged, or not an ASE trajectory|no frame"
    files.error("traj, nothing in it", whole[:56], broken, suffix=".traj")
    files.error("traj, cut", whole[: len(whole) // 2], broken, suffix=".traj")
    files.error(
        "traj, spoilt",
        whole[:24] + b"\xff" * 400 + whole[424:],
        "cut off, damaged, or not an ASE trajectory|no frame",
        suffix=".traj",
    )
    files.error("traj, its start only", b"- of Ulm", broken, suffix=".traj")
    files.error("traj, a pickle", pickle.dumps({"a": 1}), "is a pickle", suffix=".traj")
    images = [Atoms(SYMBOLS, positions=frame, cell=EDGE_A * np.eye(3)) for frame in RUN.positions[:20]]
    write(files.folder / "open.traj", images)
    files.call("traj, not periodic", ["open.traj"], "not periodic along a, b, c")
    write(files.folder / "molecule.traj", [Atoms("Li2", [[0, 0, 0], [0, 0, 2 + 0.1 * n]]) for n in range(20)])
    files.call("traj, a molecule", ["molecule.traj"], "no periodic cell")
    repeated = np.concatenate([RUN.positions[max(low - 1, 0) : low + 10] for low in range(0, 60, 10)])
    write_traj(files.folder / "restarts.traj", repeated)
    files.call("traj, first frames of restarts", ["restarts.traj"], "5 frames repeat the previous frame", warns=True)


def _packed(files: _Files) -> None:
    packed = gzip.compress(xdatcar(RUN).encode())
    files.error("gzip, spoilt", packed[:30] + b"\x00" * 50 + packed[80:], "XDATCAR.gz", suffix=".XDATCAR.gz")
    files.error("gzip, its start only", packed[:5], "XDATCAR.gz", suffix=".XDATCAR.gz")
    files.error("gzip, of nothing", gzip.compress(b""), "is empty", suffix=".XDATCAR.gz")
    files.warning("gzip, cut", packed[:-3000], "compressed file ends early", suffix=".XDATCAR.gz")
    files.error("bzip2", b"BZh91AY&SY" + bytes(80), "compressed by bzip2; unpack it", suffix=".XDATCAR.bz2")
    files.error("zip", b"PK\x03\x04" + bytes(80), "compressed by zip; unpack it", suffix=".XDATCAR.zip")
    files.error("an HTML page", "<!DOCTYPE html><html><body>Sign in</body></html>", "unknown trajectory format")
    files.error("random bytes", np.random.default_rng(2).bytes(4000), "unknown trajectory format")
    files.error("a picture", b"\x89PNG\r\n\x1a\n" + bytes(100), "unknown trajectory format")


def _options(files: _Files) -> None:
    run = files.write("good.XDATCAR", xdatcar(RUN))

    def error(name: str, pattern: str, **options: str) -> None:
        files.call(name, [run], pattern, *_with(**options))

    for value in ("0", "-1", "nan", "inf", "1e-300", "1e9"):
        error(f"time step {value}", "timestep-fs must be", timestep_fs=value)
    for value in ("0", "-5", "99999999999"):
        error(f"sample every {value}", "sample-every must be", sample_every=value)
    error("sample every 1.5", "sample-every must be", sample_every="1.5")
    for value in ("0", "-300", "nan", "inf", "1e9", "1e-9"):
        error(f"temperature {value}", "temperature-K must be", temperature_K=value)
    error("a level of theory of blanks", "must be a text of one line", level_of_theory="  ")
    error("a level of theory of two lines", "must be a text of one line", level_of_theory="PBE\nD3")
    for value in ("-1", "nan", "inf", "1e9"):
        error(f"equilibration {value}", "equilibration-ps must be", equilibration_ps=value)
    error("equilibration of nearly all", "frames are left", equilibration_ps="1.1")
    files.call("time step 20 fs", [run], "time step of 20 fs is long for Li", *_with(timestep_fs="20"), warns=True)
    files.call("a format that is none", [run], "unknown format 'dcd'", *FACTS, "--format", "dcd")
    files.call("the wrong format", [run], "cannot be read as lammps-dump", *FACTS, "--format", "lammps-dump")
    files.call("no facts", [run], "give --timestep-fs", *FACTS[2:])
    files.call("no such file", ["absent.XDATCAR"], "no such file")
    (files.folder / "folder").mkdir()
    files.call("an empty folder", ["folder"], "neither a vasprun.xml nor an output of pw.x")
    files.call("no such structure", [run], "no such file", *FACTS, "--structure", "absent.cif")


def _with(**changed: str) -> tuple[str, ...]:
    options = {"timestep_fs": "2", "sample_every": "10", "temperature_K": "800", "level_of_theory": "LJ"} | changed
    pairs = [(f"--{name.replace('_', '-')}", value) for name, value in options.items()]
    return tuple(word for pair in pairs for word in pair)


def _several(files: _Files) -> None:
    one, two = files.write("one.extxyz", extxyz(WRAPPED[:30])), files.write("two.extxyz", extxyz(WRAPPED[30:]))
    copy, later = files.write("copy.extxyz", extxyz(WRAPPED[:30])), files.write("later.extxyz", extxyz(WRAPPED[50:]))
    files.call("the same file twice", [one, one], "is given twice")
    files.call("the same file under two names", [one, copy], "are the same file")
    files.call("files in the wrong order", [two, one], "the order is wrong")
    files.call("frames missing between files", [one, later], "frames are missing")
    within = files.write("within.extxyz", extxyz(WRAPPED[10:20], comment="x=1"))
    files.call("a file within another", [one, within], "adds nothing")
    across = files.write("across.extxyz", extxyz(WRAPPED[20:]))
    files.call("files that overlap", [one, across], "10 frames repeat earlier ones", warns=True)
    early = files.write("early.lammpstrj", dump(WRAPPED[:30]))
    late = files.write("late.lammpstrj", dump(WRAPPED[30:], range(300, 600, 10)))
    far = files.write("far.lammpstrj", dump(WRAPPED[30:], range(400, 700, 10)))
    fine = files.write("fine.lammpstrj", dump(WRAPPED[30:], range(295, 445, 5)))
    files.call("dumps in the wrong order", [late, early], "late.lammpstrj begins at 300: give it first")
    files.call("steps missing between dumps", [early, far], "10 frames are missing")
    files.call("dumps of another interval", [early, fine], "the files differ: 10, 5")
    small = files.write("small.extxyz", extxyz(WRAPPED[30:]).replace("Li ", "Na "))
    files.call("files of other crystals", [one, small], "holds Na16O8 .* one.extxyz Li16O8")
