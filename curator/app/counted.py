"""How many there are of something, in the language of the window."""

from PySide6.QtCore import QCoreApplication

from curator.dataset.counted import plural


def counted(number: int, one: str, many: str = "") -> str:
    """Say a number with what it counts, as dataset.counted does.

    Translated in the context "counted", whose texts are the nouns of the calls with {0} before them.
    """
    words = "{0} " + (one if number == 1 else many or plural(one))
    return QCoreApplication.translate("counted", words).format(f"{number:,}")
