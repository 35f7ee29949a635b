"""`python -m ci.commands NAME ...` runs a command, as `./ci/NAME ...` does."""

import functools
import importlib
import sys
from collections.abc import Callable, Sequence

from ci.support import cli

NOT_STARTED = "cannot-start: see above\n  next: rm -rf .venv and try again"


def main(argv: Sequence[str]) -> int:
    """Run a command. One whose packages are not installed has crashed: this is no no-go."""
    name, *arguments = argv
    loaded: list[Callable[..., int]] = []
    load = functools.partial(load_command, name, arguments, loaded.append)
    exit_code = cli.guard(load, crashed=NOT_STARTED, interrupted="interrupted: nothing was done")
    return loaded[0](arguments) if loaded else exit_code


def load_command(name: str, arguments: Sequence[str], use: Callable[[Callable[..., int]], None]) -> int:
    if name == "gate":  # before the imports of the gate, which take a second
        importlib.import_module("fixtures.results.build_folder").expire_results(arguments)
    module = "benchmarks.__main__" if name == "bench" else f"ci.commands.{name.replace('-', '_')}"
    use(importlib.import_module(module).main)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
