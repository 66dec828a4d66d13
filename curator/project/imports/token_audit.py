"""The run-time proof of the token counts: tiktoken counts one conversation in 256 again."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from curator.curate.analysis.columns import Analysis
from curator.curate.analysis.tokens import Counter, count_conversation
from curator.dataset import Conversation

EVERY: Final = 256


def count_wrong(lines: Sequence[bytes], analysis: Analysis, reference: Counter) -> int:
    """Count a sample of a batch's rows again; return how many have another count.

    Which rows are looked at depends on their content only, so no kind of row escapes for long.
    """
    tokens = analysis.columns["tokens"]
    wrong = 0
    for row in np.flatnonzero(analysis.columns["content_hash"] % EVERY == 0).tolist():
        line, left = lines[int(analysis.line[row])], int(analysis.left[row])
        text = line[left : left + int(analysis.length[row])].decode("utf-8")
        count = count_conversation(Conversation.parse(text), reference)
        wrong += count.total != int(tokens[row])
    return wrong
