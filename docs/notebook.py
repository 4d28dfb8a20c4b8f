"""Run the tutorial notebook and take the README's picture of the dashboard: ``python docs/notebook.py``.

Everything happens in a new AiiDA folder, with a profile and a daemon of its own, as on the machine of a reader. The
notebook keeps its outputs, with figures as pictures, so that it can be read where nothing runs.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
NOTEBOOK = DOCS / "tutorial" / "notebook.ipynb"
PICTURE = DOCS / "dashboard.png"
PLOTLY = "application/vnd.plotly.v1+json"
#: Longest time of one cell, s: the cell that waits for the runs needs a minute on two idle cores.
CELL_S = 1200
PAGE = (1400, 1000)


def program(name: str) -> str:
    """Return the path of a program of this environment."""
    return str(Path(sys.executable).with_name(name))


@contextmanager
def fresh_profile(home: Path) -> Iterator[dict[str, str]]:
    """Set up a profile with a daemon and LAMMPS by the commands of the notebook; yield the environment."""
    environment = os.environ | {"AIIDA_PATH": str(home), "OMP_NUM_THREADS": "1", "PLOTLY_RENDERER": "plotly_mimetype"}
    try:
        for words in (("setup",), ("engine", "install", "lammps")):
            subprocess.run([program("aiida-ion"), *words], env=environment, cwd=home, check=True)
        yield environment
    finally:
        stop = [program("verdi"), "daemon", "stop"]
        # On a busy machine the daemon may need longer than verdi waits.
        if not any(subprocess.run(stop, env=environment, check=False).returncode == 0 for _ in range(10)):
            print("the daemon did not stop", file=sys.stderr)


def executed(environment: Mapping[str, str], folder: Path) -> Any:
    """Return the notebook with the outputs of all cells, run in a folder; a cell that fails raises."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(
        notebook, timeout=CELL_S, resources={"metadata": {"path": str(folder)}}, kernel_name="python3"
    )
    client.execute(env=dict(environment))
    return notebook


def outputs(notebook: Any) -> Iterator[dict[str, Any]]:
    """Yield the outputs of a notebook that have data of several types."""
    for cell in notebook.cells:
        yield from (one for one in cell.get("outputs", []) if "data" in one)


def with_pictures(notebook: Any, folder: Path) -> Any:
    """Return the notebook with each figure as a PNG, without times, and tables as they are."""
    import plotly.graph_objects as go

    for number, output in enumerate(outputs(notebook)):
        if PLOTLY in output["data"]:
            figure = go.Figure(output["data"][PLOTLY])
            page = folder / f"figure-{number}.html"
            figure.write_html(page, include_plotlyjs=True, config={"displayModeBar": False})
            size = int(figure.layout.width or 700) + 16, int(figure.layout.height or 450) + 16
            picture = screenshot(page.as_uri(), page.with_suffix(".png"), size).read_bytes()
            output["data"] = {"image/png": base64.b64encode(picture).decode() + "\n"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    return notebook


def screenshot(address: str, target: Path, size: tuple[int, int]) -> Path:
    """Save what Chromium shows at an address."""
    width, height = size
    words = ["--headless=new", "--no-sandbox", "--hide-scrollbars", "--disable-gpu", "--virtual-time-budget=30000"]
    words += [f"--window-size={width},{height}", f"--screenshot={target}", address]
    subprocess.run(["chromium", *words], check=True, capture_output=True, timeout=300)
    return target


def dashboard_picture(environment: Mapping[str, str], target: Path) -> None:
    """Save the page of the material that the notebook ran."""
    command = [program("aiida-ion"), "dashboard", "--port", "0"]
    unbuffered = {**environment, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=unbuffered, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split()[-1].rstrip("/")
            screenshot(f"{address}/material?formula=Li2O&theme=light", target, PAGE)
        finally:
            process.terminate()


def main() -> None:
    """Write the notebook and the picture."""
    import nbformat

    with tempfile.TemporaryDirectory() as name, fresh_profile(Path(name)) as environment:
        notebook = with_pictures(executed(environment, Path(name)), Path(name))
        nbformat.write(notebook, NOTEBOOK)
        dashboard_picture(environment, PICTURE)


if __name__ == "__main__":
    main()
