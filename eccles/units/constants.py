"""Physical constants. CODATA 2018 (Tiesinga et al. 2021, Rev. Mod. Phys. 93, 025010)."""

from eccles.units.names import standard_names as _u

_amp, _metre, _mol, _kelvin = _u["amp"], _u["metre"], _u["mol"], _u["kelvin"]
_joule, _coulomb, _kilogram, _farad = _u["joule"], _u["coulomb"], _u["kilogram"], _u["farad"]

avogadro_constant = 6.02214076e23 / _mol  # exact
boltzmann_constant = 1.380649e-23 * _joule / _kelvin  # exact
electric_constant = 8.8541878128e-12 * _farad / _metre
electron_mass = 9.1093837015e-31 * _kilogram
elementary_charge = 1.602176634e-19 * _coulomb  # exact
faraday_constant = 96485.33212331 * _coulomb / _mol  # avogadro * elementary charge
gas_constant = 8.31446261815324 * _joule / _mol / _kelvin  # avogadro * boltzmann
magnetic_constant = 1.25663706212e-6 * _joule / _metre / _amp**2
molar_mass_constant = 0.99999999965e-3 * _kilogram / _mol
zero_celsius = 273.15 * _kelvin

__all__ = [
    "avogadro_constant", "boltzmann_constant", "electric_constant", "electron_mass", "elementary_charge",
    "faraday_constant", "gas_constant", "magnetic_constant", "molar_mass_constant", "zero_celsius",
]  # fmt: skip
