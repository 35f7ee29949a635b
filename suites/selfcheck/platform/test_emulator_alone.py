"""The emulator's own package: built from files of this project, and used where the suite is not installed."""

import ast
import json
import os
import shutil
import signal
import subprocess
import tomllib
from collections.abc import Callable, Sequence
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fixtures.core.project import BUILD, ROOT

ENVIRONMENT = ROOT / ".venv-emulator" / "bin"
# What is installed besides the package and pytest.
DEPENDENCIES = {
    *("anyio", "cffi", "click", "cryptography", "h11", "h2", "hpack", "hyperframe", "idna"),
    *("pycparser", "starlette", "trustme", "typing_extensions", "uvicorn"),
}
TOOLS = {"iniconfig", "packaging", "pip", "pluggy", "pygments", "pytest", "setuptools"}


def test_the_package_holds_every_module_that_its_modules_import() -> None:
    project = tomllib.loads((ROOT / "emulator" / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    sources = {(ROOT / "emulator" / source).resolve(): ROOT / target for source, target in included.items()}
    files = {
        target / path.relative_to(source) if source.is_dir() else target: path
        for source, target in sources.items()
        for path in ([source] if source.is_file() else source.glob("*.py"))
    }
    for target, path in files.items():
        tree = ast.parse(path.read_text(encoding="utf-8")) if path.suffix == ".py" else ast.parse("")
        for node in (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)):
            assert not (node.module or "").startswith("fixtures"), path
            if node.level:
                module = target.parents[node.level - 1].joinpath(*(node.module or "").split("."))
                names = [module / alias.name for alias in node.names]
                modules = [module] if module.with_suffix(".py") in files else names
                assert {module.with_suffix(".py") for module in modules} <= set(files), path


@pytest.fixture(scope="module")
def installed() -> None:
    """Build the package, and install it in an environment of its own."""
    run([str(ROOT / "ci" / "setup" / "emulator.sh")], ROOT)


def installed_alone(test: Callable[..., None]) -> Callable[..., None]:
    """Mark a test that takes a minute, as it needs the installed package."""
    for mark in (pytest.mark.process, pytest.mark.nightly, pytest.mark.usefixtures("installed")):
        test = mark(test)
    return test


def run(command: Sequence[str], folder: Path) -> str:
    """The output of a command that knows nothing of this project but its own files."""
    done = subprocess.run(  # noqa: S603 - our own commands
        command, cwd=folder, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@installed_alone
def test_the_example_passes_where_nothing_of_the_suite_is_installed(tmp_path: Path) -> None:
    example = str(tmp_path / "test_example.py")
    shutil.copy(ROOT / "emulator" / "test_fcm_emulator.py", example)
    out = run(
        [str(ENVIRONMENT / "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider", example], tmp_path
    )
    assert "4 passed" in out


@installed_alone
def test_it_needs_few_packages_and_adds_one_module(tmp_path: Path) -> None:
    python = str(ENVIRONMENT / "python")
    listing = run([python, "-m", "pip", "list", "--format=json", "--disable-pip-version-check"], tmp_path)
    rows = json.loads(listing)
    assert {row["name"].lower() for row in rows} - TOOLS == DEPENDENCIES | {"fcm-emulator"}
    assert "No broken requirements" in run([python, "-m", "pip", "check"], tmp_path)
    (wheel,) = (BUILD / "emulator").glob("*.whl")
    names = run([python, "-m", "zipfile", "--list", str(wheel)], tmp_path).splitlines()[1:]
    assert {name.split("/")[0].split("-")[0] for name in names} == {"fcm_emulator"}


@installed_alone
def test_the_command_serves_a_script_until_it_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "rules.json").write_text('{"rules": [{"match": {"target": "topic"}, "case": "v1-INTERNAL"}]}')
    command = [str(ENVIRONMENT / "fcm-emulator"), "--ca", "ca.pem", "--script", "rules.json"]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        urls = json.loads(process.stdout.readline())
        connection = HTTPConnection(urlsplit(urls["url"]).netloc, timeout=10)
        connection.request("GET", "/health")
        assert json.loads(connection.getresponse().read()) == {"status": "ok"}
        message, headers = '{"message": {"topic": "news"}}', {"Authorization": "Bearer any"}
        connection.request("POST", "/v1/projects/demo/messages:send", message, headers)
        assert connection.getresponse().status == 500
        connection.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert (tmp_path / "ca.pem").stat().st_size > 0
