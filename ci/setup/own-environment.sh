# Sourced: creates a virtual environment for optional tools, once for each version of its lock file.
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
