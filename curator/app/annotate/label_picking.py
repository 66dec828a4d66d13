"""Answering a label set through the value picker: for a page that shows conversations."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from curator.app.annotate.annotating import AnnotationChange, annotate
from curator.app.annotate.value_picker import Picked, ValuePicker
from curator.app.session.session import Session
from curator.curate.labels import labels_of


class LabelPicking(QObject):
    """Opens the picker over a page and gives what was picked; went_on asks the page to go on
    from the conversation that was answered."""

    went_on = Signal(int)

    def __init__(self, session: Session, page: QWidget) -> None:
        super().__init__(page)
        self._session = session
        self._page = page
        self.picker: ValuePicker | None = None
        session.closing.connect(self.leave)

    def ask(self, conversations: Sequence[int]) -> None:
        """Let somebody pick answers for these conversations."""
        project = self._session.project
        if project is None or self._session.is_read_only or not conversations:
            return
        from curator.project.labels import label_sets, last_answers

        sets = label_sets(project)
        if not sets:
            self._session.notify(
                "info", self.tr("There are no label sets yet. Ctrl+L on the Label page makes one.")
            )
            return
        me = self._session.author
        given: dict[str, str] = {}
        if len(conversations) == 1:
            given = labels_of(project.labels(conversations[0]), me)
        self._shown_picker().ask(conversations, sets, given, last_answers(project, sets, me))

    def leave(self) -> None:
        """Close the picker: the page or the project goes."""
        if self.picker is not None:
            self.picker.leave()

    def _shown_picker(self) -> ValuePicker:
        if self.picker is None:
            self.picker = ValuePicker(self._page.window())
            self.picker.picked.connect(self._give)
        return self.picker

    def _give(self, picked: Picked) -> None:
        change = AnnotationChange(f"label:{picked.label_set}", picked.value)
        annotate(self._session, picked.conversations, change, self)
        if picked.goes_on and len(picked.conversations) == 1:
            self.went_on.emit(picked.conversations[0])
