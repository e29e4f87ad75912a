import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { errnoOf } from '#agent/errno.ts';
import type { ConfigDocument, DocumentKeys } from '#api/config-document.ts';
import { ConfigError } from '../config-error.ts';
import { Directory } from '../paths/directory.ts';
import { pathFault } from '../paths/host-path.ts';
import type { HostTree } from '../paths/host-tree.ts';
import type { LocalPolicy } from '../paths/local-policy.ts';
import { readAccounts } from '../paths/owners.ts';
import type { Account } from '../paths/owners.ts';
import { checkLocally } from '../paths/path-policy.ts';
import { readBytes } from '../paths/read-bytes.ts';
import type { Change } from './change.ts';
import { withKeys } from './key-block.ts';
import { scan } from './scan.ts';
import type { State } from './state.ts';

const MAX_BYTES = 1024 * 1024;

export interface KeyPlan {
  changes: Change[];
  contents: Map<string, Buffer>;
}

/**
 * What changes in the authorized_keys of the host's users. These files are not Careen's: its keys are a part of
 * them, and who is not in the document any more, but was in `previous`, loses that part. With `only`, nothing but
 * these paths is looked at.
 */
export async function planKeys(
  tree: HostTree,
  document: ConfigDocument,
  previous: ConfigDocument | undefined,
  local: LocalPolicy,
  only?: ReadonlySet<string>,
): Promise<KeyPlan> {
  const plan: KeyPlan = { changes: [], contents: new Map() };
  const wanted = new Set(document.authorizedKeys.map(({ user }) => user));
  const gone = (previous?.authorizedKeys ?? []).filter(({ user }) => !wanted.has(user));
  const all = [...document.authorizedKeys, ...gone.map((item) => ({ ...item, keys: [] }))];
  const accounts = all.length === 0 ? new Map<string, Account>() : await readAccounts(tree);
  for (const item of all) {
    const account = accounts.get(item.user);
    if (only?.has(keysPath(item.user, account)) === false) continue;
    if (account !== undefined && pathFault(account.home) === undefined)
      await planUser(tree, item, account, local, plan);
    else if (item.keys.length > 0) throw homeless(item.user);
  }
  return plan;
}

/** Where sshd looks for the keys of a user; of one whom the host does not know, words that say so. */
export function keysPath(user: string, account: Account | undefined): string {
  return account === undefined ? `authorized_keys of ${user}` : `${account.home}/.ssh/authorized_keys`;
}

async function planUser(
  tree: HostTree,
  { user, keys, from }: DocumentKeys,
  account: Account,
  local: LocalPolicy,
  plan: KeyPlan,
): Promise<void> {
  const path = keysPath(user, account);
  const directory = dirname(path);
  checkLocally(path, local);
  const before = await scan(tree, path);
  const text = await textOf(tree, path, before);
  const content = Buffer.from(withKeys(text, keys));
  if (content.toString() === text) return;
  if ((await scan(tree, account.home)).type !== 'directory') throw homeless(user);
  const { uid, gid } = account;
  const common = { sensitive: false, from, keysOf: user };
  const parent = await scan(tree, directory);
  const made: State = { type: 'directory', mode: 0o700, uid, gid };
  if (parent.type === 'absent')
    plan.changes.push({ path: directory, before: parent, after: made, ...common });
  plan.changes.push({ path, before, after: after(content, before, account), ...common });
  plan.contents.set(path, content);
}

/** Of a file that is there, owner and mode stay. */
function after(content: Buffer, before: State, { uid, gid }: Account): State {
  const ownership = before.type === 'file' ? before : { mode: 0o600, uid, gid };
  const sha256 = createHash('sha256').update(content).digest('hex');
  const { mode } = ownership;
  return { type: 'file', sha256, size: content.length, mode, uid: ownership.uid, gid: ownership.gid };
}

async function textOf(tree: HostTree, path: string, { type }: State): Promise<string> {
  if (type === 'absent') return '';
  if (type !== 'file') {
    const message = `${path} is a ${type}, not a file: move it away, or leave the user's keys alone`;
    throw new ConfigError('TargetBusy', message, { path });
  }
  try {
    await using directory = await Directory.open(tree, dirname(path));
    return (await readBytes(directory, basename(path), MAX_BYTES)).bytes.toString('utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  }
}

function homeless(user: string): ConfigError {
  return new ConfigError(
    'UnknownOwner',
    `the node has no user ${user} with a home directory: make the user first`,
  );
}
