"""Runs Allure for the report: Node as a process, safe pages, and a comparison of what Allure counted."""

import fcntl
import json
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from subprocess import PIPE, SubprocessError

from fixtures.core.project import ROOT
from fixtures.results.report.allure import build_allure_config, find_disagreement
from fixtures.results.report.allure_hardening import UnknownAllurePage, harden_page
from fixtures.results.report.model import ReportRun

ALLURE = ROOT / "ci" / "allure"
SCRIPT = ALLURE / "make.mjs"
INSTALL = ROOT / "ci" / "setup" / "report.sh"
INSTALL_TIMEOUT_S, TIMEOUT_S = 300, 300
PAGES = ("awesome/index.html", "dashboard/index.html")
NEXT_STEP = "next: see that npm is there and reaches its registry, then ./ci/report --allure"
NOT_INSTALLED = "next: ./ci/report --allure installs Allure, 240 MB, and makes its pages"


def write_texts(folder: Path, texts: Mapping[str, str]) -> None:
    """Write texts by file name. Lone surrogates, which UTF-8 cannot encode, are written as escapes."""
    for name, text in texts.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", errors="backslashreplace")


def find_node(*, install: bool) -> tuple[str, str]:
    """Find the Node that runs Allure, and with `install` install both from the lock if they are not there.

    Returns the path of Node, or the reason why there is none.
    """
    command = [str(INSTALL), *(["--install"] if install else [])]
    with tempfile.TemporaryFile() as stderr, (ALLURE / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several gates of one checkout may install at once
        try:
            result = subprocess.run(  # noqa: S603  our own script
                command, stdout=PIPE, stderr=stderr, timeout=INSTALL_TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return "", f"{type(error).__name__} at ci/setup/report.sh"
        if result.returncode == 0:
            return result.stdout.decode().strip(), ""
        stderr.seek(0)
        lines = stderr.read().decode(errors="replace").strip().splitlines()
        return "", lines[0].strip()[:300] if lines else "ci/setup/report.sh failed"


def generate_pages(
    runs: Sequence[ReportRun],
    folders: Mapping[str, Path],
    facts: Mapping[str, str],
    *,
    make_results: Callable[[], Mapping[str, str]],
    in_history: bool,
    install: bool,
) -> str:
    """Write Allure's results and pages. Returns why there are none; the verdict is the same without them.

    Pages that do not show every test, or contradict the verdict, are removed.
    `folders` are `results`, `output` and `history`. `in_history`: the history holds these runs already.
    `install`: install Allure if it is not there.
    """
    node, problem = find_node(install=install)
    if problem:
        return f"no Allure report: {problem}; {NEXT_STEP if install else NOT_INSTALLED}"
    write_texts(folders["results"], make_results())
    output = folders["output"]
    paths = {key: str(path) for key, path in folders.items()}
    settings = build_allure_config(runs, folders=paths, in_history=in_history, about=facts)
    try:
        reason = find_disagreement(runs, run_node(node, settings, output))
        if not reason:
            return ""
    except (OSError, ValueError, LookupError, TypeError, AttributeError, SubprocessError) as error:
        reason = f"allure-failed: {(str(error).splitlines() or [type(error).__name__])[0][:300]}"
        if isinstance(error, OSError) and error.filename == node:
            reason = f"{type(error).__name__} at {node}"
    shutil.rmtree(output, ignore_errors=True)
    return f"no Allure report: {reason}; {NEXT_STEP}"


def run_node(node: str, settings: Mapping[str, object], output: Path) -> Mapping[str, object]:
    """Let Node write the pages, and harden them. Returns what Allure counted."""
    with tempfile.TemporaryDirectory(prefix="fcm-compat-") as folder:
        result = subprocess.run(  # noqa: S603  the lock's Node and our own script
            [node, str(SCRIPT)],
            input=json.dumps(settings),
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )
    if result.returncode != 0:
        errors = (line for line in result.stderr.splitlines() if "Error" in line)  # a trace surrounds it
        raise UnknownAllurePage(
            next(errors, result.stderr.strip()[-300:] or f"node exited {result.returncode}")
        )
    nonce = secrets.token_urlsafe(16)
    for page in PAGES:
        file = output / page
        file.write_text(harden_page(file.read_text(encoding="utf-8"), nonce), encoding="utf-8")
    # Allure's landing page loads analytics; the first page of the report takes its place.
    (output / "index.html").unlink(missing_ok=True)
    counts: Mapping[str, object] = json.loads(result.stdout.strip().splitlines()[-1])
    return counts
