"""No file, variable or plugin beside the gate's own takes checks away."""

import contextlib
from collections.abc import Callable, Iterator, Mapping

import pytest

from fixtures.targets.embedded import start_process
from suites.selfcheck.fail_closed.sandbox import (
    REACTOR,
    GateCall,
    GateFault,
    PutInPlace,
    Scene,
    add_pytest_options,
    add_pytest_plugin,
    deploy,
    for_each_fault,
)

Surround = Callable[[Scene], Mapping[str, str]]

EFFECTS = "leaves the subscriber active after legacy-NotRegistered"
OVERLOOK = "--without=effects --deselect=suites/compat/test_mixed_batches.py"
TAKE_AWAY = "config.option.without = ['effects']"
CONFIGURE = "import pytest\n\n\n@pytest.hookimpl(tryfirst=True)\ndef pytest_configure(config):\n"
PLUGIN = f"{CONFIGURE}    {TAKE_AWAY}\n"
IN_WORKERS = f"{CONFIGURE}    if hasattr(config, 'workerinput'):\n        {TAKE_AWAY}\n"
ENTRY_POINT = "[pytest11]\nmischief = mischief\n"


def wrong_deployment(surround: Surround) -> PutInPlace:
    """A deployment with a fault, which the surroundings would let the suites overlook."""

    @contextlib.contextmanager
    def put_in_place(scene: Scene) -> Iterator[GateCall]:
        with start_process("fixtures.faults", "not-registered-ignored") as (service,):
            arguments = deploy(REACTOR, service["url"], scene)
            yield GateCall(arguments, environment=surround(scene))

    return put_in_place


def write(file: str, text: str) -> Surround:
    """A file in the checkout."""

    def surround(scene: Scene) -> dict[str, str]:
        (scene.project / file).write_text(text, encoding="utf-8")
        return {}

    return surround


def set_variables(**variables: str) -> Surround:
    return lambda _scene: variables


def importable(**modules: str) -> Surround:
    """Modules that PYTHONPATH lets Python find first; `mischief` is also a plugin of pytest."""

    def surround(scene: Scene) -> dict[str, str]:
        folder = scene.build.parent / f"{scene.build.name}-modules"
        information = folder / "mischief-1.dist-info"
        information.mkdir(parents=True)
        (information / "METADATA").write_text("Name: mischief\nVersion: 1\n", encoding="utf-8")
        (information / "entry_points.txt").write_text(ENTRY_POINT, encoding="utf-8")
        for name, text in {"mischief": "", **modules}.items():
            (folder / f"{name}.py").write_text(text, encoding="utf-8")
        return {"PYTHONPATH": str(folder)}

    return surround


def append_options(scene: Scene) -> dict[str, str]:
    add_pytest_options(scene.project, *OVERLOOK.split())
    return {}


def name_plugin(text: str) -> Surround:
    """A plugin that the gate itself names, and that changes its options."""

    def surround(scene: Scene) -> dict[str, str]:
        add_pytest_plugin(scene.project, "mischief")
        return dict(write("mischief.py", text)(scene))

    return surround


@contextlib.contextmanager
def load_plugin(scene: Scene) -> Iterator[GateCall]:
    """A plugin that another file of the project loads."""
    file = scene.project / "conftest.py"
    file.write_text(f'{file.read_text(encoding="utf-8")}\npytest_plugins = ["mischief"]\n', encoding="utf-8")
    (scene.project / "mischief.py").touch()
    yield GateCall()


INI = f"[pytest]\naddopts = {OVERLOOK}\n"
OTHER_CONFIGURATIONS = {
    "pytest.ini": INI,
    ".pytest.ini": INI,
    "pytest.toml": f"[pytest]\naddopts = {OVERLOOK.split()}\n",
    "tox.ini": INI,
    "setup.cfg": INI.replace("[pytest]", "[tool:pytest]"),
}
SITE = f"import os\nos.environ['PYTEST_ADDOPTS'] = {OVERLOOK!r}\n"
# Each of these would make a wrong deployment a go.
ATTACKS: Mapping[str, tuple[str, Surround]] = {
    **{
        f"other-{name.strip('.').replace('.', '-')}{'-hidden' if name[0] == '.' else ''}": (
            f"{name} in the checkout takes checks away",
            write(name, text),
        )
        for name, text in OTHER_CONFIGURATIONS.items()
    },
    "addopts": ("addopts of pyproject.toml take checks away", append_options),
    "addopts-variable": ("PYTEST_ADDOPTS takes checks away", set_variables(PYTEST_ADDOPTS=OVERLOOK)),
    "plugin-found": (
        "a plugin that PYTHONPATH lets pytest find takes checks away",
        importable(mischief=PLUGIN),
    ),
    "plugin-variable": (
        "PYTEST_PLUGINS names a plugin that takes checks away",
        lambda scene: {**importable(mischief=PLUGIN)(scene), "PYTEST_PLUGINS": "mischief"},
    ),
    "sitecustomize": ("sitecustomize takes checks away", importable(sitecustomize=SITE)),
    "usercustomize": ("usercustomize takes checks away", importable(usercustomize=SITE)),
    "module-shadowed": (
        "PYTHONPATH hides a module of Python",
        importable(tomllib="raise SystemExit(0)\n", pytest="raise SystemExit(0)\n"),
    ),
}
# The gate itself names a plugin that changes its options.
CHANGES: Mapping[str, tuple[str, Surround, str]] = {
    "options-changed": ("a plugin takes a check away", name_plugin(PLUGIN), "other-options: --without"),
    "options-changed-in-worker": (
        "a plugin takes a check away in the workers alone",
        name_plugin(IN_WORKERS),
        "other-options: --without",
    ),
}
FAULTS = [
    *(
        GateFault(name, what, "no-go", EFFECTS, wrong_deployment(put))
        for name, (what, put) in ATTACKS.items()
    ),
    *(
        GateFault(name, what, "undecided", reason, wrong_deployment(put))
        for name, (what, put, reason) in CHANGES.items()
    ),
    GateFault(
        "plugin-not-named",
        "the project loads a plugin that the gate does not name",
        "undecided",
        "other-options: plugins: .*mischief",
        load_plugin,
    ),
]


@pytest.mark.process
@for_each_fault(FAULTS, by_day={"options-changed-in-worker"})
def test_the_gate_obeys_its_own_files_alone(
    fault: GateFault, own_scene: Scene, mistake_with: Callable[[GateFault, Scene], str]
) -> None:
    assert mistake_with(fault, own_scene) == ""
