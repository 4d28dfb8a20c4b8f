"""Every command of the pages parses."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from aiida_ion.campaigns.structures import NODE
from aiida_ion.cli.main import cli
from aiida_ion.cli.options import SettingType
from tests.docs.reading import DOCS, PAGES, REFERENCE, ROOT, commands, names, prose, section, tables


def resolve(root: click.Command, words: list[str]) -> tuple[click.Command, list[str], click.Context]:
    """Return the command that words name, and what is left of them."""
    context = click.Context(root, info_name=root.name)
    command = root
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        result = command.get_command(context, words[0])
        assert result is not None, f"{command.name} has no command {words[0]!r}"
        context = click.Context(result, parent=context, info_name=words[0])
        command, words = result, words[1:]
    return command, words, context


@pytest.fixture
def no_files_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let options name files that do not exist, and nodes such as DATASET."""
    convert = click.Path.convert

    def lenient(self: click.Path, value: Any, param: Any, ctx: Any) -> Any:
        # The type belongs to the command, which other tests use after this one.
        with monkeypatch.context() as only_now:
            only_now.setattr(self, "exists", False)
            return convert(self, value, param, ctx)

    monkeypatch.setattr(click.Path, "convert", lenient)
    read = SettingType.convert

    def any_node(self: SettingType, value: Any, param: Any, ctx: Any) -> Any:
        stands_for_one = isinstance(value, str) and value.isupper() and self.rule == NODE
        return value if stands_for_one else read(self, value, param, ctx)

    monkeypatch.setattr(SettingType, "convert", any_node)


@pytest.mark.usefixtures("no_files_needed")
@pytest.mark.parametrize(("where", "words"), [pytest.param(*entry, id=entry[0]) for entry in commands("aiida-ion")])
def test_commands_are_those_of_the_program(where: str, words: list[str]) -> None:
    command, rest, context = resolve(cli, words)
    try:
        command.make_context(context.info_name, rest, parent=context.parent)
    except click.ClickException as error:
        pytest.fail(f"{where}: aiida-ion {shlex.join(words)}: {error.format_message()}")


@pytest.mark.parametrize(("where", "words"), [pytest.param(*entry, id=entry[0]) for entry in commands("verdi")])
def test_commands_of_aiida_exist(where: str, words: list[str]) -> None:
    from aiida.cmdline.commands.cmd_verdi import verdi

    command, rest, context = resolve(verdi, words[2:] if words[0] == "-p" else words)
    known = {
        option for parameter in command.get_params(context) for option in (*parameter.opts, *parameter.secondary_opts)
    }
    unknown = [word for word in rest if word.startswith("--") and word != "--" and word not in known]
    assert not unknown, f"{where}: {command.name} has no {unknown}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_the_text_exist(page: Path) -> None:
    for matches in re.findall(r"`aiida-ion ([a-z]+(?: [a-z]+)?)", prose(page)):
        words = matches.split()
        command, _, _ = resolve(cli, words[:1])
        if isinstance(command, click.Group) and len(words) > 1:
            resolve(cli, words)


def leaf_commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every command that is not a group, with its words."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            result = command.get_command(context, name)
            assert result is not None
            yield from leaf_commands(result, f"{path} {name}")
    else:
        yield path, command


@pytest.mark.parametrize(("path", "command"), list(leaf_commands(cli, "aiida-ion")))
def test_the_reference_lists_every_option(path: str, command: click.Command) -> None:
    (rows,) = tables(section(REFERENCE / "cli.md", f"## `{path}`"))
    attributes = {tuple(names(row["option"])): row["default"] for row in rows}
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    assert set(attributes) == {tuple(option.opts) for option in options}
    for option in options:
        default = attributes[tuple(option.opts)]
        assert (default == "required") == option.required, option.name
        if not option.is_flag and isinstance(option.default, (str, int, float)) and option.default != "":
            assert default == str(option.default), option.name


def test_make_targets_exist() -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    shown = {word for _, words in commands("make") for word in words[:1]}
    told = {matches for page in PAGES for matches in re.findall(r"`make ([a-z-]+)`", prose(page))}
    assert {"demo", "test"} <= shown
    assert shown | told <= known


def test_benchmarks_named_exist_and_take_these_options() -> None:
    pages = (DOCS / "benchmarks.md", ROOT / "CONTRIBUTING.md")
    matches = [call for page in pages for call in re.findall(r"`python (benchmarks/\S+\.py)([^`]*)`", page.read_text())]
    assert matches
    for script, options in matches:
        text = (ROOT / script).read_text()
        if "from benchmarks.own_profile import" in text:  # which has the options of all that use it
            text += (ROOT / "benchmarks" / "own_profile.py").read_text()
        assert all(f'"{option}"' in text for option in re.findall(r"--[a-z-]+", options)), script
