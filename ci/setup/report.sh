#!/usr/bin/env bash
# Installs Allure 3 for the report in ci/allure/node_modules, once for each lock, and prints the path of Node.
# Allure's quality gate needs Node 22. If the installed Node is older or missing, the lock's own Node is used.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../allure"
stamp=node_modules/.lock-$(cksum < package-lock.json | cut -d' ' -f1)
own=(node_modules/node-*/bin/node)
if [ ! -e "$stamp" ]; then
    if ! command -v npm > /dev/null; then
        echo "no-npm: the Allure report needs npm, which comes with Node.js" >&2
        exit 64
    fi
    omit=()
    if node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 22)' 2> /dev/null; then
        omit=(--omit=optional)
    fi
    rm -rf node_modules
    npm ci "${omit[@]}" --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=1 --fetch-retry-mintimeout=1000 \
        --fetch-timeout=20000 >&2
    touch "$stamp"
    own=(node_modules/node-*/bin/node)
fi
if [ -x "${own[0]}" ]; then
    echo "$PWD/${own[0]}"
else
    command -v node
fi
