import { link } from 'node:fs/promises';
import { basename } from 'node:path';
import { ConfigError } from '../config-error.ts';
import type { Directory } from '../paths/directory.ts';
import type { Change } from '../plan/change.ts';
import { scanIn } from '../plan/scan.ts';
import { mark, sameState } from '../plan/state.ts';
import type { State } from '../plan/state.ts';
import { own, place } from './place.ts';
import type { TempNames } from './temp-names.ts';

/** Whether a second name can be given to it, under which it stays exactly what it is, attributes and all. */
export function isKeptAside({ type }: State): boolean {
  return type !== 'absent' && type !== 'directory';
}

/**
 * Puts what is wanted beside what it replaces, and gives that a second name. Nothing that anybody reads changes; a
 * directory that is to be made is made, as others are staged within. `directory`: the one that the path is in.
 */
export async function stageChange(
  directory: Directory,
  change: Change,
  names: TempNames,
  content: Buffer | undefined,
): Promise<void> {
  const { after, before, path } = change;
  const name = basename(path);
  if (isKeptAside(before)) await link(directory.at(name), directory.at(names.old));
  const found = await scanIn(directory, isKeptAside(before) ? names.old : name);
  if (!sameState(found, before)) throw changed(path, before, found);
  if (after.type === 'directory') {
    if (before.type === 'absent') await makeDirectory(directory, name, after);
  } else if (after.type === 'file' || after.type === 'link') {
    await place(directory, names.fresh, after, content ?? Buffer.alloc(0));
  }
}

async function makeDirectory(
  parent: Directory,
  name: string,
  state: Extract<State, { type: 'directory' }>,
): Promise<void> {
  await parent.make(name);
  await using made = await parent.enter(name);
  await own(made.handle, state);
  await made.sync();
}

function changed(path: string, before: State, found: State): ConfigError {
  const what = `${before.type} ${mark(before)} to ${found.type} ${mark(found)}`;
  const message = `somebody changed ${path} while it was being replaced (${what}): it is planned again`;
  return new ConfigError('TargetBusy', message, { path });
}
