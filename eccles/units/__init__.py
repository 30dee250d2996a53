"""Physical units: quantities, their names, and the checks of dimensions."""

from eccles.units.check import check_units, declare_types
from eccles.units.dimension import DIMENSIONLESS, Dimension, get_or_create_dimension
from eccles.units.names import standard_names, unit_named, unit_names
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
from eccles.errors import DimensionMismatchError

globals().update(standard_names)

__all__ = [  # noqa: PLE0604
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
    *standard_names,
]
