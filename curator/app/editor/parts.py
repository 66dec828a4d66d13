"""Content made of parts: texts to write in, pictures shown small, anything else as JSON."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRect, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader, QPaintEvent, QPixmap
from PySide6.QtWidgets import QLabel, QWidget

from curator.app.editor.json_field import JsonField
from curator.app.theme import READ_PX, font
from curator.app.widgets.buttons import IconButton
from curator.app.widgets.empty_state import IconPicture
from curator.app.widgets.layouts import STRETCH, hbox, vbox
from curator.app.widgets.message_text import MessageText
from curator.app.widgets.text import Elided, Meta
from curator.dataset.json_values import Json

THUMBNAIL_PX: Final = 160
_DATA_URL: Final = re.compile(r"data:(image/[\w.+-]+);base64,", re.IGNORECASE)


def picture_of(url: str) -> QImage | None:
    """Decode the small picture of a data URL; None for any other address or a broken picture."""
    match = _DATA_URL.match(url)
    if match is None:
        return None
    try:
        stored = base64.b64decode(url[match.end() :], validate=False)
    except (binascii.Error, ValueError):
        return None
    buffer = QBuffer()
    buffer.setData(QByteArray(stored))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    size = reader.size()
    if size.isValid() and max(size.width(), size.height()) > THUMBNAIL_PX:
        # Decoding straight to the small size also keeps a picture bomb from filling the memory.
        box = QSize(THUMBNAIL_PX, THUMBNAIL_PX)
        reader.setScaledSize(size.scaled(box, Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    return None if image.isNull() else image


class PicturePart(QWidget):
    """An image part: its picture where it lies in the data, else its address; never fetched."""

    def __init__(self, part: Mapping[str, Json], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, Mapping) else image
        self._url = url if isinstance(url, str) else ""
        self._decoded = False
        detail = image.get("detail") if isinstance(image, Mapping) else None
        self._picture = QLabel(self)
        self._picture.hide()
        words = self._url
        if _DATA_URL.match(words):
            kind = words[5 : words.index(";")]
            words = self.tr("{0}, {1} kB").format(kind, f"{len(self._url) * 3 // 4096:,}")
        address = Elided(words, self)
        column = vbox(STRETCH, address, spacing=0)
        if isinstance(detail, str):
            column.addWidget(Meta(self.tr("Detail: {0}").format(detail), self))
        column.addStretch(1)
        hbox(
            self._picture,
            IconPicture("image", "text-muted", 16, self),
            (column, 1),
            parent=self,
            spacing=8,
            margins=0,
        )
        self.setAccessibleName(self.tr("Picture, {0}").format(words[:200]))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Decode the picture when it is first seen."""
        if not self._decoded:
            self._decoded = True
            image = picture_of(self._url)
            if image is not None:
                self._picture.setPixmap(QPixmap.fromImage(image))
                self._picture.show()
        super().paintEvent(event)


class Parts(QWidget):
    """Edits a list of content parts; typed and changed carry the whole new list."""

    typed = Signal(object)
    changed = Signal(object)
    left = Signal()
    undo_requested = Signal()
    redo_requested = Signal()
    caret_moved = Signal(QRect)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts: list[Json] = []
        self._shape: tuple[str, ...] = ()
        self._read_only = False
        self.fields: list[QWidget] = []
        self._rows: list[QWidget] = []
        self._column = vbox(parent=self, spacing=8, margins=0)

    def show_parts(self, parts: list[Json], *, fresh: bool = False) -> None:
        """Show these parts, keeping the fields where the kinds are the same."""
        self._parts = list(parts)
        shape = tuple(_kind(part) for part in parts)
        if shape != self._shape or "picture" in shape:
            self._rebuild(shape)
        for field, part in zip(self.fields, parts, strict=True):
            if isinstance(field, MessageText):
                field.load(part["text"]) if fresh else field.merge(part["text"])
            elif isinstance(field, JsonField):
                field.show_value(part, fresh=fresh)

    def set_read_only(self, *, read_only: bool) -> None:
        """Let the parts be changed, or only be read."""
        self._read_only = read_only
        for field in self.fields:
            if isinstance(field, MessageText):
                field.setReadOnly(read_only)
            elif isinstance(field, JsonField):
                field.set_read_only(read_only=read_only)

    def _rebuild(self, shape: tuple[str, ...]) -> None:
        if [_kind(p) for p in self._parts] == list(self._shape) and self._pictures_stay():
            return
        for row in self._rows:
            self._column.removeWidget(row)
            row.deleteLater()
        self._rows.clear()
        self._shape, self.fields = shape, []
        for number, part in enumerate(self._parts):
            row = self._row(number, part)
            self._rows.append(row)
            self._column.addWidget(row)

    def _pictures_stay(self) -> bool:
        return all(
            field.property("part") == part
            for field, part in zip(self.fields, self._parts, strict=False)
            if isinstance(field, PicturePart)
        )

    def _row(self, number: int, part: Json) -> QWidget:
        row = QWidget(self)
        field = self._field(part, row)
        field.setProperty("number", number)
        self.fields.append(field)
        line = hbox((field, 1), parent=row, margins=0)
        if not self._read_only:
            remove = IconButton("close", self.tr("Remove this part"), row, size=12)
            remove.setProperty("number", number)
            remove.clicked.connect(self._remove)
            line.addWidget(remove, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def _field(self, part: Json, parent: QWidget) -> QWidget:
        kind = _kind(part)
        if kind == "picture":
            picture = PicturePart(part, parent)
            picture.setProperty("part", part)
            return picture
        if kind == "text":
            text = MessageText(parent)
            text.setFont(font(READ_PX))
            text.setProperty("kind", "plain")
            text.setAccessibleName(self.tr("Text part"))
            text.load(part["text"])
            text.setReadOnly(self._read_only)
            text.text_edited.connect(self._text_typed)
            self._pass_on(text)
            return text
        field = JsonField(self.tr("Content part"), parent)
        field.show_value(part)
        field.typed.connect(self._json_typed)
        self._pass_on(field)
        return field

    def _pass_on(self, field: MessageText | JsonField) -> None:
        field.left.connect(self.left)
        field.undo_requested.connect(self.undo_requested)
        field.redo_requested.connect(self.redo_requested)
        field.caret_moved.connect(self._pass_caret)

    def _text_typed(self) -> None:
        field = self.sender()
        if isinstance(field, MessageText):
            number = int(field.property("number"))
            self._parts[number] = {**self._parts[number], "text": field.text()}
            self.typed.emit(list(self._parts))

    def _json_typed(self, value: Json) -> None:
        self._parts[int(self.sender().property("number"))] = value
        self.typed.emit(list(self._parts))

    def _remove(self) -> None:
        number = int(self.sender().property("number"))
        self.changed.emit([p for n, p in enumerate(self._parts) if n != number])

    def _pass_caret(self, rect: QRect) -> None:
        field = self.sender()
        if isinstance(field, QWidget):
            self.caret_moved.emit(QRect(field.mapTo(self, rect.topLeft()), rect.size()))


def _kind(part: Json) -> str:
    if isinstance(part, Mapping):
        if part.get("type") == "text" and isinstance(part.get("text"), str):
            return "text"
        if part.get("type") == "image_url":
            return "picture"
    return "json"
