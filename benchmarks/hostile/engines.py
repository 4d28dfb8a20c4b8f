"""``aiida-ion engine`` and ``setup``: odd names, programs that are not there, pseudopotentials that do not fit."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.hostile.hostile_input import HostileInput

#: A header is all of a pseudopotential that is looked at before it is kept.
UPF = """<UPF version="2.0.1">
<PP_HEADER element="{element}" z_valence="{valence}" pseudo_type="NC" functional="{functional}" relativistic="scalar"
core_correction="F" l_max="1" mesh_size="3" number_of_wfc="0" number_of_proj="0"/>
</UPF>
"""
PBE, PBESOL = "SLA PW PBX PBC", "SLA PW PSX PSC"


def inputs(folder: Path) -> list[HostileInput]:
    """Return bad engines, and bad names of profiles."""
    python = ("--python", sys.executable, "--potential", "lj")
    result = _names(python) + _programs(folder) + _potentials(folder, python) + _settings(folder)
    pseudos = folder / "pseudos"
    pseudos.mkdir()
    files = {"Li": ("Li", 1, PBE), "O": ("O", 6, PBESOL), "O_pbe": ("O", 6, PBE), "Li_2": ("Li", 3, PBE)}
    for name, (element, valence, functional) in files.items():
        text = UPF.format(element=element, valence=valence, functional=functional)
        (pseudos / f"{name}.upf").write_text(text)
    (pseudos / "broken.upf").write_text("not a pseudopotential")
    paths = {name: str(pseudos / f"{name}.upf") for name in (*files, "broken")}
    (folder / "empty").mkdir()
    pw = ("engine", "add", "dft", "--executable", "/bin/ls", "--kind", "quantumespresso")

    def with_pseudos(name: str, pattern: str, *chosen: str, more: tuple[str, ...] = ("--ecutwfc-Ry", "50")) -> None:
        words = [word for path in chosen for word in ("--pseudos", path)]
        result.append(HostileInput(f"engine add: {name}", (*pw, *words, *more), pattern))

    with_pseudos("no pseudopotentials", "give --pseudos")
    with_pseudos("an absent family", "neither a folder nor an installed family", "SSSP/9.9/PBE/odd")
    with_pseudos("an empty folder", "no such pseudopotential", str(folder / "empty"))
    with_pseudos("an absent pseudopotential", "no such pseudopotential", paths["Li"], str(pseudos / "Na.upf"))
    with_pseudos("a broken pseudopotential", "cannot be read as a UPF", paths["broken"])
    with_pseudos("mixed functionals", "different functionals.*PBEsol", paths["Li"], paths["O"])
    with_pseudos(
        "two pseudopotentials of an element", "more than one pseudopotential for Li", paths["Li"], paths["Li_2"]
    )
    with_pseudos("no cut-offs", "give --ecutwfc-Ry", paths["Li"], paths["O_pbe"], more=())
    for option, values in {
        "--ecutwfc-Ry": ("0", "-50", "nan", "1e9", "high"),
        "--ecutrho-Ry": ("0", "inf", "x"),
        "--kpoints": ("2,2", "0,1,1", "a,b,c", ""),
        "--pools": ("0", "-1", "x"),
        "--processes": ("0", "100000000"),
    }.items():
        for value in values:
            result.append(
                HostileInput(f"engine add {option} {value!r}", (*pw, "--pseudos", "x", option, value), option)
            )
    return result


def _names(python: tuple[str, ...]) -> list[HostileInput]:
    names = (
        "",
        " ",
        "two words",
        "a@b",
        "a/b",
        "../a",
        "name\n",
        "\x07",
        "-",
        "é",
        "x" * 300,
        "'; DROP TABLE",
        "a:b",
        ".a",
    )
    results = [
        HostileInput(
            f"engine add {name[:20]!r}", ("engine", "add", *python, "--", name), "NAME must be letters, digits"
        )
        for name in names
    ]
    results += [
        HostileInput(f"setup -p {name[:20]!r}", ("setup", "--no-daemon", "-p", name), "--profile-name must be letters")
        for name in ("", " ", "two words", "a/b", "../a", "new\nline", "\x07", "-p", "é", "x" * 300, "a@b", ".hidden")
    ]
    for option, value in (("--workers", "0"), ("--workers", "-1"), ("--workers", "many"), ("--workers", "1e9")):
        results.append(
            HostileInput(f"setup {option} {value}", ("setup", "-p", "other", option, value), "--workers must be")
        )
    for value in ("0", "-1", "65536", "http"):
        call = ("setup", "-p", "other", "--postgres", "--postgres-port", value)
        results.append(HostileInput(f"setup --postgres-port {value}", call, "--postgres-port must be"))
    results.append(
        HostileInput("setup without a user", ("setup", "-p", "o", "--postgres-user", ""), "--postgres-user must be")
    )
    results.append(HostileInput("setup --rabbitmq http", ("setup", "-p", "other", "--rabbitmq", "http://x"), "amqp"))
    results.append(HostileInput("engine test of nothing", ("engine", "test", ""), "NAME must be"))
    results.append(HostileInput("engine test of an absent one", ("engine", "test", "gold"), "no engine"))
    results.append(
        HostileInput("engine test for no steps", ("engine", "test", "toy", "--steps", "0"), "--steps must be")
    )
    results.append(
        HostileInput(
            "engine test of an absent crystal", ("engine", "test", "toy", "--structure", "a.cif"), "no such file"
        )
    )
    results.append(HostileInput("engine install of an unknown one", ("engine", "install", "gold"), "gold"))
    results.append(HostileInput("an absent profile", ("engine", "list", "-p", "absent"), "no profile"))
    results.append(HostileInput("an empty profile", ("engine", "list", "-p", ""), "--profile must be"))
    return results


def _programs(folder: Path) -> list[HostileInput]:
    add = ("engine", "add", "mine")
    lj = ("--potential", "lj")
    text = folder / "text.txt"
    text.write_text("hello")
    calls = {
        "neither Python nor executable": ((), "either --python"),
        "both": (("--python", sys.executable, "--executable", "/bin/ls"), "either --python"),
        "an absent Python": (("--python", "/no/such/python", *lj), "/no/such/python"),
        "a relative Python": (("--python", "python3", *lj), "absolute"),
        "an empty Python": (("--python", "", *lj), "--python must be"),
        "a folder for Python": (("--python", str(folder), *lj), "cannot be used|not a Python"),
        "a text for Python": (("--python", str(text), *lj), "cannot be used|not a Python"),
        "a program that is not Python": (("--python", "/bin/ls", *lj), "not a Python"),
        "a program that is not on the path": (("--executable", "no-such-program"), "not on the PATH"),
        "an absent executable": (("--executable", "/no/such/lmp"), "/no/such/lmp"),
        "a program of unknown kind": (("--executable", "/bin/ls"), "--kind"),
        "an unknown kind": (("--executable", "/bin/ls", "--kind", "gulp"), "gulp"),
        "an absent computer": (("--python", sys.executable, *lj, "--computer", "moon"), "no computer"),
        "an empty computer": (("--python", sys.executable, *lj, "--computer", ""), "--computer must be"),
        "shell lines with a bell": (
            ("--python", sys.executable, *lj, "--prepend-text", "a\x07"),
            "--prepend-text must be",
        ),
        "VASP without POTCARs": (("--executable", "/bin/ls", "--kind", "vasp"), "--potcars"),
        "VASP with an absent family": (("--executable", "/bin/ls", "--kind", "vasp", "--potcars", "x"), "no family"),
        "a map of POTCARs that is none": (
            ("--executable", "/bin/ls", "--kind", "vasp", "--potcar-map", "Li"),
            "Li=Li_sv",
        ),
        "an option of another engine": (
            ("--executable", "/bin/ls", "--kind", "lammps", "--device", "cpu"),
            "takes no --device",
        ),
        "LAMMPS with an unknown potential": (
            ("--executable", "/bin/ls", "--kind", "lammps", "--potential", "x"),
            "no potential",
        ),
    }
    results = [HostileInput(f"engine add: {name}", (*add, *words), pattern) for name, (words, pattern) in calls.items()]
    taken = ("engine", "add", "toy", "--python", "/usr/bin/python3", *lj)
    return [*results, HostileInput("engine add: a name that is taken", taken, "toy@localhost runs|cannot be used")]


def _potentials(folder: Path, python: tuple[str, ...]) -> list[HostileInput]:
    add = ("engine", "add", "mine", "--python", sys.executable)
    empty = folder / "empty.model"
    empty.write_bytes(b"")
    page = folder / "page.model"
    page.write_text("<!DOCTYPE html><html><body>404</body></html>")
    calls = {
        "no potential": (add, "--potential"),
        "an unknown potential": ((*add, "--potential", "gold"), "--potential"),
        "an empty potential": ((*add, "--potential", ""), "--potential must be"),
        "import without a class": ((*add, "--potential", "import", "--model", "ase"), "package.module:Class"),
        "a model of what has none": ((*add, *python[2:], "--model", "large"), "has no models"),
        "a bad device": ((*add, *python[2:], "--device", "gpu"), "cpu, cuda"),
        "arguments that are not JSON": ((*add, *python[2:], "--kwargs", "rc=3"), "not JSON"),
        "arguments with NaN": ((*add, *python[2:], "--kwargs", '{"rc": NaN}'), "NaN"),
        "arguments in a list": ((*add, *python[2:], "--kwargs", "[1]"), "object"),
        "an unknown precision": ((*add, *python[2:], "--dtype", "float16"), "float16"),
        "an absent checkpoint": ((*add, "--potential", "mace", "--checkpoint", "absent.model"), "absent.model"),
        "a folder as checkpoint": ((*add, "--potential", "mace", "--checkpoint", str(folder)), "file|folder"),
        "an empty checkpoint": ((*add, "--potential", "mace", "--checkpoint", str(empty)), "empty"),
        "a page as checkpoint": ((*add, "--potential", "mace", "--checkpoint", str(page)), "page|HTML|web"),
    }
    return [HostileInput(f"engine add: {name}", call, pattern) for name, (call, pattern) in calls.items()]


def _settings(folder: Path) -> list[HostileInput]:
    pw = ("engine", "add", "dft", "--executable", "/bin/ls", "--kind", "quantumespresso", "--settings")
    contents = {
        "a list": ("- SYSTEM", "name: value"),
        "broken": ("SYSTEM: {", "line"),
        "empty": ("", "is empty"),
        "an unknown namelist": ("CELL: {press: 0}", "CELL"),
        "a namelist that is a number": ("SYSTEM: 3", "SYSTEM"),
        "a key of the job": ("CONTROL: {calculation: scf}", "CONTROL"),
        "a cut-off that is text": ("SYSTEM: {ecutwfc: high}", "ecutwfc"),
        "a Python object": ("SYSTEM: !!python/name:os.system", "tags"),
    }
    results = []
    for index, (name, (text, pattern)) in enumerate(contents.items()):
        path = folder / f"settings_{index}.yaml"
        path.write_text(text)
        results.append(HostileInput(f"engine add --settings: {name}", (*pw, str(path)), pattern))
    return [*results, HostileInput("engine add --settings: no file", (*pw, str(folder / "no.yaml")), "no such file")]
