"""Searching plain texts, as tests do."""

from curator.curate.duplicates import clusters
from curator.curate.duplicates.compared_text import Compared
from curator.curate.duplicates.shingles import WORDS_3, build_corpus, read_all


def find_near(texts, threshold, measure=WORDS_3, **more):
    """Find the pairs of texts."""
    return clusters.find_near(
        [Compared([text]) for text in texts], threshold, measure=measure, **more
    )


def corpus_of(texts, measure=WORDS_3, **more):
    """Read texts into a corpus."""
    return build_corpus(read_all((Compared([text]) for text in texts), measure), measure, **more)
