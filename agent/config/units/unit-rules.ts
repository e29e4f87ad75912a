import type { ConfigDocument } from '#api/config-document.ts';
import { ConfigError } from '../config-error.ts';

/** Without these the node leaves the cluster, or nobody could ask its systemd for anything any more. */
const CRITICAL =
  /^(kubelet|containerd|crio|cri-docker|docker|k3s|k3s-agent|rke2-server|rke2-agent|dbus|dbus-broker|systemd-networkd|systemd-logind|NetworkManager)\.(service|socket)$/;
/** Careen's own, which take the node back when nobody else does. */
const OWN = /^careen-/;

/** What the machine's own policy says of units (agent/config/paths/local-policy.ts). */
export interface UnitPolicy {
  units: { deny: readonly string[] };
  allowCritical: boolean;
}

export function isCriticalUnit(name: string): boolean {
  return CRITICAL.test(name);
}

/** Refuses units that a configuration must not touch. Throws `CriticalRefused` or `PolicyRefused`. */
export function checkUnits(
  { units, disruption }: Pick<ConfigDocument, 'units' | 'disruption'>,
  policy: UnitPolicy,
): void {
  const meant = new Set(units.filter(({ critical }) => critical === true).map(({ name }) => name));
  const named = disruption.flatMap(({ unit }) => unit ?? []);
  for (const name of new Set([...units.map((unit) => unit.name), ...named])) check(name, meant, policy);
  for (const { name, critical } of units) {
    if (critical === true || !isCriticalUnit(name)) continue;
    const message = `${name} keeps the node in the cluster; set allowCritical in the NodeConfig if you mean it`;
    throw new ConfigError('CriticalRefused', message);
  }
}

function check(name: string, meant: ReadonlySet<string>, { units, allowCritical }: UnitPolicy): void {
  if (OWN.test(name))
    throw new ConfigError('CriticalRefused', `${name} is careen's own: no configuration may touch it`);
  if (units.deny.some((pattern) => matchesGlob(name, pattern)))
    throw new ConfigError('PolicyRefused', `${name}: /etc/careen/policy.json on the node forbids it`);
  if (meant.has(name) && isCriticalUnit(name) && !allowCritical)
    throw new ConfigError(
      'PolicyRefused',
      `${name}: /etc/careen/policy.json on the node forbids critical units`,
    );
}

/** `*` stands for any characters. */
function matchesGlob(name: string, pattern: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('.*')}$`).test(name);
}
