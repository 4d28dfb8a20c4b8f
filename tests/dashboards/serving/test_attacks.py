"""The server under attack: slow bodies and readers, odd paths and hosts, other sites, callbacks that nobody wrote."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from werkzeug.serving import BaseWSGIServer

from aiida_ion.dashboards import connections
from aiida_ion.dashboards.app import Source
from aiida_ion.dashboards.serving.requests import DEEPEST, is_plain, validate_request
from benchmarks.many_results import fill
from tests.dashboards.serving.test_answers import PLOTLY
from tests.dashboards.test_server import HALF_A_POST, ask, heard, page_request, serving, show, talk

#: Nothing here may take longer, s, even on a busy machine.
SOON_S = 20.0
UPDATE = "/_dash-update-component"
#: Values that a page never sends, as JSON.
ODD = (
    *("null", "5", "-1e308", "true", '"x"', '""', "[]", "{}", "[[1, {}], null]", '{"a": {"b": [1]}}', "[null]"),
    *('["a", 1]', '{"startRow": "a", "endRow": []}', '{"startRow": 0, "endRow": 1e300}', json.dumps("x" * 10_000)),
    *('{"points": [{"customdata": 5}]}', '{"points": 7}', '{"points": [null]}', '[{"colId": 5, "sort": []}]'),
    *('{"formula": 5}', '{"formula": {"type": [], "filter": {}}}', '"<script>alert(1)</script>"', '"?%00=%ff&f.x=~~"'),
    *('{"path": 5, "search": [], "theme": {}}', '{"path": "/materials", "search": "?temperature_K=nan~1e999"}'),
)


@pytest.fixture(scope="module")
def made(module_profile: Any) -> Iterator[BaseWSGIServer]:
    fill(10, n_with_arrays=0)
    with serving(Source("synthetic")) as server:
        yield server


@contextmanager
def trickling(made: BaseWSGIServer, n: int) -> Iterator[list[socket.socket]]:
    """Hold connections that send a byte of their body now and then."""
    slow = [talk(made, HALF_A_POST + b"Content-Length: 5000\r\n\r\n{") for _ in range(n)]
    ends = threading.Event()

    def work() -> None:
        while not ends.wait(0.1):
            for one in slow:
                try:
                    one.send(b" ")
                except OSError:
                    continue

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield slow
    finally:
        ends.set()
        thread.join()
        for one in slow:
            one.close()


def test_bodies_that_trickle_stop_nobody(made: BaseWSGIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 20)
    before = threading.active_count()
    with trickling(made, 60):
        for path in ("/", "/materials", "/compare"):
            start = time.monotonic()
            assert show(made, path).status == 200
            assert time.monotonic() - start < SOON_S
        end = time.monotonic() + SOON_S
        while threading.active_count() - before > 24 and time.monotonic() < end:
            time.sleep(0.1)
        assert threading.active_count() - before <= 24


def test_who_does_not_read_the_answer_makes_room(made: BaseWSGIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 6)
    monkeypatch.setattr(connections, "SENDING_S", 0.2)
    asked = f"GET {PLOTLY} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    deaf = []
    for _ in range(6):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # before it connects, so that it is meant
        one.connect(("127.0.0.1", made.port))
        one.sendall(asked)
        deaf.append(one)
    try:
        server: Any = made
        end = time.monotonic() + SOON_S
        while len(server._sending) < 6 and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.3)
        assert show(made, "/").status == 200
    finally:
        for one in deaf:
            one.close()


@pytest.mark.parametrize(
    "target",
    [
        *("/_dash-component-suites/../../etc/passwd", "/_dash-component-suites/%2e%2e/%2e%2e/etc/passwd"),
        *("/_dash-component-suites/dash/%252e%252e%252fserver.py", "/_dash-component-suites//etc/passwd"),
        *("/_dash-component-suites/dash/dcc/../../dash.py", "/_dash-component-suites/dash/dash.py"),
        *("/_dash-component-suites/dash/dcc/..;/x.js", "/_dash-component-suites/dash%00/dcc/x.js"),
        *("/_dash-component-suites/plotly/package_data/../__init__.py", "/_dash-component-suites/os/path.py"),
        *("/_dash-component-suites/aiida_ion/dashboards/security.py", "/_dash-component-suites/json/decoder.py"),
        *("/_dash-component-suites/dash/.v1m1.js", "/_dash-component-suites/dash/x.v1m1.v1m1.js"),
        *("/_dash-component-suites/file:///etc/passwd", "http://evil.example/_dash-component-suites/dash/x.js"),
        *("/assets/%2e%2e%2fserver.py", "/assets//etc/passwd", "/assets/..%5c..%5cserver.py", "/_favicon.ico/../x"),
        "/_dash-component-suites/" + "/".join([".."] * 200) + "/etc/passwd",
    ],
)
def test_no_path_leads_out_of_the_files_of_components(made: BaseWSGIServer, target: str) -> None:
    text = heard(talk(made, f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()))
    head, _, body = text.partition(b"\r\n\r\n")
    assert head.split(b" ")[1] in (b"400", b"404", b"421") or b'id="react-entry-point"' in body
    assert b"root:" not in body
    assert b"import " not in body


@pytest.mark.parametrize(
    "head",
    [
        *("", "Host:", "Host: 127.0.0.1@evil.example", "Host: [::1", "Host: 127.0.0.1:abc", "Host: evil\x00.example"),
        *("Host: " + "a" * 5000, "Host: 127.0.0.1\r\nHost: evil.example", "Host: evil.example\r\nHost: 127.0.0.1"),
        *("Host: 127.0.0.1, evil.example", "Host: évil.example", "Host: 0x7f.1", "Host: 127.1"),
    ],
)
def test_odd_hosts_are_refused_or_are_this_machine(made: BaseWSGIServer, head: str) -> None:
    text = heard(talk(made, f"GET / HTTP/1.1\r\n{head}\r\n\r\n".encode()))
    assert text.split(b" ", 2)[1] in (b"200", b"400", b"421")
    assert b"evil" not in text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://127.0.0.1:8050"}, 200),
        ({"Origin": "http://localhost:9000"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://proxy.example"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:8050"}, 403),
    ],
)
def test_other_sites_may_not_ask(made: BaseWSGIServer, headers: dict[str, str], status: int) -> None:
    assert ask(made, UPDATE, page_request("/"), None, **headers).status == status


@pytest.mark.parametrize(
    "change",
    [
        *({"output": []}, {"output": None}, {"output": "x" * 10_000}, {"output": "..a.b...c.d.."}, {"output": {}}),
        *({"outputs": None}, {"outputs": []}, {"outputs": "content"}, {"outputs": [{"id": [], "property": {}}] * 5}),
        *({"inputs": None}, {"inputs": {}}, {"inputs": "x"}, {"inputs": [5]}, {"inputs": []}, {"inputs": [[]]}),
        {"inputs": [{"id": "absent", "property": "data", "value": 1}]},
        {"inputs": [{"id": {"role": "columns"}, "property": "data", "value": 1}]},
        *({"state": [{"id": "x", "property": "y"}]}, {"state": 5}, {"changedPropIds": 5}, {"changedPropIds": [{}]}),
    ],
    ids=lambda change: json.dumps(change)[:30],
)
def test_requests_for_no_callback_are_refused(made: BaseWSGIServer, change: dict[str, Any]) -> None:
    answer = ask(made, UPDATE, json.dumps(json.loads(page_request("/")) | change))
    assert answer.status == 400
    assert len(answer.text) < 100


@pytest.mark.parametrize(
    "value",
    [
        *(
            "[" * 100_000 + "]" * 100_000,
            '{"a":' * 50_000 + "1" + "}" * 50_000,
            "1" + "0" * 4000,
            "[" * 100 + "]" * 100,
        ),
        *(r'"\ud800"', r'{"\udfff": 1}', '"' + "x" * 3_000_000 + '"', "[" + "1," * 400_000 + "1]", "1e999"),
    ],
    ids=lambda value: value[:12],
)
def test_json_that_cannot_be_written_again_ends_nothing(made: BaseWSGIServer, value: str) -> None:
    start = time.monotonic()
    marked = json.loads(page_request("/")) | {"inputs": [{"id": "address", "property": "data", "value": "HERE"}]}
    answer = ask(made, UPDATE, json.dumps(marked).replace('"HERE"', value))
    assert answer.status in (200, 204, 400, 413)
    assert time.monotonic() - start < SOON_S
    assert show(made, "/").status == 200


def test_no_value_of_any_input_is_a_failure_of_the_server(made: BaseWSGIServer) -> None:
    callbacks = [one for one in json.loads(ask(made, "/_dash-dependencies").text) if not one["clientside_function"]]
    assert len(callbacks) > 20
    draw = random.Random(1)
    for callback in callbacks:
        for _ in range(2):
            body = json.dumps(asked(callback, draw))
            answer = ask(made, UPDATE, body)
            assert answer.status in (200, 204), (callback["output"], body[:500], answer.text)
            assert "Traceback" not in answer.text
            assert len(answer.text) < 5_000_000


def asked(callback: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """Return the request for a callback, with an odd value of each input and state."""
    output = callback["output"]
    names = [name.partition("@")[0].rsplit(".", 1) for name in output.strip(".").split("...")]
    outputs = [{"id": one, "property": name} for one, name in names]
    given = {
        kind: [
            {
                "id": json.loads(one["id"]) if one["id"].startswith("{") else one["id"],
                "property": one["property"],
                "value": json.loads(draw.choice(ODD)),
            }
            for one in callback[kind]
        ]
        for kind in ("inputs", "state")
    }
    changed = [f"{one['id']}.{one['property']}" for one in callback["inputs"]]
    return {
        "output": output,
        "outputs": outputs if output.startswith("..") else outputs[0],
        "changedPropIds": changed,
        **given,
    }


def test_what_is_plain() -> None:
    value: Any = 1
    for _ in range(DEEPEST):
        value = [value]
    assert is_plain(value)
    assert not is_plain([value])
    assert [is_plain(one) for one in (2**63 - 1, 2**63, "ä", "\ud800", {"\ud800": 1}, None, 1e300)] == [
        *(True, False, True, False, False, True, True),
    ]
    assert str(validate_request([], {})).startswith("the request is not a mapping")


@pytest.mark.parametrize("sent", ["data@1f", "data"])
def test_an_output_that_callbacks_share_is_known_however_it_is_sent(sent: str) -> None:
    callbacks = {"..count.children...query.data@1f..": {"inputs": [{"id": "word", "property": "value"}], "state": []}}
    body = {
        "output": "..count.children...query.data@1f..",
        "outputs": [{"id": "count", "property": "children"}, {"id": "query", "property": sent}],
        "inputs": [{"id": "word", "property": "value", "value": "Li"}],
        "changedPropIds": ["word.value"],
    }
    assert validate_request(body, callbacks) is None
    body["outputs"][1]["property"] = "options"
    assert validate_request(body, callbacks) == "the outputs are not those of the callback"
