"""The barrier of one hop: relaxed ends, then the mid-point or a band, then a verdict on what came out."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ase import Atoms

from aiida_ion.runners.migration.band import Band, relax_band
from aiida_ion.runners.migration.midpoint import MidPoint, relax_midpoint
from aiida_ion.runners.migration.relaxing import (
    HopError,
    OutOfTimeError,
    Stop,
    check_end,
    check_ends,
    check_straight_path,
    max_force_eV_A,
    relax,
)
from aiida_ion.runners.migration.shared import Counter, ImageCalculator, frozen
from aiida_ion.runners.output import RunnerError, is_out_of_memory
from aiida_ion.settings.migration import HopSettings


@dataclass
class HopResult:
    """What is known of a hop.

    :param verdict: ``converged``, or why there is no barrier to use: ``end_points_identical``, ``fell_back``,
        ``wrong_image``, ``framework_moved``, ``not_converged``, ``not_a_saddle``, ``not_finite``, ``failed``.
    :param message: one sentence.
    :param path: ``midpoint`` or ``band``; None where neither was reached.
    :param images: with energies, the ends first and last; only the ends where nothing else was reached.
    :param values: the rest of the record: energies, barriers, forces, what was tried.
    """

    verdict: str
    message: str
    path: str | None = None
    images: list[Atoms] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """Return everything as plain data; positions in angstrom, energies in eV."""
        content = {"verdict": self.verdict, "message": self.message, "path": self.path, **self.values}
        if self.images:
            content["numbers"] = self.images[0].numbers.tolist()
            content["cell"] = self.images[0].cell.array.tolist()
            content["images"] = [image.positions.tolist() for image in self.images]
        return content


def compute_hop(
    start: Atoms,
    end: Atoms,
    moving: int,
    is_symmetric: bool,
    potential: object,
    settings: HopSettings,
    stop: Stop | None = None,
) -> HopResult:
    """Return the barrier of a hop; what goes wrong is in the verdict.

    :param start, end: the ends, not relaxed: the same atoms in the same order, each at its nearest image.
    :param moving: index of the ion.
    :param is_symmetric: whether an operation of the crystal without the ion exchanges the ends.
    :param potential: the calculator of the potential.
    :raises RunnerError: where memory runs out.
    :raises OutOfTimeError: at the end of the wall time.
    """
    counter, begin = Counter(), (time.monotonic(), time.process_time())
    work = _Work(start, end, moving, potential, settings, counter, stop or Stop())
    try:
        result = work.run(is_symmetric and settings.path == "auto")
    except HopError as error:
        result = HopResult(error.verdict, error.message, None, work.relaxed)
    except (RunnerError, OutOfTimeError):
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        result = HopResult("failed", f"The potential failed ({type(error).__name__}: {error}).", None, work.relaxed)
    result.values = {**work.values, **result.values}
    result.values |= {
        "calls": counter.calls,
        "wall_time_s": time.monotonic() - begin[0],
        "cpu_time_s": time.process_time() - begin[1],
        "length_A": float(np.linalg.norm(end.positions[moving] - start.positions[moving])),
        "n_atoms": len(start),
        "moving": int(moving),
    }
    return result


@dataclass
class _Work:
    start: Atoms
    end: Atoms
    moving: int
    potential: object
    settings: HopSettings
    counter: Counter
    stop: Stop
    relaxed: list[Atoms] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    def run(self, is_symmetric: bool) -> HopResult:
        """Compute the hop."""
        check_straight_path(self.start, self.end, self.moving, self.settings)
        first = self._relaxed_end(self.start, "first")
        if is_symmetric:
            hop = self.end.positions[self.moving] - self.start.positions[self.moving]
            check_end("first", self.start, first, hop, self.moving, self.settings)
            middle = self._midpoint(first)
            if not middle.problem:
                return self._from_midpoint(first, middle)
        second = self._relaxed_end(self.end, "second")
        check_ends((self.start, self.end), (first, second), self.moving, self.settings)
        return self._from_band(relax_band(first, second, self.moving, *self._tools()))

    def _tools(self) -> tuple[object, Counter, HopSettings, Stop]:
        return self.potential, self.counter, self.settings, self.stop

    def _relaxed_end(self, atoms: Atoms, name: str) -> Atoms:
        relaxed = atoms.copy()
        relaxed.calc = ImageCalculator(self.potential, self.counter)
        before = self.counter.calls
        is_relaxed = relax(relaxed, self.moving, self.settings, self.stop)
        self.values[f"calls_{name}_end"] = self.counter.calls - before
        end = frozen(relaxed)
        self.relaxed.append(end)
        if not is_relaxed:
            force = max_force_eV_A(relaxed)
            raise HopError("not_converged", f"The {name} end still has a force of {force:.3f} eV/angstrom.")
        return end

    def _midpoint(self, first: Atoms) -> MidPoint:
        before = self.counter.calls
        middle = relax_midpoint(self.start, self.end, self.moving, *self._tools())
        self.values |= {
            "calls_midpoint": self.counter.calls - before,
            "residual_eV_A": middle.residual_eV_A,
            "midpoint_curvature_eV_A2": middle.curvature_eV_A2,
        }
        if not middle.problem and middle.atoms.get_potential_energy() <= first.get_potential_energy():
            middle = MidPoint(middle.atoms, middle.residual_eV_A, middle.curvature_eV_A2, "it is below the end")
        if middle.problem:
            self.values["midpoint_refused"] = middle.problem
        return middle

    def _from_midpoint(self, first: Atoms, middle: MidPoint) -> HopResult:
        energies = [float(image.get_potential_energy()) for image in (first, middle.atoms)]
        forces = np.linalg.norm(middle.atoms.get_forces(apply_constraint=False), axis=1)
        values = {
            # The end that was not relaxed is the image of the other one under the operation.
            **_barriers(energies[0], energies[0], energies[1]),
            "energies_eV": energies,
            "climbing": 1,
            "max_force_eV_A": float(forces.max()),
            "curvature_eV_A2": middle.curvature_eV_A2,
            "n_maxima": 1,
        }
        message = "The mid-point between equivalent ends is the saddle."
        return HopResult("converged", message, "midpoint", [first, middle.atoms], values)

    def _from_band(self, band: Band) -> HopResult:
        energies = [float(energy) for energy in band.energies_eV]
        values = {
            **_barriers(energies[0], energies[-1], max(energies)),
            "energies_eV": energies,
            "climbing": band.climbing,
            "max_force_eV_A": band.max_force_eV_A,
            "curvature_eV_A2": band.curvature_eV_A2,
            "n_maxima": band.n_maxima,
            "optimizer": band.optimizer,
            "n_steps": band.n_steps,
        }
        verdict, message = _verdict(band, self.settings)
        return HopResult(verdict, message, "band", band.images, values)


def _barriers(first_eV: float, second_eV: float, saddle_eV: float) -> dict[str, float]:
    return {
        "start_eV": first_eV,
        "end_eV": second_eV,
        "saddle_eV": saddle_eV,
        "forward_eV": saddle_eV - first_eV,
        "reverse_eV": saddle_eV - second_eV,
    }


def _verdict(band: Band, settings: HopSettings) -> tuple[str, str]:
    if not band.is_converged:
        message = (
            f"The force on the band is still {band.max_force_eV_A:.3f} eV/angstrom after {band.n_steps} steps, "
            f"above {settings.max_force_eV_A:g}."
        )
        return "not_converged", message
    if band.curvature_eV_A2 is None:
        return "not_a_saddle", "An end is the highest image: it holds no ion, or the band has too few images."
    if not band.curvature_eV_A2 < 0:
        return "not_a_saddle", "The climbing image is not a maximum along the band."
    intermediate = "" if band.n_maxima < 2 else f" The path has {band.n_maxima} maxima: there are sites between."
    return "converged", f"The band converged after {band.n_steps} steps.{intermediate}"
