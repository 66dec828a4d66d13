"""The About box: version, and the licences of everything that ships or is used."""

import importlib.metadata
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import qVersion
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QWidget

from curator import __version__
from curator.app.tables.grid import Column, GridView
from curator.app.widgets.buttons import PrimaryButton
from curator.app.widgets.dialog import Dialog
from curator.app.widgets.empty_state import IconPicture
from curator.app.widgets.layouts import STRETCH, hbox, vbox
from curator.app.widgets.text import Muted, PageTitle
from curator.dataset.resources import resource


@dataclass(frozen=True, slots=True)
class Part:
    """One part somebody else made; file names its licence text in resources, where it ships."""

    name: str
    licence: str
    use: str
    distribution: str = ""
    file: tuple[str, ...] = ()


PARTS: Final = (
    Part("Inter", "SIL Open Font License 1.1", "The typeface", file=("fonts", "Inter-OFL.txt")),
    Part(
        "JetBrains Mono", "SIL Open Font License 1.1", "The typeface of JSON",
        file=("fonts", "JetBrainsMono-OFL.txt"),
    ),
    Part("o200k_base, cl100k_base", "MIT", "Vocabularies of tiktoken"),
    Part("Qt, PySide6", "LGPL 3", "The window", "PySide6-Essentials"),
    Part("SQLite, apsw", "Public domain, any OSI", "The project file", "apsw"),
    Part("NumPy", "BSD 3-Clause", "Columns", "numpy"),
    Part("pandas", "BSD 3-Clause", "Tags and labels as categories", "pandas"),
    Part("pydantic", "MIT", "Rules, targets and preferences", "pydantic"),
    Part("msgspec", "BSD 3-Clause", "Reading JSON lines", "msgspec"),
    Part("ahocorasick_rs", "Apache 2.0", "Finding secrets and control tokens", "ahocorasick_rs"),
    Part("python-stdnum", "LGPL 2.1 or later", "Check digits of numbers", "python-stdnum"),
    Part("phonenumbers", "Apache 2.0", "Phone numbers", "phonenumberslite"),
    Part("fastokens", "Apache 2.0", "Counting tokens", "fastokens"),
    Part("tiktoken", "MIT", "Counting tokens", "tiktoken"),
    Part("regex", "Apache 2.0, CNRI", "Searching by regular expression", "regex"),
    Part("openai", "Apache 2.0", "Speaking to training services", "openai"),
    Part("keyring", "MIT", "Keys in the system's store", "keyring"),
    Part("platformdirs", "MIT", "Where settings lie", "platformdirs"),
    Part("tqdm", "MPL 2.0, MIT", "Progress on a terminal", "tqdm"),
)  # fmt: skip


class AboutDialog(Dialog):
    """Names the version and lists the parts; a chosen font shows its licence text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("About Curator"))
        self.fit(720, 600)
        self.add(self._greeting())
        self.grid = GridView(self.tr("Parts and their licences"), self, self._columns())
        self.grid.table().set_rows(range(len(PARTS)))
        self.grid.current_row_changed.connect(self._show_licence)
        self.body.addWidget(self.grid, 2)
        self._text = QPlainTextEdit(self)
        self._text.setReadOnly(True)
        self._text.setAccessibleName(self.tr("Licence"))
        self._text.hide()
        self.body.addWidget(self._text, 1)
        close = PrimaryButton(self.tr("Close"), self)
        close.clicked.connect(self.accept)
        self.body.addLayout(hbox(STRETCH, close))

    def _greeting(self) -> QHBoxLayout:
        line = self.tr("Apache License 2.0 · Qt {0}. Curator stands on these parts:")
        words = vbox(
            PageTitle(f"Curator {__version__}", self),
            Muted(line.format(qVersion()), self),
            spacing=4,
        )
        return hbox(IconPicture("curator", "text", 48, self), (words, 1), spacing=16)

    def _columns(self) -> tuple[Column, ...]:
        return (
            Column(self.tr("Part"), lambda row: PARTS[row].name, width=190),
            Column(self.tr("Version"), lambda row: version_of(PARTS[row]), width=90),
            Column(self.tr("Licence"), lambda row: PARTS[row].licence, width=180),
            Column(self.tr("For"), lambda row: PARTS[row].use, stretch=True),
        )

    def _show_licence(self, row: int) -> None:
        file = PARTS[row].file
        self._text.setVisible(bool(file))
        if file:
            self._text.setPlainText(resource(*file).read_text("utf-8"))


def version_of(part: Part) -> str:
    """Return the installed version of a part, empty where it has none of its own."""
    if not part.distribution:
        return ""
    try:
        return importlib.metadata.version(part.distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""
