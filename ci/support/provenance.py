"""Names what a verdict was made with: the suite, its interpreter and packages, and the files that it read."""

import json
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
from fixtures.results.policy_file import POLICY_FILE

LOCK_FILE = ROOT / "requirements.lock"


def read_version() -> str:
    """The version of this suite."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def describe_provenance(run: RunConfig, settings: Path | None = None) -> Mapping[str, str]:
    """By name: versions, the commit (with a plus if files differ from it), and digests of files.

    A file of the user is named after its digest. `settings` is the fcm-compat.toml that was found.
    """
    shipped = {
        "catalogue": [CATALOGUE_FILE],
        "policy": [POLICY_FILE],
        "release": [RELEASE_FILE],
        "pacts": sorted(PACTS.rglob("*.json")),
        "packages": [LOCK_FILE],
        "replay": [Path(file) for file in run.replay],
    }
    # References are judged by the catalogue and the pacts of this suite, deployments by those of the user.
    user_files = {
        "own catalogue": run.catalogue,
        "policy": run.policy,
        "release": run.release,
        "own pacts": run.pacts,
        "targets": run.targets,
        "settings": settings or "",
    }
    digests = {name: digest(path.read_bytes() for path in paths) for name, paths in shipped.items()}
    digests |= {name: describe_file(Path(path)) for name, path in user_files.items() if path}
    if run.waiver_rows:
        digests["waivers"] = digest([json.dumps(run.waiver_rows).encode()])
    return {
        "fcm-compat": read_version(),
        "commit": read_commit(ROOT) or "unknown",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        **{name: text for name, text in digests.items() if text},
    }


def describe_file(path: Path) -> str:
    """The digest of a file, or of the JSON files below a folder, and its name."""
    files = sorted(path.rglob("*.json")) if path.is_dir() else [path]
    return f"{digest(file.read_bytes() for file in files)} {path.name}"
