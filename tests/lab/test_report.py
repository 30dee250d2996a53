"""Reports: a page that stands alone, and files that are complete or not there."""

from __future__ import annotations

import base64
import csv
import os
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot
from matplotlib.figure import Figure

from eccles import SetupError, __version__, ms, second
from eccles.lab import report
from eccles.lab.experiments import Outcome, experiment
from eccles.lab.protocols import pairing
from eccles.lab.report import report_page, save_report
from eccles.lab.rules import pair

VOID = {"meta", "img", "br", "hr", "link", "input"}
NAMES = ["data.nc", "figure.png", "figure.svg", "report.html", "table.csv"]


class Page(HTMLParser):
    """Tags with their attributes, and the text of a page; tags have to be closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.cells: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self.cells.setdefault(tag, []).append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.cells[self.open[-1]][-1] += data


def drawn() -> Figure:
    figure = Figure()
    figure.subplots().plot([0, 1], [0, 1])
    return figure


def outcome(**changes) -> Outcome:
    parts = {
        "data": xr.Dataset({"w": ("x", [1.0, 2.0])}),
        "table": {"name": ["<i>a</i>", "b & c"], "w (mV)": np.array([1 / 3, np.nan]), "n": [1, 20]},
        "draw": drawn,
        "findings": ("1 < 2 & 3 > 2.",),
        "notes": ("<script>alert(1)</script>",),
        "models": {"rule": "w < 1\n  dw/dt = 0 : 1 <b>"},
    }
    return Outcome(**{**parts, **changes})


def page_of(given: Outcome, **options) -> Page:
    png = b"\x89PNG"
    return Page(report_page(given, png, **{"title": "A <question>?", "source": "A & B 2000", **options}))


def test_the_page_escapes_what_it_shows():
    page = page_of(outcome())
    assert page.cells["pre"] == ["w < 1\n  dw/dt = 0 : 1 <b>"]
    assert page.cells["h1"] == ["A <question>?"]
    assert "1 < 2 & 3 > 2." in page.cells["li"]
    assert "<script>alert(1)</script>" in page.cells["li"]
    assert not {tag for tag, _ in page.tags} & {"script", "b", "i", "question"}


def test_the_page_needs_nothing_else_and_loads_nothing():
    text = report_page(outcome(), b"\x89PNG", title="T", source="doi:10.1/x")
    page = Page(text)
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "iframe", "object"}
        for name in ("src", "href", "srcset", "action"):
            assert (attributes.get(name) or "data:").startswith("data:")
    assert not re.search(r"https?:|@import|url\(", text)
    policy = [a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_the_page_is_for_small_screens_dark_ones_print_and_readers_who_do_not_see_it():
    text = report_page(outcome(), b"\x89PNG", title="T")
    page = Page(text)
    attributes = dict(page.tags)
    assert attributes["html"]["lang"] == "en"
    assert attributes["img"]["alt"] == "Figure: T 1 < 2 & 3 > 2. All numbers are in the table below."
    assert any(a.get("name") == "viewport" for _, a in page.tags)
    assert all(a.get("scope") == "col" for tag, a in page.tags if tag == "th")
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_the_table_of_the_page_shows_six_digits_and_a_dash_for_what_is_missing():
    page = page_of(outcome())
    assert page.cells["th"] == ["name", "w (mV)", "n"]
    assert page.cells["td"] == ["<i>a</i>", "0.333333", "1", "b & c", "–", "20"]


def test_the_page_says_source_versions_and_how_to_cite():
    page = page_of(outcome(), date="1 May")
    assert page.cells["p"][:2] == ["A & B 2000", "1 May"]
    assert any(f"version {__version__}" in text for text in page.cells["p"])
    versions = dict(zip(page.cells["dt"], page.cells["dd"], strict=True))
    assert versions["eccles"] == __version__
    assert versions["numpy"] == np.__version__
    assert {"python", "llvmlite", "report.html"} <= set(versions)


def test_an_outcome_without_words_or_table_is_a_page_too():
    page = page_of(outcome(table={}, findings=(), notes=(), models=None), source="")
    assert "table" not in page.cells
    assert page.cells["h2"] == ["Files", "How to cite", "Versions"]


def test_the_files_hold_figure_table_data_and_page(tmp_path):
    given = outcome()
    paths = save_report(given, tmp_path / "new" / "folder", title="T")
    assert sorted(path.name for path in paths) == NAMES
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == NAMES
    by_name = {path.name: path for path in paths}
    with by_name["table.csv"].open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [
            ["name", "w (mV)", "n"], ["<i>a</i>", repr(1 / 3), "1"], ["b & c", "nan", "20"],
        ]  # fmt: skip
    with xr.open_dataset(by_name["data.nc"], engine="h5netcdf") as data:
        xr.testing.assert_identical(data.load(), given.data)
    png = by_name["figure.png"].read_bytes()
    assert png.startswith(b"\x89PNG\r\n")
    (image,) = (a for tag, a in Page(by_name["report.html"].read_text(encoding="utf-8")).tags if tag == "img")
    assert base64.b64decode((image["src"] or "").removeprefix("data:image/png;base64,")) == png
    assert "<svg" in by_name["figure.svg"].read_text(encoding="utf-8")


def test_the_same_outcome_gives_the_same_page_figure_and_table(tmp_path):
    for folder in ("a", "b"):
        save_report(outcome(), tmp_path / folder, title="T")
    for name in set(NAMES) - {"data.nc"}:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_what_is_interrupted_leaves_no_part_of_a_file(tmp_path, monkeypatch):
    save_report(outcome(), tmp_path, title="Before")
    before = {name: (tmp_path / name).read_bytes() for name in NAMES}

    def half(table, path):
        path.write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(report, "write_table", half)
    with pytest.raises(KeyboardInterrupt):
        save_report(outcome(), tmp_path, title="After")
    assert sorted(os.listdir(tmp_path)) == NAMES
    for name in ("table.csv", "data.nc", "report.html"):
        assert (tmp_path / name).read_bytes() == before[name]


def test_a_place_that_cannot_be_written_to_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(SetupError, match="is a file"):
        save_report(outcome(), file, title="T")
    with pytest.raises(SetupError, match="nothing can be written into"):
        save_report(outcome(), file / "below", title="T")

    def full(table, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(report, "write_table", full)
    with pytest.raises(SetupError, match=r"table.csv' cannot be written: No space left on device"):
        save_report(outcome(), tmp_path / "folder", title="T")


def test_an_experiment_becomes_a_report(tmp_path):
    open_before = pyplot.get_fignums()
    result = experiment(
        pair(), lambda gap: pairing(gap, n=3), gap=[-10, 10] * ms, baseline=1 * second, followup=1 * second,
        test_interval=1 * second,
    )  # fmt: skip
    paths = {path.name: path for path in save_report(result.outcome(), tmp_path, title="Pairs")}
    page = Page(paths["report.html"].read_text(encoding="utf-8"))
    assert str(pair()) in page.cells["pre"]
    with xr.open_dataset(paths["data.nc"], engine="h5netcdf") as data:
        np.testing.assert_array_equal(data["weight"].values, result.data["weight"].values)
        assert data["gap"].attrs["units"] == "s"
    assert pyplot.get_fignums() == open_before  # nothing is left open
