"""The documentation says what the code does: links, commands, entry points, exit codes, numbers, code blocks."""

from __future__ import annotations

import ast
import dataclasses
import re
import runpy
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
import yaml
from aiida import orm
from aiida.plugins import CalculationFactory, WorkflowFactory
from aiida.plugins.entry_point import get_entry_point_names, get_entry_points

from aiida_ion.analysis.diffusion_settings import DiffusionSettings
from aiida_ion.cli.main import cli
from aiida_ion.lammps.potentials import POTENTIALS, load_potential
from aiida_ion.md_settings import MdSettings
from aiida_ion.workchains.conductivity_parameters import ConductivityParameters
from aiida_ion.workchains.protocols import load_protocols, protocol_inputs

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
GROUPS = ("aiida.workflows", "aiida.calculations", "aiida.parsers")
SHELLS = ("console", "bash", "shell")
RUNNABLE = "<!-- runnable -->"
#: Ports that every process has from AiiDA, and that the page on ports leaves out.
INHERITED_INPUTS = {"metadata", "code", "monitors", "remote_folder", "clean_workdir", "handler_overrides"}
INHERITED_INPUTS |= {"on_unhandled_failure", "pause_on_max_iterations"}
INHERITED_OUTPUTS = {"remote_folder", "remote_stash", "retrieved"}


class Block(NamedTuple):
    """A fenced block: its page, first line, language, text, and whether it is marked as runnable."""

    page: Path
    line: int
    language: str
    text: str
    runnable: bool

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    """Return the fenced blocks of all pages in some languages."""
    found = []
    for page in PAGES:
        lines = page.read_text().splitlines()
        start, language = 0, None
        for number, line in enumerate(lines):
            if not line.lstrip().startswith("```"):
                continue
            if language is None:
                start, language = number, line.strip().removeprefix("```")
                continue
            if language in languages:
                marked = start > 0 and lines[start - 1].strip() == RUNNABLE
                text = "\n".join(lines[start + 1 : number]) + "\n"
                found.append(Block(page, start + 1, language, text, marked))
            language = None
    return found


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def commands(program: str) -> Iterator[tuple[str, list[str]]]:
    """Yield where a program is called in the shell blocks, and its arguments."""
    for block in blocks(*SHELLS):
        for line in block.text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] == program:
                yield block.where, words[1:]


def section(page: Path, heading: str) -> str:
    """Return the text below a heading up to the next of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    after = page.read_text().partition(f"\n{heading}\n")[2]
    assert after, f"{page.name} has no heading {heading!r}"
    return re.split(rf"^#{{1,{level}}} ", after, maxsplit=1, flags=re.MULTILINE)[0]


def tables(text: str) -> list[list[dict[str, str]]]:
    """Return the tables of a text: rows as mappings from heading to cell, back quotes taken off."""
    found = []
    for raw in re.findall(r"(?:^\|.*\n?)+", text, flags=re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in raw.strip().splitlines()]
        found.append([dict(zip(rows[0], row, strict=True)) for row in rows[2:]])
    return found


def names(cell: str) -> list[str]:
    """Return what stands in back quotes in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def slug(heading: str) -> str:
    """Return the anchor of a heading as GitHub makes it."""
    text = re.sub(r"[`*]|\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page."""
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", prose(page), flags=re.MULTILINE)}


# -- links, words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_resolve(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert not broken, f"{page.name}: {broken}"


def test_every_page_can_be_reached_from_the_index() -> None:
    linked = {(DOCS / target).resolve() for target in re.findall(r"\]\(([^)#\s]+\.md)\)", prose(DOCS / "index.md"))}
    assert set(DOCS.rglob("*.md")) - {DOCS / "index.md"} <= linked


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_speaks_of_no_machine(page: Path) -> None:
    words = re.findall(r"/work/|/tmp/|/root/|pypi\.org|TODO|FIXME", page.read_text())
    assert not words, f"{page.name}: {words}"


def test_the_picture_is_the_one_that_its_script_draws() -> None:
    picture = DOCS / "overview.svg"
    assert picture.stat().st_size < 60_000
    assert runpy.run_path(str(DOCS / "overview.py"))["picture"]() == picture.read_text()


# -- commands ------------------------------------------------------------------------------------------------------


def resolve(root: click.Command, words: list[str]) -> tuple[click.Command, list[str], click.Context]:
    """Return the command that words name, and what is left of them."""
    context = click.Context(root, info_name=root.name)
    command = root
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words[0])
        assert found is not None, f"{command.name} has no command {words[0]!r}"
        context = click.Context(found, parent=context, info_name=words[0])
        command, words = found, words[1:]
    return command, words, context


@pytest.fixture
def no_files_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let options name files that do not exist."""
    convert = click.Path.convert

    def lenient(self: click.Path, value: Any, param: Any, ctx: Any) -> Any:
        self.exists = False
        return convert(self, value, param, ctx)

    monkeypatch.setattr(click.Path, "convert", lenient)


@pytest.mark.usefixtures("no_files_needed")
@pytest.mark.parametrize(("where", "words"), [pytest.param(*found, id=found[0]) for found in commands("aiida-ion")])
def test_commands_are_those_of_the_program(where: str, words: list[str]) -> None:
    command, rest, context = resolve(cli, words)
    try:
        command.make_context(context.info_name, rest, parent=context.parent)
    except click.ClickException as error:
        pytest.fail(f"{where}: aiida-ion {shlex.join(words)}: {error.format_message()}")


@pytest.mark.parametrize(("where", "words"), [pytest.param(*found, id=found[0]) for found in commands("verdi")])
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
    for found in re.findall(r"`aiida-ion ([a-z]+(?: [a-z]+)?)", prose(page)):
        words = found.split()
        command, _, _ = resolve(cli, words[:1])
        if isinstance(command, click.Group) and len(words) > 1:
            resolve(cli, words)


def leaf_commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every command that is not a group, with its words."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from leaf_commands(found, f"{path} {name}")
    else:
        yield path, command


@pytest.mark.parametrize(("path", "command"), list(leaf_commands(cli, "aiida-ion")))
def test_the_reference_lists_every_option(path: str, command: click.Command) -> None:
    (rows,) = tables(section(REFERENCE / "cli.md", f"## `{path}`"))
    said = {tuple(names(row["option"])): row["default"] for row in rows}
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    assert set(said) == {tuple(option.opts) for option in options}
    for option in options:
        default = said[tuple(option.opts)]
        assert (default == "required") == option.required, option.name
        if not option.is_flag and isinstance(option.default, (str, int, float)) and option.default != "":
            assert default == str(option.default), option.name


def test_make_targets_exist() -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    shown = {word for _, words in commands("make") for word in words[:1]}
    told = {found for page in PAGES for found in re.findall(r"`make ([a-z-]+)`", prose(page))}
    assert {"demo", "test"} <= shown
    assert shown | told <= known


def test_benchmarks_named_exist_and_take_these_options() -> None:
    pages = (DOCS / "benchmarks.md", ROOT / "CONTRIBUTING.md")
    found = [call for page in pages for call in re.findall(r"`python (benchmarks/\S+\.py)([^`]*)`", page.read_text())]
    assert found
    for script, options in found:
        text = (ROOT / script).read_text()
        assert all(f'"{option}"' in text for option in re.findall(r"--[a-z-]+", options)), script


# -- code blocks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", blocks("python"), ids=lambda block: block.where)
def test_python_compiles_and_imports_what_exists(block: Block) -> None:
    tree = ast.parse(block.text, filename=block.where)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = __import__(str(node.module), fromlist=[name.name for name in node.names])
            assert all(hasattr(module, name.name) for name in node.names), f"{block.where}: {ast.unparse(node)}"


@pytest.fixture
def documented_codes(aiida_profile_clean: Any, aiida_localhost: orm.Computer) -> None:
    """Register the codes that the pages take for granted, by the names that `aiida-ion setup` gives them."""
    for label, job in (("kinisi", "ion.diffusion"), ("sevenn", "ion.mlip_md"), ("lammps", "ion.lammps_md")):
        orm.InstalledCode(
            label=label, computer=aiida_localhost, filepath_executable=sys.executable, default_calc_job_plugin=job
        ).store()


@pytest.mark.usefixtures("documented_codes")
@pytest.mark.parametrize(
    "block", [block for block in blocks("python") if block.runnable], ids=lambda block: block.where
)
def test_runnable_python_runs(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    import aiida

    monkeypatch.setattr(aiida, "load_profile", lambda *_, **__: None)  # the test's own is loaded already
    namespace: dict[str, Any] = {}
    exec(compile(block.text, block.where, "exec"), namespace)
    builder = namespace.get("builder")
    if builder is not None:
        problem = builder._process_spec.inputs.validate(builder._inputs(prune=True))
        assert problem is None, problem


def test_there_is_something_to_run() -> None:
    assert sum(block.runnable for block in blocks("python")) >= 3


@pytest.mark.parametrize("block", blocks("yaml"), ids=lambda block: block.where)
def test_yaml_is_what_a_command_takes(block: Block) -> None:
    content = yaml.safe_load(block.text)
    if "commands" in content:
        load_potential(content)
    else:
        protocol_inputs("conductivity", None, content)


# -- entry points, exit codes, ports ---------------------------------------------------------------------------------


def registered(group: str) -> dict[str, tuple[str, str]]:
    """Return our entry points of a group with class and module."""
    return {
        entry.name: (entry.value.partition(":")[2], entry.value.partition(":")[0])
        for entry in get_entry_points(group)
        if entry.name.startswith("ion.")
    }


@pytest.mark.parametrize("group", GROUPS)
def test_the_reference_lists_every_entry_point(group: str) -> None:
    (rows,) = tables(section(REFERENCE / "entry-points.md", f"## `{group}`"))
    said = {names(row["name"])[0]: (names(row["class"])[0], names(row["module"])[0]) for row in rows}
    assert said == registered(group)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_entry_points_named_exist(page: Path) -> None:
    known = {name for group in GROUPS for name in get_entry_point_names(group)}
    # A word of the form ion.name, not the tail of another word; `ion.md.*` and `ion.md.<name>` stand for all engines.
    found = set(re.findall(r"(?<![\w./-])ion\.[a-z_]+(?:\.[a-z_]+)?(?![\w.]*[*<])", page.read_text()))
    unknown = {name for name in found if name not in known and name != "ion.md"}
    assert not unknown, f"{page.name}: {unknown}"


def test_the_readme_names_every_entry_point() -> None:
    text = (ROOT / "README.md").read_text()
    assert all(f"`{name}`" in text for group in GROUPS for name in registered(group))


def own_exit_codes(process: Any) -> dict[int, str]:
    """Return the exit codes of a process that AiiDA's own classes do not have."""
    from aiida.engine import BaseRestartWorkChain, CalcJob

    inherited = {code.status for base in (CalcJob, BaseRestartWorkChain) for code in base.exit_codes.values()}
    return {code.status: label for label, code in process.exit_codes.items() if code.status not in inherited}


def documented_codes_of(heading: str) -> dict[int, str]:
    (rows,) = tables(section(REFERENCE / "exit-codes.md", heading))
    return {int(row["code"]): names(row["label"])[0] for row in rows}


@pytest.mark.parametrize("name", sorted(registered("aiida.calculations")))
def test_exit_codes_of_jobs(name: str) -> None:
    said = documented_codes_of("## Jobs")
    if not name.endswith("_relax"):
        said.pop(700)
    assert own_exit_codes(CalculationFactory(name)) == said


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("ion.md.mlip", "## `ion.md.mlip`, `ion.md.lammps`"),
        ("ion.md.lammps", "## `ion.md.mlip`, `ion.md.lammps`"),
        ("ion.conductivity", "## `ion.conductivity`"),
    ],
)
def test_exit_codes_of_work_chains(name: str, heading: str) -> None:
    assert own_exit_codes(WorkflowFactory(name)) == documented_codes_of(heading)


def test_codes_that_the_cache_never_serves() -> None:
    codes = CalculationFactory("ion.mlip_md").exit_codes
    text = section(REFERENCE / "exit-codes.md", "## Jobs")
    sentence = next(line for line in text.splitlines() if line.startswith("Codes 2"))
    ours = own_exit_codes(CalculationFactory("ion.mlip_md"))
    expected = {code.status for code in codes.values() if code.invalidates_cache and code.status in ours}
    assert {int(number) for number in re.findall(r"\d{3}", sentence)} == expected


def flat_ports(namespace: Any, prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Yield the names of inputs, those within a declared namespace with a dot, and whether each is required."""
    from plumpy.ports import PortNamespace

    for name, port in namespace.items():
        if name in INHERITED_INPUTS and not prefix.startswith("diffusion"):
            continue
        if isinstance(port, PortNamespace) and name in ("md", "diffusion"):
            yield from flat_ports(port, f"{name}.")
        elif not (prefix and name in INHERITED_INPUTS - {"code"}):
            yield f"{prefix}{name}", port.required


@pytest.mark.parametrize(
    ("entry_point", "heading", "shared"),
    [
        ("ion.conductivity", "## `ion.conductivity`", set()),
        ("ion.md.mlip", "## `ion.md.mlip`, `ion.md.lammps`", set()),
        ("ion.md.lammps", "## `ion.md.mlip`, `ion.md.lammps`", set()),
        ("ion.mlip_relax", "## `ion.mlip_relax`, `ion.lammps_relax`", {"files"}),
        ("ion.lammps_relax", "## `ion.mlip_relax`, `ion.lammps_relax`", {"checkpoint", "program"}),
        ("ion.diffusion", "## `ion.diffusion`", set()),
    ],
)
def test_ports(entry_point: str, heading: str, shared: set[str]) -> None:
    group = WorkflowFactory if entry_point in registered("aiida.workflows") else CalculationFactory
    spec = group(entry_point).spec()
    first, second, *_ = tables(section(REFERENCE / "ports.md", heading))
    said = {name: row["required"] == "yes" for row in first for name in names(row["input"])}
    assert {name: needed for name, needed in said.items() if name not in shared} == dict(flat_ports(spec.inputs))
    outputs = {name for row in second for name in names(row["output"])}
    assert outputs == set(spec.outputs) - INHERITED_OUTPUTS


@pytest.mark.parametrize(
    ("entry_point", "others"),
    [("ion.mlip_md", {"files"}), ("ion.lammps_md", {"checkpoint", "program"})],
)
def test_ports_of_md_jobs(entry_point: str, others: set[str]) -> None:
    spec = CalculationFactory(entry_point).spec()
    (rows,) = tables(section(REFERENCE / "ports.md", "## `ion.mlip_md`, `ion.lammps_md`"))
    more = {name for row in rows for name in names(row["input"])} - others
    interface = {"structure", "parameters", "charges", "restart_from", "initial_velocities"}
    assert interface | more == set(spec.inputs) - INHERITED_INPUTS


@pytest.mark.parametrize(
    ("settings", "heading"),
    [(MdSettings, "## Settings of molecular dynamics"), (DiffusionSettings, "## Settings of the fit")],
)
def test_settings_and_their_defaults(settings: type, heading: str) -> None:
    (rows,) = tables(section(REFERENCE / "ports.md", heading))
    said = {names(row["setting"])[0]: row["default"] for row in rows}
    assert said == {
        field.name: "required" if field.default is dataclasses.MISSING else str(field.default).replace("()", "[]")
        for field in dataclasses.fields(settings)
    }


def test_parameters_of_a_conductivity() -> None:
    rows = tables(section(REFERENCE / "ports.md", "## `ion.conductivity`"))[2]
    said = {name for row in rows for name in names(row["key"])}
    assert said == {field.name for field in dataclasses.fields(ConductivityParameters)}


# -- protocols, potentials, thresholds -------------------------------------------------------------------------------


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values by their dotted names."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def test_protocol_values() -> None:
    first, optional = tables((REFERENCE / "protocols.md").read_text())
    content = load_protocols("conductivity")
    for protocol in content["protocols"]:
        said = {names(row["input"])[0]: row[f"`{protocol}`"] for row in first}
        assert said == {key: str(value) for key, value in flat(protocol_inputs("conductivity", protocol)).items()}
    assert {names(row["input"])[0] for row in optional} == set(flat(content["optional_inputs"]))
    assert f"The default is `{content['default_protocol']}`." in (REFERENCE / "protocols.md").read_text()


def test_protocols_are_explained() -> None:
    text = (DOCS / "topics" / "protocols.md").read_text()
    assert all(f"\n`{protocol}`" in text for protocol in load_protocols("conductivity")["protocols"])


def test_published_potentials() -> None:
    (rows,) = tables(section(DOCS / "how-to" / "classical-potentials.md", "## The published potentials"))
    assert {names(row["name"])[0]: names(row["level of theory"])[0] for row in rows} == {
        potential.name: potential.level_of_theory for potential in POTENTIALS.values()
    }
    for row in rows:
        elements = re.findall(r"\b[A-Z][a-z]?\b", row["elements"])
        assert set(elements) == set(POTENTIALS[names(row["name"])[0]].elements)


def thresholds() -> dict[str, float]:
    """Return the thresholds that the page on methods states as `name` = number."""
    text = (DOCS / "topics" / "methods.md").read_text()
    found = re.findall(r"`([a-z][a-z_A]+)` = ([\d.,/]+\d)", text)
    numbers = {}
    for name, number in found:
        above, _, below = number.replace(",", "").partition("/")
        numbers[name] = float(above) / float(below or 1)
    return numbers


def test_thresholds_are_those_of_the_settings() -> None:
    said, settings = thresholds(), dataclasses.asdict(DiffusionSettings())
    assert len(said) >= 8
    for name, number in said.items():
        known = settings.get(name, protocol_inputs("conductivity").get(name))
        assert known == pytest.approx(number), name


def test_constants_of_the_methods() -> None:
    from aiida_ion.analysis import arrhenius, arrhenius_posterior, cross_checks, diffusion, estimates, hops, kinisi_fit
    from aiida_ion.workchains.conductivity_inputs import run_seed

    text = (DOCS / "topics" / "methods.md").read_text()
    priors = arrhenius_posterior.Priors()
    stated: dict[str, Callable[[], bool]] = {
        "A from 200": lambda: hops.GRADES[0] == (200.0, "A"),
        "B from 50": lambda: hops.GRADES[1] == (50.0, "B"),
        "C from 10": lambda: hops.GRADES[2] == (10.0, "C"),
        "maximum over lags up to 0.7": lambda: diffusion.MAX_N_EFF_LAG_FRACTION == 0.7,
        "reached 20 angstrom^2": lambda: diffusion.LEGACY_MSD_A2 == 20.0,
        "at least 0.05": lambda: arrhenius.MIN_STD_LN_D == 0.05,
        "At least three different temperatures": lambda: arrhenius.MIN_TEMPERATURES == 3,
        "A bound above 2e-5 cm^2/s": lambda: arrhenius.UNINFORMATIVE_BOUND_CM2_S == 2e-5,
        "100,000 times that of its replica plus ten times the temperature": lambda: run_seed(3, 800.0) == 308_000,
        "when p < 0.01": lambda: arrhenius.MIN_P_VALUE == 0.01,
        "grid of 301 x 301": lambda: arrhenius_posterior.N_GRID == 301,
        "Ea uniform in 0 to 3 eV": lambda: (priors.min_activation_energy_eV, priors.max_activation_energy_eV) == (0, 3),
        "log10 D0 uniform in -8 to 4": lambda: (
            (priors.min_log10_prefactor_cm2_s, priors.max_log10_prefactor_cm2_s) == (-8, 4)
        ),
        "log10 D0 ~ N(-3.2, 0.7)": lambda: (
            (priors.bound_log10_prefactor_mean, priors.bound_log10_prefactor_std) == (-3.2, 0.7)
        ),
        "max(3 standard errors of the blocks, half of": lambda: (
            (estimates.CONSISTENT_ERRORS, estimates.CONSISTENT_PART) == (3.0, 0.5)
        ),
        "on fifths of the run": lambda: cross_checks.N_BLOCKS == 5,
        "from 0.3 to 1 of `max_lag_fraction`": lambda: estimates.BOUND_LAG_START == 0.3,
        "at least 2/3": lambda: pytest.approx(2 / 3) == kinisi_fit.GAUSSIAN_SPREAD,
        "multiple of 2^-20 fs": lambda: kinisi_fit.INTERVAL_BITS == 20,
        "below half the slope times the first lag": lambda: kinisi_fit.MAX_SHIFT == 0.5,
    }
    for words, holds in stated.items():
        assert words in text, words
        assert holds(), words
