"""The tables of a project file."""

from typing import Final

APPLICATION_ID: Final = 0x43555241
"""What marks an SQLite file as a project: the letters CURA."""

SCHEMA_VERSION: Final = 5
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

EVALUATION_TABLES: Final = """
-- An evaluation run; plan is JSON: who was to be asked, with which settings, over which conversations.
-- state: running, done, stopped (reason says why; it can be resumed).
CREATE TABLE IF NOT EXISTS evaluation (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  token TEXT NOT NULL UNIQUE,
  author TEXT NOT NULL,
  state TEXT NOT NULL,
  at INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  plan TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT ''
);
-- What a run asks, as the conversations were when it began; expected is the demonstrated message.
CREATE TABLE IF NOT EXISTS evaluation_item (
  evaluation INTEGER NOT NULL REFERENCES evaluation(id),
  position INTEGER NOT NULL,
  conversation INTEGER NOT NULL,
  prompt BLOB NOT NULL,
  expected TEXT NOT NULL,
  label TEXT,
  PRIMARY KEY (evaluation, position)
) WITHOUT ROWID;
-- What was read before a reply: messages and tools as JSON, each once, by a hash of it.
CREATE TABLE IF NOT EXISTS asked_prompt (
  hash BLOB PRIMARY KEY,
  content TEXT NOT NULL
) WITHOUT ROWID;
-- A reply as it came; key is a hash of model, prompt and settings. error: the server refused this one.
CREATE TABLE IF NOT EXISTS reply (
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL,
  prompt BLOB NOT NULL,
  target TEXT NOT NULL,
  model TEXT NOT NULL,
  settings TEXT NOT NULL,
  author TEXT NOT NULL,
  at INTEGER NOT NULL,
  message TEXT NOT NULL,
  finish_reason TEXT NOT NULL,
  prompt_tokens INTEGER,
  reply_tokens INTEGER,
  milliseconds INTEGER NOT NULL,
  error TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS reply_key ON reply (key);
CREATE TABLE IF NOT EXISTS evaluation_reply (
  evaluation INTEGER NOT NULL REFERENCES evaluation(id),
  candidate INTEGER NOT NULL,
  position INTEGER NOT NULL,
  reply INTEGER NOT NULL REFERENCES reply(id),
  PRIMARY KEY (evaluation, candidate, position)
) WITHOUT ROWID;
"""
"""The tables of evaluation runs; a file of version 4 has all the others."""

TABLES: Final = (
    EVALUATION_TABLES
    + """
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
)
