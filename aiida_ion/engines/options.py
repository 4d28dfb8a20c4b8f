"""Job options from the user, checked against what AiiDA's jobs and the computer's scheduler accept."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiida import orm
from aiida.plugins import CalculationFactory

from aiida_ion.settings.rules import Flag, Lines, Number, Rule, Word
from aiida_ion.settings.schema import refuse_unknown
from aiida_ion.settings.values import SettingsError, shown

#: Type of an option -> its rule. Times, memory and counts are never zero.
_RULES: tuple[tuple[type, Rule], ...] = (
    (bool, Flag()),
    (int, Number(least=1, most=2**53, whole=True)),
    (str, Lines()),
)
#: Device files of GPU drivers.
CUDA_FILES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/nvhost-gpu")
#: Options that no job of this package accepts: its parser depends on them.
_OURS = ("parser_name", "input_filename", "output_filename", "submit_script_filename", "additional_retrieve_list")


def check_job_options(options: Mapping[str, Any], job: str, computer: orm.Computer) -> None:
    """Refuse options that a job or the scheduler of its computer does not accept.

    :param options: the user's own part of ``metadata.options``.
    :param job: entry point of the job.
    :param computer: where it runs.
    :raises SettingsError: with the option, and what it may be.
    """
    process: Any = CalculationFactory(job)
    ports = process.spec().inputs["metadata"]["options"]
    refuse_unknown(options, set(ports) - set(_OURS), "job option")
    for name, value in options.items():
        if name == "resources":
            _check_resources(value, computer)
        else:
            _check_type(f"job option {name}", value, ports[name].valid_type)


def check_resources(resources: Mapping[str, Any], computer: orm.Computer) -> None:
    """Refuse the resources of a job if the scheduler of a computer does not accept them.

    :raises SettingsError: saying which.
    """
    scheduler = computer.get_scheduler()
    whole = dict(resources)
    try:
        # As AiiDA does before it asks the scheduler: the computer's default number of processes is filled in.
        scheduler.preprocess_resources(whole, computer.get_default_mpiprocs_per_machine())
        scheduler.validate_resources(**whole)
    except (TypeError, ValueError) as error:
        text = str(error).replace("`", "").rstrip(".")
        raise SettingsError(f"resources do not suit the scheduler of {computer.label}: {text}") from error


def check_device(device: str | None, computer: orm.Computer) -> None:
    """Refuse a device that this machine does not have; on another one its job finds out.

    :raises SettingsError: naming the device.
    """
    if computer.label != "localhost" or device is None:
        return
    no_cuda = device.startswith("cuda") and not any(Path(one).exists() for one in CUDA_FILES)
    if no_cuda or (device == "mps" and sys.platform != "darwin"):
        raise SettingsError(f"this machine has no device {device}: choose cpu, or an engine on another computer")


def _check_resources(resources: Any, computer: orm.Computer) -> None:
    """Refuse what is not a resource of the computer's scheduler, or not a count."""
    if not isinstance(resources, Mapping):
        raise SettingsError(f"job option resources must be a mapping, got {shown(resources)}")
    kind = computer.get_scheduler().job_resource_class
    refuse_unknown(resources, kind.get_valid_keys(), "resource")
    for name, value in resources.items():
        rule: Rule = Word() if name == "parallel_env" else Number(least=1, most=10**6, whole=True)
        rule.read(value, f"job option resources: {name}")


def _check_type(name: str, value: Any, valid_type: Any) -> None:
    """Refuse a value that is not of the type of an option."""
    types = valid_type if isinstance(valid_type, tuple) else (valid_type,)
    rules = [rule for kind, rule in _RULES if kind in types]
    if rules:
        rules[0].read(value, name)
    elif types != (None,) and not isinstance(value, types):
        words = "a mapping" if dict in types else "a list"
        raise SettingsError(f"{name} must be {words}, got {shown(value)}")
