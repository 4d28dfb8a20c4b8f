"""Time and memory of the diffusion analysis: ``python benchmarks/diffusion_fit.py --frames 5000 --ions 200``.

Positions are written to disk as float32 and memory-mapped, as a job has them. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from aiida_ion.analysis.diffusion import DiffusionSettings, Segment, analyse_diffusion

FRAME_PS = 0.1
STEP_A = 0.14
CELL = np.eye(3) * 30.0


def write_trajectory(path: Path, n_frames: int, n_ions: int, n_framework: int) -> None:
    """Diffusing ions and a vibrating framework, a chunk at a time so that memory tells of the analysis alone."""
    generator = np.random.default_rng(1)
    shape = (n_frames, n_ions + n_framework, 3)
    positions = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    last = generator.random((1, n_ions, 3)) * 30.0
    for low in range(0, n_frames, 1000):
        n_chunk = min(1000, n_frames - low)
        walk = last + np.cumsum(generator.normal(0.0, STEP_A, (n_chunk, n_ions, 3)), axis=0)
        positions[low : low + n_chunk, :n_ions] = walk
        positions[low : low + n_chunk, n_ions:] = generator.normal(0.0, 0.1, (n_chunk, n_framework, 3))
        last = walk[-1:]
    positions.flush()


def peak_MiB() -> float:  # noqa: N802
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=5000)
    parser.add_argument("--ions", type=int, default=200)
    parser.add_argument("--framework", type=int, default=300)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "positions.npy"
        write_trajectory(path, arguments.frames, arguments.ions, arguments.framework)
        positions = np.load(path, mmap_mode="r", allow_pickle=False)
        segment = Segment(positions, np.arange(arguments.frames) * FRAME_PS, CELL)
        symbols = ["Li"] * arguments.ions + ["O"] * arguments.framework
        before = peak_MiB()
        start = time.perf_counter()
        result = analyse_diffusion([[segment]], symbols, "Li", {"Li": 1.0}, 800.0, settings=DiffusionSettings())
        seconds = time.perf_counter() - start
    print("| frames | mobile ions | framework | stride | seconds | peak MiB | peak before MiB | D* (cm2/s) |")
    print("|---|---|---|---|---|---|---|---|")
    print(
        f"| {arguments.frames} | {arguments.ions} | {arguments.framework} | {result.frame_stride} | {seconds:.1f} "
        f"| {peak_MiB():.0f} | {before:.0f} | {result.tracer_diffusivity_cm2_s:.3e} |"
    )


if __name__ == "__main__":
    main()
