"""A RabbitMQ server as the broker of a profile: read from a URL, and tested before AiiDA depends on it."""

from __future__ import annotations

import os
import sys
from typing import Any
from urllib.parse import unquote, urlsplit

import click

from aiida_ion.messages import one_line

ENV_PASSWORD = "AIIDA_ION_RABBITMQ_PASSWORD"
GUEST = "guest"  # user and password of a server as it is installed; it lets them in from its own machine only
PORTS = {"amqp": 5672, "amqps": 5671}


def broker_config(url: str) -> dict[str, Any]:
    """Return the configuration for AiiDA of the server at a URL such as ``amqp://aiida@localhost:5672/team``.

    :raises click.ClickException: if the URL cannot be read or holds a password, or if the server does not answer or
        refuses us.
    """
    from aiida.brokers.rabbitmq.defaults import detect_rabbitmq_config

    parts = _parts(url)
    place = f"{parts['host']}, port {parts['port']}"
    password = _password(parts["username"], place)
    try:
        return detect_rabbitmq_config(**parts, password=password)
    except ConnectionError as error:
        raise click.ClickException(_refusal(parts, place, error.__cause__)) from error


def _parts(url: str) -> dict[str, Any]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise click.ClickException(f"--rabbitmq: {one_line(error)}") from error
    if parts.scheme not in PORTS or not parts.hostname or parts.query or parts.fragment:
        raise click.ClickException("--rabbitmq: write the URL as amqp://USER@HOST:PORT/VIRTUAL_HOST, or with amqps://")
    if parts.password is not None:
        raise click.ClickException(
            f"--rabbitmq: leave the password out, where everybody on this machine can read it, and set {ENV_PASSWORD}"
        )
    return {
        "protocol": parts.scheme,
        "username": unquote(parts.username or GUEST),
        "host": parts.hostname,
        "port": port or PORTS[parts.scheme],
        "virtual_host": unquote(parts.path.removeprefix("/")),
    }


def _password(user: str, place: str) -> str:
    given = os.environ.get(ENV_PASSWORD)
    if given:
        return given
    if user == GUEST:
        return GUEST
    if not sys.stdin.isatty():
        raise click.ClickException(f"RabbitMQ at {place} asks for the password of {user!r}: set {ENV_PASSWORD}")
    return str(click.prompt(f"Password of {user} on RabbitMQ at {place}", hide_input=True))


def _refusal(parts: dict[str, Any], place: str, cause: object) -> str:
    from aiormq import exceptions
    from pamqp.exceptions import PAMQPException

    if isinstance(cause, exceptions.AuthenticationError | exceptions.ProbableAuthenticationError):
        return f"RabbitMQ at {place} refuses {parts['username']!r}: correct the user in --rabbitmq, or {ENV_PASSWORD}"
    if isinstance(cause, exceptions.ConnectionClosed | PAMQPException):
        name = parts["virtual_host"] or "/"
        return f"RabbitMQ at {place} has no virtual host {name!r} for {parts['username']!r}: correct the URL"
    return f"no RabbitMQ server answers at {place}: start it, or leave --rabbitmq out ({one_line(cause)})"
