"""Pages of an OPTIMADE server, read within limits: what a server sends is not trusted."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urljoin, urlsplit, urlunsplit

import requests

from aiida_ion import __version__
from aiida_ion.messages import one_line
from aiida_ion.units import BYTES_PER_MIB, duration

PREFIX = "optimade:"
#: Properties of a structure that are asked for.
FIELDS = (
    *("chemical_formula_reduced", "lattice_vectors", "cartesian_site_positions", "species", "species_at_sites"),
    *("nsites", "dimension_types", "nperiodic_dimensions", "structure_features", "last_modified", "immutable_id"),
    *("elements", "nelements", "elements_ratios", "chemical_formula_anonymous", "chemical_formula_descriptive"),
)
SUCH_AS = """such as optimade:https://example.org/optimade?elements HAS "Li" AND nelements=3"""
_CHUNK = 2**16
_REDIRECTS = (301, 302, 303, 307, 308)


class OptimadeError(ValueError):
    """A server that cannot be used, or an address that is none; the message says why."""


@dataclass(frozen=True)
class Limits:
    """What a server may send.

    :param max_entries: structures in all.
    :param max_pages: pages in all.
    :param page_size: structures asked for in a page.
    :param max_page_bytes: of a page, unpacked.
    :param max_bytes: of all pages.
    :param max_seconds: for all pages.
    :param timeout_s: until a server answers, and between parts of its answer, s.
    """

    max_entries: int = 20_000
    max_pages: int = 2_000
    page_size: int = 100
    max_page_bytes: int = 64 * BYTES_PER_MIB
    max_bytes: int = 500 * BYTES_PER_MIB
    max_seconds: float = 1800.0
    timeout_s: float = 30.0


@dataclass(frozen=True)
class Source:
    """An OPTIMADE server and what is asked of it.

    :param base_url: without a version, such as ``https://example.org/optimade``.
    :param filter: in OPTIMADE's language; empty for everything.
    :param version: of the interface.
    """

    base_url: str
    filter: str
    version: str = "v1"

    @property
    def first_page(self) -> str:
        """Return the address of the first page, without the number of structures in it."""
        query = {"filter": self.filter} if self.filter else {}
        return f"{self.base_url}/{self.version}/structures?{urlencode(query)}"


@dataclass
class _Spent:
    """What was read so far."""

    start: float = field(default_factory=time.monotonic)
    n_bytes: int = 0
    seen: set[str] = field(default_factory=set)


def parse_source(text: str) -> Source:
    """Return the source of ``optimade:URL?filter``; ``?filter=...`` is accepted, too.

    :raises OptimadeError: for anything else.
    """
    address, _, query = text.removeprefix(PREFIX).partition("?")
    parts = _split(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise OptimadeError(f"{address!r:.200} is not the http or https address of an OPTIMADE server, {SUCH_AS}")
    if parts.username is not None or parts.password is not None:
        raise OptimadeError(
            "an address with a user name or a password would be stored with every crystal: leave it out"
        )
    path = parts.path.rstrip("/").removesuffix("/structures")
    before, _, last = path.rpartition("/")
    is_version = last[:1] == "v" and last[1:2].isdigit()
    if is_version and not last.startswith("v1"):
        raise OptimadeError(f"version {last:.20} of OPTIMADE is not known here: v1 is")
    base = urlunsplit((parts.scheme, parts.netloc, before if is_version else path, "", ""))
    return Source(base, _filter(query), last if is_version else "v1")


def _filter(query: str) -> str:
    """Return the filter of a query string: all of it, or the value of ``filter=``."""
    if query.startswith("filter="):
        given = dict(parse_qsl(query, keep_blank_values=True))
        others = sorted(set(given) - {"filter"})
        if others:
            raise OptimadeError(f"only a filter is accepted behind the address, not {', '.join(others)!r:.200}")
        return given["filter"].strip()
    return unquote(query).strip()


def entries(source: Source, limits: Limits | None = None) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield each structure of a source, with the ``meta`` of its page; both as the server sent them.

    :raises OptimadeError: if the server does not answer as the specification says, or sends more than the limits.
    """
    bounds, spent, n_entries = limits or Limits(), _Spent(), 0
    url: str | None = _with_fields(source.first_page, bounds.page_size)
    with requests.Session() as session:
        session.headers.update({"User-Agent": f"aiida-ion/{__version__}", "Accept": "application/json"})
        for _ in range(bounds.max_pages):
            page = _page(session, str(url), bounds, spent)
            meta = page.get("meta") if isinstance(page.get("meta"), dict) else {}
            _check_number((meta or {}).get("data_returned"), bounds)
            for entry in _data(page, str(url)):
                n_entries += 1
                if n_entries > bounds.max_entries:
                    raise OptimadeError(_too_many(bounds))
                yield entry, meta or {}
            url = _next(page, str(url))
            if url is None:
                return
    raise OptimadeError(f"{_host(source.base_url)} has more than {bounds.max_pages:,} pages: narrow the filter")


def _with_fields(url: str, page_size: int) -> str:
    more = urlencode({"response_fields": ",".join(FIELDS), "page_limit": page_size, "response_format": "json"})
    return f"{url}{'' if url.endswith('?') else '&'}{more}"


def _check_number(returned: Any, bounds: Limits) -> None:
    """Refuse a filter that fits more than is accepted, before all of it is sent."""
    if isinstance(returned, int) and not isinstance(returned, bool) and returned > bounds.max_entries:
        raise OptimadeError(f"{returned:,} structures match; {_too_many(bounds)}")


def _too_many(bounds: Limits) -> str:
    return f"at most {bounds.max_entries:,} are accepted from one server: narrow the filter"


def _page(session: requests.Session, url: str, bounds: Limits, spent: _Spent) -> dict[str, Any]:
    """Return a page as a mapping."""
    if url in spent.seen:
        raise OptimadeError(f"the pages of {_host(url)} never end: the next page after one is one that was sent before")
    spent.seen.add(url)
    content, status = _read(session, url, bounds, spent)
    try:
        page = json.loads(content, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        problem = f"HTTP status {status}" if status != requests.codes.ok else "not JSON"
        raise OptimadeError(f"{_host(url)} does not answer as an OPTIMADE server: {problem}") from error
    if not isinstance(page, dict):
        raise OptimadeError(f"{_host(url)} does not answer as an OPTIMADE server: not a JSON object")
    if status != requests.codes.ok or page.get("errors"):
        raise OptimadeError(f"{_host(url)} answers with an error: {_error_words(page, status)}")
    return page


def _read(session: requests.Session, url: str, bounds: Limits, spent: _Spent) -> tuple[bytes, int]:
    """Return the content of an address and its status; a redirection is followed on the same server alone."""
    try:
        for _ in range(3):
            with session.get(url, stream=True, allow_redirects=False, timeout=bounds.timeout_s) as answer:
                if answer.status_code in _REDIRECTS:
                    url = _same_host(urljoin(url, answer.headers.get("Location", "")), url, "redirects")
                    continue
                return _body(answer, url, bounds, spent), answer.status_code
    except requests.RequestException as error:
        raise OptimadeError(f"{_host(url)} cannot be asked: {one_line(error)}") from error
    raise OptimadeError(f"{_host(url)} redirects without end")


def _body(answer: requests.Response, url: str, bounds: Limits, spent: _Spent) -> bytes:
    parts, size = [], 0
    for chunk in answer.iter_content(_CHUNK):
        size += len(chunk)
        spent.n_bytes += len(chunk)
        if size > bounds.max_page_bytes:
            raise OptimadeError(f"a page of {_host(url)} is larger than {_mib(bounds.max_page_bytes)}")
        if spent.n_bytes > bounds.max_bytes:
            raise OptimadeError(f"{_host(url)} sent more than {_mib(bounds.max_bytes)}: narrow the filter")
        if time.monotonic() - spent.start > bounds.max_seconds:
            raise OptimadeError(f"{_host(url)} takes more than {duration(bounds.max_seconds)}: narrow the filter")
        parts.append(chunk)
    return b"".join(parts)


def _data(page: dict[str, Any], url: str) -> list[dict[str, Any]]:
    data = page.get("data")
    if not isinstance(data, list) or not all(isinstance(entry, dict) for entry in data):
        raise OptimadeError(f"{_host(url)} does not answer as an OPTIMADE server: `data` is not a list of structures")
    return data


def _next(page: dict[str, Any], url: str) -> str | None:
    """Return the address of the next page, on the same server."""
    links = page.get("links")
    following = links.get("next") if isinstance(links, dict) else None
    if isinstance(following, dict):
        following = following.get("href")
    if following is None:
        return None
    if not isinstance(following, str):
        raise OptimadeError(f"{_host(url)} does not answer as an OPTIMADE server: the link to its next page is no text")
    if not _data(page, url):
        raise OptimadeError(f"the pages of {_host(url)} never end: one is empty, and yet has a next one")
    return _same_host(urljoin(url, following), url, "links")


def _same_host(url: str, before: str, does: str) -> str:
    """Return an address on the same server.

    :raises OptimadeError: for one elsewhere.
    """
    new, old = _split(url), _split(before)
    if (new.scheme, new.hostname, new.port) != (old.scheme, old.hostname, old.port) or new.username is not None:
        raise OptimadeError(f"{_host(before)} {does} to another server, {_host(url)}: ask that one, if you trust it")
    return url


def _split(url: str) -> Any:
    """Return the parts of an address.

    :raises OptimadeError: if it is none.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise OptimadeError(f"{url!r:.200} is not an address: {error}") from error
    return parts


def _error_words(page: dict[str, Any], status: int) -> str:
    """Return what a server says of an error, at most 200 characters of it."""
    errors = page.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    words = " ".join(str(first.get("detail") or first.get("title") or f"HTTP status {status}").split())
    return "".join(letter if letter.isprintable() else "?" for letter in words)[:200]


def _host(url: str) -> str:
    return str(urlsplit(url).netloc.rpartition("@")[2])[:100]


def _mib(n_bytes: int) -> str:
    return f"{n_bytes / BYTES_PER_MIB:.3g} MiB"


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a JSON number")
