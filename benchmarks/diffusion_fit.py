"""Time and memory of the diffusion analysis against frames and ions: ``python benchmarks/diffusion_fit.py``.

Positions are written to disk as float32 and memory-mapped, as a job has them, and each size is analysed by a process
of its own. Prints a Markdown table; the peak is that of the process and counts the pages of the mapped file that were
read.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from aiida_ion.analysis.diffusion.analyse import DiffusionSettings, Segment, analyse_diffusion

FRAME_PS = 0.1
STEP_A = 0.14
CELL = np.eye(3) * 30.0
#: Frames, mobile ions, other atoms.
SIZES = (
    (5_000, 200, 300),
    (20_000, 56, 136),
    (12_500, 500, 300),
    (25_000, 500, 300),
    (50_000, 500, 300),
    (100_000, 500, 300),
)


def write_trajectory(path: Path, n_frames: int, n_ions: int, n_framework: int) -> None:
    """Diffusing ions and a vibrating framework, a chunk at a time so that memory tells of the analysis alone."""
    generator = np.random.default_rng(1)
    shape = (n_frames, n_ions + n_framework, 3)
    positions = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    last = generator.random((1, n_ions, 3)) * 30.0
    sites = generator.random((n_framework, 3)) * 30.0
    for low in range(0, n_frames, 1000):
        n_chunk = min(1000, n_frames - low)
        walk = last + np.cumsum(generator.normal(0.0, STEP_A, (n_chunk, n_ions, 3)), axis=0)
        positions[low : low + n_chunk, :n_ions] = walk
        positions[low : low + n_chunk, n_ions:] = sites + generator.normal(0.0, 0.1, (n_chunk, n_framework, 3))
        last = walk[-1:]
    positions.flush()


def peak_MiB() -> float:  # noqa: N802
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def measure(path: Path, n_ions: int) -> tuple[int, float, float, float, float]:
    """Stride, seconds, peak and peak before (MiB), and D* (cm^2/s) of one analysis."""
    positions = np.load(path, mmap_mode="r", allow_pickle=False)
    segment = Segment(positions, np.arange(len(positions)) * FRAME_PS, CELL)
    n_others = positions.shape[1] - n_ions
    charges = {"Li": 1.0, "O": -n_ions / n_others}
    before, start = peak_MiB(), time.perf_counter()
    result = analyse_diffusion(
        [[segment]], ["Li"] * n_ions + ["O"] * n_others, "Li", charges, 800.0, settings=DiffusionSettings()
    )
    seconds = time.perf_counter() - start
    return result.frame_stride, seconds, peak_MiB(), before, result.tracer_diffusivity_cm2_s or float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, help="one size instead of the usual ones")
    parser.add_argument("--ions", type=int, default=200)
    parser.add_argument("--framework", type=int, default=300)
    arguments = parser.parse_args()
    sizes = SIZES if arguments.frames is None else ((arguments.frames, arguments.ions, arguments.framework),)
    print("| frames | mobile ions | framework | stride | seconds | ms a frame | peak MiB | before MiB | D* (cm2/s) |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for n_frames, n_ions, n_framework in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "positions.npy"
            write_trajectory(path, n_frames, n_ions, n_framework)
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
                stride, seconds, peak, before, result = pool.submit(measure, path, n_ions).result()
        print(
            f"| {n_frames} | {n_ions} | {n_framework} | {stride} | {seconds:.1f} | {seconds / n_frames * 1000:.2f} "
            f"| {peak:.0f} | {before:.0f} | {result:.3e} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
