"""The look: colour tokens from resources/themes, one palette, one stylesheet, shipped fonts, icons.

The tokens in use are a fact of the process, as the application's palette is: widgets that paint ask
``tokens()`` while painting, so a switch needs no more than a repaint.
"""

import re
from functools import cache
from typing import Final

from PySide6.QtCore import QObject, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontDatabase,
    QGuiApplication,
    QIcon,
    QIconEngine,
    QPainter,
    QPalette,
    QPixmap,
)
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from curator.dataset.resources import resource

THEMES: Final = ("light", "dark", "contrast")
ROLES: Final = ("system", "user", "assistant", "tool")
SANS: Final = "Inter"
MONO: Final = "JetBrains Mono"
META_PX, TEXT_PX, READ_PX, TITLE_PX = 11, 13, 15, 20
"""The four sizes: side facts, controls and tables, message text, page titles."""

_fonts_to_load = [
    "Inter-Regular.otf",
    "Inter-Medium.otf",
    "Inter-SemiBold.otf",
]
_MONO_FILE: Final = "JetBrainsMono-Regular.ttf"


class Tokens:
    """The colours of one theme by name, such as ``text-muted``; every value is #rrggbb."""

    def __init__(self, name: str, colours: dict[str, str], *, is_dark: bool) -> None:
        self.name = name
        self.colours = colours
        self.is_dark = is_dark

    def __getitem__(self, name: str) -> str:
        return self.colours[name]

    def colour(self, name: str) -> QColor:
        """Return a token as a colour to paint with."""
        return QColor(self.colours[name])

    def role(self, role: str) -> str:
        """Return the token name of a message role's hue; roles of old files share one."""
        alias = {"developer": "system", "function": "tool"}.get(role, role)
        return f"role-{alias}" if alias in ROLES else "role-system"


def mix(colour: str, ground: str, share: float) -> str:
    """Return a colour laid over a ground with the given opacity."""
    top, under = QColor(colour), QColor(ground)
    parts = ((a * share + b * (1 - share)) for a, b in zip(_rgb(top), _rgb(under), strict=True))
    return "#" + "".join(f"{round(part):02x}" for part in parts)


def _rgb(colour: QColor) -> tuple[int, int, int]:
    return colour.red(), colour.green(), colour.blue()


@cache
def load_tokens(name: str) -> Tokens:
    """Read a theme; soft grounds of the tinted tokens are derived so that chips match everywhere."""
    colours = _read_theme(resource("themes", f"{name}.toml").read_text("utf-8"))
    name, soft, is_dark = (colours.pop(key) for key in ("name", "soft", "dark"))
    for tone in ("accent", "success", "warning", "danger", *(f"role-{role}" for role in ROLES)):
        colours.setdefault(f"{tone}-soft", mix(colours[tone], colours["surface"], float(soft)))
    return Tokens(name, colours, is_dark=is_dark == "true")


def _read_theme(text: str) -> dict[str, str]:
    """Read a theme, which is TOML of one line a value: loading tomllib would take longer than Qt's style."""
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    return {key.strip(): value.strip().strip('"') for key, sign, value in pairs if sign}


_in_use: list[Tokens] = []


def tokens() -> Tokens:
    """Return the tokens in use; the light ones until a theme was applied."""
    return _in_use[0] if _in_use else load_tokens("light")


class Theme(QObject):
    """Applies a theme to the application and follows the system where that was chosen."""

    changed = Signal()

    def __init__(
        self, app: QApplication, choice: str = "system", parent: QObject | None = None
    ) -> None:
        super().__init__(parent or app)
        self._app = app
        self.choice = "system"
        load_fonts()
        QTimer.singleShot(0, load_mono)
        app.setFont(font())
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow)
        self.choose(choice)

    def choose(self, choice: str) -> None:
        """Switch to a theme, or to the system's; takes effect at once."""
        self.choice = choice if choice in (*THEMES, "system") else "system"
        found = load_tokens(_system_theme() if self.choice == "system" else self.choice)
        if _in_use and _in_use[0] is found and self._app.styleSheet():
            return
        _in_use[:] = [found]
        self._app.setPalette(palette(found))
        self._app.setStyleSheet(stylesheet(found))
        self.changed.emit()

    def _follow(self) -> None:
        if self.choice == "system":
            self.choose("system")


def _system_theme() -> str:
    dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
    return "dark" if dark else "light"


def load_fonts() -> None:
    """Make the shipped fonts known to Qt; without any font Qt paints nothing at all."""
    # Once per process; asking Qt for its families would cost a tenth of the whole start.
    while _fonts_to_load:
        QFontDatabase.addApplicationFont(str(resource("fonts", _fonts_to_load.pop())))


@cache
def load_mono() -> int:
    """Make the shipped mono known to Qt; nothing on the first page needs it."""
    return QFontDatabase.addApplicationFont(str(resource("fonts", _MONO_FILE)))


def font(px: int = TEXT_PX, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return the shipped sans at a pixel size."""
    made = QFont(SANS)
    made.setPixelSize(px)
    made.setWeight(weight)
    return made


def number_font(px: int = TEXT_PX) -> QFont:
    """Return the sans with digits of one width, for columns of numbers."""
    made = font(px)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


def mono_font(px: int = TEXT_PX) -> QFont:
    """Return the shipped mono, for JSON and tool arguments."""
    load_mono()
    made = QFont(MONO)
    made.setPixelSize(px)
    made.setStyleHint(QFont.StyleHint.Monospace)
    return made


def palette(theme: Tokens) -> QPalette:
    """Return the palette of a theme: what the stylesheet does not paint follows it."""
    made = QPalette()
    roles = {
        QPalette.ColorRole.Window: "background",
        QPalette.ColorRole.Base: "surface",
        QPalette.ColorRole.AlternateBase: "background",
        QPalette.ColorRole.Button: "surface",
        QPalette.ColorRole.ToolTipBase: "raised",
        QPalette.ColorRole.WindowText: "text",
        QPalette.ColorRole.Text: "text",
        QPalette.ColorRole.ButtonText: "text",
        QPalette.ColorRole.ToolTipText: "text",
        QPalette.ColorRole.BrightText: "danger",
        QPalette.ColorRole.PlaceholderText: "text-muted",
        QPalette.ColorRole.Highlight: "selection",
        QPalette.ColorRole.HighlightedText: "text",
        QPalette.ColorRole.Accent: "accent",
        QPalette.ColorRole.Link: "accent",
        QPalette.ColorRole.LinkVisited: "accent",
        QPalette.ColorRole.Light: "raised",
        QPalette.ColorRole.Midlight: "hairline",
        QPalette.ColorRole.Mid: "hairline",
        QPalette.ColorRole.Dark: "control",
        QPalette.ColorRole.Shadow: "hairline",
    }
    for role, name in roles.items():
        made.setColor(role, theme.colour(name))
    off = QPalette.ColorGroup.Disabled
    for role in (
        QPalette.ColorRole.WindowText,
        QPalette.ColorRole.Text,
        QPalette.ColorRole.ButtonText,
    ):
        made.setColor(off, role, theme.colour("text-off"))
    return made


def stylesheet(theme: Tokens) -> str:
    """Return the one stylesheet, its @names replaced by the theme's colours."""
    text = resource("themes", "window.qss").read_text("utf-8")
    icons = resource("icons").as_posix()
    sheet = re.sub(r"@icons\b", icons, text)
    suffix = "dark" if theme.is_dark else "light"
    sheet = sheet.replace("@tone", suffix)
    return re.sub(r"@([a-z][a-z-]*)", lambda match: theme[match[1]], sheet)


class _SvgEngine(QIconEngine):
    """Paints one of our SVG files in a token's colour, whatever theme is in use at that moment."""

    def __init__(self, name: str, tone: str) -> None:
        super().__init__()
        self._name = name
        self._tone = tone

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, _state: QIcon.State) -> None:
        tone = "text-off" if mode == QIcon.Mode.Disabled else self._tone
        # A rectangle wider than high keeps the rest free: the gap before a button's text.
        side = min(rect.width(), rect.height())
        place = QRectF(rect.x(), rect.y() + (rect.height() - side) / 2, side, side)
        _renderer(self._name, tokens()[tone]).render(painter, place)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        made = QPixmap(size)
        if size.isEmpty():
            # A button that has no room yet asks for nothing; painting on that warns.
            return made
        made.fill(Qt.GlobalColor.transparent)
        painter = QPainter(made)
        self.paint(painter, QRect(0, 0, size.width(), size.height()), mode, state)
        painter.end()
        return made

    def clone(self) -> QIconEngine:
        return _SvgEngine(self._name, self._tone)


@cache
def _renderer(name: str, colour: str) -> QSvgRenderer:
    svg = resource("icons", f"{name}.svg").read_text("utf-8").replace("currentColor", colour)
    return QSvgRenderer(svg.encode("utf-8"))


def paint_icon(painter: QPainter, name: str, rect: QRect | QRectF, tone: str = "text") -> None:
    """Paint one of our icons in a token's colour."""
    _renderer(name, tokens()[tone]).render(painter, QRectF(rect))


def icon(name: str, tone: str = "text") -> QIcon:
    """Return one of our icons, tinted by a token; it follows the theme by itself."""
    return QIcon(_SvgEngine(name, tone)) if name else QIcon()
