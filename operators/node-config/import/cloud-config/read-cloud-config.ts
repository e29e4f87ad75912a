import { isHostname } from '../../render/hostname.ts';
import type { Cursor } from '../cursor.ts';
import { keysOf } from '../ignition/passwd.ts';
import type { Sections } from '../spec.ts';
import { readReboots, type Reboots } from './reboots.ts';
import { readUnits } from './units.ts';
import { readWriteFiles } from './write-files.ts';

const ETCD = 'is not needed: the state is in the API server';
const COREOS_BEYOND = {
  etcd: ETCD,
  etcd2: ETCD,
  fleet: 'is what Kubernetes does; run it as a Deployment or DaemonSet',
  flannel: 'is what the cluster network does',
  oem: 'belongs to the image of the machine',
};
const ACCOUNT = 'accounts are made when the machine is installed; only their ssh keys are taken over';
const USER_BEYOND = Object.fromEntries(
  [
    'passwd',
    'gecos',
    'homedir',
    'no_create_home',
    'primary_group',
    'groups',
    'no_user_group',
    'no_log_init',
    'shell',
    'system',
    'coreos_ssh_import_github',
    'coreos_ssh_import_github_users',
    'coreos_ssh_import_url',
  ].map((field) => [field, field.startsWith('coreos_ssh') ? 'keys are not fetched; give them' : ACCOUNT]),
);

const SECTIONS = ['ssh_authorized_keys', 'hostname', 'users', 'write_files', 'coreos'] as const;

/** Keys may be written with dashes or underscores. */
export const underscored = (key: string): string => key.replaceAll('-', '_');

/** A cloud-config of CoreOS Container Linux, as coreos-cloudinit read it at every boot. */
export function readCloudConfig(document: Cursor): { sections: Sections; reboots: Reboots } {
  const {
    ssh_authorized_keys: keys,
    hostname,
    users,
    write_files: files,
    coreos,
  } = document.fields(SECTIONS, {
    manage_etc_hosts: 'give /etc/hosts as a file',
  });
  const { units, update, locksmith } = coreos?.fields(['units', 'update', 'locksmith'], COREOS_BEYOND) ?? {};
  const { source } = document;
  return {
    sections: {
      ...(files && { files: files.items().flatMap((at) => source.whole(() => readWriteFiles(at))) }),
      ...(units && { units: units.items().flatMap((at) => source.whole(() => readUnits(at))) }),
      sshAuthorizedKeys: merged([
        ...(keys ? readKeys(keys, 'core') : []),
        ...(users?.items().flatMap(readUser) ?? []),
      ]),
      ...(hostname && readHostname(hostname)),
    },
    reboots: readReboots(update, locksmith),
  };
}

type Keys = NonNullable<Sections['sshAuthorizedKeys']>;

function readKeys(list: Cursor, user: string): Keys {
  return keysOf(
    list,
    user,
    list.items().map((key) => key.text() ?? ''),
  );
}

function readUser(at: Cursor): Keys {
  const { name, ssh_authorized_keys: keys } = at.fields(['name', 'ssh_authorized_keys'], USER_BEYOND);
  const user = name?.text();
  if (user === undefined) return at.refuse('has no name') ?? [];
  return keys === undefined ? [] : readKeys(keys, user);
}

/** `core` may be given keys at the top and among the users. */
function merged(all: Keys): Keys {
  return [...Map.groupBy(all, ({ user }) => user)].map(([user, of]) => ({
    user,
    keys: [...new Set(of.flatMap(({ keys }) => keys))],
  }));
}

function readHostname(at: Cursor): Pick<Sections, 'hostname'> {
  const name = at.text() ?? '';
  return isHostname(name) ? { hostname: name } : (at.refuse('is no host name') ?? {});
}
