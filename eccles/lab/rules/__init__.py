"""Plasticity rules as data: `rule = pair()`, `print(rule)`, `rule.window()`, `rule.synapses(pre, post)`."""

from collections.abc import Callable, Mapping
from importlib import import_module

from eccles.lab.parts import Preset, one_of
from eccles.lab.rules.calcium import calcium
from eccles.lab.rules.dopamine import dopamine, reward
from eccles.lab.rules.homeostasis import homeostasis
from eccles.lab.rules.inhibitory import inhibitory
from eccles.lab.rules.pair import pair
from eccles.lab.rules.rule import Coincidence, Delays, Rule
from eccles.lab.rules.short_term import short_term
from eccles.lab.rules.suppression import suppression
from eccles.lab.rules.triplet import triplet
from eccles.lab.rules.voltage import voltage

__all__ = [
    "RULES",
    "Coincidence",
    "Delays",
    "Rule",
    "calcium",
    "dopamine",
    "homeostasis",
    "inhibitory",
    "pair",
    "presets",
    "reward",
    "short_term",
    "suppression",
    "triplet",
    "voltage",
]

# each can be called without arguments, and with the name of a preset
RULES: dict[str, Callable[..., Rule]] = {
    "pair": pair,
    "triplet": triplet,
    "suppression": suppression,
    "calcium": calcium,
    "dopamine": dopamine,
    "inhibitory": inhibitory,
    "short_term": short_term,
    "voltage": voltage,
    "homeostasis": homeostasis,
}


def presets(rule: str) -> Mapping[str, Preset]:
    """The published numbers that a rule can be made with, by name.

    Parameters
    ----------
    rule : str
        One of `RULES`.

    Raises
    ------
    SetupError
        If there is no such rule.

    Examples
    --------
    >>> list(presets("inhibitory"))
    ['Vogels 2011']
    >>> print(presets("pair")["Song 2000"])
    Song, Miller & Abbott 2000, Nat Neurosci 3:919
    note: the paper counts a pair at the same time as depression: coincidence='post_first'
    """
    return import_module(one_of(RULES, rule, "rule").__module__).PRESETS
