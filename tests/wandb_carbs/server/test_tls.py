"""The certificate of a server that speaks HTTPS."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import urllib.request
from pathlib import Path

import pytest

from wandb_carbs.server.errors import ServerError
from wandb_carbs.server.server import LocalServer


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_server_speaks_https(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*make, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    with LocalServer(tmp_path / "data", certfile=certificate, keyfile=key) as server:
        assert server.url.startswith("https://127.0.0.1:")
        context = ssl.create_default_context(cafile=str(certificate))
        context.check_hostname = False
        with urllib.request.urlopen(server.url, timeout=20, context=context) as reply:
            assert reply.status == 200


@pytest.mark.parametrize("names", [("missing.pem", None), (None, "key.pem"), ("empty.pem", None)])
def test_certificate_that_cannot_be_used_is_named(tmp_path: Path, names: tuple[str | None, str | None]) -> None:
    (tmp_path / "empty.pem").touch()
    certfile, keyfile = (None if name is None else tmp_path / name for name in names)
    with pytest.raises(ServerError, match=r"\.pem"):
        LocalServer(tmp_path / "data", certfile=certfile, keyfile=keyfile).start()
