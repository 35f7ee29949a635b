"""The templates for CI systems are valid there, and call commands and options that exist."""

import fnmatch
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ci.commands import deep, gate, report, summary
from fixtures.core.project import ROOT
from fixtures.results.build_folder import RunFiles
from suites.selfcheck.results.sample_reports import no_go_run, noticed_run
from suites.selfcheck.results.sample_runs import good_run, judge, make_finding

pytestmark = pytest.mark.aside

TEMPLATES = ROOT / "ci" / "templates"
SCHEMAS: Mapping[str, tuple[str, ...]] = {
    "github-actions.yml": ("--builtin-schema=vendor.github-workflows",),
    "gitlab-ci.yml": ("--builtin-schema=vendor.gitlab-ci", "--data-transform=gitlab-ci"),
}
SCHEMA_OF = {**SCHEMAS, **{name.replace(".", "-shards."): schema for name, schema in SCHEMAS.items()}}


def check_schema(file: Path, schema: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Validate a file with the CI system's own schema."""
    command = [sys.executable, "-m", "check_jsonschema", *schema, str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603


@pytest.mark.process
@pytest.mark.parametrize(("name", "schema"), SCHEMA_OF.items(), ids=SCHEMA_OF)
def test_a_template_is_what_its_system_reads(tmp_path: Path, name: str, schema: tuple[str, ...]) -> None:
    result = check_schema(TEMPLATES / name, schema)
    assert result.returncode == 0, result.stdout
    damaged = tmp_path / name
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    damaged.write_text(text.replace("runs-on:", "run-on:").replace("script:", "scripts:"), encoding="utf-8")
    assert check_schema(damaged, schema).returncode != 0


@pytest.mark.parametrize("name", ["Jenkinsfile", "Jenkinsfile-shards"])
def test_the_pipeline_of_jenkins_is_balanced(name: str) -> None:
    without_comments = re.sub(r"(?m)//.*$", "", (TEMPLATES / name).read_text())
    text = re.sub(r"'''.*?'''|'[^']*'|\"[^\"]*\"", "", without_comments, flags=re.DOTALL)
    assert [text.count(bracket) for bracket in "{(["] == [text.count(bracket) for bracket in "})]"]


@pytest.mark.parametrize("template", sorted(TEMPLATES.iterdir()), ids=lambda file: file.name)
def test_a_template_asks_for_what_there_is(template: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = template.read_text(encoding="utf-8")
    commands = set(re.findall(r"\./ci/[a-z-]+", text))
    specific = {"./ci/merge"} if "-shards" in template.name else {"./ci/deep"}
    assert commands == {"./ci/doctor", "./ci/gate", "./ci/summary"} | specific
    assert all((ROOT / command).is_file() for command in commands)
    options = set(re.findall(r"(?<!-)--[a-z-]+", re.sub(r"(?m)^\s*(#|//).*", "", text)))
    for main in (gate.main, deep.main):
        with pytest.raises(SystemExit):
            main(["--help"])
    assert options - {"--annotations"} <= set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    assert "build/" in text


@pytest.mark.parametrize("template", sorted(TEMPLATES.iterdir()), ids=lambda file: file.name)
def test_a_template_keeps_only_what_is_meant_to_be_read(template: Path) -> None:
    kept = set(re.findall(r"build/[\w.*/-]*", re.sub(r"(?m)^\s*(#|//).*", "", template.read_text())))
    assert {"build/verdict.json", "build/report/"} <= {path.removesuffix("**") for path in kept}
    private = {"build/made.sqlite", "build/not-removed.ndjson", "build/shards/1/made.sqlite"}
    patterns = [f"{path}*" if path.endswith("/") else path for path in kept - {"build/shards/"}]
    assert [file for file in private if any(fnmatch.fnmatch(file, pattern) for pattern in patterns)] == []


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*-shards*")), ids=lambda file: file.name)
def test_a_template_runs_each_of_its_shards_once_and_tells_them_and_the_merge_the_same_run(
    template: Path,
) -> None:
    text = template.read_text(encoding="utf-8")
    assert text.count("FCM_COMPAT_RUN") == 1, "all jobs share the variable"
    numbers = re.search(r"shard: \[(.*)\]|values ('.*')|parallel: \d+", text)
    assert numbers is not None
    if listed := numbers[1] or numbers[2]:
        of = re.search(r"SHARDS(?:: | = )[\"'](\d+)", text)
        assert of is not None
        assert re.findall(r"\d+", listed) == [str(number) for number in range(1, int(of[1]) + 1)]
    else:
        assert '--shard "$CI_NODE_INDEX/$CI_NODE_TOTAL"' in text


# --- the summary


def test_the_summary_is_the_one_of_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "verdict.json").write_text(json.dumps(judge(tmp_path, good_run())), encoding="utf-8")
    assert summary.main(["--build", str(tmp_path)]) == 69
    assert "no-verdict: summary.md" in capsys.readouterr().out, "without a report there is no summary"
    report.write_report([no_go_run(tmp_path)], RunFiles(tmp_path, tmp_path / "history"))
    assert summary.main(["--build", str(tmp_path)]) == 0
    summary_text = capsys.readouterr().out
    assert summary_text.startswith("## NO GO")
    assert summary_text == (tmp_path / "report" / "exports" / "summary.md").read_text(encoding="utf-8")


def test_an_annotation_is_nothing_but_what_it_quotes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    injection = "<script>alert(1)</script> | [x](javascript:y)\n::error::forged `code`"
    forged = {**make_finding(injection), "expected": injection, "test": "suites/compat/x.py::y"}
    run = good_run()
    run[20].update(result="failed", findings=[forged])
    (tmp_path / "verdict.json").write_text(json.dumps(judge(tmp_path, run)), encoding="utf-8")
    assert summary.main(["--build", str(tmp_path), "--annotations"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("::")[1].split()[0] for line in lines] == ["error", "error"]
    assert "file=suites/compat/x.py,title=subscribers-errors v1-UNREGISTERED::" in lines[1]


def test_an_annotation_says_what_decides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = good_run()
    run[20].update(result="failed", findings=[make_finding()])
    (tmp_path / "verdict.json").write_text(json.dumps(judge(tmp_path, run)), encoding="utf-8")
    assert summary.main(["--build", str(tmp_path), "--annotations"]) == 0
    assert "%0Arank: promise: what happens to subscribers and reports%0A" in capsys.readouterr().out


def test_notices_are_annotations_of_a_bounded_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = noticed_run(tmp_path)
    (tmp_path / "verdict.json").write_text(json.dumps(run.verdict), encoding="utf-8")
    assert summary.main(["--build", str(tmp_path), "--annotations"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith("::notice ")] == []
    assert len(lines) == 1 + summary.SHOWN_NOTICES + 1 < 1 + len(run.notices)
    assert "answers 200%0AWhat differs here is no reason for a no-go.%0A" in lines[1]
    assert lines[-1].endswith(f"and {len(run.notices) - summary.SHOWN_NOTICES} more kinds of notices")


def test_a_run_that_proves_everything_is_a_notice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verdict: dict[str, Any] = judge(tmp_path, good_run())
    (tmp_path / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
    assert summary.main(["--build", str(tmp_path), "--annotations"]) == 0
    judged = "embedded reference services only, environment local, run r1"
    assert capsys.readouterr().out == f"::notice title=fcm-compat%3A go::{judged}: nothing was found\n"


@pytest.mark.parametrize(
    "content", [None, "", "{}", "[" * 100_000], ids=["none", "empty", "no verdict", "deep"]
)
@pytest.mark.parametrize("form", [(), ("--annotations",)], ids=["Markdown", "annotations"])
def test_no_verdict_is_told_as_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, form: tuple[str, ...]
) -> None:
    if content is not None:
        (tmp_path / "verdict.json").write_text(content, encoding="utf-8")
    assert summary.main(["--build", str(tmp_path), *form]) == 69
    assert "no-verdict" in capsys.readouterr().out
