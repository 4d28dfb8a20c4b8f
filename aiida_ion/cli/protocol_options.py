"""Options of the command line that are settings of a protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiida_ion.campaigns.overrides import OVERRIDES
from aiida_ion.cli.options import Command, setting
from aiida_ion.settings.md import TIME_PS
from aiida_ion.settings.rules import Number, Rule
from aiida_ion.workchains.protocols.rules import rule_at

#: Options in other units than the protocol has.
_OWN_UNITS: dict[str, Rule] = {
    "equilibration_ps": Number(
        least=0.0, most=TIME_PS["most"], unit="ps", help="Time at the start excluded from the analysis"
    )
}


def of_protocol(option: str, also: str = "", **more: Any) -> Callable[[Command], Command]:
    """Return an option for a setting of the protocol, judged by its rule.

    :param option: such as ``--timestep-fs``.
    :param also: added to its help.
    :param more: what else `click.option` takes.
    """
    name = option.removeprefix("--").replace("-", "_").lower()
    return setting(_OWN_UNITS.get(name) or rule_at(OVERRIDES[name]), option, also=also, **more)
