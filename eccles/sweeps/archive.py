"""A plan as plain data: a JSON text and arrays, in one archive of bytes.

It holds everything that running a sweep needs, and nothing that is executed: networks as descriptions
(`eccles/objects/description/`), settings as names and numbers, model text as text. So it can be sent to
another process, kept in a file, and run again without the script.
"""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from typing import Any

import numpy as np

from eccles.errors import EcclesError, SetupError
from eccles.objects import magic
from eccles.objects.description import Description, describe, rebuild
from eccles.objects.group import Group, SimulationObject
from eccles.objects.network import Network
from eccles.objects.sources import Subgroup
from eccles.objects.swept import Call, Setting, Swept, Write
from eccles.objects.synaptic_views import SynapticSubset
from eccles.objects.timed import TimedArray
from eccles.results.layout import Piece
from eccles.sweeps.parameters import Grid, Parameter
from eccles.sweeps.plan import Plan
from eccles.sweeps.record import Record
from eccles.sweeps.seeds import Seeds
from eccles.sweeps.structure import Phase, Structure
from eccles.units import DIMENSIONLESS, Quantity, get_dimensions
from eccles.units.dimension import get_or_create_dimension

__all__ = ["Job", "pack", "token", "unpack", "unpack_structure"]

FORMAT, VERSION = "eccles-plan", 1
MOST_SECONDS = 1e9  # of a run
METHODS = {  # what a setting may call
    "set_constant", "set_delay", "set_rate", "set_rates", "set_refractory", "set_spikes", "set_values",
    "set_weight",
}  # fmt: skip


def pack(plan: Plan) -> None:
    """Keep a plan, whose networks have not run yet, as bytes; the same plan gives the same bytes.

    Raises
    ------
    SetupError
        If something of it is no data: a network operation, a Python function that cannot be told as text.
    """
    w = _Writer()
    axes = [[axis, [[p.name, w.put(p.values)] for p in members]] for axis, members in plan.grid.axes.items()]
    text = {
        "format": FORMAT,
        "version": VERSION,
        "axes": axes,
        "seed": str(plan.seeds.seed),
        "independent": plan.seeds.independent,
        "structures": [_structure_to_data(s, w) for s in plan.structures],
        "failures": [[number, message] for number, message in sorted(plan.failures.items())],
    }
    header = np.frombuffer(json.dumps(text, sort_keys=True).encode(), np.uint8)
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, header=header, **w.arrays)
    _keep(plan, file.getvalue())


def _keep(plan: Plan, data: bytes) -> None:
    plan.keep(data, partial(unpack_structure, data, plan.grid, plan.seeds))


class Job:
    """Any part of a plan, for another process: `job(start, stop)` simulates these conditions.

    It is pickled as the bytes alone. Each thread makes the networks once.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __call__(self, start: int, stop: int) -> Piece:
        """Simulate the conditions `start` to `stop - 1`."""
        if getattr(_local, "data", None) != self._data:
            _local.plan, _local.data = unpack(self._data), self._data
        return _local.plan.run(start, stop, n_threads=1)


_local = threading.local()


def token(data: bytes) -> str:
    """A text that tells this sweep from all others."""
    return hashlib.sha256(data).hexdigest()


def unpack(data: bytes) -> Plan:
    """The plan that `pack` made bytes of. Nothing in them is executed.

    Raises
    ------
    SetupError
        If the bytes are damaged, or of a newer version of Eccles.
    """
    text, arrays = _opened(data)
    r = _Reader(arrays)
    with _damage():
        grid = Grid({})
        grid.axes = {
            str(axis): [Parameter(str(name), r.get(values)) for name, values in members]
            for axis, members in text["axes"]
        }
        grid.check()
        seeds = Seeds(int(text["seed"]), bool(text["independent"]))
        structures = [_structure_from_data(s, r, grid, seeds) for s in text["structures"]]
        failures = {int(number): str(message) for number, message in text["failures"]}
        for structure in structures:
            for setting in structure.settings:
                _check_axes(setting, grid)
        plan = Plan(grid, seeds, structures, failures)
        _keep(plan, data)
        return plan


def _check_axes(value: Any, grid: Grid) -> None:
    """See whether all swept values in a setting fit to the grid."""
    sizes = dict(zip(grid.axes, grid.shape, strict=True))
    match value:
        case Call():
            _check_axes(value.args, grid)
        case Write():
            _check_axes([value.item, value.value, *value.names.values()], grid)
        case Swept():
            known = {axis: sizes.get(axis) for axis in value.axes}
            if value.sizes != known or len(known) != len(value.axes):
                raise _damaged(f"values along {', '.join(value.axes)} do not fit to the parameters")
        case list() | tuple():
            for part in value:
                _check_axes(part, grid)


def unpack_structure(data: bytes, grid: Grid, seeds: Seeds, k: int) -> Structure:
    """A new copy of the k-th structure of a plan."""
    text, arrays = _opened(data)
    with _damage():
        return _structure_from_data(text["structures"][k], _Reader(arrays), grid, seeds)


@contextmanager
def _damage() -> Iterator[None]:
    """Errors within come from damaged data."""
    try:
        yield
    except SetupError:
        raise
    except (
        EcclesError, KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError,
        NotImplementedError, RecursionError, MemoryError,
    ) as error:  # fmt: skip
        raise _damaged(repr(error)) from error


def _damaged(why: str) -> SetupError:
    """An error of bytes that `pack` did not make."""
    return SetupError(f"the plan of this sweep is damaged: {why}")


def _opened(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        text = json.loads(bytes(arrays.pop("header")).decode())
    except (ValueError, KeyError, OSError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise SetupError(f"the plan of this sweep is damaged: {error}") from None
    if not isinstance(text, dict) or text.get("format") != FORMAT:
        raise SetupError("the plan of this sweep is damaged: it is something else")
    if text.get("version") != VERSION:
        raise SetupError(
            f"the plan of this sweep has version {text.get('version')}, this Eccles reads version {VERSION}",
            hint="Update Eccles.",
        )
    return text, arrays


# -- structures ---------------------------------------------------------------------------------------


def _structure_to_data(structure: Structure, w: _Writer) -> dict[str, Any]:
    recorded = {id(obj) for recorder in structure.recorders.values() for obj in recorder.objects}
    network = Network(
        [obj for obj in structure.network.objects if id(obj) not in recorded],
        namespace=structure.network.namespace, spike_times=structure.network.spike_times,
    )  # fmt: skip
    network.schedule = structure.network.schedule
    with magic.default_clock(structure.default_dt), magic.given_names({}):  # all names have been looked up
        description = describe(network)
    known = {id(obj) for obj in (*network._everything(), *_timed_arrays(network))}
    return {
        "network": description.text,
        "arrays": {name: w.put(array) for name, array in description.arrays.items()},
        "phases": [
            {
                "seconds": phase.seconds.hex(),
                "settings": [_setting_to_data(s, w) for s in phase.settings if id(_whole(s)) in known],
            }
            for phase in structure.phases
        ],
        "fixed": structure.fixed,
        "records": [
            [name, record.to_dict(), w.put(structure.recorders[name].source)]
            for name, record in structure.records.items()
        ],
    }


def _structure_from_data(data: dict[str, Any], r: _Reader, grid: Grid, seeds: Seeds) -> Structure:
    description = Description(data["network"], {name: r.get(a) for name, a in data["arrays"].items()})
    network = rebuild(description)
    fixed = {str(axis): int(position) for axis, position in data["fixed"].items()}
    r.look_into(network)
    records = {str(name): Record.from_dict(record) for name, record, _ in data["records"]}
    recorders = {}
    with magic.private_scope():  # one for all, so that each object has a name of its own
        for name, _, source in data["records"]:
            found = r.get(source)
            recorders[name] = records[name].attach(lambda _, found=found: found)
            network.add(*recorders[name].objects)
    phases = [
        Phase([_setting_from_data(s, r) for s in phase["settings"]], _seconds(phase["seconds"]))
        for phase in data["phases"]
    ]
    numbers = grid.numbers(fixed)
    random_axes = frozenset(seeds.axes(grid)) - set(fixed)
    with magic.random_numbers(seeds.of(grid.condition(int(numbers[0])))):
        # recorders ask it what they will record
        network.get_ready(phases[0].seconds, again=True, advise=False)
    return Structure(network, phases, fixed, numbers, records, recorders, random_axes)


def _seconds(text: str) -> float:
    seconds = float.fromhex(text)
    if not 0 <= seconds <= MOST_SECONDS:
        raise _damaged(f"it runs for {seconds} s")
    return seconds


def _whole(setting: Setting) -> Any:
    """What a setting changes: a whole group, another object, a stimulus; perhaps one that nobody uses."""
    obj = setting.obj if isinstance(setting, Call) else setting.group
    return obj.whole if isinstance(obj, Group) else obj


def _timed_arrays(network: Network) -> list[TimedArray]:
    """The stimuli that a network uses."""
    groups = [obj for obj in network._everything() if isinstance(obj, Group)]
    return [v for group in groups for _, v in group.external_items() if isinstance(v, TimedArray)]


def _setting_to_data(setting: Setting, w: _Writer) -> dict[str, Any]:
    if isinstance(setting, Call):
        return {"object": w.put(setting.obj), "call": setting.method, "args": w.put(setting.args)}
    return {
        "object": w.put(setting.group),
        "write": setting.name,
        "units": setting.units,
        "item": w.put(setting.item),
        "value": w.put(setting.value),
        "names": w.put(dict(setting.names)),
    }


def _setting_from_data(data: dict[str, Any], r: _Reader) -> Setting:
    obj = r.get(data["object"])
    if "call" in data:
        if data["call"] not in METHODS or not hasattr(type(obj), data["call"]):
            raise SetupError(f"the plan of this sweep is damaged: nothing is set by '{data['call']}'")
        return Call(obj, data["call"], r.get(data["args"]))
    if not isinstance(obj, Group):
        raise SetupError("the plan of this sweep is damaged: a variable of something that has none")
    return Write(
        obj, str(data["write"]), bool(data["units"]), r.get(data["item"]), r.get(data["value"]),
        r.get(data["names"]),
    )  # fmt: skip


# -- values -------------------------------------------------------------------------------------------


class _Writer:
    """Values as JSON; arrays apart, by name."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}

    def put(self, value: Any) -> Any:
        match value:
            case None | bool() | int() | str():
                return value
            case float():
                return {"float": value.hex()}
            case Swept() if value.ragged:
                parts = [self.put(part) for part in value.values.flat]
                return {"swept": list(value.axes), "shape": list(value.values.shape), "parts": parts}
            case Swept():
                return {"swept": list(value.axes), "values": self.put(value.values)}
            case slice():
                return {"slice": [self.put(part) for part in (value.start, value.stop, value.step)]}
            case list() | tuple():
                kind = "list" if isinstance(value, list) else "tuple"
                return {kind: [self.put(part) for part in value]}
            case dict():
                return {"dict": {name: self.put(part) for name, part in value.items()}}
            case Subgroup():
                return {"part": [value.whole.name, value.start, value.stop, value.name]}
            case SynapticSubset():
                return {"synapses": value.synapses.name, "indices": self.put(value.indices)}
            case Group() | SimulationObject():
                return {"object": value.name}
            case TimedArray():
                return {"function": value.name}
            case np.generic():
                return self.put(value.item())
            case np.ndarray() if value.dtype.kind in "biufU":
                name = f"a{len(self.arrays)}"
                self.arrays[name] = np.asarray(value, order="C")
                dim = get_dimensions(value)
                return {"array": name} | (
                    {} if dim is DIMENSIONLESS else {"dim": list(map(str, dim.exponents))}
                )
            case _ if value is Ellipsis:
                return {"ellipsis": True}
        raise SetupError(f"{value!r} cannot be written to a file")


class _Reader:
    """Values from JSON and arrays."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self._arrays = arrays
        self._objects: dict[str, Any] = {}
        self._functions: dict[str, Any] = {}

    def look_into(self, network: Network) -> None:
        """Names of objects are those of this network from now on."""
        everything = network._everything()
        self._objects = {obj.name: obj for obj in everything}
        self._functions = {value.name: value for value in _timed_arrays(network)}

    def get(self, data: Any) -> Any:
        """The value that `_Writer.put` wrote."""
        match data:
            case None | bool() | int() | str():
                return data
            case {"float": text}:
                return float.fromhex(text)
            case {"swept": axes, "parts": parts, "shape": shape}:
                values = np.empty(len(parts), dtype=object)
                for k, part in enumerate(parts):
                    values[k] = self.get(part)
                return Swept(values.reshape(shape), tuple(axes))
            case {"swept": axes, "values": values}:
                return Swept(self.get(values), tuple(axes))
            case {"slice": [start, stop, step]}:
                return slice(self.get(start), self.get(stop), self.get(step))
            case {"list": parts}:
                return [self.get(part) for part in parts]
            case {"tuple": parts}:
                return tuple(self.get(part) for part in parts)
            case {"dict": parts}:
                return {name: self.get(part) for name, part in parts.items()}
            case {"part": [whole, start, stop, name]}:
                return self._part(whole, start, stop, name)
            case {"synapses": name, "indices": indices}:
                return SynapticSubset(self._objects[name], self.get(indices))
            case {"object": name}:
                return self._objects[name]
            case {"function": name}:
                return self._functions[name]
            case {"array": name, **others}:
                array = self._arrays[name]
                if "dim" not in others:
                    return array
                dim = get_or_create_dimension([Fraction(text) for text in others["dim"]])
                return Quantity(array, dim=dim)
            case {"ellipsis": _}:
                return Ellipsis
        raise SetupError("the plan of this sweep is damaged: it holds a value of no known kind")

    def _part(self, whole: str, start: int, stop: int, name: str) -> Subgroup:
        found = self._objects.get(name)
        if isinstance(found, Subgroup):
            return found
        with magic.private_scope():
            self._objects[name] = part = Subgroup(self._objects[whole], start, stop, name)
        return part
