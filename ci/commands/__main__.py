"""`python -m ci.commands NAME ...` runs a command, as `./ci/NAME ...` does."""

import importlib
import sys

if __name__ == "__main__":
    command = importlib.import_module(f"ci.commands.{sys.argv[1].replace('-', '_')}")
    sys.exit(command.main(sys.argv[2:]))
