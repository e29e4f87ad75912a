import type { Claim, Won } from './claim.ts';
import type { PathValue } from './claims.ts';
import { sysctlsIn } from '#api/sysctl-name.ts';

/** The settings that wanted files of /etc/sysctl.d make, as claims of the files' owners. */
export function claimsOfSysctlFiles(paths: ReadonlyMap<string, Won<PathValue>>): Claim<string>[] {
  return [...paths.values()].flatMap(({ key: path, value, from, priority, critical }) => {
    if (value.kind !== 'file' || !isSysctlFile(path) || !('text' in value.content)) return [];
    return [...sysctlsIn(value.content.text)].flatMap(([key, setting]) =>
      from.map((owner) => ({ key, value: setting, owner, priority, critical })),
    );
  });
}

function isSysctlFile(path: string): boolean {
  return path === '/etc/sysctl.conf' || /^\/etc\/sysctl\.d\/[^/]+\.conf$/.test(path);
}
