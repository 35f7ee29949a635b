"""A small project such as a Django one, with containers of its own classes, for the cleaner's tests."""

import json
import subprocess
from pathlib import Path
from typing import Any

from fixtures.core import topology
from fixtures.release.cleanup.project_container import CLASSES, ProjectContainer
from suites.selfcheck.release.cleaner_process import COMMAND, run_process

MODELS = """
import json, pathlib
STORE = pathlib.Path(__file__).with_name("store.json")
class FirebaseMessages:
    name = "regular"
    def __init__(self, firebase_app): self.key = firebase_app + self.name
    def _all(self): return json.loads(STORE.read_text())
    def _put(self, held): STORE.write_text(json.dumps(held))
    def reset(self): self._put(self._all() | {self.key: []})
"""
TAKING = """
    def pop(self):
        held = self._all().get(self.key, [])
        self._put(self._all() | {self.key: held[1:]})
        return held[0] if held else None
"""
SEEING = """
    def count(self): return len(self._all().get(self.key, []))
    def peek(self, count): return self._all().get(self.key, [])[:count]
    def push(self, message): self._put(self._all() | {self.key: [*self._all().get(self.key, []), message]})
"""
SPAM = """
class FirebaseSpamMessages(FirebaseMessages):
    name = "spam"
"""


class Project:
    """A small project such as a Django one, and its containers."""

    def __init__(self, folder: Path, models: str) -> None:
        self.folder, self.app = folder, topology.read_firebase_app()
        package = folder / "apps" / "messages"
        package.mkdir(parents=True)
        for init in (package.parent / "__init__.py", package / "__init__.py"):
            init.touch()
        (package / "models.py").write_text(models, encoding="utf-8")
        self.store = package / "store.json"
        self.hold([], [])

    def hold(self, regular: list[bytes], spam: list[bytes]) -> None:
        """Put messages into both containers."""
        self.hold_any([m.decode() for m in regular], [m.decode() for m in spam])

    def hold_any(self, regular: list[Any], spam: list[Any]) -> None:
        """Put messages of any type into both containers."""
        self.store.write_text(json.dumps({f"{self.app}regular": regular, f"{self.app}spam": spam}))

    def held(self) -> tuple[list[Any], list[Any]]:
        """What is in both containers."""
        store = json.loads(self.store.read_text())
        return store[f"{self.app}regular"], store[f"{self.app}spam"]

    def ran(self, *options: str) -> subprocess.CompletedProcess[str]:
        """The command, in the project's folder."""
        return run_process([COMMAND, "--django", "apps.messages.models", *options], cwd=self.folder)


def load_project(project: Project, models: str) -> list[ProjectContainer]:
    """The containers of the project with these classes."""
    names: dict[str, Any] = {"__file__": str(project.store.with_name("models.py"))}
    exec(models, names)  # noqa: S102  our own text
    classes = {kind: names[name] for kind, name in CLASSES.items()}
    return [
        ProjectContainer(project.app, kind, cls(firebase_app=project.app)) for kind, cls in classes.items()
    ]
