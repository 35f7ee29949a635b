"""Release files that contradict themselves: a slug, the value, the line, what is allowed, and what to do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from fixtures.core.errors import UserError
from fixtures.release.order import release_file
from fixtures.release.order.release_file import ReleaseError
from suites.rollout.sample_releases import list_chain_edges, write_release

THREE = ("one", "two", "three")
LONG = '[[edges]]\nname = "queue"\nfrom = "one"\nto = "two"\nkind = "queue"\nlong_lived = true\n'
ROUND = '[[edges]]\nname = "back"\nfrom = "three"\nto = "one"\nkind = "http"\n'
WRONG: Mapping[str, tuple[dict[str, Any], str, str, str]] = {
    "cycle-of-constraints": (
        {"constraints": [("one", "two"), ("two", "three"), ("three", "one")]},
        "cyclic-constraints", "no order obeys", "then = ",
    ),
    "constraint-on-unknown-step": (
        {"constraints": [("one", "tow")]}, "unknown-step", "allowed: two", 'then = "tow"'
    ),
    "edge-to-unknown-service": (
        {"edges": [*list_chain_edges(THREE), list_chain_edges(["two", "four"])[0]]},
        "unknown-service", "allowed:", 'to = "four"',
    ),
    "version-unchanged": ({"unchanged": "two"}, "version-unchanged", "both 1.0", 'after = "1.0"'),
    "plan-omits-a-service": (
        {"plan": ["one", "two"]}, "service-not-planned", "never deploys it", "steps = "
    ),
    "plan-has-a-stranger": (
        {"plan": ["one", "two", "three", "for"]}, "unknown-service", "allowed:", "steps = "
    ),
    "plan-has-a-step-twice": ({"plan": ["one", "two", "three", "one"]}, "step-twice", "twice", "steps = "),
    "clean-of-nothing": ({"plan": [*THREE, "clean one-two"]}, "unknown-edge", "long-lived", "steps = "),
    "twin-edges": ({"edges": [LONG, LONG]}, "twin-edge", "this name", 'name = "queue"'),
    "round-trip": ({"edges": [*list_chain_edges(THREE), ROUND]}, "cyclic-edges", "circle", "[[edges]]"),
    "too-few": ({"services": ("one", "two")}, "too-many-services", "3 to 12", "[services"),
    "too-many": (
        {"services": tuple(f"s{n}" for n in range(13))}, "too-many-services", "13 services", "[services"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("parts", "slug", "message", "line"), WRONG.values(), ids=WRONG)
def test_a_release_that_contradicts_itself_is_refused_with_its_line(
    parts: dict[str, Any], slug: str, message: str, line: str, tmp_path: Path
) -> None:
    path = write_release(tmp_path, **parts)
    with pytest.raises(ReleaseError) as caught:
        release_file.read_release(path)
    error = caught.value
    assert error.slug == slug
    assert message in str(error)
    assert "next: " in str(error)
    assert line in path.read_text(encoding="utf-8").splitlines()[error.line - 1]


BROKEN = {
    "no value": ("[plan]", "[plan", "[plan", "bad-toml"),
    "cut off": ("steps = [", "steps = [[", None, "bad-toml"),
    "unknown member": ("[plan]", "[plan]\nlong_live = true", "long_live = true", "bad-release"),
    "wrong type": ('after = "2.0"', "after = 2", "after = 2", "bad-release"),
    "wrong kind of the second edge": ('name = "two-three"', 'name = ""', 'name = ""', "bad-release"),
    "unknown table": ("[plan]", "[extra]\n[plan]", "[extra]", "bad-release"),
}


@pytest.mark.parametrize(("was", "becomes", "line", "slug"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_with_the_line_and_a_path_that_exists(
    tmp_path: Path, was: str, becomes: str, line: str | None, slug: str
) -> None:
    path = write_release(tmp_path)
    text = path.read_text(encoding="utf-8")
    assert was in text
    path.write_text(text.replace(was, becomes, 1), encoding="utf-8")
    with pytest.raises(ReleaseError, match=slug) as caught:
        release_file.read_release(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert 1 <= caught.value.line <= len(lines) + 1
    assert line is None or lines[caught.value.line - 1] == line
    assert f"at: {path}, line {caught.value.line}\n" in str(caught.value)
    assert caught.value.next_step.endswith(f"run ./ci/rollout --release {path}")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no-release"):
        release_file.read_release(tmp_path / "none.toml")


def test_another_plan_is_checked_like_that_of_the_file(tmp_path: Path) -> None:
    release = release_file.read_release(write_release(tmp_path))
    with pytest.raises(ReleaseError, match="service-not-planned: 'two'"):
        release_file.with_plan(release, ["one", "three"])
    with pytest.raises(ReleaseError, match="unknown-service: 'fuor'") as caught:
        release_file.with_plan(release, ["fuor"])
    assert "at: --plan\n  next: correct --plan, then run the same command again" in str(caught.value)


def test_an_answer_on_its_way_back_is_no_circle() -> None:
    names = [edge.name for edge in release_file.read_release().ordered_edges]
    assert names.index("records") < names.index("answers") < names.index("reports")
