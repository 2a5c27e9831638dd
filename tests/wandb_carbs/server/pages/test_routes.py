"""Addresses of the pages and of their files."""

from __future__ import annotations

import json
import re
import urllib.request

import pytest

from site_of_runs import Site


def test_static_files_that_pages_name_are_there(site: Site) -> None:
    pages = [site.get(path)[0] for path in ("/", f"/local/p/sweeps/{site.sweep}", "/local/p/runs/r0")]
    names = {name for page in pages for name in re.findall(r'"(/-/static/[^"]+)"', page)}
    assert len(names) >= 5
    for name in names:
        text, headers = site.get(name)
        assert headers["content-type"].startswith(("text/javascript", "text/css", "image/svg+xml"))
        assert text


@pytest.mark.parametrize("name", ["nosuch.js", "..%2frender.py", "live.py", "%2e%2e"])
def test_other_static_files_are_not(site: Site, name: str) -> None:
    site.get(f"/-/static/{name}", 404)


def test_html_of_a_run_is_shown_in_a_sandbox(site: Site) -> None:
    name = "media/html/a b.html"
    made = site.graphql(
        """mutation M($f: [String!]!) { createRunFiles(input: {projectName: "p", runName: "r1", files: $f}) {
           files { uploadUrl } } }""",
        f=[name, "secret.html"],
    )
    for target in made["createRunFiles"]["files"]:
        asked = urllib.request.Request(target["uploadUrl"], b"<script>document.title = 1</script>", method="PUT")
        urllib.request.urlopen(asked, timeout=20).close()
    logged = {"_step": 9, "page": {"_type": "html-file", "path": name}}
    lines = {"wandb-history.jsonl": {"offset": 5, "content": [json.dumps(logged)]}}
    site.post("/files/local/p/r1/file_stream", {"files": lines, "complete": True})
    page, _ = site.get("/local/p/runs/r1")
    (address,) = re.findall(r'<iframe sandbox="allow-scripts"[^>]* src="([^"]+)"', page)
    text, headers = site.get(address)
    assert text == "<script>document.title = 1</script>"
    assert headers["content-type"].startswith("text/html")
    assert headers["content-security-policy"].startswith("sandbox allow-scripts; default-src 'none';")
    site.get("/-/frame/local/p/r1/secret.html", 404)
    site.get("/-/frame/local/p/nosuch/media/html/x.html", 404)


def test_addresses_below_the_prefix_of_a_proxy(site: Site) -> None:
    for path in ("/", f"/local/p/sweeps/{site.sweep}", "/local/p/runs/r0", "/local/p/compare?run=r0"):
        asked = urllib.request.Request(site.server.url + path, headers={"X-Forwarded-Prefix": "/a/b"})
        with urllib.request.urlopen(asked, timeout=20) as reply:
            page = reply.read().decode()
        found = re.findall(r'(?:href|src|action|data-(?!root)[a-z]+)="(/[^"]*)"', page)
        assert found
        assert [address for address in found if not address.startswith("/a/b/")] == []
        assert 'data-root="/a/b"' in page
    for odd in ("//evil", "/<i>", "evil", "/a b"):
        asked = urllib.request.Request(site.server.url + "/", headers={"X-Forwarded-Prefix": odd})
        with urllib.request.urlopen(asked, timeout=20) as reply:
            assert 'data-root=""' in reply.read().decode()
