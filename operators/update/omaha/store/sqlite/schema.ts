/**
 * The schema, step by step; a database that has the first n is of version n. A step that was released is never
 * changed. `counter` sorts by bytes, as everywhere; so do the keys of machines.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE machines (
    app TEXT NOT NULL,
    id TEXT NOT NULL,
    grp TEXT NOT NULL,
    version TEXT NOT NULL,
    phase TEXT NOT NULL,
    archived INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    deadline INTEGER,
    target TEXT,
    outcome TEXT,
    body TEXT NOT NULL,
    PRIMARY KEY (app, id)
  ) STRICT;
  CREATE INDEX machines_of_group ON machines (grp, app, id);
  CREATE INDEX machines_by_phase ON machines (grp, phase, app, id);
  CREATE INDEX machines_by_version ON machines (grp, version, app, id);
  CREATE INDEX machines_by_standing ON machines (grp, target, outcome, app, id) WHERE target IS NOT NULL;
  CREATE INDEX machines_by_deadline ON machines (deadline) WHERE deadline IS NOT NULL;
  CREATE TABLE groups (name TEXT PRIMARY KEY, nodes INTEGER NOT NULL, starts INTEGER NOT NULL) STRICT;
  CREATE TABLE counters (grp TEXT NOT NULL, counter TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (grp, counter)) STRICT, WITHOUT ROWID;
  CREATE TABLE starts (grp TEXT NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (grp, number)) STRICT, WITHOUT ROWID;
  CREATE INDEX starts_by_time ON starts (at);
  CREATE TABLE history (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    app TEXT NOT NULL,
    id TEXT NOT NULL,
    grp TEXT NOT NULL,
    kind TEXT NOT NULL,
    message TEXT NOT NULL,
    code INTEGER,
    version TEXT
  ) STRICT;
  CREATE INDEX history_of_group ON history (grp, sequence);
  CREATE INDEX history_of_machine ON history (app, id, sequence);
  CREATE INDEX history_by_time ON history (at);
  CREATE TABLE samples (grp TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (grp, at)) STRICT, WITHOUT ROWID;
  `,
];

/** Marks a file as ours: "careO" in SQLite's application id would not fit, "care" does. */
export const APPLICATION_ID = 0x63617265;
