"""List dependencies with their licences, as their own metadata state them: ``python docs/dependencies.py``.

Prints the tables of docs/reference/dependencies.md, from this environment and those of the engines
(``$AIIDA_ION_ENGINES``); what is not installed is marked as such.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: What several packages call the same licence -> its SPDX identifier.
SPDX = {
    "2-clause bsd": "BSD-2-Clause",
    "3-clause bsd": "BSD-3-Clause",
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd": "BSD",
    "bsd 3-clause": "BSD-3-Clause",
    "bsd license": "BSD",
    "bsd-3-clause license": "BSD-3-Clause",
    "gnu lesser general public license v2 or later (lgplv2+)": "LGPL-2.1-or-later",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0-only",
    "gnu general public license v3 (gplv3)": "GPL-3.0-only",
    "gnu general public license v2 (gplv2)": "GPL-2.0-only",
    "gnu lesser general public license v3 or later (lgplv3+)": "LGPL-3.0-or-later",
    "isc license": "ISC",
    "lgpl-2.1": "LGPL-2.1-or-later",
    "revised bsd license": "BSD-3-Clause",
    "the mit license mit": "MIT",
    "mit license, gnu general public license v3 (gplv3)": "MIT, GPL-3.0 (both stated)",
    "mit license": "MIT",
    "mit": "MIT",
    "the mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
    "isc license (iscl)": "ISC",
}
LONGEST = 60
UNKNOWN, ABSENT = "not stated", "not installed here"


def licence_of(name: str, folder: Path | None = None) -> str | None:
    """Return the licence that an installed package states, ``None`` if it is not installed.

    :param folder: site-packages of another environment.
    """
    places = {} if folder is None else {"path": [str(folder)]}
    found = next(iter(metadata.distributions(name=name, **places)), None)
    if found is None:
        return None
    expression, text = found.metadata.get("License-Expression"), found.metadata.get("License", "")
    classified = [
        entry.rpartition(" :: ")[2]
        for entry in found.metadata.get_all("Classifier") or []
        if entry.startswith("License ::") and not entry.endswith("OSI Approved")
    ]
    short = text.strip() if text.strip() and len(text) <= LONGEST and "\n" not in text.strip() else ""
    stated = expression or (short if short.lower() not in ("unknown", "bsd") else "") or ", ".join(classified) or short
    return SPDX.get(stated.lower(), stated) or _first_line(found)


def _first_line(package: metadata.Distribution) -> str:
    """Return the licence that the first line of a package's licence file names."""
    for path in package.files or []:
        if path.name.upper().startswith(("LICENSE", "LICENCE", "COPYING")):
            line = str(path.locate().read_text(errors="replace")).lstrip().splitlines()[0]
            return SPDX.get(re.sub(r"[^a-z0-9. -]", "", line.lower()).strip(), line.strip())
    return UNKNOWN


def name_of(requirement: str) -> str:
    """Return the normal name of the package that a requirement names."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s<>=!~;\[@(]", requirement.strip(), maxsplit=1)[0]).lower()


def direct() -> Iterator[tuple[str, str]]:
    """Yield each direct requirement, and the extra that brings it; empty for those always installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = {"": project["dependencies"]} | project["optional-dependencies"]
    seen = set()
    for extra, requirements in groups.items():
        for requirement in requirements:
            name = name_of(requirement)
            if name not in seen and name != "aiida-ion":
                seen.add(name)
                yield requirement, extra


def behind(names: Sequence[str]) -> dict[str, str]:
    """Return what the installed packages bring with them, without what only an extra of theirs needs."""
    todo, licences = list(names), {}
    while todo:
        try:
            requirements = metadata.requires(todo.pop()) or []
        except metadata.PackageNotFoundError:
            continue
        for requirement in requirements:
            name = name_of(requirement)
            licence = None if "extra ==" in requirement or name in licences or name in names else licence_of(name)
            if licence is not None:
                licences[name] = licence
                todo.append(name)
    return licences


def engine_packages() -> Iterator[tuple[str, str, str]]:
    """Yield environment, package and licence of what `aiida-ion engine install` names."""
    from aiida_ion.engines.environments import RECIPES, TORCH

    for name, recipe in RECIPES.items():
        packages = [name_of(one) for call in recipe.requirements for one in call]
        if recipe.needs_torch:
            yield name, "torch", in_environment(TORCH.replace("==", "-"), "torch")
        for package in dict.fromkeys(packages):
            yield name, package, in_environment(name, package)


def in_environment(name: str, package: str) -> str:
    """Return the licence that a package states in the environment of an engine."""
    folder = next((Path(os.environ["AIIDA_ION_ENGINES"]) / name / "lib").glob("python3*/site-packages"), None)
    return (folder and licence_of(package, folder)) or ABSENT


def main() -> None:
    """Print the tables."""
    rows = [(name_of(requirement), requirement, extra) for requirement, extra in direct()]
    print("| package | requirement | extra | licence |\n|---|---|---|---|")
    for name, requirement, extra in rows:
        print(f"| {name} | `{requirement}` | {extra and f'`{extra}`'} | {licence_of(name) or ABSENT} |")
    by_licence: dict[str, list[str]] = {}
    for name, licence in behind([name for name, _, _ in rows]).items():
        by_licence.setdefault(licence, []).append(name)
    print("\n| licence | packages |\n|---|---|")
    for licence in sorted(by_licence, key=str.lower):
        print(f"| {licence} | {', '.join(sorted(by_licence[licence]))} |")
    print("\n| environment | package | licence |\n|---|---|---|")
    for row in engine_packages():
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
