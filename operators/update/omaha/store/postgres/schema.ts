/**
 * The schema, step by step; a database that has the first n is of version n. A step that was released is never
 * changed. Keys sort by bytes. Machines leave room in their pages, so that what only moves `last_seen` (which is
 * in no index) touches one page.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE machines (
    app TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    grp TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    phase TEXT COLLATE "C" NOT NULL,
    archived INTEGER NOT NULL,
    last_seen BIGINT NOT NULL,
    deadline BIGINT,
    target TEXT COLLATE "C",
    outcome TEXT COLLATE "C",
    body TEXT NOT NULL,
    PRIMARY KEY (app, id)
  ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
  CREATE INDEX machines_of_group ON machines (grp, app, id);
  CREATE INDEX machines_by_phase ON machines (grp, phase, app, id);
  CREATE INDEX machines_by_version ON machines (grp, version, app, id);
  CREATE INDEX machines_by_standing ON machines (grp, target, outcome, app, id) WHERE target IS NOT NULL;
  CREATE INDEX machines_by_deadline ON machines (deadline) WHERE deadline IS NOT NULL;
  CREATE TABLE groups (name TEXT COLLATE "C" PRIMARY KEY, nodes INTEGER NOT NULL, starts BIGINT NOT NULL);
  CREATE TABLE counters (
    grp TEXT COLLATE "C" NOT NULL,
    counter TEXT COLLATE "C" NOT NULL,
    n BIGINT NOT NULL,
    PRIMARY KEY (grp, counter)
  ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
  CREATE TABLE starts (grp TEXT COLLATE "C" NOT NULL, number BIGINT NOT NULL, at BIGINT NOT NULL,
    PRIMARY KEY (grp, number));
  CREATE INDEX starts_by_time ON starts (at);
  CREATE TABLE history (
    sequence BIGSERIAL PRIMARY KEY,
    at BIGINT NOT NULL,
    app TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    grp TEXT COLLATE "C" NOT NULL,
    kind TEXT NOT NULL,
    message TEXT NOT NULL,
    code BIGINT,
    version TEXT
  );
  CREATE INDEX history_of_group ON history (grp, sequence);
  CREATE INDEX history_of_machine ON history (app, id, sequence);
  CREATE INDEX history_by_time ON history (at);
  CREATE TABLE samples (grp TEXT COLLATE "C" NOT NULL, at BIGINT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (grp, at));
  `,
];
