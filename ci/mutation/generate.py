"""All mutants of a module, as JSON lines: run with the Python of .venv-mutants, which has mutmut.

mutmut runs mutants of function bodies only. Our decision tables are data of their module, so we take its
operators and apply them to every node.
"""

import difflib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import libcst as cst
from mutmut.mutation.mutators import mutation_operators, operator_arg_removal, operator_string

SILENT = (cst.Annotation, cst.Import, cst.ImportFrom, cst.Decorator)
LENIENT = re.compile(r"""(, )?(strict=(True|False|None)|encoding=("utf-8"|"UTF-8"|None))|, (?=\))""")
STRING_MUTANTS = 2  # other letters around it, and another case: upper proves what lower does


def is_silent(node: cst.CSTNode) -> bool:
    """Tell whether a node says of what type things are, or forbids what nobody does, as `frozen` does."""
    if isinstance(node, cst.AnnAssign):
        name = node.annotation.annotation
        return isinstance(name, cst.Name) and name.value == "TypeAlias"
    return isinstance(node, SILENT)


def is_sentence(node: cst.CSTNode) -> bool:
    """Tell whether a node is words for people."""
    return isinstance(node, cst.SimpleString) and " " in node.value


def nodes(node: cst.CSTNode, *, sentences: bool) -> Iterator[cst.CSTNode]:
    """Walk all nodes that mean something at run time."""
    if is_silent(node) or (is_sentence(node) and not sentences):
        return
    yield node
    for child in node.children:
        yield from nodes(child, sentences=sentences)


def changes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """What mutmut makes of a node, less what proves nothing more."""
    for kind, operator in mutation_operators:
        if isinstance(node, kind):
            found = list(operator(node))
            if operator is operator_string:
                found = found[:STRING_MUTANTS]
            elif operator is operator_arg_removal:
                found = [call for call in found if len(call.args) == len(node.args) or has_keywords(node)]
            yield from found


def lenient(source: str) -> str:
    """The same without what shows in no result: `strict` of zip forbids what nobody does, UTF-8 is usual."""
    return LENIENT.sub("", source)


def has_keywords(call: cst.Call) -> bool:
    """Tell whether an argument may be missing: a positional one is a TypeError that any test notices."""
    return any(argument.keyword for argument in call.args)


def mutants(source: str, *, sentences: bool) -> Iterator[str]:
    """Each text that differs from the source in one place, once."""
    module = cst.parse_module(source)
    seen = {lenient(source)}
    for node in nodes(module, sentences=sentences):
        for changed in changes(node):
            text = module.deep_replace(node, changed).code
            if lenient(text) not in seen:
                seen.add(lenient(text))
                yield text


def described(source: str, mutant: str) -> dict[str, object]:
    """Where a mutant differs, as whole lines without their indentation."""
    old, new = source.splitlines(), mutant.splitlines()
    blocks = [block for block in difflib.SequenceMatcher(None, old, new).get_opcodes() if block[0] != "equal"]
    first, last = blocks[0], blocks[-1]
    was = " ".join(line.strip() for line in old[first[1] : last[2]])
    becomes = " ".join(line.strip() for line in new[first[3] : last[4]])
    return {"line": first[1] + 1, "was": was, "becomes": becomes, "text": mutant}


def main() -> None:
    """Print the mutants of one module."""
    source = Path(sys.argv[1]).read_text(encoding="utf-8")
    for mutant in mutants(source, sentences="--sentences" in sys.argv[2:]):
        try:
            compile(mutant, sys.argv[1], "exec")
        except SyntaxError:
            continue
        sys.stdout.write(json.dumps(described(source, mutant)) + "\n")


if __name__ == "__main__":
    main()
