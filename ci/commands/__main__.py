"""`python -m ci.commands NAME ...` runs a command, as `./ci/NAME ...` does."""

import importlib
import sys
import traceback

if __name__ == "__main__":
    try:
        if sys.argv[1] == "gate":  # before the imports of the gate, which take a second
            importlib.import_module("fixtures.results.build_folder").expire_results(sys.argv[2:])
        command = importlib.import_module(f"ci.commands.{sys.argv[1].replace('-', '_')}")
    except Exception:  # noqa: BLE001  a traceback alone would exit with 1, like no-go
        traceback.print_exc()
        print("cannot-start: see above\n  next: rm -rf .venv and try again", file=sys.stderr)
        sys.exit(70)
    sys.exit(command.main(sys.argv[2:]))
