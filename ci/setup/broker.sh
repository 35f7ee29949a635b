#!/usr/bin/env bash
# Pact's own command line, for ./ci/broker and ./ci/gate --broker, in an environment of its own: .venv-broker.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source ci/setup/own-environment.sh
own_environment .venv-broker requirements-broker.lock
