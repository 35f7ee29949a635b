# Sourced by ci/fcm-compat for the `command` gate or merge, with its arguments, before anything can fail or be killed: the result of an
# earlier run becomes `undecided`. What is wrong with the arguments or the folder is reported by Python.
expire() {
    local root build argument option=
    root=$(dirname "${BASH_SOURCE[0]}")/../..
    build=$root/build
    for argument in "$@"; do
        case $argument in -h | --help | --version) return ;; --build=*) build=${argument#--build=} ;; esac
        [ "$option" != --build ] || build=$argument
        option=$argument
    done
    [ "$build" != build ] || build=$root/build # as the default, wherever the caller is
    if [ ! -e "$build/verdict.json" ] || grep -q '"verdict": "undecided"' "$build/verdict.json"; then return; fi
    if [ "$build" != "$root/build" ] && [ ! -e "$build/.fcm-compat" ]; then return; fi # not ours
    rm -rf "$build/verdict.json" "$build/junit.xml" "$build/report"
    if [ "$command" = gate ]; then rm -rf "$build/ledger.jsonl" "$build/rollout"; fi # a merge may read them
    cp -R "$root/fixtures/results/has_not_ended/." "$build/"
}
expire "$@" || true
