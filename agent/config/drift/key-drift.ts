import type { ConfigDocument, DocumentKeys } from '#api/config-document.ts';
import { ConfigError } from '../config-error.ts';
import type { HostTree } from '../paths/host-tree.ts';
import { readLocalPolicy } from '../paths/local-policy.ts';
import type { LocalPolicy } from '../paths/local-policy.ts';
import { readAccounts } from '../paths/owners.ts';
import type { Account } from '../paths/owners.ts';
import { keysPath, planKeys } from '../plan/plan-keys.ts';
import type { Difference, DriftKind } from './difference.ts';

/** Where keys that are looked after are kept; words instead where the host does not know the user any more. */
export async function keyPaths(tree: HostTree, document: ConfigDocument): Promise<string[]> {
  const accounts = await accountsOf(tree, document);
  return guarded(document).map(({ user }) => keysPath(user, accounts.get(user)));
}

/** Users whose keys of Careen others have changed; all else in their files is theirs. */
export async function keyDrifts(tree: HostTree, document: ConfigDocument): Promise<Difference[]> {
  const accounts = await accountsOf(tree, document);
  const local = await readLocalPolicy(tree);
  const found: Difference[] = [];
  for (const item of guarded(document)) {
    const kind = await kindOf(tree, { ...document, authorizedKeys: [item] }, local);
    const path = keysPath(item.user, accounts.get(item.user));
    if (kind !== undefined) found.push({ path, kind, policy: item.drift });
  }
  return found;
}

type Guarded = DocumentKeys & { drift: 'Heal' | 'Report' };

function guarded({ authorizedKeys }: ConfigDocument): Guarded[] {
  return authorizedKeys.filter((item): item is Guarded => item.drift !== 'Ignore');
}

async function accountsOf(tree: HostTree, document: ConfigDocument): Promise<ReadonlyMap<string, Account>> {
  return guarded(document).length === 0 ? new Map() : readAccounts(tree);
}

/** Undefined: the user has them all. */
async function kindOf(
  tree: HostTree,
  document: ConfigDocument,
  local: LocalPolicy,
): Promise<DriftKind | undefined> {
  try {
    const change = (await planKeys(tree, document, undefined, local)).changes.at(-1);
    if (change === undefined) return undefined;
    return change.before.type === 'absent' ? 'Missing' : 'Content';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (error.code === 'UnknownOwner') return 'Missing';
    if (['SymlinkInPath', 'TargetBusy', 'PathRefused'].includes(error.code)) return 'Type';
    throw error;
  }
}
