"""Export of fits in the database to H5MD: one file for each run, with the results of the fit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from aiida import orm

from aiida_ion.analysis.comparison.radial_distribution import radial_distribution
from aiida_ion.archives.h5md import NOMAD, PLAIN, About, ExportedFrames, Motion, write_h5md
from aiida_ion.archives.selection import choose
from aiida_ion.archives.sizes import files_size
from aiida_ion.batch_runs import inputs_of_run, outputs_of_run
from aiida_ion.units import FS_PER_PS
from aiida_ion.verdicts import MOVED, verdict_of

FIT = "aiida.calculations:ion.diffusion"
PREFIX = "trajectories__"
#: Names of our arrays in H5MD.
VECTORS = {"positions": "position", "velocities": "velocity", "forces": "force"}
THERMOSTATS = {"csvr": "velocity_rescaling", "nose_hoover": "nose_hoover"}
#: Entries of a job's versions that name the program rather than its dependencies.
PROGRAMS = ("lammps", "pw.x", "vasp", "sevenn", "mace-torch", "chgnet", "ase")


class Run(NamedTuple):
    """One replica of a fit: a file.

    :param temperature_K: target of the thermostat.
    """

    fit: orm.CalcJobNode
    replica: str
    temperature_K: float | None
    formula: str


def runs(names: Sequence[str]) -> list[Run]:
    """Return the replicas of fits, in order of temperature: one for each file.

    :param names: groups, PKs and UUIDs; a conductivity includes all its fits.
    :raises ValueError: if there are no fits among them.
    """
    choice = choose(names)
    query = orm.QueryBuilder()
    query.append(orm.CalcJobNode, filters={"process_type": FIT, "id": {"in": choice.pks}}, project="*", tag="fit")
    columns = ["attributes.target_temperature_K", "attributes.formula"]
    query.append(orm.ArrayData, with_incoming="fit", edge_filters={"label": "diffusion"}, project=columns)
    fitted = [
        Run(fit, replica, kelvin, str(formula or ""))
        for fit, kelvin, formula in sorted(query.all(), key=lambda row: (row[1] or 0.0, row[0].pk))
        for replica in sorted({name for name, _ in _segments(fit)})
    ]
    if not fitted:
        raise ValueError("none of these was fitted: name a diffusion or conductivity node, or a group of them")
    return fitted


def runs_size(chosen: Sequence[Run]) -> int:
    """Return the stored size of the trajectories of some runs, bytes."""
    nodes = [node for run in chosen for name, node in _segments(run.fit) if name == run.replica]
    return files_size(frozenset(node.pk for node in nodes if node.pk is not None))


def file_names(chosen: Sequence[Run], path: Path) -> list[Path]:
    """Return ``path`` for one run, else names in the same folder: ``li3n-0800K.h5``.

    The formula is part of the names if there are several, the replica if a fit has several, and a number if runs are
    still not told apart, such as those at two levels of theory.
    """
    if len(chosen) == 1:
        return [path]
    several = len({run.formula for run in chosen}) > 1
    replicas = Counter(run.fit.pk for run in chosen)
    stems = []
    for run in chosen:
        parts = [path.stem, re.sub(r"[^\w.-]+", "_", run.formula) if several else "", kelvin_text(run.temperature_K)]
        parts.append(run.replica.replace("_", "-") if replicas[run.fit.pk] > 1 else "")
        stems.append("-".join(part for part in parts if part))
    repeated, seen = Counter(stems), Counter[str]()
    names = []
    for stem in stems:
        names.append(
            path.with_name(f"{stem}-{seen[stem]:03d}{path.suffix}" if repeated[stem] > 1 else f"{stem}{path.suffix}")
        )
        seen[stem] += 1
    return names


def kelvin_text(temperature_K: float | None) -> str:
    """Return a temperature as part of a file's name, so that names sort by it: ``0800K``, ``0298.15K``."""
    if temperature_K is None:
        return ""
    whole, _, rest = f"{temperature_K:.2f}".rstrip("0").partition(".")
    return f"{whole:0>4}{f'.{rest}' if rest else ''}K"


def export_runs(
    chosen: Sequence[Run],
    path: Path,
    max_frames: int | None = None,
    trajectory_only: bool = False,
    dialect: str = PLAIN,
) -> Iterator[Path]:
    """Write the files of :func:`file_names` and yield each name when the file is complete.

    :param max_frames: thin each run evenly to at most this many frames; averages use the remaining ones.
    :param trajectory_only: write only positions and cells.
    :param dialect: `PLAIN`, or `NOMAD` with radial distributions, mean squared displacements and diffusivities.
    :raises ValueError: if the frames were left out of the archive.
    """
    for run, target in zip(chosen, file_names(chosen, path), strict=True):
        _export_run(run, target, max_frames, trajectory_only, dialect)
        yield target


def _export_run(run: Run, path: Path, max_frames: int | None, trajectory_only: bool, dialect: str) -> None:
    segments = [node for name, node in _segments(run.fit) if name == run.replica]
    frames = joined_frames(segments, float(run.fit.inputs.parameters.get("equilibration_fs", 0.0)), max_frames)
    result = run.fit.outputs.diffusion
    about = _about(result, segments, frames)
    if trajectory_only:
        frames = replace(frames, vectors={"position": frames.vectors["position"]})
    if trajectory_only or dialect != NOMAD:
        write_h5md(path, frames, about, dialect=dialect)
        return
    rdf = radial_distribution(frames.vectors["position"][frames.first :], frames.cells[frames.first :], frames.symbols)
    write_h5md(path, frames, about, rdf, _motion(result), dialect)


def _segments(fit: orm.CalcJobNode) -> list[tuple[str, orm.TrajectoryData]]:
    """Return replica and node of the segments of a fit, in order of time."""
    links = sorted(fit.base.links.get_incoming(node_class=orm.TrajectoryData).all(), key=lambda link: link.link_label)
    nodes: list[Any] = [link.node for link in links]
    names = [link.link_label.removeprefix(PREFIX).partition("_segment_")[0] for link in links]
    return list(zip(names, nodes, strict=True))


def joined_frames(
    segments: Sequence[orm.TrajectoryData], equilibration_fs: float, max_frames: int | None
) -> ExportedFrames:
    """Join the segments of a run; shared frames are kept once.

    :raises ValueError: if a segment has no frames in this database.
    """
    try:
        parts = [{name: node.get_array(name) for name in node.get_arraynames()} for node in segments]
        steps = np.concatenate([part["steps"] for part in parts])
    except (KeyError, OSError) as error:
        raise ValueError("the frames of this run are not here: it was exported without trajectories") from error
    kept = np.flatnonzero(np.diff(np.maximum.accumulate(steps), prepend=-1) > 0)
    if max_frames is not None and len(kept) > max_frames:
        kept = kept[:: -(-len(kept) // max_frames)]
    joined = {name: np.concatenate([part[name] for part in parts])[kept] for name in ("times", "cells")}
    shared = [name for name in VECTORS if all(name in part for part in parts)]
    times_ps = joined["times"]
    first = int(np.searchsorted(times_ps, times_ps[0] + equilibration_fs / FS_PER_PS - 1e-9))
    return ExportedFrames(
        symbols=list(segments[0].base.attributes.get("symbols")),
        steps=steps[kept],
        times_ps=times_ps,
        cells=joined["cells"],
        vectors={VECTORS[name]: np.concatenate([part[name] for part in parts])[kept] for name in shared},
        first=min(first, len(kept) - 1),
    )


def _motion(result: orm.ArrayData) -> Motion | None:
    """Return the motion of a fit, None without a mean squared displacement."""
    names = ("lag_times_ps", "msd_A2", "msd_std_A2")
    if not set(names) <= set(result.get_arraynames()):
        return None
    attributes = result.base.attributes.all
    moved = verdict_of(attributes) == MOVED and attributes.get("tracer_diffusivity_cm2_s") is not None
    value = (
        (attributes["tracer_diffusivity_cm2_s"], attributes.get("tracer_diffusivity_std_cm2_s") or 0.0)
        if moved
        else None
    )
    lag_times_ps, msd_A2, msd_std_A2 = (result.get_array(name) for name in names)
    return Motion(
        attributes["mobile_species"], lag_times_ps, msd_A2, msd_std_A2, value, int(attributes.get("n_replicas") or 1)
    )


def _about(result: orm.ArrayData, segments: Sequence[orm.TrajectoryData], frames: ExportedFrames) -> About:
    attributes = result.base.attributes.all
    inputs, outputs = inputs_of_run(segments[0]), outputs_of_run(segments[0])
    known = inputs["parameters"].get_dict() if "parameters" in inputs else {}
    versions = outputs["versions"].get_dict() if "versions" in outputs else {}
    program = next((name for name in PROGRAMS if name in versions), None)
    level = str(attributes.get("level_of_theory") or "unknown")
    origin = {"diffusion_uuid": result.uuid, "formula": str(attributes.get("formula")), "level_of_theory": level}
    origin |= {f"trajectory_{number:03d}_uuid": node.uuid for number, node in enumerate(segments)}
    user = result.user
    return About(
        author=f"{user.first_name} {user.last_name}".strip() or "unknown",
        program=(program or level, str(versions.get(program, "unknown"))),
        charges_e=attributes.get("charges") or {},
        dynamics=_dynamics(known, attributes, frames),
        origin=origin,
    )


def _dynamics(known: dict[str, Any], attributes: dict[str, Any], frames: ExportedFrames) -> dict[str, Any]:
    """Return the settings of a run in NOMAD's terms; for an imported run only its temperature."""
    thermostat: dict[str, Any] = {"reference_temperature": (float(attributes["target_temperature_K"]), "kelvin")}
    if "timestep_fs" not in known:
        return {"thermostat_parameters": thermostat}
    if known.get("thermostat_time_fs"):
        thermostat["coupling_constant"] = (known["thermostat_time_fs"] / FS_PER_PS, "ps")
    ensemble = str(known.get("ensemble", "nvt"))
    if ensemble == "nve":
        thermostat = {}
    else:
        thermostat["thermostat_type"] = THERMOSTATS.get(str(known.get("thermostat", "csvr")))
    return {
        "thermodynamic_ensemble": ensemble.upper(),
        "integrator_type": "velocity_verlet",
        "integration_timestep": (known["timestep_fs"] / FS_PER_PS, "ps"),
        "n_steps": known.get("n_steps"),
        "coordinate_save_frequency": int(frames.steps[1] - frames.steps[0]) if len(frames.steps) > 1 else None,
        "thermostat_parameters": thermostat,
    }
