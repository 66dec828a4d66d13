"""What an empty page says: one sentence, one button, one way to the guide."""

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from curator.app.theme import paint_icon
from curator.app.widgets.buttons import LinkButton, PrimaryButton
from curator.app.widgets.layouts import STRETCH, Stretch, hbox, vbox
from curator.app.widgets.text import Muted, SectionTitle

SENTENCE_PX: Final = 440


class IconPicture(QWidget):
    """One of our icons as a still picture."""

    def __init__(
        self, name: str, tone: str = "text-muted", size: int = 32, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._name = name
        self._tone = tone
        self._size = size
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set(self, name: str, tone: str) -> None:
        """Show another icon or colour."""
        self._name, self._tone = name, tone
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size it was made with."""
        return QSize(self._size, self._size)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the icon."""
        painter = QPainter(self)
        paint_icon(painter, self._name, QRectF(0, 0, self._size, self._size), self._tone)


class EmptyState(QWidget):
    """Fills a page or a pane that has nothing to show yet, and says what to do next."""

    pressed = Signal()
    guide_requested = Signal()

    def __init__(
        self,
        icon_name: str,
        title: str,
        sentence: str,
        button: str = "",
        parent: QWidget | None = None,
        *,
        guide: bool = True,
    ) -> None:
        super().__init__(parent)
        self._picture = IconPicture(icon_name, parent=self)
        column = vbox(
            Stretch(2), (self._picture, 0, Qt.AlignmentFlag.AlignHCenter), parent=self, spacing=8
        )
        self._title = SectionTitle(title, self)
        self._sentence = Muted(sentence, self, wrap=True)
        for label in (self._title, self._sentence):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addLayout(hbox(STRETCH, label, STRETCH))
        # A layout's alignment would take away the height that wrapped words need.
        self._sentence.setFixedWidth(SENTENCE_PX)
        self.button = PrimaryButton(button, self)
        self.button.setVisible(bool(button))
        self.button.clicked.connect(self.pressed)
        self.guide = LinkButton(self.tr("Read the guide"), self)
        self.guide.setVisible(guide)
        self.guide.clicked.connect(self.guide_requested)
        column.addLayout(
            hbox(STRETCH, self.button, self.guide, STRETCH, spacing=8, margins=(0, 8, 0, 0))
        )
        column.addStretch(3)

    def set_message(self, title: str, sentence: str, button: str = "", icon_name: str = "") -> None:
        """Show other words, for example when a filter and not the project is what leaves nothing."""
        self._title.setText(title)
        self._sentence.setText(sentence)
        self.button.setText(button)
        self.button.setAccessibleName(button)
        self.button.setVisible(bool(button))
        if icon_name:
            self._picture.set(icon_name, "text-muted")
        # Asked of the window, which remembers its cursor also while another one is active.
        if self.window().focusWidget() is self.guide and button:
            # The link had it only while there was nothing better.
            self.button.setFocus()
