import type { Cursor } from '../cursor.ts';
import { checked, type Sections } from '../spec.ts';
import type { Dialect } from './dialect.ts';

type Keys = NonNullable<Sections['sshAuthorizedKeys']>;

const ACCOUNT = 'accounts are made when the machine is installed; only their ssh keys are taken over';
const BEYOND = Object.fromEntries(
  [
    'passwordHash',
    'uid',
    'gecos',
    'homeDir',
    'noCreateHome',
    'primaryGroup',
    'groups',
    'noUserGroup',
    'noLogInit',
    'shell',
    'shouldExist',
    'system',
  ].map((field) => [field, ACCOUNT]),
);

/** Who may log in; all else of an account is refused by name. */
export function readPasswd(passwd: Cursor, dialect: Dialect): Keys {
  const { users } = passwd.fields(['users'], { groups: ACCOUNT });
  return users?.items().flatMap((at) => readUser(at, dialect)) ?? [];
}

function readUser(at: Cursor, dialect: Dialect): Keys {
  const locals = dialect.sources.includes('local') ? (['sshAuthorizedKeysLocal'] as const) : [];
  const { name, sshAuthorizedKeys, sshAuthorizedKeysLocal } = at.fields(
    ['name', 'sshAuthorizedKeys', ...locals],
    BEYOND,
  );
  const user = name?.text();
  if (user === undefined) return at.refuse('has no name') ?? [];
  const keys = [
    ...(sshAuthorizedKeys?.items().map((key) => key.text() ?? '') ?? []),
    ...(sshAuthorizedKeysLocal?.items().flatMap((path) => localKeys(path, dialect)) ?? []),
  ];
  return keys.length === 0 ? [] : keysOf(at, user, keys);
}

/** Keys of one user, each once. */
export function keysOf(at: Cursor, user: string, keys: readonly string[]): Keys {
  const distinct = [...new Set(keys.map((key) => key.trim()))];
  return checked(at, { sshAuthorizedKeys: [{ user, keys: distinct }] })?.sshAuthorizedKeys ?? [];
}

/** Lines of authorized_keys, without comments. */
function localKeys(at: Cursor, { local }: Dialect): string[] {
  const path = at.text() ?? '';
  const bytes = local(path);
  if (bytes === undefined) {
    at.refuse(`the file ${path} is not there; name its folder with --files-dir`);
    return [];
  }
  const lines = Buffer.from(bytes).toString('utf8').split('\n');
  return lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
}
