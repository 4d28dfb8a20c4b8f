"""Downloads of files and of inputs and outputs as zip; browsers save them and never run them."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from dash import Dash
from flask import Response, request

from aiida_ion.queries.reading import files

ROOT = "/download"


def file_address(uuid: str, path: str) -> str:
    """Return the address of a file of a node."""
    return f"{ROOT}/file?{urlencode({'uuid': uuid, 'path': path})}"


def zip_address(uuid: str, side: str) -> str:
    """Return the address of a zip of the inputs or outputs of a node."""
    return f"{ROOT}/zip?{urlencode({'uuid': uuid, 'side': side})}"


def register(app: Dash) -> None:
    """Add both addresses."""
    app.server.add_url_rule(f"{ROOT}/file", "download_file", _file)
    app.server.add_url_rule(f"{ROOT}/zip", "download_zip", _zip)


def _file() -> Response:
    uuid, path = request.args.get("uuid", ""), request.args.get("path", "")
    try:
        return _saved(files.read_file(uuid, path), path.rpartition("/")[2])
    except ValueError as error:
        return _refused(error)


def _zip() -> Response:
    uuid, side = request.args.get("uuid", ""), request.args.get("side", "")
    try:
        return _saved(files.zip_of(uuid, side), f"{uuid[:8]}-{side}.zip")
    except ValueError as error:
        return _refused(error)


def _saved(content: bytes, name: str) -> Response:
    """Return bytes that a browser saves under a safe name, whatever they are."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(files.safe_name(name))}",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(content, mimetype="application/octet-stream", headers=headers)


def _refused(error: ValueError) -> Response:
    return Response(f"{error}\n", status=404, mimetype="text/plain")
