"""Physical units: quantities, their names, and the checks of dimensions."""

from eccles.errors import DimensionMismatchError
from eccles.units.check import check_units, declare_types
from eccles.units.dimension import DIMENSIONLESS, Dimension, get_or_create_dimension
from eccles.units.names import register_new_unit, standard_names
from eccles.units.quantity import (
    Quantity,
    Unit,
    fail_for_dimension_mismatch,
    get_best_unit,
    get_dimensions,
    get_unit,
    have_same_dimensions,
    in_best_unit,
    in_unit,
    is_dimensionless,
    is_scalar_type,
    quantity_with_dimensions,
)

# the most used ones by name, for editors and type checkers
second = standard_names["second"]
metre = standard_names["metre"]
meter = standard_names["meter"]
volt = standard_names["volt"]
amp = standard_names["amp"]
siemens = standard_names["siemens"]
farad = standard_names["farad"]
ohm = standard_names["ohm"]
hertz = standard_names["hertz"]
kelvin = standard_names["kelvin"]
mole = standard_names["mole"]
kilogram = standard_names["kilogram"]
molar = standard_names["molar"]
ms = standard_names["ms"]
us = standard_names["us"]
mV = standard_names["mV"]
nA = standard_names["nA"]
pA = standard_names["pA"]
uA = standard_names["uA"]
mA = standard_names["mA"]
nS = standard_names["nS"]
uS = standard_names["uS"]
mS = standard_names["mS"]
pF = standard_names["pF"]
nF = standard_names["nF"]
uF = standard_names["uF"]
Hz = standard_names["Hz"]
kHz = standard_names["kHz"]
MHz = standard_names["MHz"]
um = standard_names["um"]
cm = standard_names["cm"]
mm = standard_names["mm"]
mM = standard_names["mM"]
uM = standard_names["uM"]
um2 = standard_names["um2"]
cm2 = standard_names["cm2"]
globals().update(standard_names)

__all__ = [
    "DIMENSIONLESS",
    "Dimension",
    "DimensionMismatchError",
    "Quantity",
    "Unit",
    "check_units",
    "declare_types",
    "fail_for_dimension_mismatch",
    "get_best_unit",
    "get_dimensions",
    "get_or_create_dimension",
    "get_unit",
    "have_same_dimensions",
    "in_best_unit",
    "in_unit",
    "is_dimensionless",
    "is_scalar_type",
    "quantity_with_dimensions",
    "register_new_unit",
    *standard_names,
]
