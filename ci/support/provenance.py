"""Names what a verdict was made with: the suite, its interpreter and packages, and the files that it read."""

import platform
import tomllib
from collections.abc import Mapping
from pathlib import Path

from ci.support.sharding import digest, read_commit
from fixtures.contracts.pact.model import PACTS
from fixtures.core.catalogue import CATALOGUE_FILE
from fixtures.core.project import ROOT
from fixtures.core.run_config import RunConfig
from fixtures.core.topology import RELEASE_FILE
from fixtures.results.policy import POLICY_FILE

LOCK_FILE = ROOT / "requirements.lock"


def read_version() -> str:
    """The version of this suite."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def describe_provenance(run: RunConfig) -> Mapping[str, str]:
    """By name: versions, the commit (with a plus if files differ from it), and digests of files."""
    files = {
        "catalogue": [CATALOGUE_FILE],
        "policy": [POLICY_FILE],
        "release": [RELEASE_FILE],
        "pacts": sorted(PACTS.rglob("*.json")),
        "targets": [Path(run.targets)] if run.targets else [],
        "replay": [Path(file) for file in run.replay],
        "packages": [LOCK_FILE],
    }
    digests = {name: digest(path.read_bytes() for path in paths) for name, paths in files.items()}
    return {
        "fcm-compat": read_version(),
        "commit": read_commit(ROOT) or "unknown",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        **{name: text for name, text in digests.items() if text},
    }
