"""A synthetic run of an oxide, and the text of the files that VASP, LAMMPS and ASE would leave of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import write
from numpy.typing import NDArray

#: Edge of the cubic cell, angstrom; 16 Li walk at random, 8 O vibrate.
EDGE_A = 9.2
SYMBOLS = ["Li"] * 16 + ["O"] * 8
#: Standard deviation of a step of lithium along an axis, angstrom, and of the vibration of oxygen.
STEP_A, VIBRATION_A = 0.14, 0.1


@dataclass(frozen=True)
class SyntheticRun:
    """A run: unwrapped positions, (n, N, 3), angstrom, of ``SYMBOLS`` in a cubic cell."""

    positions: NDArray[np.float64]

    def __getitem__(self, rows: slice) -> SyntheticRun:
        return SyntheticRun(self.positions[rows])

    def wrapped(self) -> NDArray[np.float64]:
        """Return the positions within the cell, angstrom."""
        result: NDArray[np.float64] = self.positions % EDGE_A
        return result

    def strayed(self, every: int = 10) -> NDArray[np.float64]:
        """Return positions as LAMMPS has them: put into the cell at every tenth frame, and straying until then."""
        images = np.floor(self.positions[::every] / EDGE_A)
        result: NDArray[np.float64] = self.positions - EDGE_A * np.repeat(images, every, axis=0)[: len(self.positions)]
        return result


def synthetic_run(n_frames: int = 60, seed: int = 5) -> SyntheticRun:
    """Return a run; its diffusivity is ``STEP_A`` squared / 2 per interval."""
    rng = np.random.default_rng(seed)
    grid = np.array([(x, y, z) for x in range(3) for y in range(3) for z in range(3)][: len(SYMBOLS)])
    start = (grid + 0.25) * EDGE_A / 3
    moves = rng.normal(0.0, STEP_A, (n_frames, 16, 3))
    moves[0] = 0.0
    lithium = start[:16] + np.cumsum(moves, axis=0)
    oxygen = start[16:] + rng.normal(0.0, VIBRATION_A, (n_frames, 8, 3))
    return SyntheticRun(np.concatenate([lithium, oxygen], axis=1))


def xdatcar_header(name: str = "Li2O", scale: str = "1.0", elements: str = "Li O", counts: str = "16 8") -> str:
    """Return what stands before the frames."""
    rows = "\n".join(" ".join(f"{x:11.6f}" for x in row) for row in EDGE_A * np.eye(3))
    return f"{name}\n {scale}\n{rows}\n {elements}\n {counts}\n"


def xdatcar_frames(run: SyntheticRun, numbers: Sequence[int] | None = None, decimals: int = 8) -> str:
    """Return the frames, with fractional positions."""
    numbers = range(1, len(run.positions) + 1) if numbers is None else numbers
    texts = []
    for number, frame in zip(numbers, run.wrapped() / EDGE_A, strict=True):
        rows = "\n".join(" ".join(f"{x:{decimals + 4}.{decimals}f}" for x in row) for row in frame)
        texts.append(f"Direct configuration= {number:5d}\n{rows}\n")
    return "".join(texts)


def xdatcar(run: SyntheticRun, numbers: Sequence[int] | None = None) -> str:
    """Return an XDATCAR."""
    return xdatcar_header() + xdatcar_frames(run, numbers)


def dump(
    positions: NDArray[np.float64],
    steps: Sequence[int] | None = None,
    columns: str = "id type element x y z",
    seed: int | None = 7,
    bounds: str = "pp pp pp",
) -> str:
    """Return a LAMMPS dump of positions, (n, N, 3), in the cell of the synthetic run.

    :param columns: image flags among them make ``x y z`` those within the cell.
    :param seed: of the order of the atoms, another in each frame; ``None`` keeps it.
    """
    rng = np.random.default_rng(seed or 0)
    images = np.floor(positions / EDGE_A)
    texts = []
    for number, frame in enumerate(positions):
        step = 10 * number if steps is None else steps[number]
        texts.append(f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{len(SYMBOLS)}\nITEM: BOX BOUNDS {bounds}\n")
        texts.append(3 * f"0 {EDGE_A}\n" + f"ITEM: ATOMS {columns}\n")
        for atom in np.arange(len(SYMBOLS)) if seed is None else rng.permutation(len(SYMBOLS)):
            values: dict[str, object] = {
                "id": atom + 1,
                "type": 1 + (SYMBOLS[atom] == "O"),
                "element": SYMBOLS[atom],
                "mass": {"Li": 6.94, "O": 15.999}[SYMBOLS[atom]],
            }
            for axis, name in enumerate("xyz"):
                inside = frame[atom, axis] - EDGE_A * images[number, atom, axis]
                values |= {name: f"{inside if 'ix' in columns else frame[atom, axis]:.6f}"}
                values |= {f"{name}u": f"{frame[atom, axis]:.6f}", f"{name}su": f"{frame[atom, axis] / EDGE_A:.8f}"}
                values |= {f"{name}s": f"{inside / EDGE_A:.8f}", f"i{name}": int(images[number, atom, axis])}
            texts.append(" ".join(str(values[name]) for name in columns.split()) + "\n")
    return "".join(texts)


def extxyz(positions: NDArray[np.float64], comment: str = "", ids: int | None = None, pbc: str = "T T T") -> str:
    """Return an extended XYZ file.

    :param comment: further words of the comment line; ``{frame}`` stands for the number of the frame.
    :param ids: seed of another order in each frame, told by a column ``id``.
    """
    lattice = " ".join(f"{x}" for x in (EDGE_A * np.eye(3)).ravel())
    rng = np.random.default_rng(ids or 0)
    texts = []
    for number, frame in enumerate(positions):
        properties = "species:S:1:pos:R:3" + (":id:I:1" if ids is not None else "")
        words = comment.format(frame=number)
        texts.append(f'{len(SYMBOLS)}\nLattice="{lattice}" Properties={properties} pbc="{pbc}" {words}\n')
        for atom in range(len(SYMBOLS)) if ids is None else rng.permutation(len(SYMBOLS)):
            place = " ".join(f"{x:.8f}" for x in frame[atom])
            texts.append(f"{SYMBOLS[atom]} {place}{f' {atom + 1}' if ids is not None else ''}\n")
    return "".join(texts)


def write_traj(path: Path, positions: NDArray[np.float64]) -> None:
    """Write a trajectory of ASE."""
    write(path, [Atoms(SYMBOLS, positions=frame, cell=EDGE_A * np.eye(3), pbc=True) for frame in positions])
