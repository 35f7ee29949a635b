"""What surrounds the gate changes no verdict: it makes no difference, or the gate refuses it by name."""

import contextlib
import functools
import os
import resource
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from suites.selfcheck.fail_closed.behaviours import always
from suites.selfcheck.fail_closed.fault_proxy import run_proxy
from suites.selfcheck.fail_closed.sandbox import (
    REACTOR,
    REPORTS,
    SLICE,
    TESTS,
    GateCall,
    GateFault,
    PutInPlace,
    Scene,
    deploy,
    for_each_fault,
    select_tests,
)

PROXIES = ("HTTP_PROXY", "http_proxy", "Http_Proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
UNPRIVILEGED = 65534
NOWHERE = "/nonexistent"


def harmless(**members: Any) -> PutInPlace:
    """A call of the gate that must make no difference."""
    return lambda _scene: contextlib.nullcontext(GateCall(**members))


def limit_open_files(number: int) -> Callable[[], None]:
    return functools.partial(resource.setrlimit, resource.RLIMIT_NOFILE, (number, number))


def lower_soft_limit() -> None:
    """A limit of open files that is too low, and that a process may raise."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def run_end_to_end(project: Path) -> None:
    """Let the project also run a push through all services."""
    source = Path(__file__).parents[2] / "compat" / "test_end_to_end.py"
    shutil.copy2(source, project / "suites" / "compat")
    case = "all-after-v1-v1-UNREGISTERED"
    test = f"suites/compat/test_end_to_end.py::test_end_to_end[{case}]"
    select_tests(project, f"{SLICE} or {case}", (*TESTS, test), REPORTS)


@contextlib.contextmanager
def set_proxies(scene: Scene) -> Iterator[GateCall]:
    """A proxy, in each spelling of its variable, that takes every request for its own."""
    run_end_to_end(scene.project)
    with run_proxy(scene.service_urls[REACTOR], always(502, "text/html", b"no such host")) as url:
        yield GateCall(environment=dict.fromkeys(PROXIES, url))


@contextlib.contextmanager
def move_project(scene: Scene) -> Iterator[GateCall]:
    """A checkout below folders with spaces and letters beyond ASCII."""
    folder = scene.project.parent / "Müller & Söhne' $HOME 中文"
    shutil.copytree(scene.project, folder / "project", symlinks=True)
    yield GateCall(scene=replace(scene, project=folder / "project", build=folder / "build"))


def replace_environment(venv: Path, python: Path) -> None:
    """Put an environment of this Python, without packages, in the place of the link to another one."""
    stamps = [file.name for file in venv.glob(".requirements*.lock-*")]
    venv.unlink()
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(python)
    for stamp in stamps:
        (venv / stamp).touch()


def use_python_of_all_users(venv: Path) -> None:
    """Replace a Python in a folder that only its owner may read by a copy."""
    python = (venv / "bin" / "python").resolve()
    if all(folder.stat().st_mode & stat.S_IXOTH for folder in python.parents):
        return
    packages, copy = (venv / "lib").resolve(), venv.parent / "python"
    ignored = shutil.ignore_patterns("test", "site-packages", "__pycache__", "*.a")
    shutil.copytree(sys.base_prefix, copy, ignore=ignored, symlinks=True)
    replace_environment(venv, copy / "bin" / python.name)
    (venv / "lib").symlink_to(packages)
    (venv / "pyvenv.cfg").write_text(f"home = {copy / 'bin'}\n", encoding="utf-8")


@contextlib.contextmanager
def drop_privileges(scene: Scene) -> Iterator[GateCall]:
    """A user other than root, if these tests are root's."""
    if os.getuid():
        yield GateCall()
        return
    with tempfile.TemporaryDirectory(prefix="fcm-compat-user-", dir="/tmp") as name:
        folder = Path(name)
        shutil.copytree(scene.project, folder / "project", symlinks=True)
        use_python_of_all_users(folder / "project" / ".venv")
        for file in (folder, *folder.rglob("*")):
            os.chown(file, UNPRIVILEGED, UNPRIVILEGED, follow_symlinks=False)
        yield GateCall(
            environment={
                "HOME": "/",
                "TMPDIR": str(folder),
                "LD_LIBRARY_PATH": str(folder / "project/python/lib"),
            },
            prepare=functools.partial(os.setuid, UNPRIVILEGED),
            scene=replace(scene, project=folder / "project", build=folder / "build"),
        )


@contextlib.contextmanager
def break_interpreter(scene: Scene) -> Iterator[GateCall]:
    """A virtual environment whose Python does not run. One whose Python is gone is made anew."""
    replace_environment(scene.project / ".venv", Path("/bin/false"))
    yield GateCall()


@contextlib.contextmanager
def remove_module(scene: Scene) -> Iterator[GateCall]:
    (scene.project / "fixtures" / "core" / "errors.py").unlink()
    yield GateCall()


@contextlib.contextmanager
def break_aws_settings(scene: Scene) -> Iterator[GateCall]:
    """Deployments may need a queue; reference services need none."""
    options = deploy(REACTOR, scene.service_urls[REACTOR], scene)
    yield GateCall(options, environment=AWS_PROFILE)


AWS_PROFILE = {"AWS_PROFILE": "gone"}
HARMLESS: Mapping[str, tuple[str, PutInPlace]] = {
    "proxies": ("a proxy for every host, in each spelling of its variable", set_proxies),
    "path": ("spaces, quotes and letters beyond ASCII in the path of the checkout", move_project),
    "not-root": ("a user other than root", drop_privileges),
    "empty-environment": ("no variable at all", harmless(empty_environment=True)),
    "umask": ("files that only their owner may read", harmless(prepare=functools.partial(os.umask, 0o077))),
    "c-locale": (
        "a locale without UTF-8",
        harmless(environment={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    ),
    "no-home": ("a home that does not exist", harmless(environment={"HOME": NOWHERE})),
    "python-home": ("a PYTHONHOME that does not exist", harmless(environment={"PYTHONHOME": NOWHERE})),
    "python-safe-path": ("PYTHONSAFEPATH", harmless(environment={"PYTHONSAFEPATH": "1"})),
    "aws-profile-unused": (
        "without a deployment, AWS_PROFILE names a profile that does not exist",
        harmless(environment=AWS_PROFILE),
    ),
    "files-256": ("256 open files at most", harmless(prepare=limit_open_files(256))),
    "files-64-soft": ("64 open files, unless a process asks for more", harmless(prepare=lower_soft_limit)),
}
REFUSED: Mapping[str, tuple[str, PutInPlace, str]] = {
    "files-64": ("64 open files at most", harmless(prepare=limit_open_files(64)), "few-open-files"),
    "python-optimize": ("PYTHONOPTIMIZE", harmless(environment={"PYTHONOPTIMIZE": "1"}), "python-optimize"),
    "no-interpreter": (
        "the Python of the virtual environment does not run",
        break_interpreter,
        "no-interpreter",
    ),
    "module-missing": ("a module is missing", remove_module, "cannot-start"),
}
FAULTS = [
    GateFault(
        "aws-profile",
        "with a deployment, AWS_PROFILE names a profile that does not exist",
        "undecided",
        "bad-aws-settings",
        break_aws_settings,
    ),
    *(GateFault(name, what, "none", reason, put) for name, (what, put, reason) in REFUSED.items()),
    *(GateFault(name, what, "go", "GO", put) for name, (what, put) in HARMLESS.items()),
]


@pytest.mark.process
@for_each_fault(FAULTS, by_day={"python-optimize", "module-missing"})
def test_surroundings_change_no_verdict(
    fault: GateFault, own_scene: Scene, mistake_with: Callable[[GateFault, Scene], str]
) -> None:
    assert mistake_with(fault, own_scene) == ""
