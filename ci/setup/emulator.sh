#!/usr/bin/env bash
# Builds the emulator's own package from emulator/, and installs it into an environment that holds nothing else but what
# it needs and pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source ci/setup/own-environment.sh

own_environment .venv-emulator-build requirements-emulator-build.lock
own_environment .venv-emulator requirements-emulator.lock
wheels=build/emulator
rm -rf "$wheels"
.venv-emulator-build/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation \
    --wheel-dir "$wheels" ./emulator >&2
.venv-emulator/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall \
    "$wheels"/fcm_emulator-*.whl >&2
