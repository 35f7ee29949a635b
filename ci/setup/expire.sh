# Sourced by ci/fcm-compat for the `command` gate or merge, with its arguments, before anything can fail or be killed: the result of an
# earlier run becomes `undecided`. What is wrong with the arguments or the folder is reported by Python.
expire() {
    local root build='' argument option='' settings=$PWD
    root=$(dirname "${BASH_SOURCE[0]}")/../..
    for argument in "$@"; do
        case $argument in
            -h | --help | --version) return ;;
            --build=*) build=${argument#--build=} ;;
            --no-config) settings= ;;
        esac
        [ "$option" != --build ] || build=$argument
        option=$argument
    done
    # Only for a line such as `build = "DIR"`; Python reads the file again, in every form.
    while [ -n "$settings" ] && [ ! -f "$settings/fcm-compat.toml" ]; do settings=${settings%/*}; done
    if [ -z "$build" ] && [ -n "$settings" ]; then
        build=$(sed -n "s/^build *= *[\"']\([^\"']*\)[\"'].*/\1/p" "$settings/fcm-compat.toml")
        case $build in '' | /*) ;; *) build=$settings/$build ;; esac
    fi
    case $build in '' | build) build=$root/build ;; esac # as the default, wherever the caller is
    if [ ! -e "$build/verdict.json" ] || grep -q '"verdict": "undecided"' "$build/verdict.json"; then return; fi
    if [ "$build" != "$root/build" ] && [ ! -e "$build/.fcm-compat" ]; then return; fi # not ours
    rm -rf "$build/verdict.json" "$build/junit.xml" "$build/findings.sarif" "$build/report"
    if [ "$command" = gate ]; then rm -rf "$build/ledger.jsonl" "$build/rollout"; fi # a merge may read them
    cp -R "$root/fixtures/results/has_not_ended/." "$build/"
}
expire "$@" || true
