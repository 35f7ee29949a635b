"""A headless Chromium for the tests of the report, and reports for it to open."""

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
OWN = ("file:", "data:", "blob:", "about:")


def recorded(run: ReportRun, ledger: Path, folder: Path) -> Path:
    """A run as the gate leaves it: its ledger, with the verdict beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ledger, folder / "ledger.jsonl")
    (folder / "verdict.json").write_text(json.dumps(run.verdict), encoding="utf-8")
    return folder / "ledger.jsonl"


def reported(
    ledgers: Sequence[Path], build: Path, *, root: Path = ROOT, path: str = ""
) -> subprocess.CompletedProcess[str]:
    """`./ci/report` of these ledgers."""
    command = [sys.executable, "-m", "ci.commands.report", *map(str, ledgers), f"--build={build}"]
    env = {**os.environ, "PATH": path} if path else dict(os.environ)
    return subprocess.run(  # noqa: S603  our own command
        command, cwd=root, env=env, capture_output=True, text=True, check=False, timeout=600
    )


def chromium() -> str:
    """Where Chromium is; Debian's package is called so."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert found, "no-chromium: next: apt-get install chromium, or set CHROMIUM to a Chrome of yours"
    return found


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A browser that may use no network."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"]
        running = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        yield running
        running.close()


@dataclass
class Opened:
    """A page, and what it did that it must not do."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def go(self, file: Path, fragment: str = "") -> None:
        """Open a file from disk, anew even if it is open."""
        self.page.goto("about:blank")
        self.page.goto(file.as_uri() + fragment)

    def picture(self, name: str) -> None:
        """Keep a screenshot for people."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    @property
    def ran(self) -> bool:
        """Whether a script of ours that was hidden in the data ran."""
        return bool(self.page.evaluate("'ran' in window"))


@contextlib.contextmanager
def opened(running: Browser, *, size: str = "desktop", dark: bool = False) -> Iterator[Opened]:
    """A page in a window of its own."""
    width, height = SIZES[size]
    context = running.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        offline=True,
    )
    shown = Opened(context.new_page())
    shown.page.on("console", lambda said: shown.errors.append(said.text) if said.type == "error" else None)
    shown.page.on("pageerror", lambda error: shown.errors.append(str(error)))
    shown.page.on(
        "request", lambda asked: None if asked.url.startswith(OWN) else shown.requests.append(asked.url)
    )
    yield shown
    context.close()
