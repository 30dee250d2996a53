"""Experiments of the laboratory: published ones, each in a file of its own, and those of users."""

from eccles.lab.experiments.experiment import experiment
from eccles.lab.experiments.result import Result
from eccles.lab.experiments.study import Outcome, Study

__all__ = ["Outcome", "Result", "Study", "experiment"]
