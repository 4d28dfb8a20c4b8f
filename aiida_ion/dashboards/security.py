"""Access to the dashboard, and what a browser may do with it."""

from __future__ import annotations

import hmac
import html
import ipaddress
import secrets
import socket
from urllib.parse import urlencode

from dash import Dash
from flask import Response, request

from aiida_ion.units import BYTES_PER_MIB

#: Maximum length of a request, bytes.
MAX_REQUEST = 2 * BYTES_PER_MIB
SHORTEST_TOKEN = 16
LOOPBACK_NAMES = frozenset({"localhost"})
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
#: Paths that Dash serves from files.
FILES = ("/_dash-component-suites/", "/assets/")
#: Paths served with the policy of pages.
SCRIPTS = (*FILES, "/_dash-")
#: Policy of other content: nothing in it may run or be loaded, wherever it is opened.
ALONE = "default-src 'none'; frame-ancestors 'none'; sandbox"
#: Maximum length of an address, characters.
MAX_PATH = 1000
REFUSED = "Open this dashboard with the full address printed by 'aiida-ion dashboard', including the token."


def is_loopback(host: str) -> bool:
    """Whether an address can be reached only from this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() in LOOPBACK_NAMES


def new_token() -> str:
    """Return an unguessable token."""
    return secrets.token_urlsafe(24)


def protect(app: Dash, host: str, port: int, token: str | None) -> None:
    """Check every request before it is answered, and set the security headers of the answer.

    A request must name this machine as its host: other names that resolve to it (DNS rebinding) are refused. With a
    token, the first address must contain it; afterwards a cookie that scripts and other sites cannot use is enough.

    :param host: where the server listens.
    :param port: where the server listens.
    :param token: required token; ``None`` allows everyone who can reach the server.
    """
    server, policy = app.server, content_policy(app)
    server.config |= {"MAX_CONTENT_LENGTH": MAX_REQUEST, "PROPAGATE_EXCEPTIONS": False}
    server.debug = False  # regardless of the environment
    names = LOOPBACK_NAMES | {host.lower(), socket.gethostname().lower(), socket.getfqdn().lower()}
    cookie = f"aiida_ion_token_{port}"

    def check() -> Response | None:
        if len(request.path) > MAX_PATH or not request.path.isprintable() or "\\" in request.path:
            return _text("Not Found", 404)
        if not names_this_machine(request.host, names):
            return _text("This address is not one of this machine.", 421)
        if request.method == "POST" and not is_own_page(names):
            return _text("Only pages of this dashboard may ask for that.", 403)
        if token is None or _same(request.cookies.get(cookie), token):
            return None
        if _same(request.args.get("token"), token):
            return _let_in(cookie, token)
        return _text(REFUSED, 401)

    def finish(response: Response) -> Response:
        is_page = response.mimetype == "text/html" and response.status_code == 200
        if is_page or request.path.startswith(SCRIPTS):
            response.headers["Content-Security-Policy"] = policy
        else:
            response.headers["Content-Security-Policy"] = ALONE
        response.headers.update(HEADERS)
        response.headers.remove("Server")
        if "Cache-Control" not in response.headers or response.mimetype == "application/json":
            response.headers["Cache-Control"] = "no-store"
        return response

    # Before Dash's own functions, which already read the request.
    server.before_request_funcs.setdefault(None, []).insert(0, check)
    server.after_request(finish)
    server.register_error_handler(Exception, _failed)


def content_policy(app: Dash) -> str:
    """Return the content security policy of pages: everything from this server, and only our scripts.

    Plotly and AG Grid set inline styles, and figures are exported through ``data:`` and ``blob:``.
    """
    rules = {
        "default-src": "'self'",
        "script-src": " ".join(["'self'", *app.csp_hashes()]),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def names_this_machine(host: str, names: frozenset[str] | set[str]) -> bool:
    """Whether a request's host, with or without port, is one of these names or a number.

    A number cannot be rebound, and the port may be that of a tunnel.
    """
    bare = host.rsplit(":", 1)[0] if not host.endswith("]") and ":" in host else host
    try:
        ipaddress.ip_address(bare.strip("[]"))
    except ValueError:
        return bare.lower().rstrip(".") in names
    return True


def is_own_page(names: frozenset[str] | set[str]) -> bool:
    """Whether a page of this server sends the request, or something that is no browser.

    Browsers say which site asks, for addresses that they trust; others are compared by their names.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        return site in ("same-origin", "none")
    if origin is None:
        return True
    host = origin.partition("://")[2]
    return bool(host) and (host == request.host or names_this_machine(host, names))


def _same(given: str | None, token: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest((given or "").encode(), token.encode())


def _let_in(cookie: str, token: str) -> Response:
    """Set the cookie and continue without the token in the address.

    By a page that forwards, not by a redirect, since a browser that followed a link from another site would not send a
    strict cookie with a redirect.
    """
    rest = urlencode([(key, value) for key, value in request.args.items(multi=True) if key != "token"])
    target = "/" + request.path.lstrip("/\\") + (f"?{rest}" if rest else "")
    body = f'<!DOCTYPE html><meta http-equiv="refresh" content="0;url={html.escape(target)}"><title>aiida-ion</title>'
    response = Response(body, mimetype="text/html")
    response.set_cookie(cookie, token, httponly=True, samesite="Strict", path="/")
    return response


def _failed(error: Exception) -> Response:
    """Answer with an error without details."""
    if request.path.startswith(FILES):
        return _text("Not Found", 404)  # for these the only cause is a missing file
    code = getattr(error, "code", None)
    if isinstance(code, int):
        return _text(getattr(error, "name", "Refused"), code)
    return _text("Something failed; see the terminal of the dashboard.", 500)


def _text(words: str, status: int) -> Response:
    return Response(words + "\n", status, mimetype="text/plain")
