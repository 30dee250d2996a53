"""Experiments of the laboratory: published ones, each in a file of its own, and those of users."""

from eccles.lab.experiments.experiment import experiment
from eccles.lab.experiments.registry import STUDIES, studies, study
from eccles.lab.experiments.result import Result
from eccles.lab.experiments.study import Outcome, Study

__all__ = ["STUDIES", "Outcome", "Result", "Study", "experiment", "studies", "study"]
