"""`python -m ci.commands NAME ...` runs a command, as `./ci/NAME ...` does."""

import importlib
import sys
import traceback
from collections.abc import Callable, Sequence

NOT_STARTED = "cannot-start: see above\n  next: rm -rf .venv and try again"
try:
    from ci.support import cli
except Exception:  # noqa: BLE001  Python would exit with 1, as for a no-go
    traceback.print_exc()
    print(NOT_STARTED, file=sys.stderr)
    sys.exit(70)


def main(argv: Sequence[str]) -> int:
    """Run a command. One whose packages are not installed has crashed: this is no no-go."""
    name, *arguments = argv

    def run() -> int:
        if name == "gate":  # before the imports of the gate, which take a second
            importlib.import_module("fixtures.results.build_folder").expire_results(arguments)
        return find_main(name)(arguments)

    return cli.guard(run, crashed=NOT_STARTED, interrupted="interrupted: nothing was done")


def find_main(name: str) -> Callable[..., int]:
    """Import the `main` of a command."""
    module = "benchmarks.__main__" if name == "bench" else f"ci.commands.{name.replace('-', '_')}"
    main_function: Callable[..., int] = importlib.import_module(module).main
    return main_function


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
