"""Results of sweeps: labelled datasets, files, exports, figures."""
