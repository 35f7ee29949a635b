"""Run the scripts of a CI template as its system would, with stubs of the commands."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from fixtures.core.project import ROOT

TEMPLATES = ROOT / "ci" / "templates"
COMMANDS = ("cleanup-states", "deep", "doctor", "gate", "merge", "setup/audit.sh", "summary")
# Notes its arguments, and leaves what the command would leave.
STUB = """#!/usr/bin/env bash
printf '%s\\x1f' "${0##*/}" "$@" >> "$CALLS"; printf '\\n' >> "$CALLS"
mkdir -p build
case "${0##*/}" in gate | merge) echo "this run" > build/verdict.json ;; summary) echo "## GO: \u00e9" ;; esac
variable=EXIT_${0##*/}; variable=${variable//-/_}
exit "${!variable:-0}"
"""


@dataclass(frozen=True)
class Script:
    """A script of a job. `always` it runs after a failure, too."""

    text: str
    always: bool
    environment: Mapping[str, str]
    shell: Sequence[str] = ("bash", "-eo", "pipefail", "-c")


@dataclass(frozen=True)
class JobRun:
    """Whether a job failed, the calls of its scripts and what they printed."""

    failed: bool
    calls: Sequence[Sequence[str]]
    output: str


def read_jobs(template: str) -> dict[str, list[Script]]:
    """The scripts of each job of a template, in their order."""
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    if template.startswith("Jenkinsfile"):
        return _read_stages(text)
    document = YAML(typ="safe").load(text)
    if template.startswith("github"):
        shared = document.get("env", {})
        return {
            name: _read_steps(job["steps"], {**shared, **job.get("env", {})})
            for name, job in document["jobs"].items()
        }
    jobs = {name: job for name, job in document.items() if isinstance(job, dict) and "script" in job}
    return {
        name: [
            Script(
                "\n".join(job[part]),
                part == "after_script",
                {**document.get("variables", {}), **job.get("variables", {})},
            )
            for part in ("script", "after_script")
            if part in job
        ]
        for name, job in jobs.items()
    }


def _read_steps(steps: Sequence[Mapping[str, Any]], environment: Mapping[str, str]) -> list[Script]:
    scripts: list[Script] = []
    for step in steps:
        if step.get("uses") == "./ci/templates/action":
            action = YAML(typ="safe").load((TEMPLATES / "action" / "action.yml").read_text(encoding="utf-8"))
            scripts += _read_steps(action["runs"]["steps"], environment)
        elif "run" in step:
            condition = str(step.get("if", ""))
            only_deployed = 'if [ -z "$ENVIRONMENT" ]; then exit; fi\n' if "!= ''" in condition else ""
            values = {**environment, **step.get("env", {})}
            scripts.append(Script(only_deployed + step["run"], "always()" in condition, values))
    return scripts


def _read_stages(text: str) -> dict[str, list[Script]]:
    """The scripts of each stage that has any. What follows the last stage belongs to it."""
    jobs: dict[str, list[Script]] = {}
    stage, always = "", False
    pattern = (
        r"stage\('(?P<stage>\w+)'\)|(?P<always>\balways \{)|\bsh '''(?P<long>.*?)'''|\bsh '(?P<short>.*?)'"
    )
    for match in re.finditer(pattern, text, re.DOTALL):
        if match["stage"]:
            stage, always = match["stage"], False
        elif match["always"]:
            always = True
        else:
            script = Script(match["long"] or match["short"], always, {}, ("sh", "-ec"))
            jobs.setdefault(stage, []).append(script)
    return jobs


def run_job(scripts: Sequence[Script], project: Path, variables: Mapping[str, str]) -> JobRun:
    """Run the scripts of a job in a project with stubs. After a failure, only those that always run."""
    calls = project.parent / "calls"
    calls.unlink(missing_ok=True)
    failed, output = False, ""
    for script in scripts:
        if failed and not script.always:
            continue
        environment = dict(_resolve(script.environment, project))
        environment |= {
            "PATH": f"{project.parent}/bin:{os.environ['PATH']}",
            "CALLS": str(calls),
            **variables,
        }
        result = subprocess.run(  # noqa: S603  the scripts of our templates
            [*script.shell, script.text],
            cwd=project,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        failed = failed or result.returncode != 0
        output += result.stdout + result.stderr
    lines = calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []
    return JobRun(failed, [line.split("\x1f")[:-1] for line in lines], output)


def _resolve(environment: Mapping[str, str], project: Path) -> Iterator[tuple[str, str]]:
    """An environment as its system fills it in: expressions become what they stand for here."""
    expressions = {"steps.project.outputs.root": str(project), "inputs.targets": "ci/targets.toml"}
    for name, value in environment.items():
        text = re.sub(r"\$\{\{ (.*?) \}\}", lambda match: expressions.get(match[1], ""), str(value))
        yield name, text


def make_project(folder: Path) -> Path:
    """A project with stubs of the commands, the real script for comments, and an earlier verdict."""
    project = folder / "project"
    (project / "ci" / "templates" / "action").mkdir(parents=True)
    for command in COMMANDS:
        write_program(project / "ci" / command, STUB)
    write_program(
        project / "ci" / "templates" / "comment", (TEMPLATES / "comment").read_text(encoding="utf-8")
    )
    (project / "requirements.lock").touch()
    (project / "build" / "history").mkdir(parents=True)
    (project / "build" / "verdict.json").write_text(json.dumps("an earlier run"), encoding="utf-8")
    return project


def write_program(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)
