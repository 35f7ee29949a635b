# Sourced: installs optional tools into folders of their own, once for each version of their lock file.
own_environment() {
    local folder=$1 lock=$2
    local stamp=$folder/.lock-$(cksum < "$lock" | cut -d' ' -f1)
    [ -e "$stamp" ] && return
    echo "Setting up $folder from $lock ..." >&2
    rm -rf "$folder"
    "${PYTHON:-python3}" -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --quiet --disable-pip-version-check --require-hashes --no-deps \
        -r "$lock" >&2
    touch "$stamp"
}
node_packages() {
    local folder=$1
    local stamp=$folder/node_modules/.lock-$(cksum < "$folder/package-lock.json" | cut -d' ' -f1)
    [ -e "$stamp" ] && return
    if ! command -v npm > /dev/null; then
        echo "no-npm: $folder needs Node 20.19 or newer, with npm" >&2
        echo "  next: install them, then try again" >&2
        exit 64
    fi
    echo "Setting up $folder/node_modules from package-lock.json ..." >&2
    npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
    touch "$stamp"
}
