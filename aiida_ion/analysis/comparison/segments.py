"""What a comparison reads of the segments of two levels of theory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True)
class ComparedSegment:
    """One segment of a run.

    :param symbols: element of each of N atoms.
    :param temperature_K: target temperature; ``None`` where it is not stated.
    :param seed: what tells the runs of one temperature apart.
    :param arrays: ``positions`` (n, N, 3) and ``cells`` (n, 3, 3), angstrom, ``times`` (n,), ps, and ``steps`` (n,);
        where the run kept them ``velocities`` (n, N, 3), angstrom/fs, and ``forces`` (n, N, 3), eV/angstrom. May be
        memory-mapped.
    """

    symbols: list[str]
    temperature_K: float | None
    seed: Any
    arrays: Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class EvaluatedForces:
    """Forces of a level of theory on n frames of the reference's segments.

    :param segments: names of the segments.
    :param symbols: element of each of N atoms; ``None`` where it is not stated.
    :param arrays: ``forces`` (n, N, 3), eV/angstrom; ``segment`` (n,), an index into ``segments``; ``frames`` (n,),
        the index of the frame there, and ``steps`` (n,); where they are known ``energies`` (n,), eV.
    """

    segments: list[str]
    symbols: list[str] | None
    arrays: Mapping[str, NDArray[Any]]


#: Segments of a level of theory by name.
Segments = Mapping[str, ComparedSegment]
#: ``steps`` (n,) and ``potential_energy`` (n,), eV, of each segment of the reference, under its name.
Thermo = Mapping[str, Mapping[str, NDArray[Any]]]


def distinct_symbols(segments: Sequence[ComparedSegment]) -> list[list[str]]:
    """Return the different lists of elements that segments have."""
    results: list[list[str]] = []
    for segment in segments:
        if segment.symbols not in results:
            results.append(segment.symbols)
    return results
