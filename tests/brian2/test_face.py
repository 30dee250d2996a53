"""The compatible face: its names, and what scripts for Brian 2 rely on besides numbers."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import Any

import numpy as np
import pytest

import eccles
import eccles.brian2 as b2
from eccles.brian2 import devices, mV, preferences

# the names that `from brian2 import *` gives besides those of pylab and NumPy (Brian 2.9.0), without those
# that begin with an underscore
NAMES = """
    BinomialFunction BrianLogger BrianObject BrianObjectException BrianPreference Clock CodeRunner Cylinder
    CythonCodeObject DimensionMismatchError Equations EventMonitor ExplicitStateUpdater Expression Function
    Group ImportExport MagicError MagicNetwork Morphology Nameable Network NetworkOperation NeuronGroup
    NumpyCodeObject PoissonGroup PoissonInput PopulationRateMonitor PreferenceError Quantity Section Soma
    SpatialNeuron SpikeGeneratorGroup SpikeMonitor SpikeSource StateMonitor StateUpdateMethod Statements
    Subgroup Synapses TimedArray Trackable Unit VariableOwner all_devices brian_prefs check_cache check_units
    clear_cache collect declare_types defaultclock device euler exact exponential_euler get_device
    get_dimensions get_local_namespace get_logger get_or_create_dimension get_unit gsl_rk2 gsl_rk4 gsl_rk8pd
    gsl_rkck gsl_rkf45 have_same_dimensions heun implementation in_best_unit in_unit independent
    is_dimensionless is_scalar_type linear linked_var logger magic_network milstein network_operation prefs
    profiling_summary register_new_unit reinit_devices reset_device restore restore_initial_state rk2 rk4 run
    scheduling_summary seed set_device start_scope std_silent stop store
""".split()  # noqa: SIM905  (as a list it would take a page)


def star(module: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(f"from {module} import *", names)
    return names


def fresh(code: str) -> str:
    """What the code prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_star_import_gives_the_names_of_brian_2() -> None:
    names = star("eccles.brian2")
    assert not set(NAMES) - set(names)
    for unit in ("mV", "nS", "ms", "Hz", "volt", "Mohm", "cm3"):
        assert unit in names
    for name in ("plot", "figure", "show", "rand", "randn", "array", "linspace", "norm", "fft", "plt", "pi"):
        assert name in names
    for name in ("x", "f", "rate", "i", "t"):
        assert name not in names


def test_star_import_leaves_pythons_own_functions() -> None:
    names = star("eccles.brian2")
    for name in ("abs", "min", "max", "round", "pow", "bool", "int", "float", "bytes", "str"):
        assert name not in names
    assert names["sum"] is np.sum


def test_numpy_minds_units() -> None:
    names = star("eccles.brian2")
    for module in (names["np"], names["numpy"]):
        assert np.asarray(module.exp(np.array([0.0]))).tolist() == [1.0]
        with pytest.raises(eccles.DimensionMismatchError):
            names["np"].exp(3 * eccles.mV)
    mean = names["np"].mean([1, 3] * eccles.mV)
    assert mean == 2 * eccles.mV
    assert names["np"].random.default_rng(1).random() >= 0


@pytest.mark.slow
def test_star_import_imports_neither_matplotlib_nor_sympy_until_they_are_used() -> None:
    out = fresh(
        """
        import sys
        from eccles.brian2 import *
        print([m for m in ("matplotlib", "sympy", "scipy", "pandas", "xarray") if m in sys.modules])
        import matplotlib
        matplotlib.use("Agg")
        figure()
        plot([1, 2], [3, 4])
        rcParams["font.size"] = 9
        print(plt.gca().lines[0].get_xdata().tolist(), matplotlib.rcParams["font.size"])
        """
    )
    assert out.split("\n")[:2] == ["[]", "[1, 2] 9.0"]


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("only", ["NeuronGroup", "mV", "exp", "restore_initial_state"]),
        ("units", ["mV", "Quantity"]),
        ("units.allunits", ["ysiemens", "mvolt", "cmetre2"]),
        ("units.constants", ["faraday_constant", "zero_celsius"]),
        ("units.stdunits", ["mV", "nS"]),
        ("units.fundamentalunits", ["Quantity", "DimensionMismatchError", "get_dimensions"]),
        ("units.unitsafefunctions", ["exp", "where"]),
        ("core.functions", ["Function", "implementation", "declare_types"]),
        ("core.network", ["Network"]),
        ("core.clocks", ["Clock", "defaultclock"]),
        ("core.magic", ["run", "start_scope"]),
        ("core.operations", ["network_operation"]),
        ("core.variables", ["VariableView", "linked_var"]),
        ("core.preferences", ["prefs", "PreferenceError"]),
        ("core.namespace", ["get_local_namespace"]),
        ("core.base", ["BrianObject"]),
        ("devices", ["set_device", "get_device"]),
        ("devices.device", ["device", "all_devices"]),
        ("utils.logger", ["BrianLogger", "get_logger"]),
        ("equations", ["Equations"]),
        ("stateupdaters", ["ExplicitStateUpdater"]),
        ("groups", ["NeuronGroup", "Subgroup"]),
        ("synapses", ["Synapses"]),
        ("monitors", ["SpikeMonitor", "StateMonitor"]),
        ("input", ["PoissonGroup", "TimedArray"]),
        ("codegen", ["NumpyCodeObject"]),
        ("numpy_", ["exp", "array"]),
    ],
)
def test_modules_where_scripts_look_for_names(module: str, names: list[str]) -> None:
    given = star(f"eccles.brian2.{module}")
    for name in names:
        assert name in given
    if "Synapses" in given:
        assert given["Synapses"] is b2.Synapses


def test_modules_are_attributes_too() -> None:
    assert b2.units.mV is b2.mV
    assert b2.monitors.SpikeMonitor is b2.SpikeMonitor
    assert b2.numpy_ is b2.np
    with pytest.raises(AttributeError, match="nothing"):
        _ = b2.nothing


def test_only_gives_no_names_of_pylab() -> None:
    assert not {"plot", "array", "rand", "linspace2"} & set(star("eccles.brian2.only"))


# -- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        ({"model": "dv/dt = -v/tau : 1"}, KeyError),
        ({"model": "dv/dt = -v/(3*mV) : 1"}, eccles.DimensionMismatchError),
        ({"model": "v : 1", "threshold": "v >"}, SyntaxError),
        ({"model": "v : 1", "threshold": "v + 1", "reset": "v = 0"}, TypeError),
        ({"model": "dv/dt = -v**2/second : 1", "method": "exact"}, b2.UnsupportedEquationsException),
    ],
)
def test_mistakes_in_model_text_come_at_run_with_their_cause(arguments: dict[str, Any], cause: type) -> None:
    group = b2.NeuronGroup(2, **arguments)
    with pytest.raises(b2.BrianObjectException) as caught:
        b2.Network(group).run(1 * b2.ms)
    assert isinstance(caught.value.__cause__, cause)
    assert group.name in str(caught.value)


def test_mistakes_in_pathways_come_at_run_with_their_cause() -> None:
    for text, cause in [("v_post += w", KeyError), ("v_post ++ 1", SyntaxError),
                        ("v_post += 1*mV", eccles.DimensionMismatchError)]:  # fmt: skip
        group = b2.NeuronGroup(2, "v : 1", threshold="v > 1")
        synapses = b2.Synapses(group, group, on_pre=text)
        synapses.connect()
        with pytest.raises(b2.BrianObjectException) as caught:
            b2.Network(group, synapses).run(1 * b2.ms)
        assert isinstance(caught.value.__cause__, cause)


def test_names_get_their_values_at_every_run() -> None:
    group = b2.NeuronGroup(1, "dx/dt = rate : 1", method="euler")
    network = b2.Network(group)
    rate = 1 / b2.second
    network.run(1 * b2.second)
    rate = 10 / b2.second
    network.run(1 * b2.second)
    assert group.x[0] == pytest.approx(11)
    network.run(1 * b2.second, namespace={"rate": 100 / b2.second})
    assert group.x[0] == pytest.approx(111)
    assert rate == 10 / b2.second


def test_seed_is_also_that_of_numpy() -> None:
    drawn = []
    for _ in range(2):
        b2.seed(5)
        group = b2.NeuronGroup(3, "x : 1", name="drawn*")
        group.x = "rand()"
        drawn.append([*group.x[:], *b2.rand(2)])
        del group
        b2.start_scope()
    assert drawn[0] == drawn[1]
    b2.seed()
    assert b2.rand() != drawn[0][3]


def test_default_methods_are_those_of_brian_2() -> None:
    exact = b2.NeuronGroup(1, "dx/dt = -x/ms : 1")
    euler = b2.NeuronGroup(1, "dx/dt = -x**2/ms : 1")
    noise = b2.NeuronGroup(1, "dx/dt = -x/ms + x*xi/sqrt(ms) : 1")
    b2.Network(exact, euler, noise).run(1 * b2.ms)
    methods = [group.method_choice.method for group in (exact, euler, noise)]
    assert methods == ["exact", "euler", "heun"]


def test_one_network_takes_objects_of_one_face() -> None:
    ours = eccles.NeuronGroup(1, "x : 1", threshold="x > 1")
    theirs = b2.NeuronGroup(1, "x : 1")
    with pytest.raises(eccles.SetupError, match=r"eccles\.brian2"):
        b2.Network(ours, theirs).run(1 * b2.ms)
    with pytest.raises(eccles.SetupError, match=r"eccles\.brian2"):
        b2.Synapses(ours, theirs, on_pre="x_post += 1")


# -- preferences, devices, functions ----------------------------------------------------------------


@pytest.fixture(autouse=True)
def _own_preferences() -> Any:
    yield
    b2.restore_initial_state()


def test_preferences_are_kept_without_effect() -> None:
    prefs = b2.prefs
    prefs.codegen.target = "numpy"
    assert prefs["codegen.target"] == "numpy"
    prefs["codegen.runtime.cython.cache_dir"] = "somewhere"
    assert prefs.codegen.runtime.cython.cache_dir == "somewhere"
    prefs.devices.cpp_standalone.openmp_threads = 4
    assert "codegen.target" in prefs
    assert "codegen.target = 'numpy'\n" in prefs.as_file
    prefs.reset_to_defaults()
    assert prefs.codegen.target == "auto"


def test_preferences_that_would_change_results_are_refused() -> None:
    b2.prefs.core.default_float_dtype = np.float64
    b2.prefs.core.network.default_schedule = ["start", "groups", "thresholds", "synapses", "resets", "end"]
    for name, value in [
        ("core.default_float_dtype", np.float32),
        ("core.network.default_schedule", ["start", "thresholds", "groups", "end"]),
        ("legacy.refractory_timing", True),
    ]:
        with pytest.raises(preferences.PreferenceError, match=name):
            b2.prefs[name] = value


def test_unknown_preferences_are_refused_with_the_nearest_name() -> None:
    with pytest.raises(b2.PreferenceError, match=r"codegen\.target"):
        b2.prefs.codegen.targets = "numpy"
    with pytest.raises(b2.PreferenceError):
        _ = b2.prefs.nothing
    b2.prefs.register_preferences(
        "mine", "My own.", level=b2.BrianPreference(3, "a level", validator=lambda v: v > 0)
    )
    assert b2.prefs.mine.level == 3
    b2.prefs.mine.level = 4
    assert b2.prefs["mine.level"] == 4
    with pytest.raises(b2.PreferenceError):
        b2.prefs.mine.level = -1


def test_standalone_scripts_run_as_they_are() -> None:
    b2.set_device("cpp_standalone", build_on_run=False, directory="output")
    assert b2.get_device().name == "cpp_standalone"
    group = b2.NeuronGroup(1, "dx/dt = 1/second : 1")
    b2.Network(group).run(1 * b2.ms)
    b2.device.build(directory="output", compile=True, run=True, debug=False)
    assert group.x[0] == pytest.approx(1e-3)
    b2.device.reinit()
    b2.device.activate()
    with pytest.raises(NotImplementedError, match="run"):
        b2.device.run(run_args={})
    with pytest.raises(eccles.SetupError, match="cpp_standalone"):
        b2.set_device("cpp_standalon")
    b2.reset_device()
    assert devices.get_device().name == "runtime"


@pytest.mark.parametrize("name", ["SpatialNeuron", "Soma", "BinomialFunction", "StateUpdateMethod"])
def test_what_is_not_supported_says_so(name: str) -> None:
    with pytest.raises(NotImplementedError, match=name):
        getattr(b2, name)(1, 2)
    with pytest.raises(NotImplementedError, match="profiling_summary"):
        b2.profiling_summary()


@b2.implementation("cpp", "double cube(double x) { return x*x*x; }")
@b2.check_units(x=b2.mV, result=b2.mV)
def cube(x: Any) -> Any:
    return x * abs(x / mV) ** 2


def plain_sum(a: Any, b: Any) -> Any:
    return a + b


def test_functions_declared_in_brian_2s_ways_are_compiled() -> None:
    both = b2.Function(plain_sum, arg_units=[b2.volt, b2.volt], return_unit=b2.volt)
    both.implementations.add_implementation("cpp", "")
    group = b2.NeuronGroup(2, "v : volt\nw = both(cube(v), 1*mV) : volt")
    group.v = [1, 2] * b2.mV
    np.testing.assert_allclose(group.w[:] / b2.mV, [2, 9])
    assert plain_sum(1, 2) == 3
    with pytest.raises(ValueError, match="units"):
        b2.Function(plain_sum, arg_units=[1], return_unit=1)


def test_objects_in_place_of_text() -> None:
    group = b2.NeuronGroup(1, "v : 1", threshold=b2.Expression("v > 0.5"), reset=b2.Statements("v = 0"))
    group.v = 1
    network = b2.Network(group)
    network.run(0.1 * b2.ms)
    assert group.v[0] == 0
    assert "neurongroup" in b2.scheduling_summary(network)


def test_the_log_is_spoken_to() -> None:
    b2.BrianLogger.log_level_error()
    b2.BrianLogger.suppress_hierarchy("brian2.codegen")
    b2.get_logger("mine").info("a message")
    with b2.std_silent(False):
        pass
    assert "cube" in b2.get_local_namespace(0) or callable(cube)
