#!/usr/bin/env bash
# Installs real FCM clients for suites/contracts/clients. The two versions of pyfcm need an environment each; the newer
# one is that of ci/setup/packages.sh.
# Needs Python, Node and npm. A stamp for each lock file is written last, so an interrupted set-up runs again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source ci/setup/own-environment.sh

own_environment .venv-packages requirements-packages.lock
own_environment .venv-clients-legacy requirements-clients-legacy.lock
node_packages suites/contracts/clients/node
