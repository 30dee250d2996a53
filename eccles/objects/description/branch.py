"""A copy of a network in which some weights stay as they are, and some groups no longer spike."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from eccles.errors import SetupError
from eccles.language.equations import Equations
from eccles.language.parser import parse_statements
from eccles.objects.description.form import Description, take
from eccles.objects.description.functions import statements_to_text
from eccles.objects.description.reader import rebuild
from eccles.objects.description.writer import describe
from eccles.objects.synapses import Synapses

__all__ = ["branched"]


def branched(
    description: Description, *, frozen: Mapping[str, Mapping[str, Any]], silent: Collection[str]
) -> Description:
    """The description of a branch of the simulation.

    Parameters
    ----------
    frozen : mapping of str to mapping of str to array
        Names of synapses to their variables, and the values in SI units that these keep: statements no longer
        assign to them, and they have no equation any more.
    silent : collection of str
        Names of groups of neurons that do not spike, whatever happens to them.

    Raises
    ------
    SetupError
        If synapses have no such variable.
    """
    description = _per_synapse(description, frozen)
    text, arrays = copy.deepcopy(description.text), dict(description.arrays)
    for number, data in enumerate(text["objects"]):
        if data["kind"] == "Synapses" and data["name"] in frozen:
            values = frozen[data["name"]]
            _freeze(data, frozenset(values))
            arrays |= {f"{number}/{name}": np.array(array) for name, array in values.items()}
        if data["kind"] == "NeuronGroup" and data["name"] in silent:
            data["events"] = [[e, "False" if e == "spike" else when] for e, when in data["events"]]
    return Description(text, arrays)


def _per_synapse(description: Description, frozen: Mapping[str, Mapping[str, Any]]) -> Description:
    """The description with nothing stored per neuron that no longer could be if these stood still."""
    names = []
    for number, data in enumerate(description.text["objects"]):
        if data["kind"] == "Synapses" and data["name"] in frozen:
            moving = Equations(take(data, "equations", str))
            moves = any(name in moving and moving[name].kind != "parameter" for name in frozen[data["name"]])
            if moves and any(key.startswith(f"{number}/_last.") for key in description.arrays):
                names.append(data["name"])
    if not names:
        return description
    network = rebuild(description)
    for name in names:
        synapses = network[name]
        assert isinstance(synapses, Synapses)
        synapses.store_per_synapse()
    return describe(network)


def _freeze(synapses: dict[str, Any], names: frozenset[str]) -> None:
    owner = take(synapses, "name", str)
    equations = Equations(take(synapses, "equations", str))
    for name in names:
        if name not in equations:
            raise SetupError(f"{owner} have no variable '{name}' that could be kept as it is")
    kept = [
        replace(e, kind="parameter", expr=None, flags=()) if e.name in names else e
        for e in equations.values()
    ]
    synapses["equations"] = "\n".join(map(str, kept))
    for code in (*synapses["pathways"], *synapses["runners"]):
        statements = parse_statements(code["text"], owner)
        code["text"] = statements_to_text(tuple(s for s in statements if s.target not in names), owner)
