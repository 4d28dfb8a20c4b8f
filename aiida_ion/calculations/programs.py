"""The runner programs as nodes, so that the graph of a result holds the program that made it."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path, PurePosixPath

from aiida import orm

#: Runners of the forces program that the others have no use for.
FORCES_ALONE = {"runners/batches.py", "runners/evaluation.py", "runners/forces.py"}
#: The settings of a run, the rules that judge them, and what tells safe files of weights from others.
SHARED = ("md_settings.py", "settings_rules.py", "settings_schema.py", "weight_files.py")
#: What training a surrogate takes; predicting with it takes this, too.
SURROGATE = (
    "runners/surrogate_train.py",
    "runners/output.py",
    "runners/stops.py",
    "__init__.py",
    *SHARED[1:],
    "units.py",
    "surrogate/*.py",
)
#: What is uploaded for each program, as patterns within the package. ``runners`` stand at the top of the working
#: folder; everything else keeps its package path where the package goes along, so that it imports there as it does
#: here, and stands beside them where it does not.
PROGRAMS: dict[str, tuple[str, ...]] = {
    "md": ("runners/*.py", *SHARED),
    "relax": ("runners/*.py", *SHARED),
    "forces": (
        *sorted(FORCES_ALONE),
        "runners/checkpoints.py",
        "runners/frames.py",
        "runners/lennard_jones.py",
        "runners/output.py",
        "runners/potentials.py",
        "runners/run_inputs.py",
        "runners/stops.py",
        *SHARED,
    ),
    "diffusion": (
        "runners/diffusion.py",
        "__init__.py",
        *SHARED,
        "units.py",
        "verdicts.py",
        "analysis/*.py",
        "analysis/checks/*.py",
    ),
    "jumps": (
        "runners/jumps.py",
        "__init__.py",
        *SHARED[1:],
        "units.py",
        "analysis/__init__.py",
        "analysis/cell.py",
        "analysis/framework_species.py",
        "analysis/images.py",
        "analysis/segment_files.py",
        "analysis/trajectory.py",
        "analysis/jumps/*.py",
    ),
    "surrogate_train": SURROGATE,
    "surrogate_predict": ("runners/surrogate_predict.py", *SURROGATE),
}
#: Runners of jobs that compute no forces.
ANALYSES = {f"runners/{name}.py" for name in ("diffusion", "jumps", "surrogate_train", "surrogate_predict")}
#: Files a pattern finds that the program does not need.
LEFT_OUT = {name: {"runners/__init__.py", *ANALYSES, *FORCES_ALONE} for name in ("md", "relax")}


def program_files(name: str) -> dict[str, bytes]:
    """Return the files of a program, by their path in the working folder."""
    package = Path(str(files("aiida_ion")))
    found: dict[str, bytes] = {}
    for pattern in PROGRAMS[name]:
        for path in sorted(package.glob(pattern)):
            relative = path.relative_to(package)
            if str(relative) in LEFT_OUT.get(name, set()):
                continue
            at_top = relative.parts[0] == "runners" or "__init__.py" not in PROGRAMS[name]
            found[relative.name if at_top else str(PurePosixPath("aiida_ion", *relative.parts))] = path.read_bytes()
    return found


def program_node(name: str) -> orm.FolderData:
    """Return the program as a node, the stored one when this very text is in the database already."""
    contents = program_files(name)
    digest = hashlib.sha256()
    for path, content in contents.items():
        digest.update(path.encode() + b"\0" + hashlib.sha256(content).digest())
    filters = {"attributes.program": name, "attributes.sha256": digest.hexdigest()}
    stored = orm.QueryBuilder().append(orm.FolderData, filters=filters).first()
    if stored is not None:
        node: orm.FolderData = stored[0]
        return node
    node = orm.FolderData()
    for path, content in contents.items():
        node.base.repository.put_object_from_bytes(content, path)
    node.base.attributes.set_many({"program": name, "sha256": digest.hexdigest()})
    node.label = f"aiida-ion runner: {name}"
    return node
