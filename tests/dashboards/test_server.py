"""The server as a browser, a stranger and an attacker see it; requests go over a real socket."""

from __future__ import annotations

import http.client
import io
import json
import re
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiida import orm
from werkzeug.serving import BaseWSGIServer

from aiida_ion.dashboards import connections, security, server
from aiida_ion.dashboards.app import Source
from aiida_ion.dashboards.pages import PAGES
from aiida_ion.queries import read_only

TOKEN = "a-token-that-nobody-guesses"


@contextmanager
def serving(source: Source, token: str | None = None) -> Iterator[BaseWSGIServer]:
    """Answer requests in threads of this process."""
    made = server.make(source, "127.0.0.1", 0, token)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


class Answer:
    """What came back."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.text = response.status, response.read().decode(errors="replace")
        self.headers = {name.lower(): value for name, value in response.getheaders()}


def ask(
    made: BaseWSGIServer, path: str = "/", body: str | None = None, method: str | None = None, **headers: str
) -> Answer:
    """Send one request."""
    connection = http.client.HTTPConnection("127.0.0.1", made.port, timeout=60)
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        connection.request(method or ("POST" if body is not None else "GET"), path, body, sent)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def page_request(path: str, search: str = "") -> str:
    """Return the body with which the browser asks for a page."""
    outputs = [
        ("content", "children"),
        ("nav", "children"),
        ("shown", "data"),
        ("title", "data"),
        ("message", "children"),
    ]
    address = {"path": path, "search": search, "theme": "light"}
    return json.dumps(
        {
            "output": f"..{'...'.join(f'{one}.{prop}' for one, prop in outputs)}..",
            "outputs": [{"id": one, "property": prop} for one, prop in outputs],
            "inputs": [{"id": "address", "property": "data", "value": address}],
            "changedPropIds": ["address.data"],
            "state": [],
        }
    )


def show(made: BaseWSGIServer, path: str, search: str = "", **headers: str) -> Answer:
    return ask(made, "/_dash-update-component", page_request(path, search), **headers)


@pytest.fixture
def open_server(aiida_profile_clean: Any) -> Iterator[BaseWSGIServer]:
    with serving(Source("synthetic")) as made:
        yield made


def test_every_answer_tells_the_browser_what_it_may_do(open_server: BaseWSGIServer) -> None:
    for path in ("/", "/materials", "/assets/dashboard.css", "/_dash-layout", "/absent.js"):
        headers = ask(open_server, path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        policy = dict(rule.split(" ", 1) for rule in headers["content-security-policy"].split("; "))
        assert policy["frame-ancestors"] == policy["object-src"] == "'none'"
        assert "unsafe" not in policy["script-src"]
        assert headers["server"] == "aiida-ion"


def test_everything_is_served_from_here(open_server: BaseWSGIServer) -> None:
    index = ask(open_server).text
    sources = re.findall(r'(?:src|href)="([^"]+)"', index)
    assert len(sources) > 10
    assert all(source.startswith("/") and not source.startswith("//") for source in sources)
    for source in sources:
        assert ask(open_server, source).status == 200, source
    # Before anything is painted: no flash of the other theme.
    assert index.index("early/theme.js") < index.index("stylesheet") < index.index("<body>")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8050", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]:8050", 200),
        ("192.168.7.7:8050", 200),
        ("evil.example:8050", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example:8050", 421),
    ],
)
def test_a_name_that_was_made_to_point_here_is_refused(open_server: BaseWSGIServer, host: str, status: int) -> None:
    assert ask(open_server, Host=host).status == status
    assert show(open_server, "/", Host=host).status == status


def test_a_token_is_asked_for_and_taken_once(aiida_profile_clean: Any) -> None:
    with serving(Source("synthetic"), TOKEN) as made:
        for path in ("/", "/assets/dashboard.css", "/_dash-layout", f"/?token={TOKEN}x", "/?token=", "/?token=ä"):
            answer = ask(made, path.encode().decode("latin-1") if path.isascii() else "/?token=%C3%A4")
            assert answer.status == 401
            assert "aiida-ion dashboard" in answer.text
        assert show(made, "/").status == 401
        let_in = ask(made, f"/materials?f.formula=contains~~Li&token={TOKEN}")
        assert let_in.status == 200
        assert "url=/materials?f.formula=contains%7E%7ELi" in let_in.text.replace("~", "%7E")
        assert TOKEN not in let_in.text
        cookie, _, flags = let_in.headers["set-cookie"].partition(";")
        assert {"httponly", "samesite=strict"} <= {flag.strip().lower() for flag in flags.split(";")}
        assert show(made, "/", Cookie=cookie).status == 200
        assert show(made, "/", Cookie=cookie[:-1]).status == 401


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example", "/%2F%2Fevil.example"])
def test_the_token_leads_nowhere_else(aiida_profile_clean: Any, path: str) -> None:
    with serving(Source("synthetic"), TOKEN) as made:
        text = ask(made, f"{path}?token={TOKEN}").text
        assert re.search(r"url=/(?![/\\])", text) or "url=" not in text


def test_others_are_let_in_only_with_a_token(aiida_profile_clean: Any) -> None:
    with pytest.raises(ValueError, match="needs a token"):
        server.make(Source("synthetic"), "0.0.0.0", 0, None)
    with pytest.raises(ValueError, match="16 characters"):
        server.make(Source("synthetic"), "127.0.0.1", 0, "short")
    assert len(security.new_token()) >= 32
    assert security.new_token() != security.new_token()
    text = [security.is_loopback(host) for host in ("127.0.0.1", "127.3.2.1", "::1", "localhost", "0.0.0.0", "::", "x")]
    assert text == [True, True, True, True, False, False, False]


def test_a_port_in_use_is_one_sentence(open_server: BaseWSGIServer) -> None:
    with pytest.raises(server.PortInUse, match=f"^port {open_server.port} of 127.0.0.1 is in use: .*--port$"):
        server.make(Source("synthetic"), "127.0.0.1", open_server.port, None)


def test_a_long_request_is_not_read(open_server: BaseWSGIServer) -> None:
    answer = ask(open_server, "/_dash-update-component", "x" * (security.MAX_REQUEST + 1))
    assert answer.status == 413


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", '{"output": "absent.children"}', json.dumps({"output": "x" * 1000, "inputs": 5})]
)
def test_nobody_sees_a_traceback(open_server: BaseWSGIServer, body: str) -> None:
    answer = ask(open_server, "/_dash-update-component", body)
    assert answer.status >= 400
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text
    assert len(answer.text) < 200


def test_a_page_that_fails_says_so_and_no_more(open_server: BaseWSGIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(view: Any) -> Any:
        raise RuntimeError("secret in /home/somebody")

    monkeypatch.setattr(PAGES[0], "layout", broken)
    text = show(open_server, "/").text
    assert "cannot be shown" in text
    assert "terminal" in text
    assert "secret" not in text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_nothing_else_is_answered(open_server: BaseWSGIServer, method: str) -> None:
    assert ask(open_server, "/", method=method).status == 405


def test_there_is_no_development_mode(aiida_profile_clean: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASH_DEBUG", "true")
    monkeypatch.setenv("FLASK_DEBUG", "1")
    with serving(Source("synthetic")) as made:
        assert '"ui":false' in ask(made).text
        assert "_reload-hash" not in ask(made, "/_dash-layout").text
        assert not made.app.debug


def test_an_unknown_page(open_server: BaseWSGIServer) -> None:
    assert "There is no such page" in show(open_server, "/../etc/passwd").text
    assert ask(open_server, "/assets/../../server.py").status in (200, 404)
    assert "def make" not in ask(open_server, "/assets/%2e%2e/server.py").text


def _read_whole(made: Any, path: str) -> str:
    """Return a page when its tables have been read, which a busy machine may not do at once."""
    for _ in range(60):
        text: str = show(made, path).text
        if "The results are being read" not in text:
            return text
        time.sleep(0.5)
    raise AssertionError(f"{path} is being read for half a minute")


def _read_in_parallel(source: Source, paths: list[str]) -> None:
    """Ask for pages from sixteen threads at once; all must be whole, and the same as when asked alone."""
    with serving(source) as made, read_only():
        alone = {path: _read_whole(made, path) for path in paths}
        for path, text in alone.items():
            assert "cannot be shown" not in text, (path, text[:500])
        with ThreadPoolExecutor(16) as pool:
            jobs = [(path, pool.submit(show, made, path)) for _ in range(6) for path in paths]
            for path, job in jobs:
                answer = job.result(timeout=120)
                assert answer.status == 200
                assert "cannot be shown" not in answer.text, path
                assert len(answer.text) == pytest.approx(len(alone[path]), rel=0.05)


@pytest.mark.slow
def test_readers_of_an_archive_do_not_disturb_each_other(campaign: Path) -> None:
    _read_in_parallel(server.archive_source(campaign.name), ["/", "/materials"])


def test_readers_of_a_profile_do_not_disturb_each_other(aiida_profile_clean: Any) -> None:
    from benchmarks.many_results import fill

    fill(60, n_with_arrays=0)
    _read_in_parallel(Source("synthetic"), ["/", "/materials"])


def test_reading_writes_nothing(aiida_profile_clean: Any) -> None:
    from benchmarks.many_results import fill

    fill(60, n_with_arrays=0)
    before = _content()
    with serving(Source("synthetic")) as made, read_only():
        for one in PAGES:
            assert show(made, one.PATH).status == 200
    assert _content() == before


def _content() -> list[Any]:
    query = orm.QueryBuilder().append(orm.Node, project=["uuid", "mtime", "attributes", "extras"])
    return sorted(query.all(), key=lambda row: row[0])


def talk(made: BaseWSGIServer, *parts: bytes, pause_s: float = 0.0) -> socket.socket:
    """Open a connection and send parts of a request, with pauses; whoever asked reads what comes."""
    connection = socket.create_connection(("127.0.0.1", made.port), timeout=30)
    for part in parts:
        connection.sendall(part)
        time.sleep(pause_s)
    return connection


def heard(connection: socket.socket) -> bytes:
    """Return everything that comes until the other end closes."""
    result = b""
    try:
        while part := connection.recv(65536):
            result += part
    except ConnectionResetError:
        pass
    finally:
        connection.close()
    return result


HALF_A_POST = b"POST /_dash-update-component HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


@pytest.fixture
def locked_server(aiida_profile_clean: Any) -> Iterator[BaseWSGIServer]:
    """Return a server whose readers wait for each other, as those of an archive do."""
    with serving(Source("synthetic", lock=threading.RLock())) as made:
        yield made


def test_a_slow_request_stops_nobody(locked_server: BaseWSGIServer) -> None:
    slow = [
        talk(locked_server, HALF_A_POST + b"Content-Length: 5000\r\n\r\n{"),
        talk(locked_server, HALF_A_POST),
        talk(locked_server, b"G"),
        talk(locked_server),
    ]
    try:
        assert show(locked_server, "/").status == 200
        assert ask(locked_server, "/download/zip?uuid=x&side=inputs").status == 404
    finally:
        for one in slow:
            one.close()


def test_a_request_has_a_deadline_for_headers_and_body(
    locked_server: BaseWSGIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "REQUEST_S", 0.5)
    for begun in (b"", b"GET / HT", HALF_A_POST, HALF_A_POST + b"Content-Length: 5000\r\n\r\n{"):
        # A byte now and then keeps nobody connected.
        connection = talk(locked_server, begun, b" ", b" ", b" ", pause_s=0.2)
        assert b"200 OK" not in heard(connection)
    assert show(locked_server, "/").status == 200


def test_the_slowest_make_room_for_others(locked_server: BaseWSGIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 8)
    before = threading.active_count()
    crowd = [talk(locked_server, HALF_A_POST) for _ in range(40)]
    try:
        assert show(locked_server, "/").status == 200
        end = time.monotonic() + 30.0  # threads of connections that were cut off end when they are next looked at
        while threading.active_count() - before > 12 and time.monotonic() < end:
            time.sleep(0.1)
        assert threading.active_count() - before <= 12
    finally:
        for one in crowd:
            one.close()


def test_too_many_that_are_answered_are_told_so(locked_server: BaseWSGIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 2)
    body = page_request("/").encode()
    whole = HALF_A_POST + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    app: Any = locked_server.app
    answer, go_on = app.wsgi_app, threading.Event()

    def waits(environ: Any, start: Any) -> Any:
        go_on.wait(30)
        return answer(environ, start)

    monkeypatch.setattr(app, "wsgi_app", waits)
    busy = [talk(locked_server, whole) for _ in range(2)]
    while sum(locked_server._open.values()) < 2:  # type: ignore[attr-defined]
        time.sleep(0.01)
    refused = heard(talk(locked_server, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"))
    assert refused.startswith(b"HTTP/1.1 503 ")
    go_on.set()
    assert all(heard(one).startswith(b"HTTP/1.1 200 ") for one in busy)


@pytest.mark.parametrize("start", ["/_dash-component-suites/", "/_dash-component-suites/dash/", "/assets/", "/", ""])
@pytest.mark.parametrize(
    "odd",
    [
        *("%00", "dash_renderer%00.js", "../../etc/passwd", "..%2f..%2fetc/passwd", "%2e%2e/x", "%ff%fe", "x/y.js"),
        *("a" * 3000, "%F0%9F%92%A9", "//", "os/path.js", "%", "%zz", "%0d%0aX-Evil:1", "deps/../../__init__.py"),
    ],
)
def test_odd_paths_are_not_found_and_no_failure(open_server: BaseWSGIServer, start: str, odd: str) -> None:
    text = heard(talk(open_server, f"GET {start}{odd} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()))
    head, _, body = text.partition(b"\r\n\r\n")
    assert head.split(b" ")[1] in (b"200", b"400", b"404")
    assert b"root:" not in body
    assert b"x-evil" not in head.lower()
    assert b"x-content-type-options: nosniff" in head.lower()
    assert b"content-security-policy: default-src" in head.lower()


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"POST /_dash-update-component HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x", b"400"),
        (b"POST /_dash-update-component HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -7", b"400"),
        (b"POST /_dash-update-component HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked", b"411"),
        (b"GET / HTTP/1.1" + b"\r\nA: b" * 200, b"431"),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 70_000, b"431"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1", b"414"),
        (b"nonsense and more of it", b"400"),
    ],
)
def test_what_is_no_request_is_told_so(open_server: BaseWSGIServer, line: bytes, status: bytes) -> None:
    text = heard(talk(open_server, line + b"\r\n\r\n"))
    assert text.split(b" ", 2)[1] == status
    assert b"sandbox" in text


def test_what_is_no_page_may_run_nothing(open_server: BaseWSGIServer) -> None:
    for path in ("/download/file?uuid=x&path=y", "/download/zip?uuid=x&side=inputs"):
        policy = ask(open_server, path).headers["content-security-policy"]
        assert policy == "default-src 'none'; frame-ancestors 'none'; sandbox", path
    data = orm.SinglefileData(io.BytesIO(b"<script>alert(1)</script>"), filename="evil.html").store()
    answer = ask(open_server, f"/download/file?uuid={data.uuid}&path=evil.html")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/octet-stream")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "::1", "[::1]", "127.0.0.1", "localhost"])
def test_the_printed_address_is_one_that_answers(aiida_profile_clean: Any, host: str) -> None:
    try:
        made = server.make(Source("synthetic"), host, 0, TOKEN)
    except OSError as error:
        pytest.skip(f"this machine has no such address: {error}")
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    try:
        for address in filter(None, (server.address(made, TOKEN), server.outside_address(made, TOKEN))):
            with urllib.request.urlopen(address, timeout=30) as answer:
                assert answer.status == 200
            assert "0.0.0.0" not in address
            assert "[::]" not in address
        assert (server.outside_address(made, TOKEN) is not None) == (host in ("0.0.0.0", "::"))
    finally:
        made.shutdown()
        thread.join()
        made.server_close()
