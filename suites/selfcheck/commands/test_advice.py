"""Every command, option, script and page that a text of this project names is there."""

import ast
import functools
import re
from collections.abc import Iterator

import pytest

from ci.support import command_line
from fixtures.core.project import ROOT

PLACEHOLDER = "\N{HORIZONTAL ELLIPSIS}"
# A command with its words, up to the next command or the end of the clause. NAME stands for any.
COMMAND = re.compile(r"\./ci/(?P<program>[a-z][\w./-]*\w)(?P<words>(?:(?! and )(?! \./)[^;,()`'\"\n|])*)")
MODULE = re.compile(r"\bpython -m ((?:ci|fixtures|suites)[\w.]*\w)")
FILE = re.compile(
    r"(?<![\w/.])(?:docs|ci|schemas|pacts|suites|fixtures)/[\w./-]*\w\.(?:md|toml|json|sh|py)\b"
)
NOT_OURS = {"ci/targets.toml", "ci/setup/NAME.sh"}  # the user's, and a name that stands for several
CODE = ("ci/**/*.py", "fixtures/**/*.py", "suites/plugins/*.py", "conftest.py")
TEXTS = ("ci/**/*.sh", "ci/**/*.jinja", "ci/**/*.toml", "fixtures/**/*.toml", "fixtures/**/*.jinja")


def list_texts(pattern: str) -> Iterator[tuple[str, str]]:
    """The place and the text of each string in files of code, and of each other file."""
    for file in sorted(ROOT.glob(pattern)):
        place, content = str(file.relative_to(ROOT)), file.read_text(encoding="utf-8")
        if not re.search("ci/|docs/|python -m", content):
            continue
        if file.suffix != ".py":
            yield place, content
            continue
        for node in ast.walk(ast.parse(content)):
            if isinstance(node, ast.JoinedStr):
                parts = [
                    part.value if isinstance(part, ast.Constant) else PLACEHOLDER for part in node.values
                ]
                yield f"{place}:{node.lineno}", "".join(map(str, parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{place}:{node.lineno}", node.value


@functools.cache
def list_options(command: str) -> set[str]:
    return {"--help", *command_line.build_parser(command).long_options}


def find_wrong_advice(text: str) -> Iterator[str]:
    """What a text names and this checkout does not have."""
    for file in sorted(set(FILE.findall(text)) - NOT_OURS):
        if not (ROOT / file).exists():
            yield f"no file {file}"
    for module in MODULE.findall(text):
        path = ROOT / module.replace(".", "/")
        if not (path.with_suffix(".py").exists() or (path / "__main__.py").exists()):
            yield f"no module {module}"
    for match in COMMAND.finditer(text):
        yield from check_command(match["program"], match["words"].split())


def check_command(command: str, words: list[str]) -> Iterator[str]:
    """What is wrong with a command and the words after it."""
    tables = command_line.read_tables()
    if not (ROOT / "ci" / command).exists():
        yield f"no command ./ci/{command}"
    if command == "fcm-compat" and words:
        command = words.pop(0)
    if words and f"{command} {words[0]}" in tables:
        command = f"{command} {words[0]}"
    if command == "test" or command not in tables:
        return  # pytest reads the options, or it is no command
    for word in words:
        option = word.partition("=")[0].rstrip(".:")
        if re.fullmatch(r"--[a-z-]+", option) and option not in list_options(command):
            yield f"./ci/{command} has no {option}"


def test_each_command_and_each_file_that_a_text_names_exists() -> None:
    texts = [row for pattern in (*CODE, *TEXTS) for row in list_texts(pattern)]
    assert len(texts) > 1000
    wrong = [f"{place}: {problem}" for place, text in texts for problem in find_wrong_advice(text)]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("next: ./ci/gat", "no command ./ci/gat"),
        ("first ./ci/gate --seed 1, then ./ci/report --seed 1", "./ci/report has no --seed"),
        (
            "./ci/broker verify --provider a, or .venv/bin/python -m ci.commands.gat",
            "no module ci.commands.gat",
        ),
        ("./ci/broker publish --target a", "./ci/broker publish has no --target"),
        ("as docs/nothing.md says", "no file docs/nothing.md"),
        ("./ci/gate --targets FILE; see docs/targets.md", None),
    ],
)
def test_wrong_advice_is_noticed(text: str, problem: str | None) -> None:
    assert next(find_wrong_advice(text), None) == problem
