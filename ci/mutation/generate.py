"""Print all mutants of a module as JSON lines. It runs with the Python of .venv-mutants, which has mutmut.

mutmut only mutates function bodies. Our decision tables are data of their modules, so this module applies the
operators of mutmut to every node.
"""

import ast
import difflib
import io
import json
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import libcst as cst
from mutmut.mutation.mutators import mutation_operators, operator_arg_removal, operator_string

SILENT_NODES = (cst.Annotation, cst.Import, cst.ImportFrom, cst.Decorator)
SILENT_ARGUMENTS = re.compile(r"""(, )?(strict=(True|False|None)|encoding=("utf-8"|"UTF-8"|None))|, (?=\))""")
STRING_MUTANTS = 2  # other letters around it, and another case: upper case proves what lower case does


def is_silent(node: cst.CSTNode) -> bool:
    """Whether a node only states a type, or forbids what the code never does, as `frozen` does."""
    if isinstance(node, cst.AnnAssign):
        name = node.annotation.annotation
        return isinstance(name, cst.Name) and name.value == "TypeAlias"
    return isinstance(node, SILENT_NODES)


def walk_nodes(node: cst.CSTNode, *, sentences: bool) -> Iterator[cst.CSTNode]:
    """Walk all nodes that have an effect at run time; strings with blanks are text for people."""
    is_sentence = isinstance(node, cst.SimpleString) and " " in node.value
    if is_silent(node) or (is_sentence and not sentences):
        return
    yield node
    for child in node.children:
        yield from walk_nodes(child, sentences=sentences)


def change_node(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Apply mutmut's operators, but for mutants that prove nothing more."""
    for kind, operator in mutation_operators:
        if isinstance(node, kind):
            changed_nodes = list(operator(node))
            if operator is operator_string:
                changed_nodes = changed_nodes[:STRING_MUTANTS]
            elif operator is operator_arg_removal and not any(argument.keyword for argument in node.args):
                # A missing positional argument is a TypeError, which any test notices.
                changed_nodes = [call for call in changed_nodes if len(call.args) == len(node.args)]
            yield from changed_nodes


def normalize(source: str) -> str:
    """Drop arguments that show in no result: `strict` of zip, and UTF-8, which is the default."""
    return SILENT_ARGUMENTS.sub("", source)


def generate_texts(source: str, *, sentences: bool) -> Iterator[str]:
    """Generate each text that differs from the source in one place, once."""
    module = cst.parse_module(source)
    normalized_texts = {normalize(source)}
    for node in walk_nodes(module, sentences=sentences):
        for changed_node in change_node(node):
            text = module.deep_replace(node, changed_node).code
            if normalize(text) not in normalized_texts:
                normalized_texts.add(normalize(text))
                yield text


def read_tokens(source: str) -> list[tokenize.TokenInfo]:
    """Read the tokens, without layout, whose text is blank, and without comments."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return [token for token in tokens if token.string.strip() and token.type != tokenize.COMMENT]


def find_scope(tree: ast.Module, line: int) -> str:
    """Name the innermost function, class or assigned name around a line, such as `Cursor.read`."""
    names: list[str] = []
    body: list[ast.stmt] = tree.body
    while node := next((node for node in body if node.lineno <= line <= (node.end_lineno or 0)), None):
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            names.append(ast.unparse(target))
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            break
        names.append(node.name)
        body = node.body if isinstance(node, ast.ClassDef) else []
    return ".".join(names)


def describe_mutants(source: str, *, sentences: bool) -> Iterator[dict[str, object]]:
    """Describe each mutant by its scope and the tokens that change there, not by the names around them.

    `occurrence` counts the mutants of the same scope and change. The lines are for people.
    """
    tree, old_tokens = ast.parse(source), read_tokens(source)
    old = [token.string for token in old_tokens]
    occurrences: Counter[tuple[str, str, str]] = Counter()
    for text in generate_texts(source, sentences=sentences):
        try:
            compile(text, "mutant", "exec")
        except SyntaxError:
            continue
        new = [token.string for token in read_tokens(text)]
        start = next(
            (i for i, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), len(new)
        )
        longest_end = min(len(old), len(new)) - start
        end = next((i for i in range(longest_end) if old[-1 - i] != new[-1 - i]), longest_end)
        removed, inserted = old[start : len(old) - end], new[start : len(new) - end]
        changes = difflib.SequenceMatcher(None, removed, inserted, autojunk=False).get_opcodes()
        changes = [change for change in changes if change[0] != "equal"]
        was = " ... ".join(" ".join(removed[i:j]) for _, i, j, _, _ in changes if j > i)
        becomes = " ... ".join(" ".join(inserted[i:j]) for _, _, _, i, j in changes if j > i)
        line = old_tokens[min(start, len(old_tokens) - 1)].start[0]
        scope = find_scope(tree, line)
        occurrences[scope, was, becomes] += 1
        yield {
            "scope": scope,
            "was": was,
            "becomes": becomes,
            "occurrence": occurrences[scope, was, becomes],
            "line": line,
            "old_line": source.splitlines()[line - 1].strip(),
            "new_line": text.splitlines()[line - 1].strip(),
            "text": text,
        }


def main() -> None:
    source = Path(sys.argv[1]).read_text(encoding="utf-8")
    for mutant in describe_mutants(source, sentences="--sentences" in sys.argv[2:]):
        sys.stdout.write(json.dumps(mutant) + "\n")


if __name__ == "__main__":
    main()
