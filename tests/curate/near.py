"""Searching plain texts, as tests do."""

from curator.curate import duplicates
from curator.curate.comparison import Compared
from curator.curate.shingles import WORDS_3, build_corpus, read_all


def find_near(texts, threshold, measure=WORDS_3, **more):
    """Find the pairs of texts."""
    return duplicates.find_near(
        [Compared([text]) for text in texts], threshold, measure=measure, **more
    )


def corpus_of(texts, measure=WORDS_3, **more):
    """Read texts into a corpus."""
    return build_corpus(read_all((Compared([text]) for text in texts), measure), measure, **more)
