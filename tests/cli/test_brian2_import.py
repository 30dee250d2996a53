"""`import brian2` in all its forms gives Eccles."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import eccles.brian2 as face
from eccles.cli.brian2_import import SUBMODULES, brian2_is_eccles


@pytest.fixture(autouse=True)
def _brian2() -> Iterator[None]:
    with brian2_is_eccles():
        yield


def names_after(statement: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(statement, names)
    return names


def test_the_module_under_another_name_has_everything() -> None:
    b2 = names_after("import brian2 as b2")["b2"]
    assert b2.NeuronGroup is face.NeuronGroup
    assert b2.defaultclock is face.defaultclock
    assert b2.__version__ == face.__version__
    assert b2.units.siemens is face.siemens
    with pytest.raises(AttributeError, match="module 'brian2' has no attribute 'neurons'"):
        _ = b2.neurons


def test_star_import_brings_brian_numpy_and_pylab() -> None:
    names = names_after("from brian2 import *")
    assert names["Synapses"] is face.Synapses
    assert names["np"] is names["np"] is importlib.import_module("eccles.brian2.numpy_")
    assert {"plot", "plt", "figure", "array", "exp", "mV", "run", "TimedArray"} <= set(names)
    assert not {"min", "max", "abs", "round"} & set(names)


def test_only_leaves_out_pylab_and_numpy() -> None:
    names = names_after("from brian2.only import *")
    assert {"NeuronGroup", "run", "mV", "second", "exp", "start_scope"} <= set(names)
    assert not {"plot", "figure", "array", "rand", "zeros"} & set(names)


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("from brian2.units import mV", "mV"),
        ("from brian2.units.allunits import Ymetre", "Ymetre"),
        ("from brian2.units.constants import faraday_constant", "faraday_constant"),
        ("from brian2.units.fundamentalunits import Quantity, have_same_dimensions", "have_same_dimensions"),
        ("from brian2.units.stdunits import nS", "nS"),
        ("from brian2.units.unitsafefunctions import exp", "exp"),
        ("from brian2.core.clocks import defaultclock", "defaultclock"),
        ("from brian2.core.functions import implementation", "implementation"),
        ("from brian2.core.network import Network", "Network"),
        ("from brian2.core.preferences import prefs", "prefs"),
        ("from brian2.devices.device import set_device", "set_device"),
        ("from brian2.equations import Equations", "Equations"),
        ("from brian2.equations.equations import Equations", "Equations"),
        ("from brian2.groups.neurongroup import NeuronGroup", "NeuronGroup"),
        ("from brian2.input import PoissonGroup", "PoissonGroup"),
        ("from brian2.monitors import SpikeMonitor", "SpikeMonitor"),
        ("from brian2.stateupdaters import ExplicitStateUpdater", "ExplicitStateUpdater"),
        ("from brian2.synapses import Synapses", "Synapses"),
        ("from brian2.utils.logger import BrianLogger", "BrianLogger"),
        ("from brian2.numpy_ import zeros", "zeros"),
        ("import brian2.numpy_ as np", "np"),
    ],
)
def test_names_are_found_where_brian_2_keeps_them(statement: str, name: str) -> None:
    assert name in names_after(statement)


def test_star_imports_of_units() -> None:
    assert {"Ymetre", "umetre2"} <= set(names_after("from brian2.units.allunits import *"))
    assert "zero_celsius" in names_after("from brian2.units.constants import *")


def test_every_listed_submodule_can_be_imported() -> None:
    for name in SUBMODULES:
        module = importlib.import_module(f"brian2.{name}")
        assert module.NeuronGroup is face.NeuronGroup


def test_missing_submodules_say_what_is_not_supported() -> None:
    with pytest.raises(ImportError, match=r"^'brian2.spatialneuron' is not supported by Eccles$") as error:
        importlib.import_module("brian2.spatialneuron")
    assert error.value.name == "brian2.spatialneuron"
    with pytest.raises(ImportError, match=r"did you mean 'brian2.core.network'\?"):
        importlib.import_module("brian2.core.netwrk")


def test_missing_names_are_import_errors() -> None:
    with pytest.raises(ImportError, match="SynapticSubgroups"):
        names_after("from brian2 import SynapticSubgroups")


def test_everything_is_put_back_at_the_end() -> None:
    with brian2_is_eccles():
        importlib.import_module("brian2.units")
    assert "brian2.units" not in sys.modules
    assert sum(type(finder).__module__ == "eccles.cli.brian2_import" for finder in sys.meta_path) == 1
