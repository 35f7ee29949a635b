"""The documents are current: generated tables, links, locked dependencies and versions."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from ci.commands import regenerate
from ci.support.exit_codes import ExitCode
from fixtures.core.answer_classes import ANSWER_CLASSES, classify_answer
from fixtures.core.catalogue import load_catalogue
from fixtures.core.findings import RANKS, RULES
from fixtures.core.project import ROOT
from fixtures.core.topology import PROVIDERS, VERSIONS, get_version_number
from fixtures.results.report.wording import TEXTS
from fixtures.services import load
from fixtures.targets.config import read_targets_file

DOCS = ROOT / "docs"
MAX_README_LINES, MAX_README_WORDS = 120, 1000


def test_the_table_of_cases_is_current() -> None:
    assert regenerate.main(["tables", "--check"]) == ExitCode.GO


PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "pacts/README.md",
    *(f"docs/{page.name}" for page in DOCS.glob("*.md")),
)


@pytest.mark.parametrize("file", PAGES)
def test_links_lead_somewhere(file: str) -> None:
    page = ROOT / file
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local_links = [link for link in links if "://" not in link]
    assert [link for link in local_links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", ["hand-over.md", "own-wire.md", "senders.md", "start.md"])
def test_the_examples_of_a_page_are_targets_files(tmp_path: Path, page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    examples = re.findall(r"^```toml\n(\[environments.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert examples
    for example in examples:
        (tmp_path / "targets.toml").write_text(example, encoding="utf-8")
        read_targets_file(tmp_path / "targets.toml", None)


def test_every_promise_that_decides_stands_on_its_page() -> None:
    page = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    entries = re.findall(r"^(?:#+ (.+)|- \*\*(.+?)\*\*)", page, re.MULTILINE)
    names = {(heading or entry).lower() for heading, entry in entries}
    promises = [row.document for row in RULES.values() if row.document.startswith("docs/promises.md: ")]
    assert promises
    assert {document.partition(": ")[2] for document in promises} - names == set()


def test_every_document_of_a_rule_exists() -> None:
    files = [re.match(r"[\w./-]+\.(?:md|json)\b", rule.document) for rule in RULES.values()]
    assert [match[0] for match in files if match and not (ROOT / match[0]).is_file()] == []


def test_the_page_of_promises_names_each_rule_rank_class_and_undecided_answer() -> None:
    page = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    names = [*RULES, *(rule.id for rule in load_catalogue().unspecified)]
    assert [name for name in names if f"`{name}`" not in page] == []
    assert [name for name in (*RANKS, *ANSWER_CLASSES) if f"\n| {name} |" not in page] == []
    assert tuple(TEXTS["ranks"]) == RANKS


def test_the_example_of_each_class_is_of_that_class() -> None:
    examples = {name: json.loads(texts["example"]) for name, texts in TEXTS["answer_classes"].items()}
    assert {name: classify_answer(example) for name, example in examples.items()} == {
        name: name for name in ANSWER_CLASSES
    }


def test_the_readme_stays_short() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MAX_README_LINES
    assert len(text.split()) <= MAX_README_WORDS


def test_the_locks_hold_every_dependency_and_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    locked = {name: read_lock(f"{name}.lock") for name in ("requirements", "requirements-dev")}
    declared = (project["project"]["dependencies"], project["dependency-groups"]["dev"])
    for lines, versions in zip(declared, locked.values(), strict=True):
        assert {re.split(r"[^\w.-]", line, maxsplit=1)[0].lower() for line in lines} <= versions.keys()
    common = locked["requirements"].keys() & locked["requirements-dev"].keys()
    assert {locked["requirements"][name] == locked["requirements-dev"][name] for name in common} == {True}


def read_lock(name: str) -> dict[str, set[str]]:
    """The versions of each package in a lock."""
    versions: dict[str, set[str]] = {}
    for package, version in re.findall(
        r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE
    ):
        versions.setdefault(package, set()).add(version)
    return versions


def test_the_reference_services_state_the_versions_of_the_release() -> None:
    numbers = {name: {version: load(name, version).number for version in VERSIONS} for name in PROVIDERS}
    assert numbers == {name: {v: get_version_number(name, v) for v in VERSIONS} for name in PROVIDERS}


def test_no_skipped_test_hides_in_the_suites() -> None:
    files = [file for file in Path(ROOT, "suites").rglob("*.py") if file != Path(__file__)]
    marks = re.compile(r"pytest\.mark\.(skip|xfail)|pytest\.(skip|importorskip)\(")
    skipping = [file.name for file in files if marks.search(file.read_text(encoding="utf-8"))]
    # An example in Go, validators in Java, builders of images: not every machine has them.
    assert sorted(skipping) == ["test_ci_templates.py", "test_container_files.py", "test_deployed_sender.py"]
