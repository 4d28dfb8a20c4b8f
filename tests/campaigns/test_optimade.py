"""OPTIMADE servers: the reference server on this machine, and servers that mean no good."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from aiida_ion.campaigns.optimade import OPTIMADE, check_filter, optimade_crystals
from aiida_ion.campaigns.optimade_pages import Limits, OptimadeError, entries, parse_source

needs_optimade = pytest.mark.skipif(importlib.util.find_spec("optimade") is None, reason="optimade is not installed")
SERVER = ("optimade", "fastapi", "uvicorn", "mongomock")
needs_server = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in SERVER), reason="optimade[server] is not installed"
)
SALT: dict[str, Any] = {
    "lattice_vectors": [[0.0, 2.57, 2.57], [2.57, 0.0, 2.57], [2.57, 2.57, 0.0]],
    "cartesian_site_positions": [[0.0, 0.0, 0.0], [2.57, 2.57, 2.57]],
    "species_at_sites": ["Li", "Cl"],
    "species": [
        {"name": "Li", "chemical_symbols": ["Li"], "concentration": [1.0]},
        {"name": "Cl", "chemical_symbols": ["Cl"], "concentration": [1.0]},
    ],
    "nsites": 2,
    "dimension_types": [1, 1, 1],
    "nperiodic_dimensions": 3,
    "elements": ["Cl", "Li"],
    "nelements": 2,
    "elements_ratios": [0.5, 0.5],
    "chemical_formula_reduced": "ClLi",
    "chemical_formula_descriptive": "LiCl",
    "chemical_formula_anonymous": "AB",
    "structure_features": [],
    "last_modified": "2026-01-01T00:00:00Z",
}
#: Cation, anion and lattice parameter, angstrom.
ROCK_SALTS = (
    *(
        ("Li", "F", 4.03),
        ("Li", "Cl", 5.14),
        ("Li", "Br", 5.5),
        ("Li", "I", 6.0),
        ("Na", "F", 4.63),
        ("Na", "Cl", 5.64),
    ),
    *(("K", "F", 5.35), ("K", "Cl", 6.29), ("K", "Br", 6.6), ("Mg", "O", 4.21), ("Ca", "O", 4.81), ("Mg", "S", 5.2)),
)
META = {"provider": {"name": "An example", "prefix": "exmpl", "description": "none"}, "api_version": "1.2.0"}


def entry(name: str = "1", **attributes: Any) -> dict[str, Any]:
    return {"id": name, "type": "structures", "attributes": SALT | attributes}


def page(*data: Any, following: Any = None, **more: Any) -> dict[str, Any]:
    return {"data": list(data), "meta": META, "links": {"next": following}} | more


def rock_salt(cation: str, anion: str, a_angstrom: float) -> dict[str, Any]:
    """Return the entry of a rock salt in its primitive cell."""
    half = a_angstrom / 2
    elements = sorted((cation, anion))
    return entry(
        f"{cation}{anion}",
        lattice_vectors=[[0.0, half, half], [half, 0.0, half], [half, half, 0.0]],
        cartesian_site_positions=[[0.0, 0.0, 0.0], [half, half, half]],
        species_at_sites=[cation, anion],
        species=[{"name": name, "chemical_symbols": [name], "concentration": [1.0]} for name in (cation, anion)],
        elements=elements,
        chemical_formula_reduced="".join(elements),
        chemical_formula_descriptive=f"{cation}{anion}",
    )


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """Return a factory of servers: of one answer, or of a function of the path; it returns the address."""
    servers: list[ThreadingHTTPServer] = []

    def make(answer: Any) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                given = answer(self.path, self) if callable(answer) else answer
                if given is None:  # it has answered itself
                    return
                content = given if isinstance(given, bytes) else json.dumps(given).encode()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/optimade"

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


def read(address: str, limits: Limits | None = None) -> list[dict[str, Any]]:
    return [one for one, _ in entries(parse_source(f"optimade:{address}"), limits)]


def refusal(address: str, limits: Limits | None = None) -> str:
    with pytest.raises(OptimadeError) as caught:
        read(address, limits)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "base", "asked", "version"),
    [
        ('optimade:https://a.org/optimade?elements HAS "Li"', "https://a.org/optimade", 'elements HAS "Li"', "v1"),
        (
            "optimade:http://a.org:8080/v1.2/structures/?filter=nelements%3D2",
            "http://a.org:8080",
            "nelements=2",
            "v1.2",
        ),
        ("optimade:https://a.org/mp", "https://a.org/mp", "", "v1"),
        ("optimade:https://a.org/v1?elements%20HAS%20%22Na%22", "https://a.org", 'elements HAS "Na"', "v1"),
    ],
)
def test_sources(text: str, base: str, asked: str, version: str) -> None:
    source = parse_source(text)
    assert (source.base_url, source.filter, source.version) == (base, asked, version)
    assert source.first_page.startswith(f"{base}/{version}/structures?")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("optimade:ftp://a.org/x", "is not the http or https address"),
        ("optimade:file:///etc/passwd", "is not the http or https address"),
        ("optimade:a.org", "is not the http or https address"),
        ("optimade:https://me:secret@a.org/x", "would be stored with every crystal"),
        ("optimade:https://a.org:99999/x", "is not an address"),
        ("optimade:https://a.org/v2", "version v2 of OPTIMADE is not known"),
        ("optimade:https://a.org/x?filter=a&page_limit=3", "only a filter is accepted"),
    ],
)
def test_what_is_no_source(text: str, words: str) -> None:
    with pytest.raises(OptimadeError, match=words):
        parse_source(text)


def test_pages_are_followed_on_the_same_server(serve: Any) -> None:
    seen: list[str] = []

    def answer(path: str, _: Any) -> dict[str, Any]:
        seen.append(path)
        number = len(seen)
        following: Any = {1: f"{base}/v1/structures?page=2", 2: {"href": "/optimade/v1/structures?page=3"}}.get(number)
        return page(entry(f"{number}a"), entry(f"{number}b"), following=following)

    base = serve(answer)
    assert [one["id"] for one in read(base)] == ["1a", "1b", "2a", "2b", "3a", "3b"]
    assert "response_fields=chemical_formula_reduced%2C" in seen[0]
    assert seen[1:] == ["/optimade/v1/structures?page=2", "/optimade/v1/structures?page=3"]


def test_links_and_redirections_to_other_servers_are_not_followed(serve: Any) -> None:
    other_was_asked: list[str] = []

    def note(path: str, _: Any) -> dict[str, Any]:
        other_was_asked.append(path)
        return page(entry())

    other = serve(note)
    assert "links to another server" in refusal(serve(page(entry(), following=f"{other}/v1/structures")))
    assert "links to another server" in refusal(serve(page(entry(), following="file:///etc/passwd")))

    def redirect(_: str, handler: Any) -> None:
        handler.send_response(302)
        handler.send_header("Location", f"{other}/v1/structures")
        handler.end_headers()

    def circle(path: str, handler: Any) -> None:
        handler.send_response(302)
        handler.send_header("Location", path)
        handler.end_headers()

    assert "redirects to another server" in refusal(serve(redirect))
    assert "redirects without end" in refusal(serve(circle))
    assert other_was_asked == []


def test_pages_without_end_end(serve: Any) -> None:
    assert "never end: the next page after one is one that was sent before" in refusal(
        serve(page(entry(), following="/optimade/v1/structures?again=1"))
    )
    numbers = iter(range(10**6))
    assert "one is empty" in refusal(serve(lambda *_: page(following=f"/optimade/x?{next(numbers)}")))
    growing = serve(lambda *_: page(entry(), following=f"/optimade/x?{next(numbers)}"))
    assert "more than 7 pages" in refusal(growing, Limits(max_pages=7))
    assert "at most 5 are accepted" in refusal(growing, Limits(max_entries=5))
    counted = serve(page(entry(), meta=META | {"data_returned": 5_000_000}))
    assert "5,000,000 structures match" in refusal(counted)


def test_large_and_slow_pages_are_refused(serve: Any) -> None:
    small = Limits(max_page_bytes=100_000, max_bytes=150_000)
    assert "larger than 0.0954 MiB" in refusal(serve(b"[" * 1_000_000), small)
    many = iter(range(100))
    half = serve(lambda *_: page(entry(padding="x" * 90_000), following=f"/optimade/x?{next(many)}"))
    assert "sent more than 0.143 MiB" in refusal(half, small)

    def bomb(_: str, handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.end_headers()
        handler.wfile.write(gzip.compress(b" " * 50_000_000))

    assert "larger than" in refusal(serve(bomb), small)

    def drip(_: str, handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _number in range(100):
            handler.wfile.write(b" " * 70_000)
            time.sleep(0.05)

    begin = time.monotonic()
    assert "takes more than 0.3 s" in refusal(serve(drip), Limits(max_seconds=0.3))

    def silent(_: str, __: Any) -> None:
        time.sleep(2.0)

    assert "cannot be asked" in refusal(serve(silent), Limits(timeout_s=0.2))
    assert time.monotonic() - begin < 30


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"<html>", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"data": [NaN]}', "not JSON"),
        ([1, 2], "not a JSON object"),
        ({}, "`data` is not a list"),
        ({"data": {"id": 1}}, "`data` is not a list"),
        ({"data": ["text"]}, "`data` is not a list"),
        (page(entry(), following=7), "is no text"),
        ({"errors": [{"detail": "no \x1b[31msuch property"}]}, "answers with an error: no ?[31msuch property"),
        ({"errors": "all"}, "answers with an error: HTTP status 200"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_answers_that_are_none(serve: Any, answer: Any, words: str) -> None:
    assert words in refusal(serve(answer))


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert f"127.0.0.1:{port} cannot be asked" in refusal(f"http://127.0.0.1:{port}")


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("optimade", "optimade.exceptions", "optimade.filterparser"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(OptimadeError, match=r"pip install 'aiida-ion\[optimade\]'"):
        list(optimade_crystals("optimade:https://a.org/x", {}))


@needs_optimade
def test_a_filter_is_checked_before_a_server_is_asked() -> None:
    check_filter('elements HAS ALL "Li","O" AND nelements=3 AND NOT (nsites > 40)')
    check_filter("")
    with pytest.raises(OptimadeError, match="is not in OPTIMADE's language"):
        list(optimade_crystals("optimade:http://127.0.0.1:9/x?elements HAS", {}))


@needs_optimade
@pytest.mark.usefixtures("aiida_profile_clean")
def test_crystals_have_their_provenance_and_others_a_reason(serve: Any) -> None:
    bad = [
        entry("flat", dimension_types=[1, 1, 0], nperiodic_dimensions=2),
        entry("no cell", lattice_vectors=None),
        entry("no volume", lattice_vectors=[[1.0, 0, 0], [2.0, 0, 0], [0, 0, 1.0]]),
        entry("close", cartesian_site_positions=[[0.0, 0, 0], [0.0, 0, 0.1]]),
        entry("many", species_at_sites=["Li"] * 2001),
        entry("wrong", species_at_sites=["Li", 7]),
        entry("unknown", species_at_sites=["Li", "Zz"]),
        entry("huge", lattice_vectors=[[1e300, 0, 0], [0, 1e300, 0], [0, 0, 1e300]]),
        {"id": "nothing", "type": "structures"},
        {"id": "other", "type": "references", "attributes": {}},
        {"type": "structures", "attributes": SALT},
        entry("\x1b[31m" + "x" * 5000, nsites="two"),
    ]
    base = serve(page(entry("12"), *bad))
    refused: dict[str, str] = {}
    ((name, node),) = optimade_crystals(f'optimade:{base}/v1?elements HAS "Li"', refused)
    assert name == node.label == "exmpl 12"
    assert node.get_formula() == "ClLi"
    about = node.base.extras.get(OPTIMADE)
    assert (about["url"], about["id"], about["filter"]) == (base, "12", 'elements HAS "Li"')
    assert (about["provider"], about["api_version"]) == ("exmpl", "1.2.0")
    assert about["last_modified"] == "2026-01-01T00:00:00Z"
    assert about["time"].endswith("+00:00")
    node.store()
    assert node.base.extras.get(OPTIMADE) == about
    assert len(refused) == len(bad)
    assert refused["exmpl flat"] == "it is not periodic in three dimensions"
    assert refused["exmpl no cell"] == "the server gives no lattice_vectors"
    assert refused["exmpl huge"] == "lattice_vectors are larger than 10000 angstrom"
    assert refused["exmpl many"] == "it has more than 2,000 sites"
    assert refused["exmpl entry 12"] == "the server gives no id"
    assert refused["exmpl other"] == "it is not a structure but of the type 'references'"
    assert "does not follow the specification" in refused["exmpl wrong"]
    assert all(reason and len(reason) < 400 and "\n" not in reason for reason in refused.values())
    assert max(map(len, refused)) < 400


@pytest.fixture(scope="module")
def reference_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of OPTIMADE's own server with rock salts and a sheet in an imitated MongoDB."""
    folder = tmp_path_factory.mktemp("optimade")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"OPTIMADE_DATABASE_BACKEND": "mongomock", "OPTIMADE_INSERT_TEST_DATA": "false"}
    settings |= {"OPTIMADE_LOG_DIR": str(folder), "OPTIMADE_CONFIG_FILE": str(folder / "config.json")}
    rows = [rock_salt(*one) for one in ROCK_SALTS] + [entry("sheet", dimension_types=[1, 1, 0], nperiodic_dimensions=2)]
    for row in rows:
        row["attributes"]["last_modified"] = {"$date": "2026-01-01T00:00:00Z"}
    header = {"x-optimade": {"meta": {"api_version": "1.2.0"}}}
    (folder / "data.jsonl").write_text("\n".join(json.dumps(row) for row in [header, *rows]))
    settings |= {"OPTIMADE_INSERT_FROM_JSONL": str(folder / "data.jsonl")}
    (folder / "config.json").write_text("{}")
    command = [sys.executable, "-m", "uvicorn", "optimade.server.main:app", "--port", str(port)]
    log = (folder / "log.txt").open("w+")
    process = subprocess.Popen(command, env=os.environ | settings, cwd=folder, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            assert process.poll() is None, Path(log.name).read_text()
            try:
                if requests.get(f"{address}/v1/info", timeout=5).ok:
                    break
            except requests.RequestException:
                time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


@pytest.mark.slow
@needs_server
@pytest.mark.usefixtures("aiida_profile_clean")
def test_the_reference_server(reference_server: str) -> None:
    """The server that the specification's authors wrote: its pages, its filters and its structures."""
    refused: dict[str, str] = {}
    everything = dict(optimade_crystals(f"optimade:{reference_server}", refused, Limits(page_size=5)))
    assert {name.partition(" ")[2] for name in everything} == {f"{one}{other}" for one, other, _ in ROCK_SALTS}
    assert refused == {"exmpl sheet": "it is not periodic in three dimensions"}
    for name, node in everything.items():
        about = node.base.extras.get(OPTIMADE)
        assert about["url"] == reference_server
        assert about["last_modified"].startswith("2026-01-01")
        assert name == f"exmpl {about['id']}"
    salt = everything["exmpl NaCl"].get_pymatgen_structure()
    assert salt.get_distance(0, 1) == pytest.approx(5.64 / 2)
    assert salt.volume == pytest.approx(5.64**3 / 4)
    source = f'optimade:{reference_server}/v1/structures?elements HAS "Li" AND NOT elements HAS "Br"'
    chosen = dict(optimade_crystals(source, refused := {}))
    assert set(chosen) == {"exmpl LiF", "exmpl LiCl", "exmpl LiI"}
    assert set(refused) == {"exmpl sheet"}
    with pytest.raises(OptimadeError, match="answers with an error"):
        list(entries(parse_source(f"optimade:{reference_server}?nelements HAS HAS")))
