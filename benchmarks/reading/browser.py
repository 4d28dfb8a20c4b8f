"""What a browser does with the dashboard, without drawing anything: its requests, its cache, its callbacks."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

#: Scripts that Dash loads when a component needs them: package and file.
LATER = (
    ("dash/dcc", "async-graph.js"),
    ("dash/dcc", "async-dropdown.js"),
    ("dash_ag_grid", "async-community.js"),
)
PLOTLY = "/_dash-component-suites/plotly/package_data/plotly.min.js"
UPDATE = "/_dash-update-component"
FRAME = ("content.children", "nav.children", "shown.data", "title.data", "message.children")
BEING_READ = "The results are being read."
#: A page that is being read is asked for again after this time, s.
AGAIN_S = 1.0
TIMEOUT_S = 120.0


@dataclass
class Answer:
    """What came back.

    :param n_bytes: of its head and its body, as they were sent.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    n_bytes: int


@dataclass
class Browser:
    """One reader's browser.

    :param address: of the server: host and port.
    :param mark: of every request for a callback; the server ignores it, but has no answer for a new one.
    """

    address: str
    mark: str = ""
    n_bytes: int = 0
    n_requests: int = 0
    kept: dict[str, Answer] = field(default_factory=dict)
    callbacks: list[dict[str, Any]] = field(default_factory=list)

    def load(self) -> None:
        """Load the frame: index, scripts, styles, layout and callbacks; what the cache has is not asked for."""
        index = self.get("/").body.decode()
        sources = re.findall(r'(?:src|href)="([^"]+)"', index)
        for source in [*sources, *_later(sources), PLOTLY]:
            self.get(source)
        self.get("/_dash-layout")
        self.callbacks = json.loads(self.get("/_dash-dependencies").body)

    def page(self, path: str, search: str = "") -> dict[str, Any]:
        """Show a page, with the callbacks that start with it; return its components by id.

        :raises RuntimeError: if the server fails or says that the page cannot be shown.
        """
        address: dict[str, Any] = {"path": path, "search": search, "theme": "light"}
        content = self._content(address)
        number = 0
        while BEING_READ in json.dumps(content, ensure_ascii=False) or content is None:
            time.sleep(AGAIN_S)
            number += 1
            content = self._content(address | {"again": number}) or content
        if "cannot be shown" in json.dumps(content):
            raise RuntimeError(f"{path}{search} cannot be shown")
        components = {"theme": {"data": "light"}} | dict(_components(content))
        for grid in [one for one in components.values() if one.get("rowModelType") == "infinite"]:
            grid["getRowsRequest"] = {"startRow": 0, "endRow": 100, "filterModel": {}, "sortModel": []}
        for callback in self.callbacks:
            if _starts(callback, components):
                self._call(callback, components)
        return components

    def _content(self, address: Mapping[str, Any]) -> Any:
        body = _body(FRAME, [("address", "data", address)], [])
        return json.loads(self.post(body).body)["response"].get("content", {}).get("children")

    def _call(self, callback: Mapping[str, Any], components: dict[str, Any]) -> None:
        """Call a callback, and put what it returns into the components."""
        inputs, states = (
            [(one["id"], one["property"], _value(one, components)) for one in callback[name]]
            for name in ("inputs", "state")
        )
        answer = self.post(_body(_outputs(callback), inputs, states, callback["output"]))
        if answer.status == 200:
            for name, properties in json.loads(answer.body).get("response", {}).items():
                components.setdefault(name, {}).update(properties)

    def post(self, body: Mapping[str, Any]) -> Answer:
        """Call a callback of the server."""
        marked = dict(body) | ({"mark": self.mark} if self.mark else {})
        return self._ask("POST", UPDATE, json.dumps(marked), {"Content-Type": "application/json"})

    def get(self, path: str) -> Answer:
        """Return a file, from the cache if that is allowed."""
        old = self.kept.get(path)
        if old is not None and "max-age" in old.headers.get("cache-control", ""):
            return old
        asked = {"If-None-Match": old.headers["etag"]} if old is not None and "etag" in old.headers else {}
        answer = self._ask("GET", path, None, asked)
        if answer.status == 304 and old is not None:
            return old
        if "no-store" not in answer.headers.get("cache-control", ""):
            self.kept[path] = answer
        return answer

    def _ask(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> Answer:
        connection = http.client.HTTPConnection(self.address, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, body, {"Accept-Encoding": "gzip, deflate", **headers})
            response = connection.getresponse()
            sent = response.read()
        finally:
            connection.close()
        known = {name.lower(): value for name, value in response.getheaders()}
        n_bytes = len(sent) + len(str(response.msg).encode()) + len("HTTP/1.1 200 OK\r\n")
        self.n_bytes, self.n_requests = self.n_bytes + n_bytes, self.n_requests + 1
        if response.status >= 400:
            raise RuntimeError(f"{method} {path}: {response.status} {sent[:200]!r}")
        whole = gzip.decompress(sent) if known.get("content-encoding") == "gzip" else sent
        return Answer(response.status, known, whole, n_bytes)


def _later(sources: list[str]) -> Iterator[str]:
    """Return the addresses of `LATER`, with the fingerprints that the scripts of the same packages have."""
    for package, name in LATER:
        prints = (re.search(rf"/{package}/[^/]*?\.(v\w+m\w+)\.", source) for source in sources)
        stem, _, ending = name.rpartition(".")
        yield f"/_dash-component-suites/{package}/{stem}.{next(one[1] for one in prints if one)}.{ending}"


def _components(content: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the components with an id, and their properties."""
    if isinstance(content, list):
        for part in content:
            yield from _components(part)
    elif isinstance(content, dict) and "props" in content:
        properties = content["props"]
        if "id" in properties:
            yield _name(properties["id"]), properties
        for part in properties.values():
            if isinstance(part, (list, dict)):
                yield from _components(part)


def _name(component_id: Any) -> str:
    if isinstance(component_id, dict):
        return json.dumps(component_id, sort_keys=True, separators=(",", ":"))
    return str(component_id)


def _starts(callback: Mapping[str, Any], components: Mapping[str, Any]) -> bool:
    """Whether a callback is called when these components appear."""
    if callback["clientside_function"] or not all(one["id"] in components for one in callback["inputs"]):
        return False
    asks = any(one["property"] == "getRowsRequest" for one in callback["inputs"])
    return asks or not callback["prevent_initial_call"]


def _value(one: Mapping[str, Any], components: Mapping[str, Any]) -> Any:
    return components.get(one["id"], {}).get(one["property"])


def _outputs(callback: Mapping[str, Any]) -> list[str]:
    text = callback["output"]
    names = text.strip(".").split("...") if text.startswith("..") else [text]
    return [name.partition("@")[0] for name in names]


def _body(outputs: Any, inputs: Any, states: Any, output: str | None = None) -> dict[str, Any]:
    """Return the body of a request for a callback."""
    several = output is None or output.startswith("..")
    targets = [dict(zip(("id", "property"), name.rsplit(".", 1), strict=True)) for name in outputs]

    def listed(values: Any) -> list[dict[str, Any]]:
        return [
            {"id": json.loads(name) if name.startswith("{") else name, "property": key, "value": value}
            for name, key, value in values
        ]

    return {
        "output": output or f"..{'...'.join(outputs)}..",
        "outputs": targets if several else targets[0],
        "inputs": listed(inputs),
        "changedPropIds": [f"{name}.{key}" for name, key, _ in inputs],
        "state": listed(states),
    }
