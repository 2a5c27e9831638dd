"""The certificate of a server that speaks HTTPS."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from wandb_carbs.server.errors import ServerError

if TYPE_CHECKING:
    from pathlib import Path


class Tls:
    """The files of a certificate.

    Args:
        certfile: Certificate chain, or None for plain HTTP.
        keyfile: Private key, or None if it is in `certfile`.
    """

    def __init__(self, certfile: Path | None, keyfile: Path | None) -> None:
        if keyfile is not None and certfile is None:
            raise ServerError(f"--keyfile {keyfile} needs --certfile, the certificate that belongs to the key")
        self.certfile = certfile
        self.keyfile = keyfile

    def check(self) -> None:
        """Check the files.

        Raises:
            ServerError: They are missing, or do not belong together.
        """
        if self.certfile is not None:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certfile, self.keyfile)
            except (OSError, ssl.SSLError) as error:
                both = f"--certfile {self.certfile}" + (f", --keyfile {self.keyfile}" if self.keyfile else "")
                raise ServerError(f"cannot use {both}: {error}") from error

    def options(self) -> dict[str, Any]:
        """Return uvicorn's options."""
        return {} if self.certfile is None else {"ssl_certfile": self.certfile, "ssl_keyfile": self.keyfile}
