#!/usr/bin/env bash
# Installs real FCM clients for suites/contracts/clients, and validators of our API documents for
# suites/contracts/validators. Each lock file has its own environment, since the two versions of pyfcm conflict.
# Needs Python, Node and npm. A stamp for each lock file is written last, so an interrupted set-up runs again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source ci/setup/own-environment.sh

packages() {
    local folder=$1
    local stamp=$folder/node_modules/.lock-$(cksum < "$folder/package-lock.json" | cut -d' ' -f1)
    [ -e "$stamp" ] && return
    if ! command -v npm > /dev/null; then
        echo "no-npm: $folder needs Node 20.19 or newer, with npm" >&2
        echo "  next: install them, then run ./ci/setup/clients.sh again" >&2
        exit 64
    fi
    echo "Setting up $folder/node_modules from package-lock.json ..." >&2
    npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
    touch "$stamp"
}

own_environment .venv-clients requirements-clients.lock
own_environment .venv-clients-legacy requirements-clients-legacy.lock
packages suites/contracts/clients/node
packages suites/contracts/validators/node
