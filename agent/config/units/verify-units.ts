import { existsSync } from 'node:fs';
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pathOnHost } from '#agent/boot/path-on-host.ts';
import type { CommandResult } from '#agent/boot/host.ts';
import { ConfigError } from '../config-error.ts';
import { unitOf } from '../actions/effects.ts';
import type { StagedFile } from '../transaction/contract.ts';

export interface VerifyOptions {
  /** Where the host's root directory is mounted. */
  root: string;
  stateDir: string;
  run: (argv: readonly string[], signal: AbortSignal, limitMs: number) => Promise<CommandResult>;
}

const LIMIT_MS = 60_000;
/** Where units of the distribution are. */
const VENDOR = [
  'etc/systemd/system',
  'usr/local/lib/systemd/system',
  'usr/lib/systemd/system',
  'lib/systemd/system',
];

/**
 * Has the host's own systemd judge units before they are put in their place: copies, under the names that they will
 * have, with their drop-ins beside them. Throws `ConfigError` UnitInvalid.
 */
export async function verifyUnits(
  staged: readonly StagedFile[],
  { root, stateDir, run }: VerifyOptions,
  signal: AbortSignal,
): Promise<void> {
  const directory = join(stateDir, 'verify');
  await rm(directory, { recursive: true, force: true });
  try {
    const units = new Set<string>();
    for (const { path, staged: at } of staged) {
      const unit = unitOf(path);
      if (unit === undefined || path.endsWith('.d')) continue;
      const isDropin = basename(path) !== unit;
      const copy = isDropin
        ? join(directory, basename(dirname(path)), basename(path))
        : join(directory, unit);
      await mkdir(dirname(copy), { recursive: true, mode: 0o700 });
      await copyFile(join(root, at), copy);
      units.add(unit);
    }
    const found: string[] = [];
    for (const unit of units) if (await complete(unit, directory, root)) found.push(unit);
    if (found.length === 0) return;
    const files = found.map((unit) => pathOnHost(root, join(directory, unit)));
    const { status, output } = await run(
      ['systemd-analyze', 'verify', '--man=no', ...files],
      signal,
      LIMIT_MS,
    );
    if (status !== 0) throw invalid(found, output);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A drop-in is judged with the unit that it is for; where there is none (yet), there is nothing to judge. */
async function complete(unit: string, directory: string, root: string): Promise<boolean> {
  const here = join(directory, unit);
  if (existsSync(here)) return true;
  const names = [unit, unit.replace(/@.*\./, '@.')];
  const vendor = VENDOR.flatMap((at) => names.map((name) => join(root, at, name)));
  for (const from of vendor) {
    const copied = await copyFile(from, here).then(
      () => true,
      () => false,
    );
    if (copied) return true;
  }
  return false;
}

function invalid(units: readonly string[], output: string): ConfigError {
  const message = `systemd does not accept ${units.join(', ')}: ${output.trim().slice(-600)}`;
  return new ConfigError('UnitInvalid', message);
}
