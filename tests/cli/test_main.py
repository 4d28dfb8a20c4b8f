"""Every command explains itself, quickly, and fails in one line."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from aiida_ion.cli.main import COMMANDS, cli
from aiida_ion.cli.run import SECTIONS
from tests.cli.conftest import Invoke, only_line

ALL = [[name] for name in COMMANDS] + [["engine", sub] for sub in ("install", "add", "list", "test")]


@pytest.mark.parametrize("command", [[], *ALL], ids=" ".join)
def test_every_command_shows_an_example(command: list[str]) -> None:
    result = CliRunner().invoke(cli, [*command, "--help"])
    assert result.exit_code == 0
    assert "Example:" in result.output
    assert "aiida-ion" in result.output.split("Example:")[1]


def test_every_option_of_run_is_under_one_heading() -> None:
    output = CliRunner().invoke(cli, ["run", "--help"]).output
    assert "What to run:" in output and "Other:" not in output
    placed = [name for names in SECTIONS.values() for name in names]
    assert len(placed) == len(set(placed))
    assert all(output.count(f"\n  {name} ") + output.count(f" {name} ") >= 1 for name in placed)


def test_help_does_not_import_aiida() -> None:
    program = "import sys\nfrom click.testing import CliRunner\nfrom aiida_ion.cli.main import cli\n"
    for command in ([], *ALL):
        program += f"assert CliRunner().invoke(cli, {[*command, '--help']}).exit_code == 0\n"
    program += "print(sorted(n for n in ('aiida', 'numpy', 'pandas', 'ase', 'pymatgen') if n in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "command",
    [
        ["engine", "list"],
        ["engine", "test", "toy"],
        ["run", "x.cif", "--engine", "toy"],
        ["status"],
        ["show", "1"],
        ["table"],
        ["import", "x", "--timestep-fs", "1", "--sample-every", "1", "--temperature-K", "1", "--level-of-theory", "x"],
    ],
    ids=lambda words: words[0],
)
def test_a_profile_that_is_not_there_is_one_line(invoke: Invoke, command: list[str]) -> None:
    line = only_line(invoke(*command, "-p", "absent", code=1))
    assert line == (
        "Error: there is no profile 'absent'; make it with 'aiida-ion setup --profile-name absent', or name one with -p"
    )


def test_an_unknown_command_is_a_usage_error(invoke: Invoke) -> None:
    assert "No such command" in invoke("dance", code=2).stderr


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--job-options", "[1]", "must be an object"),
        ("--job-options", "{", "not JSON"),
    ],
)
def test_texts_that_are_no_json_are_usage_errors(invoke: Invoke, option: str, value: str, words: str) -> None:
    assert words in invoke("run", "x.cif", "--engine", "toy", option, value, code=2).stderr


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--temperatures", "800,hot", 'each once, got "hot"'),
        ("--supercell", "2,2", "a list of 3 whole numbers from 1 to 100, got [2, 2]"),
        ("--charges", "Li", 'must be of the form Li=1,N=-3, got "Li"'),
        ("--charges", "Li=1,Li=2", "must name Li once"),
        ("--time-ps", "inf", "above 0 and at most 1,000,000 ps, got Infinity"),
    ],
)
def test_a_value_that_cannot_be_used_is_one_line(invoke: Invoke, option: str, value: str, words: str) -> None:
    output = invoke("run", "x.cif", "--engine", "toy", option, value, code=1).stderr
    assert output.startswith(f"Error: {option} ") and words in output and len(output.splitlines()) == 1
