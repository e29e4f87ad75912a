import { LONGEST_PERIOD_MS } from './books/room.ts';
import type { Engine } from './engine/engine.ts';
import type { GroupCommit } from './engine/group-commit.ts';
import type { MachineKey } from './machine.ts';
import { readGroup, readGroups } from './reading/read-group.ts';
import type { SweepPolicy, Swept } from './store.ts';
import { silent, vanished } from './vanished.ts';
import { archive, expire, forget, type Done } from './work/sweep.ts';
import type { Work } from './work/work.ts';

/** Machines that are taken up at once. */
const MACHINES_AT_ONCE = 200;
/** Machines that are looked at, at once, for those that are silent. */
const SCANNED_AT_ONCE = 5000;
const ROWS_AT_ONCE = 2000;
/** A start further in the future than this was told by a clock that was wrong. */
const CLOCK_SKEW_MS = 60_000;

/** Where the search for silent machines has come to. */
interface Pass {
  after: MachineKey;
  begunAt: number;
  isOver: boolean;
}

/** Does what time asks for, in pieces small enough not to be noticed by the requests between them. */
export class Sweeper {
  readonly #engine: Engine;
  readonly #commit: GroupCommit;
  #pass: Pass = { after: { app: '', id: '' }, begunAt: -Infinity, isOver: true };
  #sampledAt = -Infinity;

  constructor(engine: Engine, commit: GroupCommit) {
    this.#engine = engine;
    this.#commit = commit;
  }

  async sweep(now: number, policy: SweepPolicy): Promise<Swept> {
    const expired = await this.#expire(now, policy);
    const quiet = await this.#tidy(now, policy);
    await this.#sample(now, policy.sampleMs);
    await this.#healStarts(now);
    const isCut = await this.#prune(now, policy);
    const groups = [expired, quiet.archived, quiet.forgotten].flatMap(groupsOf);
    return {
      expired: groupsOf(expired).length,
      archived: groupsOf(quiet.archived).length,
      forgotten: groupsOf(quiet.forgotten).length,
      groups: [...new Set(groups)],
      more: expired.length === MACHINES_AT_ONCE || !this.#pass.isOver || isCut,
    };
  }

  async #expire(now: number, { expired = vanished }: SweepPolicy): Promise<Done[]> {
    const rows = await this.#engine.query(
      `SELECT app, id FROM machines WHERE deadline < $1 ORDER BY deadline LIMIT ${MACHINES_AT_ONCE}`,
      now,
    );
    return this.#doAll(rows.map(({ app, id }) => expire({ app: String(app), id: String(id) }, now, expired)));
  }

  /** Archives and forgets among the next machines. A pass over all of them is begun anew a hundred times in `silentMs`. */
  async #tidy(now: number, policy: SweepPolicy): Promise<{ archived: Done[]; forgotten: Done[] }> {
    const { silentMs, forgetMs, archived: judge = silent } = policy;
    if (this.#pass.isOver) {
      if (now - this.#pass.begunAt < silentMs / 100) return { archived: [], forgotten: [] };
      this.#pass = { after: { app: '', id: '' }, begunAt: now, isOver: false };
    }
    const quiet = await this.#scan(now - Math.min(silentMs, forgetMs));
    const kept = quiet.filter(({ archived }) => !archived);
    const archived = await this.#doAll(kept.map(({ key }) => archive(key, now - silentMs, now, judge)));
    const gone = quiet.filter((one) => one.archived);
    return { archived, forgotten: await this.#doAll(gone.map(({ key }) => forget(key, now - forgetMs))) };
  }

  /** Those of the next machines that did not ask since `since`. */
  async #scan(since: number): Promise<{ key: MachineKey; archived: boolean }[]> {
    const { app, id } = this.#pass.after;
    const rows = await this.#engine.query(
      `SELECT app, id, archived, last_seen FROM machines WHERE (app, id) > ($1, $2)
       ORDER BY app, id LIMIT ${SCANNED_AT_ONCE}`,
      app,
      id,
    );
    const machines = rows.map((row) => ({
      key: { app: String(row['app']), id: String(row['id']) },
      archived: row['archived'] === 1,
      lastSeen: Number(row['last_seen']),
    }));
    this.#pass.isOver = machines.length < SCANNED_AT_ONCE;
    this.#pass.after = machines.at(-1)?.key ?? this.#pass.after;
    return machines.filter(({ lastSeen }) => lastSeen < since);
  }

  async #sample(now: number, sampleMs: number): Promise<void> {
    const at = Math.floor(now / sampleMs) * sampleMs;
    if (at === this.#sampledAt) return;
    for (const group of await readGroups(this.#engine)) {
      const { versions, byPhase: phases } = await readGroup(this.#engine, group);
      const statement = 'INSERT INTO samples (grp, at, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING';
      await this.#engine.query(statement, group, at, JSON.stringify({ versions, phases }));
    }
    this.#sampledAt = at;
  }

  /** A clock that was ahead for a while must not keep a period full until then: such starts are taken for new. */
  async #healStarts(now: number): Promise<void> {
    await this.#engine.query('UPDATE starts SET at = $1 WHERE at > $2', now, now + CLOCK_SKEW_MS);
  }

  /** Forgets what is old. Gives whether there is more of it. */
  async #prune(now: number, { historyMs, historyRecords }: SweepPolicy): Promise<boolean> {
    const old = now - historyMs;
    const [newest] = await this.#engine.query('SELECT max(sequence) AS n FROM history');
    const cut = [
      await this.#cut('history', 'sequence', 'at < $1', old),
      await this.#cut('history', 'sequence', 'sequence <= $1', Number(newest?.['n'] ?? 0) - historyRecords),
      await this.#cut('samples', 'grp, at', 'at < $1', old),
      await this.#cut('starts', 'grp, number', 'at < $1', now - LONGEST_PERIOD_MS),
    ];
    return cut.some(Boolean);
  }

  async #cut(table: string, key: string, condition: string, value: number): Promise<boolean> {
    const some = `SELECT ${key} FROM ${table} WHERE ${condition} LIMIT ${ROWS_AT_ONCE}`;
    const rows = await this.#engine.query(
      `DELETE FROM ${table} WHERE (${key}) IN (${some}) RETURNING 1 AS one`,
      value,
    );
    return rows.length === ROWS_AT_ONCE;
  }

  #doAll(works: readonly Work<Done>[]): Promise<Done[]> {
    return Promise.all(works.map((work) => this.#commit.run(work)));
  }
}

function groupsOf(done: readonly Done[]): string[] {
  return done.filter((group) => group !== undefined);
}
