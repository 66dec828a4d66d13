"""Long paragraphs, shown as several: Qt lays out a whole paragraph at every key.

Where a paragraph goes on in the next block, a mark stands before the break. The mark is a character
that the text does not hold and nobody sees. Reading takes out each mark with its break, so a break
that somebody typed stays and one that was made for showing never comes into the data.
"""

import re
from typing import Final

from curator.app.widgets.lossless import common_length, utf16_length

LONGEST: Final = 2_000
"""A paragraph of more characters is shown as several."""

BREAK: Final = "\u2029"
"""How a Qt document writes the end of a block."""


class Folds:
    """The folds of one text; without a long paragraph there is no mark and nothing is folded."""

    def __init__(self, mark: str = "") -> None:
        self.mark = mark

    def fold(self, shown: str) -> str:
        """Break the long lines of a text that a document will show."""
        if not self.mark:
            return shown
        return "\n".join(self._folded(line) for line in shown.split("\n"))

    def unfold(self, raw: str) -> str:
        """Take the folds out of what ``QTextDocument.toRawText`` or a selection gave."""
        if not self.mark:
            return raw
        return raw.replace(self.mark + BREAK, "").replace(self.mark, "")

    def position(self, raw: str, position: int) -> int:
        """Convert a position of the unfolded text into one of the document (both UTF-16)."""
        if not self.mark:
            return position
        passed = here = 0
        for fold in re.finditer(f"{self.mark}{BREAK}?", raw):
            passed += utf16_length(raw[here : fold.start()])
            here = fold.end()
            if passed > position:
                break
            passed += len(fold[0])
            position += len(fold[0])
        return position

    def lost_mark(self, before: str, after: str) -> tuple[int, int | None] | None:
        """Return where an edit leaves a mark missing, and where one is too many (UTF-16), or None.

        A mark that was taken without its break comes back; what was written between the two goes
        before the mark. The first place is meant before the second one is emptied.
        """
        if not self.mark:
            return None
        start = common_length(before, after, min(len(before), len(after)))
        most = min(len(before), len(after)) - start
        tail = common_length(before[::-1], after[::-1], most)
        end, new_end = len(before) - tail, len(after) - tail
        if before[end - 1 : end + 1] != self.mark + BREAK or after[:new_end].endswith(self.mark):
            return None
        # The mark stands still where nothing was taken: then something was put behind it.
        left = utf16_length(after[: start - 1]) if start == end else None
        return utf16_length(after[:new_end]), left

    def _folded(self, line: str) -> str:
        if len(line) <= LONGEST:
            return line
        pieces: list[str] = []
        while len(line) > LONGEST:
            # After a space nobody sees the break; else wherever no character is torn apart.
            end = line.rfind(" ", LONGEST // 2, LONGEST) + 1 or LONGEST
            pieces.append(line[:end])
            line = line[end:]
        return f"{self.mark}\n".join((*pieces, line))


def has_long_line(shown: str) -> bool:
    """Whether any line of a text is to be folded."""
    return len(shown) > LONGEST and any(len(line) > LONGEST for line in shown.split("\n"))
