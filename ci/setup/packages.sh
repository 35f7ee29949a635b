#!/usr/bin/env bash
# Installs the push packages of docs/packages.md. The two versions of fcm-django need an environment each.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source ci/setup/own-environment.sh
own_environment .venv-packages requirements-packages.lock
own_environment .venv-packages-former requirements-packages-former.lock
