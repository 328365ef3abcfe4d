"""Options for the credentials that a URL needs, and for the check of its certificate."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click

from memtui.cli.errors import CliError
from memtui.cli.options.common import combine_options
from memtui.sources.http.credentials import ANYBODY, BadSecret, Credentials

SECRET = "USER:PASSWORD or a bearer token"


def _make_credentials(
    auth_env: str | None, auth_file: Path | None, cacert: Path | None, insecure: bool
) -> Credentials:
    if auth_env is not None and auth_file is not None:
        raise click.UsageError("--auth-env and --auth-file exclude each other")
    if cacert is not None and insecure:
        raise click.UsageError("--cacert and --insecure exclude each other")
    secret = None if auth_env is None else os.environ.get(auth_env, "")
    access = Credentials(secret, auth_file, cacert, insecure)
    try:
        access.authorization()
    except BadSecret as error:
        where = auth_file or f"the environment variable {auth_env}"
        raise CliError(f"no secret in {where}: {error}", SECRET) from None
    return access


access_options = combine_options(
    "access",
    _make_credentials,
    (
        click.option(
            "--auth-env",
            metavar="NAME",
            help=f"The environment variable that holds a secret for the URL: {SECRET}.",
        ),
        click.option(
            "--auth-file",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="A file that holds the secret; it is read before each request.",
        ),
        click.option(
            "--cacert",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Check the URL's certificate against the authorities in this file only.",
        ),
        click.option("--insecure", is_flag=True, help="Do not check the URL's certificate."),
    ),
)
"""Adds options for a URL's secret and certificate; the command gets Credentials as ``access``."""


def check_access(access: Credentials, url: str | None, needs: str) -> None:
    """Check that the credentials have a URL and can be used; raise UsageError or CliError."""
    if access == ANYBODY:
        return
    if url is None:
        raise click.UsageError(f"--auth-env, --auth-file, --cacert and --insecure need {needs}")
    if "@" in _server(url) and access.has_secret:
        raise click.UsageError(
            "there are two secrets: one in the URL, and one from --auth-env or --auth-file"
        )
    if access.cacert is not None:
        import ssl

        try:
            ssl.create_default_context(cafile=access.cacert)
        except OSError as error:
            why = "no certificates found" if isinstance(error, ssl.SSLError) else error.strerror
            raise CliError(
                f"cannot use {access.cacert}: {why}", "--cacert takes a PEM file"
            ) from None


def access_to(url: str, access: Credentials, given_for: str) -> Credentials:
    """Return the credentials for a URL: those given for another URL of the same server, or none."""
    return access if url and _server(url) == _server(given_for) else ANYBODY


def _server(url: str) -> str:
    """Return scheme, user, host and port of a URL, as written but in lower case."""
    scheme, _, rest = url.partition("://")
    return f"{scheme.lower()}://{re.split('[/?#]', rest, maxsplit=1)[0].lower()}"
