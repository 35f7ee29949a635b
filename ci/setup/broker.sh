#!/usr/bin/env bash
# Installs Pact's command line for ./ci/broker and ./ci/gate --broker, in its own environment .venv-broker.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source ci/setup/own-environment.sh
own_environment .venv-broker requirements-broker.lock
