"""Results of sweeps: labelled datasets, files, exports, figures."""

from eccles.results.dataset import assemble
from eccles.results.files import open_sweep, save
from eccles.results.layout import Axis, Coordinate, Field, Piece

__all__ = ["Axis", "Coordinate", "Field", "Piece", "assemble", "open_sweep", "save"]
