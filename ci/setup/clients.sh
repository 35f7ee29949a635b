#!/usr/bin/env bash
# Installs real FCM clients for suites/contracts/clients. Each lock file has its own environment, since the two versions
# of pyfcm conflict.
# Needs Python, Node and npm. A stamp for each lock file is written last, so an interrupted set-up runs again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source ci/setup/own-environment.sh

own_environment .venv-clients requirements-clients.lock
own_environment .venv-clients-legacy requirements-clients-legacy.lock
node_packages suites/contracts/clients/node
