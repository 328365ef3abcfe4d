"""Defines credentials and TLS settings for a user-supplied URL.

A secret comes from the environment or from a file, never from an argument: those can be read by
every user of the machine. It is sent to the server of the one address that it was given for, and
stands in no record, no error and no repr.
"""

from __future__ import annotations

import base64
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

_MOST_BYTES = 16 << 10


class BadSecret(ValueError):  # noqa: N818 - the name states the error
    """The secret is missing or cannot be sent; the message never contains the secret."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of an address: a secret or its file, and the verification of certificates.

    A secret is USER:PASSWORD, or else a bearer token (RFC 7617, RFC 6750). A file is read again for
    each request, because short-lived tokens are replaced in it. ``cacert`` is a file with the
    trusted authorities, None for those of this machine; ``insecure`` disables verification.
    """

    secret: str | None = field(default=None, repr=False)
    secret_file: Path | None = None
    cacert: Path | None = None
    insecure: bool = False

    @property
    def has_secret(self) -> bool:
        """Whether a secret is given."""
        return self.secret is not None or self.secret_file is not None

    def authorization(self) -> str | None:
        """Return the value of the Authorization header; None without a secret. Raises BadSecret."""
        secret = self.secret
        if self.secret_file is not None:
            secret = _read(self.secret_file)
        return None if secret is None else _header(secret)


ANYBODY = Credentials()
"""No secret; certificates are verified with the authorities of this machine."""


def _header(secret: str) -> str:
    secret = secret.strip()
    if not secret:
        raise BadSecret("it is empty")
    if not secret.isprintable():
        raise BadSecret("it is not one line of text")
    if ":" in secret:
        return f"Basic {base64.b64encode(secret.encode()).decode()}"
    token = secret.removeprefix("Bearer ").strip()
    if not token.isascii() or " " in token:
        raise BadSecret("it is neither USER:PASSWORD nor a token")
    return f"Bearer {token}"


def _read(path: Path) -> str:
    """Return the content of a regular file: a pipe can be read only once, and may block."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise BadSecret("it is no file")
            data = os.read(descriptor, _MOST_BYTES + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise BadSecret((error.strerror or type(error).__name__).lower()) from None
    if len(data) > _MOST_BYTES:
        raise BadSecret("it is too large for a secret")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise BadSecret("it is not one line of text") from None
