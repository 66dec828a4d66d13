"""The guide inside the window: chapters and a search at the left, the chapter at the right."""

from typing import Final

from PySide6.QtCore import QSignalBlocker, QSize, Qt, QUrl
from PySide6.QtGui import (
    QDesktopServices,
    QKeyEvent,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QTextBrowser,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from curator.app.counted import counted
from curator.app.guide_texts import CHAPTER_OF_PAGE, FIRST, Guide, Hit, anchor_of
from curator.app.page import OpenRequest, Page
from curator.app.session.background import Jobs
from curator.app.session.session import Session
from curator.app.theme import MONO, READ_PX, TITLE_PX, font, icon, tokens
from curator.app.widgets.buttons import PlainButton
from curator.app.widgets.text import Meta

_LIST_PX: Final = 260
_READ_PX: Final = 760
_ROW_PX: Final = 32
_HIT_PX: Final = 52
_MOST_HITS: Final = 200
_SECTION_PX: Final = 17
_HEADING_TOP_PX: Final = 20
_LINE_PERCENT: Final = 140
_PLACE: Final = Qt.ItemDataRole.UserRole


class GuidePage(Page):
    """Shows the shipped chapters; help.guide again, or Esc, goes back to the work."""

    page_id = "guide"
    title = "Guide"
    icon = "book"

    def __init__(self, session: Session, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(session, jobs, parent)
        self._guide = Guide()
        self._chapter = FIRST
        self.back = PlainButton(self.tr("Back to the work"), self.header, icon_name="arrow-left")
        self.back.clicked.connect(self._leave)
        self._actions.addWidget(self.back)
        self.field = QLineEdit(self)
        self.field.setPlaceholderText(self.tr("Search the guide"))
        self.field.setAccessibleName(self.tr("Search the guide"))
        self.field.setClearButtonEnabled(True)
        self.field.addAction(icon("search", "text-muted"), QLineEdit.ActionPosition.LeadingPosition)
        self.list = QListWidget(self)
        self.list.setAccessibleName(self.tr("Chapters"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setWordWrap(True)
        self._found = Meta("", self)
        self.text = QTextBrowser(self)
        self.text.setOpenLinks(False)
        self.text.setFont(font(READ_PX))
        self.text.setAccessibleName(self.tr("Chapter"))
        self.text.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.text.document().setDocumentMargin(24)
        self.text.setMaximumWidth(_READ_PX)
        side, row = QVBoxLayout(), QHBoxLayout()
        side.setSpacing(8)
        row.setSpacing(16)
        self.list.setFixedWidth(_LIST_PX)
        self.field.setFixedWidth(_LIST_PX)
        for widget in (self.field, self._found, self.list):
            side.addWidget(widget)
        self._found.hide()
        row.addLayout(side)
        row.addWidget(self.text, _READ_PX)
        row.addStretch(1)
        self.body.addLayout(row, 1)
        self.field.textChanged.connect(self._search)
        self.field.returnPressed.connect(self._go_first)
        self.list.currentItemChanged.connect(self._choose)
        self.text.anchorClicked.connect(self._follow)
        self._show_chapters()
        self._render()

    def first_control(self) -> QWidget:
        """Return the search."""
        return self.field

    def open(self, request: OpenRequest) -> None:
        """Open the chapter that speaks of a page."""
        self.field.clear()
        self.show_chapter(CHAPTER_OF_PAGE.get(request.detail, FIRST))
        self.field.setFocus()

    def show_chapter(self, chapter: str, anchor: str = "") -> None:
        """Show a chapter from its beginning, or from a heading named as in a link."""
        if chapter != self._chapter:
            self._chapter = chapter
            self._render()
        self.text.setExtraSelections([])
        self.text.moveCursor(QTextCursor.MoveOperation.Start)
        self._mark_chapter()
        if anchor:
            self._go_to(next((b for b in self._headings() if anchor_of(b.text()) == anchor), None))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave the search at Esc, with its words; once more, go back to the work."""
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self.field.hasFocus() and self.field.text():
            self.list.setFocus()
        else:
            self._leave()

    def _render(self) -> None:
        document = self.text.document()
        document.setMarkdown(
            self._guide.texts[self._chapter], QTextDocument.MarkdownFeature.MarkdownDialectGitHub
        )
        block = document.begin()
        while block.isValid():
            self._add_icons_and_tips(block)
            block = block.next()

    def _add_icons_and_tips(self, block: QTextBlock) -> None:
        """Give a block the sizes and margins of the window; Qt sets Markdown tight and headings huge."""
        cursor = QTextCursor(block)
        form, level = block.blockFormat(), block.blockFormat().headingLevel()
        form.setLineHeight(_LINE_PERCENT, form.LineHeightTypes.ProportionalHeight.value)
        form.setNonBreakableLines(False)
        in_list = block.textList() is not None
        form.setTopMargin(_HEADING_TOP_PX if level > 1 else 0)
        form.setBottomMargin(4 if in_list else 12)
        cursor.setBlockFormat(form)
        # A format is the range's own and goes with it.
        parts = [(p.start, p.length, QTextCharFormat(p.format)) for p in block.textFormats()]
        for start, length, words in parts:
            cursor.setPosition(block.position() + start)
            cursor.setPosition(block.position() + start + length, QTextCursor.MoveMode.KeepAnchor)
            size = (TITLE_PX, _SECTION_PX)[min(level, 2) - 1] if level else READ_PX
            if words.fontFixedPitch():
                words.setFontFamilies([MONO])
                size -= 2
            if words.isAnchor():
                words.setForeground(tokens().colour("accent"))
            words.clearProperty(words.Property.FontSizeAdjustment)
            words.setProperty(words.Property.FontPixelSize, size)
            cursor.setCharFormat(words)

    def _headings(self) -> list[QTextBlock]:
        found, block = [], self.text.document().begin()
        while block.isValid():
            if block.blockFormat().headingLevel():
                found.append(block)
            block = block.next()
        return found

    def _go_to(self, block: QTextBlock | None) -> None:
        if block is None:
            return
        place = self.text.document().documentLayout().blockBoundingRect(block).top()
        self.text.setTextCursor(QTextCursor(block))
        self.text.verticalScrollBar().setValue(int(place) - 16)

    def _show_chapters(self) -> None:
        with QSignalBlocker(self.list):
            self.list.clear()
            for name in self._guide.texts:
                item = QListWidgetItem(self._guide.title(name), self.list)
                item.setData(_PLACE, Hit(name, "", ""))
                item.setSizeHint(QSize(0, _ROW_PX))
        self._found.hide()
        self._mark_chapter()

    def _mark_chapter(self) -> None:
        if self.field.text().strip():
            return
        with QSignalBlocker(self.list):
            self.list.setCurrentRow(list(self._guide.texts).index(self._chapter))

    def _search(self, words: str) -> None:
        if not words.strip():
            self._show_chapters()
            self.text.setExtraSelections([])
            return
        hits = self._guide.find(words)
        with QSignalBlocker(self.list):
            self.list.clear()
            for hit in hits[:_MOST_HITS]:
                item = QListWidgetItem(f"{hit.heading}\n{hit.line}", self.list)
                item.setData(_PLACE, hit)
                item.setSizeHint(QSize(0, _HIT_PX))
            self.list.setCurrentRow(-1)
        self._found.setText(counted(len(hits), "place") if hits else self.tr("Nothing found"))
        self._found.show()

    def _go_first(self) -> None:
        if self.list.count():
            self.list.setCurrentRow(0)

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is None:
            return
        hit: Hit = item.data(_PLACE)
        self.show_chapter(hit.chapter)
        if hit.heading:
            self._go_to(next((b for b in self._headings() if b.text() == hit.heading), None))
            self._mark_words()

    def _mark_words(self) -> None:
        """Mark the searched words wherever they stand in the chapter."""
        marks = []
        for word in self.field.text().split():
            cursor = self.text.document().find(word)
            while not cursor.isNull():
                mark = QTextEdit.ExtraSelection()
                mark.cursor = cursor
                mark.format.setBackground(tokens().colour("mark"))
                marks.append(mark)
                cursor = self.text.document().find(word, cursor)
        self.text.setExtraSelections(marks)

    def _follow(self, link: QUrl) -> None:
        """Go where a link points: another chapter here, a web page in the browser."""
        if link.scheme():
            QDesktopServices.openUrl(link)
            return
        chapter = link.path() or self._chapter
        if chapter in self._guide.texts:
            self.field.clear()
            self.show_chapter(chapter, link.fragment())

    def _leave(self) -> None:
        self.action_requested.emit("help.guide")
