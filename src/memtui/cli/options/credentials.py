"""Options for what a server is shown of the user, and for how its certificate is checked."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TypeVar, cast

import click

from memtui.cli.errors import CliError
from memtui.sources.http.credentials import ANYBODY, BadSecret, Credentials

F = TypeVar("F", bound=Callable[..., object])

SECRET = "USER:PASSWORD or a bearer token"


def access_options(command: F) -> F:
    """Add the options of an Access, which the command gets as ``access``."""

    @wraps(command)
    def with_access(
        *context: click.Context,
        auth_env: str | None,
        auth_file: Path | None,
        cacert: Path | None,
        insecure: bool,
        **others: object,
    ) -> object:
        if auth_env is not None and auth_file is not None:
            raise click.UsageError("--auth-env and --auth-file exclude each other")
        if cacert is not None and insecure:
            raise click.UsageError("--cacert and --insecure exclude each other")
        secret = None if auth_env is None else os.environ.get(auth_env, "")
        access = Credentials(secret, auth_file, cacert, insecure)
        try:
            access.authorization()
        except BadSecret as error:
            where = auth_file or f"the variable {auth_env}"
            raise CliError(f"no secret in {where}: {error}", SECRET) from None
        return command(*context, access=access, **others)

    decorated = with_access
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return cast("F", decorated)


_OPTIONS = (
    click.option(
        "--auth-env",
        metavar="NAME",
        help=f"The variable of the environment with a secret for the URL: {SECRET}.",
    ),
    click.option(
        "--auth-file",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The secret from a file, which is read anew for each request.",
    ),
    click.option(
        "--cacert",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Check the certificate of the URL by the authorities in this file alone.",
    ),
    click.option("--insecure", is_flag=True, help="Do not check the certificate of the URL."),
)


def check_access(access: Credentials, url: str | None, needs: str) -> None:
    """See that there is an address that an access can be for; raise UsageError or Complaint."""
    if access == ANYBODY:
        return
    if url is None:
        raise click.UsageError(f"--auth-env, --auth-file, --cacert and --insecure need {needs}")
    if "@" in _server(url) and access.has_secret:
        raise click.UsageError("there are two secrets: one in the address, and another one")
    if access.cacert is not None:
        import ssl

        try:
            ssl.create_default_context(cafile=access.cacert)
        except OSError as error:
            why = "no certificates in it" if isinstance(error, ssl.SSLError) else error.strerror
            raise CliError(f"cannot use {access.cacert}: {why}", "--cacert takes PEM") from None


def access_to(url: str, access: Credentials, given_for: str) -> Credentials:
    """Return what goes with an address: an access that was given for another of the same server."""
    return access if url and _server(url) == _server(given_for) else ANYBODY


def _server(url: str) -> str:
    """Return scheme, host and port as they are written, with what stands before an @."""
    scheme, _, rest = url.partition("://")
    return f"{scheme.lower()}://{re.split('[/?#]', rest, maxsplit=1)[0].lower()}"
