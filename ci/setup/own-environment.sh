# Sourced: `own_environment FOLDER LOCK...` makes a virtual environment, and installs each lock into it, once for each
# version of the lock. uv installs if it is on the PATH, else pip; their caches stay.
own_environment() {
    local folder=$1 lock
    for lock in "${@:2}"; do
        is_installed "$folder" "$lock" || install_lock "$folder" "$lock"
    done
}

stamp_of() { echo "$1/.$2-$(cksum < "$2" | cut -d' ' -f1)"; }

is_installed() { [ -x "$1/bin/python" ] && [ -e "$(stamp_of "$1" "$2")" ]; }

install_lock() {
    local folder=$1 lock=$2 started=$SECONDS quiet='' installer=$1 without=''
    if [ "$folder" != .venv ] && .venv/bin/python -c 'import pip' 2> /dev/null; then
        installer=.venv without=--without-pip # one pip serves all: it takes seconds to put one into each
    fi
    echo "Setting up $folder from $lock: $(grep -c '==' "$lock" || true) packages$(tell_size "$lock") ..." >&2
    if [ "$folder" != .venv ] || [ ! -x .venv/bin/python ]; then
        [ "$folder" != .venv ] || name_added_packages
        rm -rf "$folder"
        "${PYTHON:-python3}" -m venv $without "$folder"
    fi # what the user has added to .venv stays
    [ -t 2 ] || quiet=--quiet # on a terminal, both show progress
    if command -v uv > /dev/null; then
        uv pip install $quiet --python "$folder/bin/python" --require-hashes --no-deps -r "$lock" >&2
    else
        "$installer/bin/python" -m pip --python "$folder/bin/python" install $quiet --disable-pip-version-check \
            --no-compile --require-hashes --no-deps -r "$lock" >&2
    fi
    rm -f "$folder/.$lock"-*
    touch "$(stamp_of "$folder" "$lock")"
    echo "Set up in $((SECONDS - started)) s; $folder has $(du -sm "$folder/" | cut -f1) MB." >&2
}

tell_size() {
    case $1 in
    requirements.lock) echo ", 70 MB if no cache holds them; some ten seconds with uv, a minute with pip" ;;
    requirements-dev.lock) echo ", 100 MB if no cache holds them" ;;
    esac
}

# Names what the user has installed into a .venv whose Python is gone.
name_added_packages() {
    local package name added=
    [ -e .venv ] || [ -L .venv ] || return 0
    for package in .venv/lib/python*/site-packages/*.dist-info; do
        name=$(basename "${package%%-[0-9]*}" | tr '[:upper:]_' '[:lower:]-')
        case $name in pip | setuptools | '*'*) continue ;; esac
        grep -q "^$name==" requirements.lock requirements-dev.lock || added+=" $name"
    done
    echo "The Python of .venv is gone, so .venv is made anew.${added:+ Install again what you had added:$added}" >&2
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
