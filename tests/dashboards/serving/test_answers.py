"""Answers are kept for as long as they are right, and no longer, nor for others, nor without limit."""

from __future__ import annotations

import gzip
import http.client
import itertools
import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from aiida import orm
from flask import Response
from werkzeug.serving import BaseWSGIServer

from aiida_ion.dashboards import tables
from aiida_ion.dashboards.app import Source
from aiida_ion.dashboards.pages import PAGES
from aiida_ion.dashboards.serving import answers
from aiida_ion.dashboards.serving.compression import Packed
from tests.dashboards.test_server import TOKEN, ask, page_request, serving, show

PLOTLY = "/_dash-component-suites/plotly/package_data/plotly.min.js"
OVERVIEW: Any = PAGES[0]


@pytest.fixture(scope="module")
def made(module_profile: Any) -> Iterator[BaseWSGIServer]:
    with serving(Source("synthetic")) as server:
        yield server


@pytest.fixture
def layouts(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the views with which the overview is really made."""
    seen: list[Any] = []
    layout = OVERVIEW.layout

    def counted(view: Any) -> Any:
        seen.append(view)
        return layout(view)

    monkeypatch.setattr(OVERVIEW, "layout", counted)
    return seen


def raw(made: BaseWSGIServer, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body as they are sent."""
    connection = http.client.HTTPConnection("127.0.0.1", made.port, timeout=60)
    try:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, {key.lower(): value for key, value in response.getheaders()}, response.read()
    finally:
        connection.close()


def test_plotly_is_sent_compressed_and_once(made: BaseWSGIServer) -> None:
    status, headers, body = raw(made, PLOTLY, Accept_Encoding="gzip, deflate")
    assert (status, headers["content-encoding"]) == (200, "gzip")
    whole = raw(made, PLOTLY)[2]
    assert gzip.decompress(body) == whole
    assert len(body) < len(whole) / 3
    assert "no-store" not in headers["cache-control"]
    for encoding in ("gzip", "identity"):
        again = raw(made, PLOTLY, Accept_Encoding=encoding, If_None_Match=headers["etag"])
        assert (again[0], again[2]) == (304, b"")
    assert raw(made, PLOTLY, If_None_Match='"another"')[0] == 200


def test_files_with_a_version_in_their_address_are_kept_for_a_year(made: BaseWSGIServer) -> None:
    sources = re.findall(r'(?:src|href)="([^"]+)"', ask(made).text)
    rules = {source: raw(made, source)[1]["cache-control"] for source in sources}
    assert sum("immutable" in rule for rule in rules.values()) > 10
    for source, rule in rules.items():
        assert "private" in rule
        is_versioned = "?m=" in source or re.search(r"\.v\w+m\w+\.", source)
        assert ("max-age=31536000" in rule) == bool(is_versioned), source
    # What is missing is not kept: it may be there tomorrow.
    assert raw(made, "/assets/absent.js?m=1")[1]["cache-control"] == "no-store"
    assert raw(made, "/_dash-layout")[1]["cache-control"] == "no-store"


@pytest.mark.parametrize(("accepted", "packed"), [("gzip", True), ("br;q=1, gzip;q=0.5", True), ("*", True)])
@pytest.mark.parametrize("time_asked", [1, 2])
def test_pages_are_compressed_where_the_browser_reads_it(
    made: BaseWSGIServer, accepted: str, packed: bool, time_asked: int
) -> None:
    plain = show(made, "/materials", Accept_Encoding="identity")
    connection = http.client.HTTPConnection("127.0.0.1", made.port, timeout=60)
    headers = {"Content-Type": "application/json", "Accept-Encoding": accepted}
    connection.request("POST", answers.PATH, page_request("/materials"), headers)
    response = connection.getresponse()
    body = response.read()
    assert (response.getheader("Content-Encoding") == "gzip") == packed
    assert json.loads(gzip.decompress(body)) == json.loads(plain.text)
    assert "Accept-Encoding" in str(response.getheader("Vary"))
    assert response.getheader("Cache-Control") == "no-store"
    assert "content-encoding" not in show(made, "/materials", Accept_Encoding="gzip;q=0").headers


def test_a_page_is_made_once_for_all_readers(made: BaseWSGIServer, layouts: list[Any]) -> None:
    texts = {show(made, "/", "?o.once=1").text for _ in range(3)}
    assert len(texts) == len(layouts) == 1
    show(made, "/", "?o.once=2")
    assert len(layouts) == 2


def test_equal_requests_that_come_together_are_made_once(
    made: BaseWSGIServer, layouts: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = OVERVIEW.layout

    def slow(view: Any) -> Any:
        time.sleep(0.3)
        return quick(view)

    monkeypatch.setattr(OVERVIEW, "layout", slow)
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda _: show(made, "/", "?o.together=1").text, range(8)))
    assert len(layouts) == 1
    assert len(set(texts)) == 1


def test_a_change_of_the_database_is_seen(made: BaseWSGIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "RECHECK_S", 0.0)
    node = orm.Dict({}, label="as it was").store()
    search = f"?uuid={node.uuid}"
    assert "as it was" in show(made, "/provenance", search).text
    node.label = "as it is"
    text = show(made, "/provenance", search).text
    assert "as it is" in text
    assert "as it was" not in text
    # Another application, even of the same profile, has answers of its own.
    with serving(Source("other")) as other:
        assert "as it is" in show(other, "/provenance", search).text
        assert not tables.in_use().is_unchanged(("another profile", "", 0), ())


def test_what_failed_or_is_being_read_is_made_again(
    made: BaseWSGIServer, layouts: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    works = OVERVIEW.layout
    for error in (RuntimeError("once"), tables.NotYet()):

        def fails(view: Any, error: Exception = error) -> Any:
            raise error

        monkeypatch.setattr(OVERVIEW, "layout", fails)
        search = f"?o.fails={type(error).__name__}"
        first = show(made, "/", search).text
        assert "cannot be shown" in first or "being read" in first
        monkeypatch.setattr(OVERVIEW, "layout", works)
        assert "cannot be shown" not in show(made, "/", search).text
    assert len(layouts) == 2


def test_what_depends_on_the_time_is_kept_for_a_short_one(
    made: BaseWSGIServer, layouts: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    works = OVERVIEW.layout
    for seconds, n_made in ((60.0, 1), (0.01, 2)):

        def passing(view: Any, seconds: float = seconds) -> Any:
            answers.lasting(seconds)
            return works(view)

        monkeypatch.setattr(OVERVIEW, "layout", passing)
        for _ in range(2):
            show(made, "/", f"?o.short={seconds}")
            time.sleep(0.05)
        assert len(layouts) == n_made
        layouts.clear()


def test_nobody_gets_a_kept_answer_without_the_token(module_profile: Any) -> None:
    with serving(Source("synthetic"), TOKEN) as guarded:
        cookie = ask(guarded, f"/?token={TOKEN}").headers["set-cookie"].partition(";")[0]
        assert show(guarded, "/", Cookie=cookie).status == 200
        assert show(guarded, "/").status == 401
        assert show(guarded, "/", Cookie=cookie, Host="evil.example").status == 421


def test_what_is_kept_is_limited(made: BaseWSGIServer) -> None:
    kept = answers.Answers(Source("x").lock, most_bytes=20_000)
    noise = itertools.count()
    for size in (10, 4000, 20_000, 60_000) * 4 + (10,):
        text = "".join(f"{next(noise) * 7919 % 104729:x}" for _ in range(size // 4))
        with made.app.test_request_context(answers.PATH, method="POST", data=text):  # type: ignore[attr-defined]
            assert kept.answer(lambda text=text: Response(text)).get_data() == text.encode()  # type: ignore[misc]
    assert 0 < sum(one.n_bytes for one in kept._kept.values()) == kept._n_bytes <= 20_000
    packed = Packed(most_bytes=1000)
    for number in range(50):
        content = f"{number}".encode() * 200
        assert gzip.decompress(packed.of(content)) == content
    assert sum(map(len, packed._contents.values())) <= 1000
