"""How Sphinx builds the documentation: `make docs`, in an environment of its own.

The pages are those that a reader of the repository sees, so its root is the source folder and every link holds in both
places. The API reference is read from the source text: neither the package nor AiiDA has to be installed.
"""

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

project = "aiida-ion"
author = "The aiida-ion developers"
project_copyright = author
release = re.search(r'^__version__ = "(.*)"', (ROOT / "aiida_ion/__init__.py").read_text(), re.MULTILINE)[1]
version = release

extensions = ["myst_nb", "autodoc2", "sphinx_copybutton"]
root_doc = "docs/index"
include_patterns = ["docs/**", "*.md"]
exclude_patterns = [
    ".*",
    "README.md",
    "aiida_ion",
    "artefacts",
    "benchmarks",
    "build",
    "dist",
    "tests",
    "docs/requirements.txt",
]

# The notebook keeps the outputs that `python docs/notebook.py` gave it.
nb_execution_mode = "off"
myst_heading_anchors = 4
copybutton_exclude = ".linenos, .gp, .go"
# Blocks of the program's own output are text; a console block is commands only, and is copied whole.
highlight_language = "text"

html_theme = "furo"
html_title = f"aiida-ion {release}"
html_show_copyright = False
html_copy_source = False

# The packages that docs/reference/python.md lists: its table is the only list.
API_PAGE = "docs/reference/python"
PUBLIC = re.findall(r"^\| `(aiida_ion\.[\w.]+)` \|", (ROOT / f"{API_PAGE}.md").read_text(), re.MULTILINE)
API_FOLDER = "docs/reference/api"


def source_of(module: str) -> str:
    """Return the folder or file of a module, from the root of the repository."""
    path = module.replace(".", "/")
    return path if (ROOT / path).is_dir() else f"{path}.py"


API_ROOTS = {name: f"{API_FOLDER}/{name}/{name}" for name in PUBLIC}
autodoc2_packages = [{"path": source_of(name), "module": name} for name in PUBLIC]
autodoc2_output_dir = API_FOLDER
autodoc2_render_plugin = "rst"
# Fields of a dataclass are described in its docstring, constants in comments.
autodoc2_hidden_objects = ["private", "dunder", "inherited", "undoc"]
autodoc2_index_template = None


def add_navigation(_: Any, docname: str, source: list[str]) -> None:
    """Make the sections of the index, lists of links, the navigation, and give the table of packages its links.

    The pages of modules are reached from there: hundreds of entries in the navigation of every page would hide the
    others, and take most of the time of a build.
    """
    if docname in API_ROOTS.values():
        source[0] = f":orphan:\n\n{source[0]}"
    if docname == API_PAGE:
        for name, page in API_ROOTS.items():
            source[0] = source[0].replace(f"| `{name}` |", f"| [`{name}`](/{page}.rst) |")
    if docname == root_doc:
        for section in re.split(r"^(?=## )", source[0], flags=re.MULTILINE)[1:]:
            caption = section.splitlines()[0].removeprefix("## ")
            pages = re.findall(r"^\* \[[^]]+\]\((\S+)\.(?:md|ipynb)\)", section, flags=re.MULTILINE)
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: '{caption}'\n\n" + "\n".join(pages) + "\n```\n"


def add_first_page(app: Any, _: Any) -> None:
    """Let the folder of the site open the index."""
    target = f'<!DOCTYPE html><meta http-equiv="refresh" content="0; url={root_doc}.html"><title>{project}</title>'
    (Path(app.outdir) / "index.html").write_text(target, encoding="utf-8")


def setup(app: Any) -> None:
    """Connect the two functions above."""
    app.connect("source-read", add_navigation)
    app.connect("build-finished", add_first_page)
