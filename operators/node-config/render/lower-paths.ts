import type { NodeConfigSpec } from '#api/node-config.ts';
import { claim, type Owned, type PathValue } from './claims.ts';
import type { Claim } from './claim.ts';
import { contentOf } from './content.ts';
import { dropinPath, HOSTNAME_FILE, keysPath, MODULES_FILE, SYSCTL_FILE } from './generated-paths.ts';
import { TIMEZONE_LINK, unitPath, zoneTarget } from './generated-paths.ts';
import type { Lookup, Problem } from './rendered.ts';
import { isMask } from './unit-paths.ts';

type PathClaim = Claim<PathValue>;
type File = NodeConfigSpec['files'][number];

/** Every path that a NodeConfig wants something at, through whatever section. */
export function lowerPaths(from: Owned, configMaps: Lookup, problems: Problem[]): PathClaim[] {
  return [
    ...from.spec.files.flatMap((file) => lowerFile(from, file, configMaps, problems)),
    ...from.spec.directories.map((directory) => lowerDirectory(from, directory)),
    ...from.spec.links.filter((link) => !isMask(link)).map((link) => lowerLink(from, link)),
    ...from.spec.units.flatMap((unit) => lowerUnit(from, unit)),
    ...lowerSettings(from),
  ];
}

function lowerFile(from: Owned, file: File, configMaps: Lookup, problems: Problem[]): PathClaim[] {
  const found = contentOf(file, configMaps);
  const at = { config: from.owner, place: `files[${file.path}]` };
  if ('missing' in found) problems.push({ ...at, reason: 'SecretMissing', message: found.missing });
  if ('invalid' in found) problems.push({ ...at, reason: 'ConfigInvalid', message: found.invalid });
  if (!('content' in found)) return [];
  const sensitive = 'secret' in found.content ? { sensitive: true } : {};
  const { onRemove, drift = from.spec.drift } = file;
  const value = {
    kind: 'file' as const,
    content: found.content,
    ...sensitive,
    ...owned(file),
    onRemove,
    drift,
  };
  return [claim<PathValue>(from, file.path, value)];
}

function lowerDirectory(from: Owned, directory: NodeConfigSpec['directories'][number]): PathClaim {
  const { onRemove } = directory;
  return claim(from, directory.path, {
    kind: 'directory',
    ...owned(directory),
    onRemove,
    drift: from.spec.drift,
  });
}

function lowerLink(from: Owned, { path, target, onRemove }: NodeConfigSpec['links'][number]): PathClaim {
  return claim<PathValue>(from, path, { kind: 'link', target, onRemove, drift: from.spec.drift });
}

function lowerUnit(from: Owned, { name, contents, dropins }: NodeConfigSpec['units'][number]): PathClaim[] {
  const whole = contents === undefined ? [] : [textFile(from, unitPath(name), contents)];
  return [
    ...whole,
    ...dropins.map((dropin) => textFile(from, dropinPath(name, dropin.name), dropin.contents)),
  ];
}

function lowerSettings(from: Owned): PathClaim[] {
  const { hostname, timezone, sysctls, kernelModules, sshAuthorizedKeys } = from.spec;
  const claims: PathClaim[] = sshAuthorizedKeys.map(({ user }) =>
    claim(from, keysPath(user), { kind: 'keys', user }),
  );
  if (hostname !== undefined) claims.push(textFile(from, HOSTNAME_FILE, `${hostname}\n`));
  if (timezone !== undefined) {
    claims.push(lowerLink(from, { path: TIMEZONE_LINK, target: zoneTarget(timezone), onRemove: 'Restore' }));
  }
  if (Object.keys(sysctls).length > 0)
    claims.push(claim(from, SYSCTL_FILE, { kind: 'generated', section: 'sysctls' }));
  if (kernelModules.length > 0)
    claims.push(claim(from, MODULES_FILE, { kind: 'generated', section: 'kernelModules' }));
  return claims;
}

function textFile(from: Owned, path: string, text: string): PathClaim {
  return claim(from, path, {
    kind: 'file',
    content: { text },
    ...owned({ mode: '0644', user: 'root', group: 'root' }),
    onRemove: 'Restore',
    drift: from.spec.drift,
  });
}

/** Owner and mode in one spelling. */
function owned({ mode, user, group }: Pick<File, 'mode' | 'user' | 'group'>) {
  return { mode: mode.padStart(4, '0'), user: accountOf(user), group: accountOf(group) };
}

/** Number 0 is root on every Linux. */
function accountOf(name: string): string {
  if (!/^[0-9]+$/.test(name)) return name;
  return /^0+$/.test(name) ? 'root' : name.replace(/^0+/, '');
}
