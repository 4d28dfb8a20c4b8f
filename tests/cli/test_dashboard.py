"""``aiida-ion dashboard``: what it prints, and how it refuses."""

from __future__ import annotations

import builtins
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from werkzeug.serving import BaseWSGIServer

from aiida_ion.cli.main import cli
from aiida_ion.dashboards import server


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[BaseWSGIServer]:
    """Let the server start, but end it where it would begin to wait; return those that were made."""
    made: list[BaseWSGIServer] = []

    def once(one: BaseWSGIServer, ready: Any) -> None:
        made.append(one)
        ready()
        one.server_close()

    monkeypatch.setattr(server, "serve", once)
    return made


def run(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(cli, ["dashboard", *map(str, arguments)], env=environment)


def test_it_says_what_it_shows_and_where(aiida_profile_clean: Any, served: list[BaseWSGIServer]) -> None:
    output = run("--port", 0)
    assert output.exit_code == 0
    assert output.stderr == ""
    first, last = output.output.splitlines()
    assert first.startswith(f"Profile {aiida_profile_clean.name}, read-only: http://127.0.0.1:{served[0].port}/")
    assert "token" not in first
    assert last == "Ctrl-C ends it."


def test_others_need_a_token(aiida_profile_clean: Any, served: list[BaseWSGIServer]) -> None:
    output = run("--port", 0, "--host", "0.0.0.0")
    assert output.exit_code == 0
    assert "Warning: other machines reach this dashboard, unencrypted" in output.stderr
    token = output.stdout.splitlines()[0].partition("?token=")[2]
    assert len(token) >= 32
    assert run("--port", 0, "--host", "0.0.0.0").stdout.partition("?token=")[2].split()[0] != token
    mine = run("--port", 0, AIIDA_ION_TOKEN="sixteen-letters-or-more")
    assert mine.stdout.splitlines()[0].endswith("/?token=sixteen-letters-or-more")
    refused = run("--port", 0, "--token", "short")
    assert refused.output == "Error: a token needs at least 16 characters\n"


def test_a_port_in_use(aiida_profile_clean: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        output = run("--port", port)
    assert output.exit_code == 1
    assert output.output == f"Error: port {port} of 127.0.0.1 is in use: choose another with --port\n"


@pytest.mark.slow
def test_an_archive_needs_no_profile(campaign_archive: Path, aiida_profile: Any, served: list[BaseWSGIServer]) -> None:
    from aiida.manage import get_manager

    try:
        output = run("--archive", campaign_archive, "--port", 0)
    finally:
        get_manager().load_profile(aiida_profile.name, allow_switch=True)
    assert output.output.startswith(f"Archive {campaign_archive.name}, read-only: http://")
    both = run("--archive", campaign_archive, "--profile", "x")
    assert both.exit_code == 2
    assert "exclude each other" in both.output


def test_what_is_no_archive(tmp_path: Path, aiida_profile: Any) -> None:
    broken = tmp_path / "broken.aiida"
    broken.write_bytes(b"not a zip")
    output = run("--archive", broken)
    assert output.exit_code == 1
    assert output.output.startswith("Error: ")
    assert len(output.output.splitlines()) == 1
    absent = run("--archive", tmp_path / "absent.aiida")
    assert absent.exit_code == 2, absent.output


@pytest.mark.parametrize("missing", ["dash", "dash_ag_grid", "plotly"])
def test_a_missing_package_says_how_to_install_it(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name == missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    output = run()
    assert output.exit_code == 1
    assert output.output == f"Error: {missing} is missing: pip install 'aiida-ion[dashboard]'\n"
