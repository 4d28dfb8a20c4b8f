"""Download of OBELiX with its own package, `obelix-data`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from aiida_ion.datasets.obelix_files import TABLE


def download(folder: Path) -> Path:
    """Download the files into a folder, unless they are there, and return it.

    Only the files are used: the package's API replaces upper bounds by a number.

    :raises ValueError: if the package is missing or the download fails.
    """
    if (folder / TABLE).is_file():
        return folder
    try:
        package: Any = import_module("obelix")
    except ImportError as error:
        raise ValueError("give --source with a folder or zip file of OBELiX, or pip install obelix-data") from error
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        package.OBELiX(data_path=str(folder), no_cifs=True, unspecified_low_value=None)
    except OSError as error:
        raise ValueError(f"OBELiX cannot be downloaded ({error}); give its files with --source") from error
    return folder
