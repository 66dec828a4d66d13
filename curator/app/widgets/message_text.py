"""The text field of a message: grows with its content and gives back the very characters it got."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from PySide6.QtCore import QEvent, QMimeData, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QInputMethodEvent,
    QKeyEvent,
    QKeySequence,
    QTextBlockFormat,
    QTextCursor,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget

from curator.app.widgets.clipboard_text import copied, has_text, pasted
from curator.app.widgets.focus_ring import show_ring
from curator.app.widgets.folds import BREAK, Folds, has_long_line
from curator.app.widgets.lossless import StandIns, common_length, newline_style, utf16_length

TALLEST_PX: Final = 60_000
"""A field above this height scrolls inside itself; Qt widgets cannot grow without end."""

SLICE: Final = 4_000
"""How many characters Qt is given in one turn of the event loop; it needs about 2 ms for them."""

_LINE_PX, _LINE_CHARACTERS = 25, 85


class MessageText(QTextEdit):
    """A plain text editor without a scroll bar of its own, whose text survives unchanged."""

    text_edited = Signal()
    left = Signal()
    undo_requested = Signal()
    redo_requested = Signal()
    caret_moved = Signal(QRect)

    def __init__(self, parent: QWidget | None = None, *, line_height: int = 140) -> None:
        super().__init__(parent)
        self._line_height = line_height
        self._original = ""
        self._stand_ins = StandIns("")
        self._folds = Folds()
        self._loading = False
        self._going_back = False
        self._raw = ""
        self._rest = ""
        self._least = 1
        self._visits = 0
        self._more = QTimer(self)
        self._more.timeout.connect(self._load_more)
        self.setAcceptRichText(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(0)
        self.document().documentLayout().documentSizeChanged.connect(self._grow)
        self.document().contentsChanged.connect(self._on_contents_changed)
        self.cursorPositionChanged.connect(self._on_caret_moved)
        self.load("")

    @property
    def stand_ins(self) -> StandIns:
        """The substitution this text is shown with."""
        return self._stand_ins

    def load(self, text: str) -> None:
        """Show a text afresh; the field's own undo starts anew, and a long one comes bit by bit."""
        self._original = text
        self._stand_ins = StandIns(text)
        self._loading = True
        shown = self._stand_ins.show(text)
        long = has_long_line(shown)
        self._folds = Folds(self._stand_ins.take_mark(shown) if long else "")
        self._rest = self._folds.fold(shown)
        # What the document will hold in the end; places in it are asked for before that.
        self._raw = self._rest.replace("\n", BREAK)
        self._more.stop()
        document = self.document()
        document.setUndoRedoEnabled(False)
        document.clear()
        self._make_room()
        line = QTextBlockFormat()
        line.setLineHeight(
            float(self._line_height), QTextBlockFormat.LineHeightTypes.ProportionalHeight.value
        )
        QTextCursor(document).setBlockFormat(line)
        self._load_more()
        self.moveCursor(QTextCursor.MoveOperation.Start)
        if self._rest:
            self._more.start(0)

    def finish(self) -> None:
        """Show the rest of a long text now: whoever types or copies does so in the whole of it."""
        while self._rest:
            self._load_more()

    def _load_more(self) -> None:
        end = len(self._rest)
        if end > SLICE:
            # A paragraph is laid out as a whole: cut in two it would cost more than at once.
            end = self._rest.rfind("\n", 0, SLICE) + 1 or self._rest.find("\n") + 1 or end
        piece, self._rest = self._rest[:end], self._rest[end:]
        document = self.document()
        cursor = QTextCursor(document)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(piece)
        document.setModified(False)
        if not self._rest:
            self._more.stop()
            document.setUndoRedoEnabled(True)
            self._raw = document.toRawText()
            self._loading = False
            self._least = 1
            self._grow()

    def _make_room(self) -> None:
        """Keep about the height a long text will take, with a scroll bar from the start if it needs one."""
        lines = self._rest.count("\n") + len(self._rest) // _LINE_CHARACTERS
        self._least = lines * _LINE_PX if len(self._rest) > SLICE else 1
        always, off = Qt.ScrollBarPolicy.ScrollBarAlwaysOn, Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        self._set_bar(always if self._least > 0.8 * TALLEST_PX else off)

    def text(self) -> str:
        """Return the text; the very string that was loaded while nobody changed it."""
        if not self.document().isModified():
            return self._original
        return self._stand_ins.read(self._folds.unfold(self._raw))

    @property
    def is_written(self) -> bool:
        """Whether it holds words that a person wrote and nobody took yet."""
        return self.document().isModified()

    @property
    def merge_key(self) -> str:
        """What all keys typed between two visits of the cursor share: they are one step."""
        return f"{id(self)}.{self._visits}"

    def take(self) -> str:
        """Return the text and hold it for known: what is written from now on is new."""
        self.finish()
        self._original = self.text()
        self.document().setModified(False)
        return self._original

    def show_text(self, text: str, *, fresh: bool = False) -> None:
        """Show what is known; fresh means of something else than before.

        Words that somebody writes are left alone, and a caret that stands in the text stays there.
        """
        if fresh:
            self.load(text)
        elif self.hasFocus() and self.is_written:
            return
        elif self.hasFocus():
            self.merge(text)
            self.take()
        elif text != self.text():
            self.load(text)

    def position(self, index: int) -> int:
        """Return where in the document a Python index of the real text stands (UTF-16)."""
        return self._folds.position(self._raw, self._stand_ins.offset(self.text(), index))

    def merge(self, text: str) -> None:
        """Take over a text changed elsewhere, moving the caret only where its own words changed."""
        now = self.text()
        if text == now:
            return
        self.finish()
        if newline_style(text) != self._stand_ins.newline:
            self.load(text)
            return
        start, end, new = _difference(self._stand_ins.show(now), self._stand_ins.show(text))
        self._loading = True
        cursor = QTextCursor(self.document())
        cursor.setPosition(self._folds.position(self._raw, start))
        cursor.setPosition(self._folds.position(self._raw, end), QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(new)
        self._raw = self.document().toRawText()
        self._loading = False

    def select(self, start: int, end: int) -> None:
        """Select a stretch of the real text, given in Python indices."""
        self.finish()
        cursor = self.textCursor()
        cursor.setPosition(self.position(start))
        cursor.setPosition(self.position(end), QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)

    def selectAll(self) -> None:  # noqa: N802 - Qt's name
        """Select the whole text, also what was still to come."""
        self.finish()
        super().selectAll()

    def createMimeDataFromSelection(self) -> QMimeData:
        """Copy the real characters; Qt's own way turns non-breaking spaces into spaces."""
        cursor = self.textCursor()
        chosen = cursor.selectedText()
        if self._folds.mark and chosen.startswith(BREAK):
            before = self.document().characterAt(cursor.selectionStart() - 1)
            chosen = chosen[1:] if before == self._folds.mark else chosen
        real = self._stand_ins.read(self._folds.unfold(chosen))
        return copied(real)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Accept text only; a picture or file dropped here would change the message's kind."""
        return has_text(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste a text, its line endings in the style of this field."""
        self._insert(pasted(source))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Type; Escape leaves, Shift+Enter is a newline, and undo goes on where the field's ends."""
        self.finish()
        if event.key() == Qt.Key.Key_Escape:
            # Whoever the text stands in is left for: the card, the dialog or the page.
            event.ignore()
        elif self.isReadOnly():
            super().keyPressEvent(event)
        elif _is_enter(event):
            # With Shift Qt would write U+2028 into the data; without, it would only take the line
            # height away where a line is empty, and write nothing.
            with self._over_the_selection() as cursor:
                cursor.insertBlock()
            self.ensureCursorVisible()
        elif event.matches(QKeySequence.StandardKey.Undo) and not self._can_undo():
            self.undo_requested.emit()
        elif event.matches(QKeySequence.StandardKey.Redo) and not self._can_redo():
            self.redo_requested.emit()
        elif event.matches(QKeySequence.StandardKey.Undo):
            self.undo()
        elif event.matches(QKeySequence.StandardKey.Redo):
            self.redo()
        elif self._types_a_stand_in(event.text()):
            self._insert(event.text())
        else:
            if event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete):
                self._step_over_fold(back=event.key() == Qt.Key.Key_Backspace)
            super().keyPressEvent(event)

    def undo(self) -> None:
        """Take back the last step of this field; the folds come back as they were."""
        self._going_back = True
        super().undo()
        self._going_back = False

    def redo(self) -> None:
        """Do again what was taken back."""
        self._going_back = True
        super().redo()
        self._going_back = False

    def _step_over_fold(self, *, back: bool) -> None:
        """Let the next deletion meet a character of the text, not the break of a fold."""
        cursor, mark = self.textCursor(), self._folds.mark
        if not mark or cursor.hasSelection():
            return
        place, at = cursor.position(), self.document().characterAt
        if back:
            place -= 1 if at(place - 1) == BREAK and at(place - 2) == mark else 0
            place -= 1 if at(place - 1) == mark else 0
        else:
            place += 1 if at(place) == mark else 0
            place += 1 if at(place) == BREAK and at(place - 1) == mark else 0
        if place != cursor.position():
            cursor.setPosition(place)
            self.setTextCursor(cursor)

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """Take composed text; one that equals a stand-in in use is shown by another."""
        self.finish()
        if self._types_a_stand_in(event.commitString()):
            self._insert(event.commitString())
            event.setCommitString("")
        super().inputMethodEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer the menu on the whole text."""
        self.finish()
        super().contextMenuEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Let the card around show it."""
        super().focusInEvent(event)
        show_ring(self, on=True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Say that the field was left, unless only a menu or another window took over."""
        super().focusOutEvent(event)
        show_ring(self, on=False)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.left.emit()
            self._visits += 1

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Let the page scroll, unless the text is so tall that it scrolls inside."""
        if self._scrolls_outside():
            event.ignore()
        else:
            super().wheelEvent(event)

    def event(self, event: QEvent) -> bool:
        """Leave undo to the window once the field's own undo is used up."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and (
                (event.matches(QKeySequence.StandardKey.Undo) and not self._can_undo())
                or (event.matches(QKeySequence.StandardKey.Redo) and not self._can_redo())
            )
        ):
            event.ignore()
            return False
        return super().event(event)

    def _can_undo(self) -> bool:
        return self.document().isUndoAvailable()

    def _can_redo(self) -> bool:
        return self.document().isRedoAvailable()

    def _types_a_stand_in(self, typed: str) -> bool:
        return any(self._stand_ins.is_taken(character) for character in typed)

    def _insert(self, text: str) -> None:
        self.finish()
        self._stand_ins.reserve(self.document().toRawText())
        shown = self._stand_ins.show(text.replace("\n", self._stand_ins.newline))
        with self._over_the_selection() as cursor:
            cursor.insertText(shown)
        self.ensureCursorVisible()

    @contextmanager
    def _over_the_selection(self) -> Iterator[QTextCursor]:
        """In a text with folds, take the selection out before line breaks are put there; one undo step.

        In one change a break that was put there could not be told from that of a fold whose mark went
        with the selection, and would be lost with it.
        """
        cursor = self.textCursor()
        if not self._folds.mark or not cursor.hasSelection():
            yield cursor
            return
        cursor.removeSelectedText()
        cursor.joinPreviousEditBlock()
        try:
            yield cursor
        finally:
            cursor.endEditBlock()

    def _grow(self) -> None:
        height = int(self.document().documentLayout().documentSize().height() + 1)
        height = max(height, self._least)
        if height > TALLEST_PX and self._scrolls_outside():
            self._set_bar(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setFixedHeight(max(1, min(height, TALLEST_PX)))

    def _scrolls_outside(self) -> bool:
        return self.verticalScrollBarPolicy() == Qt.ScrollBarPolicy.ScrollBarAlwaysOff

    def _set_bar(self, policy: Qt.ScrollBarPolicy) -> None:
        if policy != self.verticalScrollBarPolicy():
            self.setVerticalScrollBarPolicy(policy)

    def _on_contents_changed(self) -> None:
        # Formats of a highlighter, also of one that dies, arrive here too and count as revisions.
        if self._loading:
            return
        raw = self.document().toRawText()
        if raw == self._raw:
            return
        # What undo and redo bring back was fixed when it was written.
        lost = None if self._going_back else self._folds.lost_mark(self._raw, raw)
        if lost is not None:
            self._restore_mark(*lost)
            return
        pair = self._stand_ins.pair_in(raw)
        if pair is not None:
            self._join(*pair)
            return
        self._raw = raw
        self.text_edited.emit()

    def _restore_mark(self, missing: int, left: int | None) -> None:
        """Put a mark before the break that lost it, and take one away that has no break."""
        cursor = QTextCursor(self.document())
        cursor.joinPreviousEditBlock()
        cursor.setPosition(missing)
        cursor.insertText(self._folds.mark)
        if left is not None:
            cursor.setPosition(left)
            cursor.deleteChar()
        cursor.endEditBlock()

    def _join(self, start: int, end: int, whole: str) -> None:
        """Show at once what the file will say: a character whose halves were brought together."""
        cursor = QTextCursor(self.document())
        cursor.joinPreviousEditBlock()
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(whole)
        cursor.endEditBlock()

    def _on_caret_moved(self) -> None:
        if self.hasFocus():
            self.caret_moved.emit(self.cursorRect())


def _is_enter(event: QKeyEvent) -> bool:
    keys = QKeySequence.StandardKey
    return event.matches(keys.InsertParagraphSeparator) or event.matches(keys.InsertLineSeparator)


def _difference(old: str, new: str) -> tuple[int, int, str]:
    """Return the stretch of old that differs (UTF-16 positions) and what stands there in new."""
    shorter = min(len(old), len(new))
    head = common_length(old, new, shorter)
    tail = common_length(old[::-1], new[::-1], shorter - head)
    start = utf16_length(old[:head])
    end = start + utf16_length(old[head : len(old) - tail])
    return start, end, new[head : len(new) - tail]
