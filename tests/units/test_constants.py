import pytest

from eccles.units import amp, constants, coulomb, joule, kelvin, kilogram, mole, volt

# CODATA 2018 and, for comparison, what Brian 2.9.0 (CODATA 2014) has
VALUES = {
    "avogadro_constant": (6.02214076e23, 6.022140857e23, mole**-1),
    "boltzmann_constant": (1.380649e-23, 1.38064852e-23, joule / kelvin),
    "electric_constant": (8.8541878128e-12, 8.854187817e-12, coulomb**2 / joule / constants._metre),
    "electron_mass": (9.1093837015e-31, 9.10938356e-31, kilogram),
    "elementary_charge": (1.602176634e-19, 1.6021766208e-19, coulomb),
    "faraday_constant": (96485.33212331, 96485.33289, coulomb / mole),
    "gas_constant": (8.31446261815324, 8.3144598, joule / mole / kelvin),
    "magnetic_constant": (1.25663706212e-6, 1.2566370614359173e-06, joule / constants._metre / amp**2),
    "molar_mass_constant": (0.99999999965e-3, 0.001, kilogram / mole),
    "zero_celsius": (273.15, 273.15, kelvin),
}


@pytest.mark.parametrize("name", constants.__all__)
def test_constants_have_their_value_and_unit(name):
    value, older, unit = VALUES[name]
    constant = getattr(constants, name)
    assert float(constant) == pytest.approx(value, rel=1e-15)
    assert float(constant) == pytest.approx(older, rel=1e-6)
    assert constant.dim is unit.dim


def test_constants_agree_with_each_other():
    c = constants
    assert float(c.avogadro_constant * c.elementary_charge) == pytest.approx(
        float(c.faraday_constant), rel=1e-12
    )
    assert float(c.avogadro_constant * c.boltzmann_constant) == pytest.approx(
        float(c.gas_constant), rel=1e-12
    )


def test_the_nernst_potential_of_potassium_is_a_voltage():
    import numpy as np

    c = constants
    temperature = c.zero_celsius + 37 * kelvin
    potential = c.gas_constant * temperature / c.faraday_constant * np.log(5 / 140)
    assert potential.dim is volt.dim
    assert float(potential) == pytest.approx(-0.0890587, abs=1e-6)
