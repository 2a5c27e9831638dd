"""A headless Chromium that looks at pages, spoken to by its debugging pipe."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Seconds until a page must show what it is to show.
_PATIENCE = 120


class _PageHasGoneError(Exception):
    """The page that was asked is no longer there."""


class Browser:
    """A Chromium with one page.

    Attributes:
        problems: Exceptions, errors in the console, and violations of the page's policy.
    """

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._last = 0
        self._unread = b""
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        command = [
            str(CHROMIUM),
            "--headless=new",
            "--remote-debugging-pipe",
            f"--user-data-dir={self._folder.name}",
            *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio"),
        ]
        # The pipes are to be numbers 3 and 4.
        line = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out}'
        self._process = subprocess.Popen(
            ["bash", "-c", line, "bash", *command],
            pass_fds=(theirs_in, theirs_out),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._session = ""
        try:
            target = self._send("Target.createTarget", url="about:blank")["targetId"]
            self._session = self._send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log"):
                self._send(f"{domain}.enable")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Browser:  # noqa: PYI034 - Self is not in Python 3.10
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the browser, and delete its folder."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._in)
        os.close(self._out)
        self._folder.cleanup()

    def size(self, width: int, height: int = 900, *, is_dark: bool = False) -> None:
        """Make the window this large, light or dark."""
        self._send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        self._send("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, url: str) -> None:
        """Go to a page, and wait until it is loaded."""
        self._send("Page.navigate", url=url)
        start = json.dumps(url.split("#", maxsplit=1)[0])
        self.wait(f"location.href.startsWith({start}) && document.readyState === 'complete'")

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression; a promise's once it has one."""
        made = self._send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in made:
            raise AssertionError(f"{expression}: {made['exceptionDetails'].get('exception', made)}")
        return made["result"].get("value")

    def wait(self, condition: str) -> Any:
        """Wait until a JavaScript expression is true, and return its value; what it throws is no more than false."""
        promise = f"""new Promise((resolve, reject) => {{
            const end = Date.now() + {_PATIENCE * 1000};
            const look = () => {{
                let found, problem = "not in time";
                try {{ found = {condition}; }} catch (error) {{ problem = error; }}
                if (found) resolve(found);
                else if (Date.now() > end) reject(`${{problem}}; page: ${{document.body.innerText.slice(0, 2000)}}`);
                else setTimeout(look, 50);
            }};
            look();
        }})"""
        while True:
            with contextlib.suppress(_PageHasGoneError):  # to another one, and the promise with it
                return self.evaluate(promise)

    def drag(self, selector: str) -> None:
        """Draw a rectangle in the middle of an element with the mouse."""
        place = f"document.querySelector({json.dumps(selector)})"
        box = f"(({{x, y, width, height}}) => [x, y, width, height])({place}.getBoundingClientRect())"
        x, y, width, height = self.evaluate(f"({place}.scrollIntoView({{block: 'center'}}), {box})")
        for kind, part in (("Pressed", 0.3), ("Moved", 0.4), ("Moved", 0.6), ("Released", 0.6)):
            point = {"x": x + part * width, "y": y + part * height}
            self._send("Input.dispatchMouseEvent", type=f"mouse{kind}", button="left", clickCount=1, **point)

    def answer_dialogs(self, text: str) -> None:
        """Answer every question that the page asks with this text."""
        shown = json.dumps(text)
        self.evaluate(f"window.prompt = () => {shown}; window.confirm = () => true; 0")

    def screenshot(self, path: Path, *, whole: bool = True) -> None:
        """Write a picture of the whole page, or of what the window shows."""
        height = min(self.evaluate("document.documentElement.scrollHeight"), 12_000) if whole else 0
        clip = {"clip": {"x": 0, "y": 0, "width": self.evaluate("innerWidth"), "height": height, "scale": 1}}
        made = self._send("Page.captureScreenshot", captureBeyondViewport=whole, **(clip if whole else {}))
        path.write_bytes(base64.b64decode(made["data"]))

    def _send(self, method: str, **parameters: Any) -> Any:
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise _PageHasGoneError(f"{method}: {answer['error']}")
                return answer["result"]
            self._note(answer)

    def _read(self) -> Any:
        while b"\0" not in self._unread:
            if not select.select([self._in], [], [], 2 * _PATIENCE)[0]:
                raise AssertionError("Chromium does not answer")
            part = os.read(self._in, 1 << 20)
            if not part:
                raise AssertionError("Chromium has ended")
            self._unread += part
        message, _, self._unread = self._unread.partition(b"\0")
        return json.loads(message)

    def _note(self, event: Any) -> None:
        values = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(values["exceptionDetails"])[:500])
        elif event.get("method") == "Runtime.consoleAPICalled" and values["type"] in {"error", "assert"}:
            self.problems.append(json.dumps(values["args"])[:500])
        elif event.get("method") == "Log.entryAdded" and values["entry"]["level"] == "error":
            self.problems.append(f"{values['entry']['text']} {values['entry'].get('url', '')}"[:500])
