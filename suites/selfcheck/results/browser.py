"""A headless Chromium for the tests of the report, and the reports that it opens."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from fixtures.core.project import ROOT
from fixtures.results.report.model import ReportRun

SCREENSHOTS = ROOT / "build" / "screenshots"
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
LOCAL_SCHEMES = ("file:", "data:", "blob:", "about:")


def write_record(run: ReportRun, ledger: Path, folder: Path) -> Path:
    """A run's ledger with its verdict beside it, as the gate leaves them."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ledger, folder / "ledger.jsonl")
    (folder / "verdict.json").write_text(json.dumps(run.verdict), encoding="utf-8")
    return folder / "ledger.jsonl"


def run_report(
    ledgers: Sequence[Path], build: Path, *, root: Path = ROOT, path: str = ""
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ci.commands.report", *map(str, ledgers), f"--build={build}"]
    env = {**os.environ, "PATH": path} if path else dict(os.environ)
    return subprocess.run(  # noqa: S603  our own command
        command, cwd=root, env=env, capture_output=True, text=True, check=False, timeout=600
    )


def find_chromium() -> str:
    """The path of Chromium, under its name in Debian or Google's."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "no-chromium: next: apt-get install chromium, or set CHROMIUM to a Chrome of yours"
    return path


@contextlib.contextmanager
def start_browser() -> Iterator[Browser]:
    """A browser for pages without network."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"]
        running = playwright.chromium.launch(executable_path=find_chromium(), args=arguments)
        yield running
        running.close()


@dataclass
class OpenedPage:
    """A page, with the errors and the requests that it must not have."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def go(self, file: Path, fragment: str = "") -> None:
        """Open a file from disk, even if it is open already."""
        self.page.goto("about:blank")
        self.page.goto(file.as_uri() + fragment)

    def take_screenshot(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    @property
    def ran_script(self) -> bool:
        """Whether the script that is hidden in the data has run."""
        return bool(self.page.evaluate("'ran' in window"))


@contextlib.contextmanager
def open_page(running: Browser, *, size: str = "desktop", dark: bool = False) -> Iterator[OpenedPage]:
    width, height = SIZES[size]
    context = running.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", offline=True
    )
    browser_page = OpenedPage(context.new_page())
    browser_page.page.on(
        "console",
        lambda message: browser_page.errors.append(message.text) if message.type == "error" else None,
    )
    browser_page.page.on("pageerror", lambda error: browser_page.errors.append(str(error)))
    browser_page.page.on(
        "request",
        lambda request: (
            None if request.url.startswith(LOCAL_SCHEMES) else browser_page.requests.append(request.url)
        ),
    )
    yield browser_page
    context.close()
