"""Installs a tool into a virtual environment of its own, once, by its script in ci/setup."""

import fcntl
import subprocess

from fixtures.core.project import BUILD, ROOT


def install_environment(name: str) -> int:
    """Run ci/setup/NAME.sh, which makes .venv-NAME unless it is there. Returns its exit code."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two installations at once would spoil each other
        script = str(ROOT / "ci" / "setup" / f"{name}.sh")
        return subprocess.run([script], stdout=subprocess.DEVNULL, check=False).returncode  # noqa: S603  our own
