import { ConfigError } from '../config-error.ts';
import { ALLOWED, CRITICAL, DENIED } from './built-in-rules.ts';
import { isWithin, pathFault } from './host-path.ts';
import type { LocalPolicy } from './local-policy.ts';
import { standsTo } from './path-pattern.ts';

/** What a document wants to write. */
export interface WantedPath {
  path: string;
  type: 'file' | 'directory' | 'link';
  /** Permission bits; for directories. */
  mode?: number | undefined;
  uid?: number | undefined;
}

export interface PathPermit {
  /** The document's own word that it may touch what keeps the node in the cluster. */
  allowCritical: boolean;
  local: LocalPolicy;
}

/** Refuses what the agent must not write, whoever asks. Throws `PathRefused`, `PolicyRefused` or `CriticalRefused`. */
export function checkPath(wanted: WantedPath, permit: PathPermit): void {
  const { path } = wanted;
  const fault = pathFault(path);
  if (fault !== undefined) throw refused(path.slice(0, 200), `${fault}; write it in its one plain form`);
  const { local } = permit;
  if (![...ALLOWED, ...local.paths.allow].some((root) => path !== root && isWithin(path, root)))
    throw refused(path, 'it is outside of the directories that Careen may write to on this node');
  if (reaches(wanted, DENIED)) throw refused(path, 'Careen never writes it');
  checkLocally(path, local, wanted);
  checkCritical(wanted, permit);
}

/** Refuses what the machine's own policy keeps, also from being put back. Throws `PolicyRefused`. */
export function checkLocally(
  path: string,
  local: LocalPolicy,
  wanted: WantedPath = { path, type: 'file' },
): void {
  if (reaches(wanted, local.paths.deny)) throw forbidden(path, local, 'it');
}

function checkCritical(wanted: WantedPath, { allowCritical, local }: PathPermit): void {
  if (!reaches(wanted, CRITICAL)) return;
  const { path } = wanted;
  if (!local.allowCritical) throw forbidden(path, local, 'critical paths');
  if (allowCritical) return;
  const message = `${path} is not written: it keeps the node in the cluster; set allowCritical if you mean it`;
  throw new ConfigError('CriticalRefused', message, { path });
}

/** Whether what is wanted is one of `patterns`, below one, or would take the place of a directory above one. */
function reaches(wanted: WantedPath, patterns: readonly string[]): boolean {
  const standing = patterns.map((pattern) => standsTo(wanted.path, pattern));
  if (standing.includes('within')) return true;
  return standing.includes('above') && !isHarmlessDirectory(wanted);
}

/** A directory on the way to a protected path may be wanted, as long as only root can change what is in it. */
function isHarmlessDirectory({ type, mode = 0o755, uid = 0 }: WantedPath): boolean {
  return type === 'directory' && uid === 0 && (mode & 0o022) === 0;
}

function forbidden(path: string, { source }: LocalPolicy, what: string): ConfigError {
  return new ConfigError('PolicyRefused', `${path} is not written: ${source} on the node forbids ${what}`, {
    path,
  });
}

function refused(path: string, why: string): ConfigError {
  return new ConfigError('PathRefused', `${path} is not written: ${why}`, { path });
}
