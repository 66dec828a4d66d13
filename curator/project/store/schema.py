"""The tables of a project file."""

from typing import Final

APPLICATION_ID: Final = 0x43555241
"""What marks an SQLite file as a project: the letters CURA."""

SCHEMA_VERSION: Final = 4
"""The user_version of a project file this program writes."""

DERIVED: Final = (
    "title",
    "content_hash",
    "prompt_hash",
    "system_hash",
    "beginnings",
    "n_messages",
    "n_turns",
    "tokens",
    "trained_tokens",
    "tokens_exact",
    "errors",
    "warnings",
    "flags",
    "kind",
)
"""The columns of conversation that the analysis kernel computes from the content."""

TABLES: Final = """
CREATE TABLE segment (
  id INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
);
CREATE TABLE source (
  id INTEGER PRIMARY KEY,
  path TEXT NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  format TEXT NOT NULL,
  records INTEGER NOT NULL DEFAULT 0,
  imported INTEGER NOT NULL DEFAULT 0,
  rejected INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL,
  author TEXT NOT NULL DEFAULT '',
  at INTEGER NOT NULL
);
-- The text of a row is content where that is set, else bytes start .. start+length of its segment.
-- AUTOINCREMENT: the id of a creation that was undone must never be given to another conversation.
CREATE TABLE conversation (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  segment INTEGER,
  start INTEGER,
  length INTEGER,
  source INTEGER,
  source_line INTEGER,
  tokens INTEGER NOT NULL,
  trained_tokens INTEGER NOT NULL,
  tokens_exact INTEGER NOT NULL,
  n_messages INTEGER NOT NULL,
  n_turns INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  warnings INTEGER NOT NULL,
  flags INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  content_hash INTEGER NOT NULL,
  prompt_hash INTEGER NOT NULL,
  system_hash INTEGER NOT NULL,
  import_hash INTEGER NOT NULL,
  title TEXT NOT NULL,
  content TEXT,
  -- 8 bytes for each answer: the hash of all up to it, see curate.identity; NULL is none.
  beginnings BLOB,
  -- Of the very bytes of the text, when it was stored; see project.stored_texts.
  text_hash INTEGER,
  -- Which kind of record it is: a code of dataset.record.KINDS.
  kind INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE annotation (
  conversation INTEGER PRIMARY KEY REFERENCES conversation(id),
  status INTEGER NOT NULL DEFAULT 0,
  flag INTEGER NOT NULL DEFAULT 0,
  split INTEGER NOT NULL DEFAULT 0,
  updated INTEGER NOT NULL,
  removed TEXT,
  tags TEXT,
  note TEXT,
  metadata TEXT
);
CREATE TABLE label (
  conversation INTEGER NOT NULL REFERENCES conversation(id),
  label_set TEXT NOT NULL,
  annotator TEXT NOT NULL,
  value TEXT NOT NULL,
  updated INTEGER NOT NULL,
  PRIMARY KEY (conversation, label_set, annotator)
) WITHOUT ROWID;
CREATE TABLE finding (
  conversation INTEGER NOT NULL,
  position INTEGER NOT NULL,
  rule TEXT NOT NULL,
  severity TEXT NOT NULL,
  message TEXT NOT NULL,
  message_index INTEGER,
  field TEXT NOT NULL,
  start INTEGER,
  end INTEGER,
  fix TEXT NOT NULL,
  PRIMARY KEY (conversation, position)
) WITHOUT ROWID;
CREATE INDEX finding_rule ON finding (rule, conversation);
-- state: done, undone (redo brings it back), dropped (undone, then overtaken by a later edit).
CREATE TABLE edit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  title TEXT NOT NULL,
  author TEXT NOT NULL,
  merge_key TEXT NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  changed INTEGER NOT NULL
);
CREATE INDEX edit_undone ON edit (id) WHERE state = 'undone';
CREATE TABLE patch (
  edit INTEGER NOT NULL REFERENCES edit(id),
  position INTEGER NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  annotator TEXT NOT NULL,
  conversation INTEGER,
  conversations BLOB,
  before BLOB,
  after BLOB,
  PRIMARY KEY (edit, position)
) WITHOUT ROWID;
CREATE INDEX patch_conversation ON patch (conversation) WHERE conversation IS NOT NULL;
CREATE INDEX patch_many ON patch (edit, position) WHERE conversations IS NOT NULL;
CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
-- What the program notes for itself; unlike a setting it is never undone.
CREATE TABLE stamp (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  facts TEXT NOT NULL
);
-- The last search for duplicates: equal rows share a class (named by its first row), linked classes
-- a cluster; a pair links the first rows of two classes. What was searched stands in run.facts.
CREATE TABLE duplicate_cluster (
  conversation INTEGER PRIMARY KEY,
  class INTEGER NOT NULL,
  cluster INTEGER NOT NULL
);
CREATE TABLE duplicate_pair (
  a INTEGER NOT NULL,
  b INTEGER NOT NULL,
  similarity REAL NOT NULL,
  PRIMARY KEY (a, b)
) WITHOUT ROWID;
-- Holds texts that curate.matching has folded, so that it and a scan agree on case and accents.
CREATE VIRTUAL TABLE search USING fts5 (
  text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0'
);
-- Conversations with an id up to this one have their words in the search table.
CREATE TABLE search_progress (indexed INTEGER NOT NULL);
INSERT INTO search_progress VALUES (0);
"""
