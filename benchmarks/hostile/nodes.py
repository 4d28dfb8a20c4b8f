"""Nodes that are named: empty names, patterns, numbers beyond the database, nodes of another kind."""

from __future__ import annotations

from pathlib import Path

from benchmarks.hostile.hostile_input import HostileInput

#: Names that are not nodes here.
NAMES = (
    "",
    " ",
    "%",
    "_",
    "0",
    "-1",
    "1.5",
    "999999",
    "99999999999999999999999",
    "1e3",
    "abc",
    "zzzzzzzz",
    "f" * 36,
    "1; 2",
    "\x07",
)
#: Command -> what stands before and after the node.
COMMANDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "show": (("show", "--"), ()),
    "jumps": (("jumps", "--run", "--"), ()),
    "compare": (("compare", "--"), ()),
    "surrogate show": (("surrogate", "show", "--"), ()),
}
NODE = "NODE|NODES|no node|MODEL|DATASET|uuid of a node"


def inputs(folder: Path) -> list[HostileInput]:
    """Return names of nodes that are none, and nodes of the wrong kind."""
    from aiida import orm

    structure = orm.QueryBuilder().append(orm.StructureData, project="id").first(flat=True)
    code = orm.QueryBuilder().append(orm.InstalledCode, project="id").first(flat=True)
    results = [
        HostileInput(f"{command} {name[:30]!r}", (*before, name, *after), NODE)
        for command, (before, after) in COMMANDS.items()
        for name in NAMES
    ]
    kinds = {
        "jumps of a crystal": (("jumps", "--run", str(structure)), "is not a fit"),
        "jumps of a code": (("jumps", "--run", str(code)), "is not a fit"),
        "compare of a crystal": (("compare", str(structure)), "is not a comparison"),
        "surrogate show of a crystal": (("surrogate", "show", str(structure)), "no dataset"),
        "surrogate predict of a crystal": (
            ("surrogate", "predict", str(structure), "--dataset", "1"),
            "broker|no model",
        ),
        "surrogate predict with nothing": (("surrogate", "predict", "1"), "structures or --dataset"),
        "surrogate predict with both": (
            ("surrogate", "predict", "1", "a.cif", "--dataset", "1"),
            "structures or --dataset",
        ),
        "surrogate predict without engine": (("surrogate", "predict", "1", "a.cif"), "--engine"),
        "surrogate train on a pattern": (("surrogate", "train", "%"), "uuid of a node"),
        "run of a code": (("run", str(code), "--engine", "toy"), "not a StructureData"),
        "run of a pattern": (("run", "%", "--engine", "toy"), "neither a file nor"),
        "run of an empty name": (("run", "", "--engine", "toy"), "neither a file nor|no such file|empty"),
        "run of a huge number": (("run", "9" * 30, "--engine", "toy"), "neither a file nor"),
        "run with a fit as engine": (("run", str(structure), "--engine", "kinisi"), "no engine"),
        "jumps with settings that are none": (("jumps", "--settings", "[]", "--run", str(structure)), "object"),
        "export of an empty name": (
            ("export", "", "-o", str(folder / "a.aiida")),
            "must be a text of one line, not empty",
        ),
        "export of a pattern": (("export", "%", "-o", str(folder / "a.aiida")), "no group"),
        "export of a huge number": (("export", "9" * 30, "-o", str(folder / "a.aiida")), "no group"),
        "link to an absent entry": (("benchmark", "link", "zzz", str(structure), "--source", str(folder)), "."),
        "status of nothing": (("status", "999999"), "no process"),
        "status of a crystal": (("status", str(structure)), "not a process|no process"),
    }
    results += [HostileInput(name, call, pattern) for name, (call, pattern) in kinds.items()]
    results += [
        HostileInput(f"status {name[:30]!r}", ("status", "--", name), "PK")
        for name in ("", "0", "-1", "1.5", "99999999999999999999999", "abc", "%", "nan")
    ]
    return results
