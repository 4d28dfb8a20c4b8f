"""A sample of the bad inputs of ``benchmarks/hostile``: each ends in one clear sentence, and nothing is stored."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.hostile.hostile_input import HostileInput

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "hostile.py"
#: The package of the same name lies in front of the program.
SPEC = importlib.util.spec_from_file_location("hostile_program", PROGRAM)
assert SPEC is not None and SPEC.loader is not None
PROGRAM_MODULE: Any = importlib.util.module_from_spec(SPEC)
sys.modules["hostile_program"] = PROGRAM_MODULE
SPEC.loader.exec_module(PROGRAM_MODULE)
#: Of the commands one in this many; what needs no command is tried whole.
ONE_IN = 12
COMMANDS = ("options", "overrides", "engines", "nodes", "outputs")


@pytest.fixture
def world(aiida_profile_clean: object, aiida_localhost: object, tmp_path: Path) -> Path:
    """Store what the inputs name, and return a folder for files."""
    PROGRAM_MODULE.make_world(tmp_path)
    return tmp_path


def offenders(inputs: list[HostileInput]) -> list[tuple[str, str, str]]:
    judged = [(one.name, *PROGRAM_MODULE.judge(one)) for one in inputs]
    return [item for item in judged if item[1] not in ("clear", "word")]


@pytest.mark.parametrize("subject", COMMANDS)
def test_a_bad_command_is_one_clear_sentence(world: Path, subject: str) -> None:
    result = PROGRAM_MODULE.inputs_of(subject, world / subject)
    assert offenders(result[::ONE_IN]) == []


def test_bad_settings_of_ports_are_one_clear_sentence(world: Path) -> None:
    assert offenders(PROGRAM_MODULE.inputs_of("settings", world / "settings")) == []


def test_there_are_as_many_as_are_promised(world: Path) -> None:
    subjects = (*COMMANDS, "settings")
    assert sum(len(PROGRAM_MODULE.inputs_of(name, world / name)) for name in subjects) >= 250


def test_what_is_not_clear_is_found() -> None:
    def crash() -> None:
        raise KeyError("x")

    def murmur() -> None:
        raise ValueError("invalid literal for int() with base 10")

    for call, verdict in ((crash, "traceback"), (murmur, "unclear"), (lambda: None, "silent")):
        assert PROGRAM_MODULE.call(HostileInput("x", call, "."))[0] in (0, 1)
        assert PROGRAM_MODULE.verdict_of(HostileInput("x", call, "."))[0] == verdict
