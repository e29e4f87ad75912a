import { DatabaseSync } from 'node:sqlite';

/** Fills the file of a store with history, up to so many records. */
export function fillHistory(file: string, records: number, at: number): void {
  const database = new DatabaseSync(file);
  const insert = database.prepare(
    `INSERT INTO history (at, app, id, grp, kind, message, version)
     VALUES (?, 'e96281a6-d1af-4bde-9a0a-97b76e56dc57', ?, 'steady', 'Downloading', 'has begun to download', '2.0.0')`,
  );
  database.exec('BEGIN');
  const there = Number(database.prepare('SELECT count(*) AS n FROM history').get()?.['n']);
  for (let index = there; index < records; index += 1) {
    insert.run(at + index, `m${String(index % 100_000).padStart(6, '0')}`);
  }
  database.exec('COMMIT');
  database.close();
}
