"""The input ``watch`` of jobs of molecular dynamics: how close a run of a trained potential may come."""

from __future__ import annotations

from typing import Any

from aiida import orm

from aiida_ion.settings.schema import summary
from aiida_ion.settings.values import SettingsError
from aiida_ion.settings.watch import RunWatch


def define_watch_port(spec: Any) -> None:
    """Declare what is watched while a trained potential runs, and the exit code of a run that is stopped for it."""
    spec.input(
        "watch",
        valid_type=orm.Dict,
        required=False,
        validator=validate_watch,
        help="Closest distance (angstrom) of each pair of elements, looked at in each stored frame; a run with a "
        "closer pair has left the frames that its potential was trained on, and is stopped there. "
        f"{summary(RunWatch)}.",
    )
    spec.exit_code(
        411,
        "ERROR_LEFT_TRAINING_FRAMES",
        message="The run left the frames that its potential was trained on, and was stopped: {detail}",
    )


def validate_watch(value: orm.Dict | None, _: Any) -> str | None:
    """Return what is wrong with the bounds of a watched run; ``None`` if nothing is."""
    if value is None:
        return None
    try:
        RunWatch.from_dict(value.get_dict())
    except SettingsError as error:
        return str(error)
    return None


def watch_of(inputs: Any) -> orm.Dict | None:
    """Return the input ``watch`` of a job that has ended; ``None`` where it was not watched."""
    watch: orm.Dict | None = inputs.watch if "watch" in inputs else None
    return watch


def watched_pairs(inputs: Any, symbols: list[str]) -> dict[str, float]:
    """Return the bounds of a job, angstrom, of the pairs that its elements can form; empty where nothing is watched."""
    return RunWatch.from_dict(inputs.watch.get_dict()).pairs(symbols) if "watch" in inputs else {}
