"""What a page is: the protocol between the frame and the things a person does.

A page is a widget that fills the work area. The frame builds it once, when it is first needed, as
``SomePage(session, jobs)`` and from then on talks to it only through this class:

- ``page_id``, ``title``, ``icon``: class attributes; the title is English and translated in the
  context "pages"; the icon is a file name in resources/icons without its ending.
- ``slots()``: which actions of ``actions.ACTIONS`` the page answers right now. An action that is not
  in the mapping is disabled (its key then reaches the focused widget). When the answer changes,
  emit ``slots_changed``.
- ``activated()`` / ``deactivated()``: the page came to the front or left it. A page that is not in
  front should put off expensive re-reading until ``activated()``; ``self.is_front`` tells.
- ``rail_count()``: the number beside the page's name, or None; emit ``count_changed`` when it moves.
- ``inspector()``: the widget for the 320 px slot on the right, or None. The page keeps and updates
  it; the frame only shows it.
- ``open_requested``: emit ``OpenRequest(page, conversation, ids)`` to take the person elsewhere; the
  frame brings that page forward and calls its ``open(request)``.

Layout: put widgets into ``self.body`` (16 px gaps). ``self.header`` shows the title at 20 px;
``self.add_action("check.run", primary=True)`` puts one of the page's two or three verbs at its top
right; everything else belongs into menus and the palette, which show every action by themselves.
News: connect ``session.edited`` (a Changes), ``session.project_changed`` and start work with
``jobs.start(title, work)``. Tell the person things with ``session.notify(...)``.
"""

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QApplication, QHBoxLayout, QVBoxLayout, QWidget

from curator.app.actions import action
from curator.app.session.background import Jobs
from curator.app.session.session import Session
from curator.app.shortcuts import takes_text
from curator.app.widgets.buttons import ActionButton, IconButton
from curator.app.widgets.empty_state import EmptyState
from curator.app.widgets.layouts import STRETCH, hbox, vbox
from curator.app.widgets.text import Muted, PageTitle

if TYPE_CHECKING:
    from curator.project.store.changes import Changes


class OpenRequest(NamedTuple):
    """A request to show a page, perhaps to one conversation or to some of them."""

    page: str
    conversation: int | None = None
    ids: tuple[int, ...] | None = None
    detail: str = ""


class Page(QWidget):
    """One page of the window; see the module for the whole protocol."""

    page_id: ClassVar[str] = ""
    title: ClassVar[str] = ""
    icon: ClassVar[str] = ""
    has_letter_keys: ClassVar[bool] = False
    """Whether letters are keys here: then a press of the mouse outside a text leaves the text."""

    open_requested = Signal(object)
    slots_changed = Signal()
    count_changed = Signal()
    action_requested = Signal(str)

    def __init__(self, session: Session, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.jobs = jobs
        self.is_front = False
        self._main: QWidget | None = None
        # What holds the focus while the page still reads what it shows.
        self._makeshift: QWidget | None = None
        self.is_placing = False
        self.setObjectName(f"page-{self.page_id}")
        self.setAccessibleName(self.display_title())
        self.header = QWidget(self)
        self.header.setMinimumHeight(32)
        self.heading = PageTitle(self.display_title(), self.header)
        self.subtitle = Muted("", self.header)
        self._arrows = QHBoxLayout()
        self._arrows.setSpacing(0)
        self._actions = QHBoxLayout()
        self._actions.setSpacing(8)
        hbox(
            self.heading,
            self.subtitle,
            self._arrows,
            STRETCH,
            self._actions,
            parent=self.header,
            spacing=12,
            margins=0,
        )
        self.body = QVBoxLayout()
        self.body.setSpacing(16)
        vbox(self.header, (self.body, 1), parent=self, spacing=16, margins=(24, 16, 24, 16))

    @property
    def main(self) -> QWidget | None:
        """What the keys of the page are for: a list, a text; without one the page itself."""
        return self._main

    @main.setter
    def main(self, widget: QWidget) -> None:
        self._main = widget
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hand the focus on that the page held while its main control was not there yet."""
        if (
            watched is self._main
            and event.type() in (QEvent.Type.Show, QEvent.Type.EnabledChange)
            and QApplication.focusWidget() is self
        ):
            self.home().setFocus()
        return super().eventFilter(watched, event)

    @classmethod
    def display_title(cls) -> str:
        """Return the title in the language of the window."""
        return QCoreApplication.translate("pages", cls.title)

    def add_action(self, action_id: str, *, primary: bool = False) -> ActionButton:
        """Put a button for an action at the top right; pressing it asks the frame to run the action."""
        button = ActionButton(action(action_id), primary=primary, parent=self.header)
        button.action_requested.connect(self.action_requested)
        self._actions.addWidget(button)
        return button

    def enable_actions(self, offered: Collection[str], reasons: Mapping[str, str]) -> None:
        """Grey out the buttons of actions that nothing answers now; their tips say why."""
        for button in self.findChildren(ActionButton):
            is_offered = button.action_id in offered
            if self.header.isAncestorOf(button):
                button.setEnabled(is_offered)
            button.explain("" if is_offered else reasons.get(button.action_id, ""))

    def add_arrows(self) -> None:
        """Put previous and next beside the subtitle, for a page that walks through conversations."""
        for action_id in ("conversation.previous", "conversation.next"):
            entry = action(action_id)
            arrow = IconButton(entry.icon, entry.label(), self.header)
            arrow.setObjectName(action_id)
            arrow.setToolTip(entry.hint())
            arrow.clicked.connect(self._arrow_pressed)
            self._arrows.addWidget(arrow)

    def _arrow_pressed(self) -> None:
        self.action_requested.emit(self.sender().objectName())

    @property
    def has_focus(self) -> bool:
        """Whether a visible widget of this page has the keyboard focus."""
        there = QApplication.focusWidget()
        return there is not None and there.isVisible() and self.isAncestorOf(there)

    def set_initial_focus(self) -> None:
        """Give the focus to the first control, unless the page has it; the button of an empty state comes first."""
        begin = self._beginning()
        there = QApplication.focusWidget()
        in_header = there is not None and self.header.isAncestorOf(there)
        # The page itself holds the keyboard where nothing else could; now there may be more to hold it.
        if self.has_focus and there is not self and not (in_header and begin):
            return
        home = begin or self.first_control()
        self._makeshift = None if begin else home or self
        if home is not None:
            self._set_focus_to(home)

    def catch_up_focus(self) -> None:
        """Give the cursor to where the work begins, once that was read, if nobody moved it meanwhile.

        The way out of an empty page takes it only on arrival: a key meant for the last conversation
        must not press it.
        """
        there = QApplication.focusWidget()
        begin = self._beginning()
        if there not in (None, self, self._makeshift):
            self._makeshift = None
        elif self._makeshift is not None and begin is not None:
            self._makeshift = None
            self._set_focus_to(begin)

    def _set_focus_to(self, home: QWidget) -> None:
        # FocusFallback must not take it for a widget that Qt chose.
        self.is_placing = True
        home.setFocus()
        self.is_placing = False

    def _beginning(self) -> QWidget | None:
        """Return where the work begins, None while it is not there: the way out of what is empty first."""
        ways = [e.button for e in self.findChildren(EmptyState) if e.button.isVisible()]
        home = self.home()
        return ways[0] if ways else None if home is self else home

    def home(self) -> QWidget:
        """Return the main control where it can have the focus, else the page, which acts on no key by itself."""
        main = self.main
        return main if main is not None and main.isVisible() and main.isEnabled() else self

    def leave_text(self) -> None:
        """Give the keyboard to the main control, so that letters are keys again."""
        home = self.home()
        (self if takes_text(home) else home).setFocus()

    def first_control(self) -> QWidget | None:
        """Return the control that gets the focus first; without the header, whose verbs come after it."""
        widget = self.nextInFocusChain()
        while widget is not None and widget is not self:
            on_page = self.isAncestorOf(widget) and not self.header.isAncestorOf(widget)
            reached = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.isEnabled()
            if on_page and reached and widget.isVisible():
                return widget
            widget = widget.nextInFocusChain()
        return None

    def slots(self) -> Mapping[str, Callable[[], object]]:
        """Return what the page can do now, by action id."""
        return {}

    def activated(self) -> None:
        """Take note that the page came to the front."""

    def deactivated(self) -> None:
        """Take note that the page left the front; write back what is half typed."""

    def open(self, request: OpenRequest) -> None:
        """Show what another page asked for."""

    def show_change(self, conversation: int, changes: "Changes") -> bool:
        """Go to a conversation that undo or redo changed; False where the page shows no single one."""
        del conversation, changes
        return False

    def rail_count(self) -> int | None:
        """Return the number beside the page's name in the rail."""
        return None

    def inspector(self) -> QWidget | None:
        """Return the widget for the inspector slot, or None to leave the slot closed."""
        return None
