import type { Cursor } from '../cursor.ts';
import { checked, type Sections } from '../spec.ts';
import type { Dialect } from './dialect.ts';
import { readPasswd } from './passwd.ts';
import { readStorage } from './storage.ts';
import { readSystemd } from './systemd.ts';

const FETCHES = 'nothing is fetched later; it only concerns the first boot';
const HEAD = {
  config: 'refers to another document; give the merged one',
  timeouts: FETCHES,
  security: FETCHES,
  proxy: FETCHES,
};

const SECTIONS = ['storage', 'systemd', 'passwd', 'kernelArguments'] as const;

/** An Ignition 3.x document (https://coreos.github.io/ignition/specs/), 3.0.0 to 3.6.0. */
export function readIgnition(document: Cursor, dialect: Dialect): Sections {
  const { ignition, ...sections } = document.fields(['ignition', ...SECTIONS]);
  if (ignition === undefined) return document.refuse('has no ignition.version; is it Ignition?') ?? {};
  const { version } = ignition.fields(['version'], HEAD);
  const text = version?.text() ?? '';
  if (!/^3\.[0-6]\.0$/.test(text)) {
    return (version ?? ignition).refuse(`version "${text}" is not read; there are 3.0.0 to 3.6.0`) ?? {};
  }
  return readSections(sections, dialect);
}

export type SectionCursors = { [K in (typeof SECTIONS)[number]]?: Cursor };

/** What Ignition and Butane have in common. */
export function readSections(
  { storage, systemd, passwd, kernelArguments }: SectionCursors,
  dialect: Dialect,
): Sections {
  return {
    ...(storage && readStorage(storage, dialect)),
    ...(systemd && { units: readSystemd(systemd, dialect) }),
    ...(passwd && { sshAuthorizedKeys: readPasswd(passwd, dialect) }),
    ...(kernelArguments && { kernelArguments: readKernelArguments(kernelArguments) }),
  };
}

function readKernelArguments(at: Cursor): NonNullable<Sections['kernelArguments']> {
  const { shouldExist, shouldNotExist } = at.fields(['shouldExist', 'shouldNotExist']);
  return {
    ...(shouldExist && { add: argumentList(shouldExist) }),
    ...(shouldNotExist && { remove: argumentList(shouldNotExist) }),
  };
}

/** Each once. An item may hold several, such as "hugepagesz=1G hugepages=4". */
export function argumentList(list: Cursor): string[] {
  const all = list.items().flatMap((item) => {
    const found = (item.text() ?? '').split(/\s+/).filter((argument) => argument !== '');
    return checked(item, { kernelArguments: { add: [...new Set(found)] } })?.kernelArguments.add ?? [];
  });
  return [...new Set(all)];
}
