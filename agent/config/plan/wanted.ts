import { createHash } from 'node:crypto';
import type { ConfigDocument, Content } from '#api/config-document.ts';
import { ConfigError } from '../config-error.ts';
import { ownerNumber } from '../paths/owners.ts';
import type { Owners } from '../paths/owners.ts';
import type { State } from './state.ts';

/** One path that a document wants, and how it is to be there. */
export interface Wanted {
  path: string;
  state: Exclude<State, { type: 'absent' } | { type: 'other' }>;
  /** Of a file. */
  content?: Buffer;
  sensitive: boolean;
  critical: boolean;
  onRemove: 'Restore' | 'Delete' | 'Keep';
  drift: 'Heal' | 'Report' | 'Ignore';
  from: readonly string[];
}

/** All that a document wants on the disk, sorted by path: a directory comes before what is in it. */
export function wantedOf(document: ConfigDocument, owners: Owners): Wanted[] {
  const wanted = [
    ...document.directories.map((item): Wanted => ({
      ...common(item),
      state: { type: 'directory', ...ownership(item, owners) },
    })),
    ...document.files.map((item) => wantedFile(item, owners)),
    ...document.links.map((item): Wanted => ({
      ...common(item),
      state: { type: 'link', target: item.target, uid: 0, gid: 0 },
    })),
  ];
  return unique(wanted.toSorted((a, b) => (a.path < b.path ? -1 : 1)));
}

function wantedFile(item: ConfigDocument['files'][number], owners: Owners): Wanted {
  const content = bytesOf(item.content, item.path);
  const sha256 = createHash('sha256').update(content).digest('hex');
  const state = { type: 'file', sha256, size: content.length, ...ownership(item, owners) } as const;
  return { ...common(item), sensitive: item.sensitive ?? false, content, state };
}

type Item = Pick<Wanted, 'path' | 'onRemove' | 'drift' | 'from'> & { critical?: boolean | undefined };

function common({ path, onRemove, drift, from, critical = false }: Item): Omit<Wanted, 'state'> {
  return { path, onRemove, drift, from, critical, sensitive: false };
}

function ownership(item: { path: string; mode: string; user: string; group: string }, owners: Owners) {
  return {
    mode: parseInt(item.mode, 8),
    uid: ownerNumber(owners, 'user', item.user, item.path),
    gid: ownerNumber(owners, 'group', item.group, item.path),
  };
}

function bytesOf(content: Content, path: string): Buffer {
  if ('text' in content) return Buffer.from(content.text, 'utf8');
  if ('base64' in content) return Buffer.from(content.base64, 'base64');
  throw new ConfigError('BundleInvalid', `${path} has no content: its secret was not filled in`, { path });
}

/** The operators refuse it before; a document that says two things of a path is damaged. */
function unique(sorted: Wanted[]): Wanted[] {
  for (const [index, { path }] of sorted.entries()) {
    if (path === sorted[index + 1]?.path)
      throw new ConfigError('BundleInvalid', `the document wants ${path} twice`, { path });
  }
  return sorted;
}
