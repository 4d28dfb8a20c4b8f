"""What a user asks of an engine: when it is added, and for one run. Knows no AiiDA, so that help can read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar

from aiida_ion.settings.lists import Many
from aiida_ion.settings.md import DEVICE
from aiida_ion.settings.rules import Flag, Number, Word
from aiida_ion.settings.schema import Settings, setting

#: K-points along the three vectors of a cell.
MESH = Many(item=Number(least=1, most=100, whole=True), length=3)


@dataclass(frozen=True)
class EngineRequest(Settings):
    """What one run changes about its engine; ``None`` is the engine's own.

    Which engine reads which is its `run_options`.

    :param potential: LAMMPS: name of a published potential, or the path of a YAML file with commands.
    :param model: ASE engines: another model than the engine's own.
    :param device: ASE engines: where forces are computed, such as ``cuda:0``.
    :param kpoints: pw.x, VASP: mesh of the supercell.
    :param no_watch: trained potentials: run on where a pair is closer than in the frames that they were trained on.
    """

    what: ClassVar[str] = "engine option"

    potential: str | None = setting(
        Word(optional=True, help="LAMMPS: name of a published potential, or a YAML file with commands"), None
    )
    model: str | None = setting(Word(optional=True, help="ASE engines: another model than the engine's own"), None)
    device: str | None = setting(replace(DEVICE, optional=True), None)
    kpoints: Sequence[int] | None = setting(
        replace(MESH, optional=True, help="pw.x, VASP: mesh of the supercell"), None
    )
    no_watch: bool = setting(
        Flag(help="Trained potentials: do not stop runs that leave the frames that they were trained on."), False
    )


@dataclass(frozen=True)
class EngineSetup:
    """What an engine is told when it is added, beside its program; ``None`` and empty are its own defaults.

    Which engine reads which is its `add_options`.

    :param potential: ASE: name of the potential. LAMMPS: a published one, or the path of a YAML file with commands.
    :param model: ASE: a published model, or ``package.module:Class`` for the potential ``import``.
    :param checkpoint: ASE: file of weights.
    :param trust_checkpoint: whether its files of weights may run code when they are loaded.
    :param kwargs: ASE: further arguments of the calculator.
    :param device: ASE: where forces are computed.
    :param dtype: ASE: ``float32`` or ``float64``.
    :param pseudos: pw.x: a family, a folder of UPF files, or files.
    :param ecutwfc_Ry: pw.x: cut-off of the wave functions, Ry.
    :param ecutrho_Ry: pw.x: cut-off of the charge density, Ry.
    :param kpoints: pw.x, VASP: mesh.
    :param shift_kpoints: pw.x: whether meshes are shifted by half a step off the Gamma point.
    :param pools: pw.x: pools of k-points.
    :param potcars: VASP: family of POTCARs.
    :param potcar_map: VASP: potential of each element, such as ``{"Li": "Li_sv"}``.
    :param settings: pw.x, VASP: YAML file of namelists or INCAR tags.
    :param inputs: arguments of `engine_inputs`, of an engine of another package.
    """

    potential: str | None = None
    model: str | None = None
    checkpoint: Path | None = None
    trust_checkpoint: bool = False
    kwargs: Mapping[str, Any] | None = None
    device: str | None = None
    dtype: str | None = None
    pseudos: Sequence[str] = ()
    ecutwfc_Ry: float | None = None
    ecutrho_Ry: float | None = None
    kpoints: Sequence[int] | None = None
    shift_kpoints: bool = False
    pools: int | None = None
    potcars: str | None = None
    potcar_map: Mapping[str, str] | None = None
    settings: str | Path | None = None
    inputs: Mapping[str, Any] | None = None


def changed_fields(request: EngineRequest | EngineSetup) -> dict[str, Any]:
    """Return the fields of a request that differ from their defaults."""
    values = {item.name: (getattr(request, item.name), item.default) for item in fields(request)}
    return {name: value for name, (value, default) in values.items() if value != default}


def without_watch(choices: Mapping[str, Any]) -> dict[str, Any]:
    """Return the choices of an engine for a run that is not watched."""
    return {name: value for name, value in choices.items() if name != "watch"}
