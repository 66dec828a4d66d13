"""Contrast of every theme, complete tokens, icons that follow the theme, one shipped font."""

import re
import tomllib

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QFontDatabase, QFontInfo

from curator.app import theme
from curator.app.actions import ACTIONS
from curator.app.theme import ROLES, THEMES, Theme, load_tokens, mix, stylesheet
from curator.dataset.resources import resource

TONES = ("accent", "success", "warning", "danger", *(f"role-{role}" for role in ROLES))
GROUNDS = ("background", "surface", "raised")


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white_is_21():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("name", THEMES)
def test_text_is_readable_everywhere(name):
    look = load_tokens(name)
    grounds = (*GROUNDS, "hover", "selection", "mark", "added", "deleted")
    for ground in grounds:
        assert contrast(look["text"], look[ground]) >= 4.5, ground
    for ground in (*GROUNDS, "hover"):
        assert contrast(look["text-muted"], look[ground]) >= 4.5, ground
    for tone in TONES:
        for ground in (*GROUNDS, f"{tone}-soft"):
            assert contrast(look[tone], look[ground]) >= 4.5, f"{tone} on {ground}"
    assert contrast(look["text"], look["warning-soft"]) >= 4.5
    for ground in ("accent", "accent-hover"):
        assert contrast(look["accent-text"], look[ground]) >= 4.5


@pytest.mark.parametrize("name", THEMES)
def test_controls_and_focus_stand_out(name):
    look = load_tokens(name)
    for ground in GROUNDS:
        assert contrast(look["control"], look[ground]) >= 3, ground
        assert contrast(look["focus"], look[ground]) >= 3, ground
    assert contrast(look["focus"], look["selection"]) >= 3


@pytest.mark.parametrize("name", THEMES)
def test_a_theme_is_read_as_the_toml_it_is(name):
    stored = tomllib.loads(resource("themes", f"{name}.toml").read_text("utf-8"))
    read = load_tokens(name)
    assert (read.name, read.is_dark) == (stored["name"], stored["dark"])
    assert stored["colours"].items() <= read.colours.items()
    soft = mix(read["accent"], read["surface"], stored["soft"])
    assert read["accent-soft"] == stored["colours"].get("accent-soft", soft)


def test_all_themes_have_the_same_tokens():
    names = [load_tokens(name).colours.keys() for name in THEMES]
    assert names[0] == names[1] == names[2]


@pytest.mark.parametrize("name", THEMES)
def test_the_stylesheet_has_no_unknown_token(name):
    sheet = stylesheet(load_tokens(name))
    assert "@" not in sheet
    for path in re.findall(r'url\("([^"]+)"\)', sheet):
        assert resource("icons").parent.joinpath("icons", path.rsplit("/", 1)[1]).is_file()


def test_mixing_is_between_its_ends():
    assert mix("#ffffff", "#000000", 0) == "#000000"
    assert mix("#ffffff", "#000000", 1) == "#ffffff"


def test_a_switch_takes_effect_at_once(qapp, qtbot):
    look = Theme(qapp, "light")
    icon = theme.icon("plus")
    light = icon.pixmap(QSize(20, 20)).toImage().pixelColor(10, 10)
    with qtbot.waitSignal(look.changed):
        look.choose("dark")
    dark = icon.pixmap(QSize(20, 20)).toImage().pixelColor(10, 10)
    assert light == QColor(load_tokens("light")["text"])
    assert dark == QColor(load_tokens("dark")["text"])
    assert qapp.palette().window().color() == QColor(load_tokens("dark")["background"])
    look.choose("light")
    look.deleteLater()


def test_an_unknown_choice_follows_the_system(qapp):
    look = Theme(qapp, "purple")
    assert look.choice == "system"
    look.deleteLater()


def test_the_shipped_fonts_are_used(qapp):
    theme.load_fonts()
    theme.load_mono()
    assert {theme.SANS, theme.MONO} <= set(QFontDatabase.families())
    assert QFontInfo(theme.font()).family() == theme.SANS
    assert QFontInfo(theme.mono_font()).family() == theme.MONO


def test_every_action_icon_is_one_of_ours():
    for entry in ACTIONS:
        assert not entry.icon or resource("icons", f"{entry.icon}.svg").is_file(), entry.id


def test_icons_are_of_one_style():
    painted = ("curator",)
    for path in sorted(resource("icons").glob("*.svg")):
        text = path.read_text("utf-8")
        if path.stem in painted:
            continue
        assert 'viewBox="0 0 20 20"' in text, path.name
        assert path.stem.startswith("tick-") or 'stroke-width="1.75"' in text, path.name
