"""Options of the command line that are fields of a request, with rule, range and help from there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from aiida_ion.campaigns.request import RunRequest
from aiida_ion.cli.options import Command, JsonObject, setting
from aiida_ion.engines.requests import JobRequest
from aiida_ion.settings.rules import Flag, Json
from aiida_ion.settings.schema import rules_of
from aiida_ion.workchains.md.requests import EngineRequest

_RULES = {name: rule for kind in (RunRequest, EngineRequest, JobRequest) for name, rule in rules_of(kind).items()}
_OF_ENGINE = "  [default: the engine's]"
#: Field -> end of its help: an example, or a default that the rule does not know.
_ALSO = {
    "temperatures_K": ", such as 800,900,1000",
    "seeds": ", such as 1,2,3",
    "target_relative_error": ", such as 0.2: extend runs until it is reached",
    "target_quantity": "  [default: tracer_diffusivity]",
    "supercell": ", such as 2,2,2",
    "mobile_species": "  [default: guessed]",
    "framework_species": ", such as P,S  [default: all other elements]",
    "charges": ", such as Li=1,N=-3  [default: guessed]",
    "keep": ", such as velocities,forces",
    "max_concurrent": " of one crystal  [default: the cores here]",
    "max_crystals": "  [default: what keeps the computer busy]",
    "fit_code": ", such as kinisi@cluster  [default: on the engine's computer if it has one, else here]",
    "kpoints": f", such as 2,2,2{_OF_ENGINE}",
    "processes": _OF_ENGINE,
    "threads": _OF_ENGINE,
    "walltime_s": "; the next job continues",
    "job_options": ', such as {"queue_name": "gpu"}',
    "reference": "  [default: the first with DFT]",
    "max_force_frames": "  [default: 100]",
    "orderings": "  [default: 8; 1 where mobile ions alone are disordered]",
    "ordering_settings": ', such as {"max_atoms": 400}',
}


def of_request(
    option: str, field: str | None = None, also: str | None = None, **more: Any
) -> Callable[[Command], Command]:
    """Return an option for a field of a request, whose value the command gets under the name of the field.

    :param option: such as ``--timestep-fs``.
    :param field: its field, if that has another name.
    :param also: end of the help, instead of the one of the field.
    :param more: other arguments of `click.option`; `help` instead of that of the rule.
    """
    name = field or option.removeprefix("--").replace("-", "_")
    rule, also = _RULES[name], _ALSO.get(name, "") if also is None else also
    if isinstance(rule, Flag):
        return click.option(option, name, is_flag=True, help=rule.help, **more)
    if isinstance(rule, Json):
        return click.option(option, name, type=JsonObject(), help=f"{rule.help}{also}.", **more)
    return setting(rule, option, name, also=also, **more)


def no_relax(command: Command) -> Command:
    """Add ``--no-relax`` to a command, as ``relax_ions``: false, or ``None`` for the value of the protocol."""

    def opposite(context: click.Context, parameter: click.Parameter, value: bool) -> bool | None:
        del context, parameter
        return False if value else None

    return click.option("--no-relax", "relax_ions", is_flag=True, callback=opposite, help="Do not relax the ions.")(
        command
    )
