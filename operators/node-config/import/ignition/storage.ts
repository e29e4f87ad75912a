import { contentFields } from '../content.ts';
import type { Cursor } from '../cursor.ts';
import type { Mode } from '../file-mode.ts';
import { checked, type Sections } from '../spec.ts';
import { bytesOf } from './contents.ts';
import type { Dialect } from './dialect.ts';

const FIRST_BOOT =
  'is laid out when the machine is installed, not later; leave it in the Ignition that installs it';
const BEYOND = {
  disks: FIRST_BOOT,
  raid: FIRST_BOOT,
  filesystems: FIRST_BOOT,
  luks: FIRST_BOOT,
  trees: 'a whole tree is not taken over; list its files',
};
const OWNED = ['path', 'overwrite', 'mode', 'user', 'group'] as const;

type StorageSections = Required<Pick<Sections, 'files' | 'directories' | 'links'>>;

/** Files, directories and links; partitions and file systems are refused by name. */
export function readStorage(storage: Cursor, dialect: Dialect): StorageSections {
  const { files, directories, links } = storage.fields(['files', 'directories', 'links'], BEYOND);
  const { source } = storage;
  return {
    files: files?.items().flatMap((at) => source.whole(() => readFile(at, dialect))) ?? [],
    directories: directories?.items().flatMap((at) => source.whole(() => readDirectory(at, dialect))) ?? [],
    links: links?.items().flatMap((at) => source.whole(() => readLink(at))) ?? [],
  };
}

function readFile(at: Cursor, dialect: Dialect) {
  const fields = at.fields([...OWNED, 'contents'], {
    append: 'adding to a file that others write is not possible; give the whole file, or a drop-in',
    parent: 'give the folder as a directory of its own',
  });
  const path = pathOf(at, fields.path);
  if (fields.contents === undefined) {
    return at.refuse('leaves the content as it is; give contents (an empty file has the source "data:,")');
  }
  const bytes = bytesOf(fields.contents, dialect);
  const file = {
    path,
    ...(bytes && contentFields(bytes)),
    ...modeOf(fields.mode, dialect),
    ...ownersOf(fields),
  };
  return bytes && checked(at, { files: [file] })?.files[0];
}

function readDirectory(at: Cursor, dialect: Dialect) {
  const fields = at.fields(OWNED, { parent: 'give the folder above as a directory of its own' });
  const { allowSpecialBits, mode } = modeOf(fields.mode, dialect);
  if (allowSpecialBits) return fields.mode?.refuse(`${mode}: a directory's special bits are not taken over`);
  const directory = {
    path: pathOf(at, fields.path),
    ...(mode !== undefined && { mode }),
    ...ownersOf(fields),
  };
  return checked(at, { directories: [directory] })?.directories[0];
}

function readLink(at: Cursor) {
  const fields = at.fields(['path', 'target', 'hard', 'overwrite', 'user', 'group']);
  if (fields.hard?.flag()) fields.hard.refuse('hard links are not made; give a symbolic link or a file');
  for (const [key, owner] of Object.entries(ownersOf(fields))) {
    if (owner !== 'root') fields[key as 'user' | 'group']?.refuse('links belong to root here');
  }
  const target = fields.target?.text();
  if (target === undefined) return at.refuse('has no target');
  return checked(at, { links: [{ path: pathOf(at, fields.path), target }] })?.links[0];
}

function pathOf(at: Cursor, path: Cursor | undefined): string {
  return path?.text() ?? at.refuse('has no path') ?? '';
}

function modeOf(cursor: Cursor | undefined, { mode }: Dialect): Partial<Mode> {
  return (cursor && mode(cursor)) ?? {};
}

function ownersOf({ user, group }: { user?: Cursor; group?: Cursor }): { user?: string; group?: string } {
  return {
    ...(user !== undefined && { user: ownerOf(user) }),
    ...(group !== undefined && { group: ownerOf(group) }),
  };
}

function ownerOf(at: Cursor): string {
  const { id, name } = at.fields(['id', 'name']);
  return name?.text() ?? id?.text() ?? 'root';
}
