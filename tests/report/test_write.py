import os
import re
from html.parser import HTMLParser

import pytest

import thalweg as tw
from thalweg import report

HOSTILE = "</title></style><script>alert(1)</script><img src=x onerror=alert(1)>&\"'"
VOID = {"meta", "br", "img", "link", "hr", "input"}


class Page(HTMLParser):
    """Collects what a browser would see; unbalanced elements raise."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def values(self, name):
        return [value for key, value in self.attributes if key == name]


@pytest.fixture(scope="module")
def folder(learned, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    path = report.write(learned, out / "new", name=HOSTILE, command=f"thalweg run {HOSTILE}")
    assert path == out / "new" / "report.html"
    return path.parent


@pytest.fixture(scope="module")
def source(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def seen(source):
    return Page(source)


def test_foreign_names_are_text_and_nothing_else(seen):
    assert not {"script", "img", "link", "iframe", "object"} & set(seen.tags)
    assert not [key for key, _ in seen.attributes if key.startswith("on")]
    assert seen.text.count("alert(1)") == 6
    assert "thalweg run " + HOSTILE in seen.text


def test_the_page_asks_nobody(source, seen):
    assert "http:" not in source
    assert "https:" not in source
    assert "@import" not in source
    links = [*seen.values("href"), *seen.values("xlink:href"), *seen.values("src")]
    assert all(link.startswith("#") for link in links)
    assert any("default-src 'none'" in (value or "") for value in seen.values("content"))


def test_identifiers_are_unique_and_references_meet_them(source, seen):
    identifiers = seen.values("id")
    assert len(identifiers) == len(set(identifiers))
    wanted = set(re.findall(r'(?:url\(|href=")#([\w-]+)', source))
    assert wanted
    assert wanted <= set(identifiers)


def test_the_page_is_small_and_has_every_section(folder, seen):
    assert (folder / "report.html").stat().st_size < 2_000_000
    assert seen.tags.count("h1") == 1
    assert seen.tags.count("h2") == 9
    assert seen.tags.count("svg") == 7
    assert seen.tags.count("figcaption") == 7
    assert seen.tags.count("math") == 2
    assert seen.values("lang") == ["en"]


def test_pictures_follow_the_colours_of_the_page(source):
    pictures = "".join(re.findall(r"<svg.*?</svg>", source, flags=re.DOTALL))
    assert "var(--ink)" in pictures
    assert "var(--c0)" in pictures
    for colour in ("#22262b", "#ffffff", "#0072b2", "#000000"):
        assert colour not in pictures
    assert "prefers-color-scheme: dark" in source
    assert "@media print" in source


def test_the_page_says_what_the_run_says(learned, seen):
    assert report.two_sentences(learned) in seen.text
    assert learned.problem.fingerprint in seen.text
    assert tw.__version__ in seen.text
    for plateau in learned.plateaus:
        assert f"{plateau.loss:.5g}" in seen.text
    for hypothesis in learned.certificate.hypotheses:
        assert hypothesis.name in seen.text
    assert "3, 1" in seen.text


def test_a_failed_assumption_is_explained(one_hot, tmp_path):
    text = Page(report.write(one_hot, tmp_path, name="x", formats=()).read_text("utf-8")).text
    assert "Centred one-hot labels always are: they sum to zero" in text
    assert text.count("✗ fails") >= 2
    assert "rank 2 of 3" in text
    assert not (tmp_path / "figures").exists()


@pytest.mark.parametrize("fixture", ["at_rest", "cut_short", "narrow"])
def test_other_ends_make_whole_pages(fixture, request, tmp_path):
    run = request.getfixturevalue(fixture)
    text = Page(report.write(run, tmp_path, name="x", formats=()).read_text("utf-8")).text
    assert report.two_sentences(run) in text


def test_figures_are_written_in_every_format(folder):
    names = {path.name for path in (folder / "figures").iterdir()}
    stems = ("loss", "modes", "singular_values", "drift", "norms", "atlas", "verdict")
    files = {f"{stem}.{suffix}" for stem in stems for suffix in ("png", "svg")}
    assert names == files | {"overview.png"}
    assert (folder / "figures" / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (folder / "figures" / "loss.svg").read_bytes()


def test_the_same_run_gives_the_same_bytes(learned, tmp_path):
    made = [
        report.write(learned, tmp_path / str(i), name="x", formats=()).read_bytes()
        for i in range(2)
    ]
    assert made[0] == made[1]


def test_an_unknown_format_is_refused_before_anything_is_written(learned, tmp_path):
    with pytest.raises(tw.DataError, match="png, svg, pdf"):
        report.write(learned, tmp_path / "none", name="x", formats=("gif",))
    assert not (tmp_path / "none").exists()


def test_a_folder_that_cannot_be_made_is_one_line(learned, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(tw.StoreError, match="cannot write") as caught:
        report.write(learned, tmp_path / "file", name="x", formats=())
    assert "\n" not in str(caught.value)


def test_a_failed_write_leaves_the_old_page_and_no_rest(learned, tmp_path, monkeypatch):
    (tmp_path / "report.html").write_text("old")

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(tw.StoreError, match="No space left"):
        report.write(learned, tmp_path, name="x", formats=())
    assert (tmp_path / "report.html").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
