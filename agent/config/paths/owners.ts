import { errnoOf } from '#agent/errno.ts';
import { ConfigError, configErrorOf } from '../config-error.ts';
import { Directory } from './directory.ts';
import type { HostTree } from './host-tree.ts';
import { readBytes } from './read-bytes.ts';

/** `files` of nsswitch.conf, and where image-based distributions keep what they ship (altfiles, usrfiles). */
const DIRECTORIES = ['/etc', '/usr/lib', '/usr/share/baselayout'];
const MAX_BYTES = 4 * 1024 * 1024;

/** The numbers that the host has for users and groups. */
export interface Owners {
  user: ReadonlyMap<string, number>;
  group: ReadonlyMap<string, number>;
}

/** Read from the host's files: the agent's own say nothing about it. */
export async function readOwners(tree: HostTree): Promise<Owners> {
  const groups = await lines(tree, 'group');
  return { user: numbersOf(await lines(tree, 'passwd')), group: numbersOf(groups) };
}

export interface Account {
  uid: number;
  /** Of the user's own group. */
  gid: number;
  home: string;
}

/** The users of the host by name. */
export async function readAccounts(tree: HostTree): Promise<ReadonlyMap<string, Account>> {
  const accounts = new Map<string, Account>();
  for (const [name, [, , uid, gid, , home = '']] of await lines(tree, 'passwd')) {
    accounts.set(name, { uid: Number(uid), gid: Number(gid), home });
  }
  return accounts;
}

async function lines(tree: HostTree, file: 'passwd' | 'group'): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const directory of DIRECTORIES) {
    for (const [name, fields] of parseLines(await textOf(tree, directory, file))) {
      if (!found.has(name)) found.set(name, fields);
    }
  }
  return found;
}

async function textOf(tree: HostTree, path: string, name: string): Promise<string> {
  try {
    await using directory = await Directory.open(tree, path);
    return (await readBytes(directory, name, MAX_BYTES)).bytes.toString('utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || error instanceof ConfigError) return '';
    throw configErrorOf(error, 'reading', `${path}/${name}`);
  }
}

/** Names and fields of `passwd(5)` or `group(5)`; the first of a name counts, as in glibc. */
export function parseLines(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const fields = line.split(':');
    const [name = '', , number = ''] = fields;
    // A name with + or - asks NIS.
    if (!/^[^#+-]/.test(name) || !/^[0-9]{1,10}$/.test(number) || found.has(name)) continue;
    found.set(name, fields);
  }
  return found;
}

function numbersOf(found: ReadonlyMap<string, string[]>): Map<string, number> {
  return new Map([...found].map(([name, [, , number]]) => [name, Number(number)]));
}

/** The number of an owner by name, or of one that is written as a number. Throws `UnknownOwner`. */
export function ownerNumber(owners: Owners, kind: 'user' | 'group', owner: string, path: string): number {
  const known = owners[kind].get(owner);
  if (known !== undefined) return known;
  if (/^(0|[1-9][0-9]{0,9})$/.test(owner) && Number(owner) < 0xffff_ffff) return Number(owner);
  const message = `${path} belongs to the ${kind} ${owner}, whom the node does not know: make the ${kind} first`;
  throw new ConfigError('UnknownOwner', message, { path });
}
