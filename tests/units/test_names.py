import keyword
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import dimensions, quantities, units

import eccles.units
from eccles.units import *
from eccles.units import allunits, functions
from eccles.units import names as unit_module
from eccles.units.names import all_unit_names, register_new_unit, standard_names, unit_named, unit_names
from units.brian2_answers import ANSWERS

SCOPE = vars(np) | vars(eccles.units) | vars(functions) | {"np": np}


@pytest.mark.parametrize(("text", "shown", "displayed"), ANSWERS, ids=[a[0] for a in ANSWERS])
def test_values_are_shown_as_brian_2_shows_them(text, shown, displayed):
    value = eval(text, SCOPE)
    assert (repr(value), str(value)) == (shown, displayed)


@pytest.mark.parametrize(
    ("text", "shown", "displayed"),
    [  # Brian 2.9.0 has no names for these: '0.01 m^-4 kg^-1 s^4 A^2' for the first
        ("1*uF/cm**2", "1. * uF/cm2", "1. uF/cm^2"),
        ("0.3*mS/cm2", "0.3 * mS/cm2", "0.3 mS/cm^2"),
        ("100*uA/cm2", "100. * uA/cm2", "100. uA/cm^2"),
        ("10*mV/ms", "10. * mV/ms", "10. mV/ms"),
        ("5*nS/ms", "5. * nS/ms", "5. nS/ms"),
        ("150*ohm*cm", "150. * ohm*cm", "150. ohm cm"),
        ("8.3*joule/mole/kelvin", "8.3 * joule/mole/kelvin", "8.3 J/mol/K"),
        # and 'inf * Yvolt', '[1.e-27 nan inf] YV' for these
        ("inf*mV", "inf * volt", "inf V"),
        ("array([1.0, nan, inf])*mV", "array([ 1., nan, inf]) * mvolt", "[ 1. nan inf] mV"),
        ("1/ms", "1. * khertz", "1. kHz"),
    ],
)
def test_values_are_shown_better_than_in_brian_2(text, shown, displayed):
    value = eval(text, SCOPE)
    assert (repr(value), str(value)) == (shown, displayed)


@given(value=quantities())
def test_python_reads_the_representation(value):
    found = eval(repr(value), dict(vars(np)), AllUnits())
    assert have_same_dimensions(found, value)
    digit = 1e-8 * float(value.get_best_unit())
    largest = np.abs(np.asarray(value)).max()
    np.testing.assert_allclose(np.asarray(found), np.asarray(value), rtol=0, atol=digit + 1e-7 * largest)


class AllUnits(dict):
    def __missing__(self, name):
        unit = unit_named(name)
        if unit is None:
            raise KeyError(name)
        return unit


@given(dim=dimensions())
def test_every_dimension_has_an_si_unit_of_size_one(dim):
    unit = get_unit(dim)
    assert float(unit) == 1.0
    assert unit.dim is dim


@given(unit=units(), number=st.floats(1e-3, 1e3))
def test_the_best_unit_is_at_most_half_a_prefix_away_from_ten(unit, number):
    value = number * unit
    best = value.get_best_unit()
    power = 3 if best.name.endswith("3") else 2 if best.name.endswith("2") else 1
    assert abs(np.log10(float(value) / float(best)) - 1) <= 1.5 * power + 1e-9


def test_every_name_of_a_unit_stands_for_the_power_of_ten_it_says():
    prefixes = {p: 3 * k for k, p in enumerate(["", *"kMGTPEZY"])} | {"da": 1, "h": 2, "d": -1, "c": -2}
    prefixes |= {p: -3 * k for k, p in enumerate("munpfazy", start=1)}
    bases = {"volt": 0, "metre": 0, "gram": -3, "liter": -3, "molar": 3, "second": 0}
    for base, scale in bases.items():
        for prefix, power in prefixes.items():
            for suffix, times in (("", 1), ("2", 2), ("3", 3)):
                unit = unit_named(prefix + base + suffix)
                assert Fraction(float(unit)) == Fraction(float(f"1e{(scale + power) * times}")), unit.name
                assert unit.dim is unit_named(base).dim ** times


# Brian 2.9.0: float(u), str(u), repr(u) of brian2.units.allunits (all of its 2068 units were compared)
@pytest.mark.parametrize(
    ("name", "value", "shown", "code"),
    [
        ("mvolt", 1e-3, "mV", "mvolt"),
        ("umetre2", 1e-12, "um^2", "umetre2"),
        ("cmeter3", 1e-6, "cm^3", "cmeter3"),
        ("daohm", 10.0, "daohm", "daohm"),
        ("ymole", 1e-24, "ymol", "ymole"),
        ("Yhertz3", 1e72, "YHz^3", "Yhertz3"),
        ("kilogram", 1.0, "kg", "kilogram"),
        ("mgram", 1e-6, "mg", "mgram"),
        ("mmolar", 1.0, "mM", "mmolar"),
        ("umolar2", 1e-6, "uM^2", "umolar2"),
        ("mliter", 1e-6, "ml", "mliter"),
        ("hpascal", 100.0, "hPa", "hpascal"),
        ("kkatal", 1000.0, "kkat", "kkatal"),
        ("ulux", 1e-6, "ulx", "ulux"),
        ("mtesla", 1e-3, "mT", "mtesla"),
        ("mradian", 1e-3, "mrad", "mradian"),
    ],
)
def test_rare_units_are_those_of_brian_2(name, value, shown, code):
    unit = getattr(allunits, name)
    assert (float(unit), str(unit), repr(unit)) == (value, shown, code)


def test_all_units_can_be_imported_at_once():
    scope: dict = {}
    exec("from eccles.units.allunits import *", scope)
    assert set(all_unit_names()) <= set(scope)
    assert len(all_unit_names()) > 2000
    assert "Ymetre" in dir(allunits)
    with pytest.raises(AttributeError, match="no unit 'furlong'"):
        allunits.furlong  # noqa: B018


def test_names_that_are_no_units():
    for name in (
        "",
        "V",
        "furlong",
        "mmvolt",
        "mkilogram",
        "volt4",
        "2",
        "volt22",
        "m",
        "mV2",
        "volt ",
        "volté",
    ):
        assert unit_named(name) is None, name


def test_the_star_import_gives_the_names_scripts_use_and_no_single_letters():
    usual = "mV nS ms um pF Hz kHz mM second metre meter Mohm umetre cm2 um3 nA uF mS Quantity check_units"
    assert set(usual.split()) <= set(eccles.units.__all__)
    assert [n for n in eccles.units.__all__ if len(n) == 1] == []
    assert [n for n in eccles.units.__all__ if keyword.iskeyword(n) or not n.isidentifier()] == []
    assert len(set(eccles.units.__all__)) == len(eccles.units.__all__)


def test_every_abbreviation_is_the_unit_it_abbreviates():
    pairs = {"mV": mvolt, "uA": uamp, "nF": nfarad, "mS": msiemens, "us": usecond, "MHz": Mhertz}
    pairs |= {"cm3": unit_named("cmetre3"), "uM": umolar, "Hz": hertz}
    for name, unit in pairs.items():
        assert standard_names[name] == unit


def test_every_suggested_name_is_a_unit():
    assert all(unit_named(name) is not None for name in unit_names())


def test_units_of_ones_own_can_be_shown(monkeypatch):
    monkeypatch.setattr(unit_module, "_registered", [])
    nernst = Unit.create((volt / kelvin).dim, "nernst", "Nn", scale=-3)
    assert str(2 * mV / kelvin) == "0.002 m^2 kg s^-3 A^-1 K^-1"
    register_new_unit(nernst)
    assert str(2 * mV / kelvin) == "2. Nn"


def test_the_best_unit_can_be_chosen_from_given_ones():
    assert (1.5 * mV).in_best_unit(None, False, volt, uvolt) == "1500. uV"
    assert get_best_unit(1500 * mV) == volt
    assert (1.5 * mV).get_best_unit(nA) is mvolt, "none of the given units fits"
