"""Write resources/guide/keyboard.md from the actions of the window; run it after a change of one."""

from pathlib import Path

from curator.app.actions import ACTIONS, GROUPS

TARGET = Path(__file__).resolve().parent.parent / "resources" / "guide" / "keyboard.md"
HEAD = """# Keys

Everything can be done without the mouse. Keys without `Ctrl` or `Alt` are off while you type in a text; \
`Esc` leaves the text. `Ctrl+K` opens the palette, which finds every action by its name and shows its key.
On Write `Tab` goes from a text into the next one. A key with `Ctrl` works from every page and leads to the page \
that does it, unless it is about the current message or conversation; the palette leads to those too. \
`Ctrl+Z` says what it took back and shows \
the conversation.
This page is written by `packaging/make_keys.py` from the same list that the menus are made of.
"""


def text() -> str:
    """Return the page."""
    parts = [HEAD]
    for group, title in GROUPS.items():
        rows = [
            f"| {action.text} | {f'`{action.shortcut}`' if action.shortcut else ''} | {action.tip} |"
            for action in ACTIONS
            if action.group == group
        ]
        if rows:
            parts.append(
                f"## {title}\n\n| action | key | what it does |\n|---|---|---|\n"
                + "\n".join(rows)
                + "\n"
            )
    return "\n".join(parts)


if __name__ == "__main__":
    TARGET.write_text(text(), "utf-8")
    print(TARGET)
