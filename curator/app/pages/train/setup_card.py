"""What training on this computer still needs: its trainer, and the practice base."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from curator.app.session.background import Progress
from curator.app.widgets.buttons import PlainButton, PrimaryButton
from curator.app.widgets.card import Card
from curator.app.widgets.text import Muted, SectionTitle


class SetupCard(Card):
    """Offers to set the trainer up, and to fetch the practice base once that is done."""

    trainer_requested = Signal()
    practice_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, padding=12)
        self._title = SectionTitle("", self)
        self._words = Muted("", self, wrap=True)
        self._trainer = PrimaryButton(self.tr("Set up the trainer"), self)
        self._practice = PlainButton(self.tr("Fetch the practice base"), self)
        self._trainer.clicked.connect(self.trainer_requested)
        self._practice.clicked.connect(self.practice_requested)
        for widget in (self._title, self._words, self._trainer, self._practice):
            self.body.addWidget(widget)
        self.hide()

    def show_need(self, *, trainer: bool, practice: bool) -> None:
        """Show what is there already, and offer the rest; nothing missing hides the card."""
        self._trainer.setVisible(not trainer)
        self._practice.setVisible(trainer and not practice)
        self.set_busy(busy=False)
        self.setVisible(not (trainer and practice))
        if trainer:
            self._title.setText(self.tr("The practice base"))
            self._words.setText(
                self.tr(
                    "A small chat model to practise on, about 93 MB to fetch and 640 MB on disk. "
                    "The tiny base works without it."
                )
            )
        else:
            self._title.setText(self.tr("Training on this computer"))
            self._words.setText(
                self.tr(
                    "It needs its trainer: about 300 MB to fetch and 1.3 GB on disk, kept apart from "
                    "everything else. No account, and nothing leaves this computer."
                )
            )

    def show_progress(self, progress: Progress) -> None:
        """Say how far the work is."""
        self._words.setText(progress.what)

    def set_busy(self, *, busy: bool) -> None:
        """Grey the buttons while work goes on."""
        self._trainer.setEnabled(not busy)
        self._practice.setEnabled(not busy)
