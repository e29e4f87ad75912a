import { claim, type Claims, type KeyClaim, type Owned } from './claims.ts';
import type { Claim } from './claim.ts';
import { authorizedKey } from './authorized-key.ts';
import { argumentName, isRepeated } from './kernel-argument.ts';
import { sysctlKey, sysctlValue } from '#api/sysctl-name.ts';

type SettingClaims = Omit<Claims, 'paths' | 'units' | 'masked' | 'enabled' | 'states'>;

/** What a NodeConfig wants of anything but paths and units. */
export function lowerSettings(from: Owned): SettingClaims {
  const { sysctls, kernelModules, drift, validate, probes } = from.spec;
  return {
    sysctls: Object.entries(sysctls).map(([name, value]) => ({
      ...claim(from, sysctlKey(name), sysctlValue(value)),
      drift,
    })),
    modules: kernelModules.map((name) => ({ ...claim<true>(from, name.replaceAll('-', '_'), true), drift })),
    arguments: lowerArguments(from),
    argumentLists: lowerArgumentLists(from),
    keys: lowerKeys(from),
    validate: validate.map(({ path, argv }) => claim(from, path, argv)),
    probes: probes.map((probe) => claim(from, probe.name, probe)),
  };
}

function lowerArguments(from: Owned): Claim<'add' | 'remove'>[] {
  const { add, remove } = from.spec.kernelArguments;
  return [
    ...add.map((argument) => claim<'add' | 'remove'>(from, argument, 'add')),
    ...remove.map((argument) => claim<'add' | 'remove'>(from, argument, 'remove')),
  ];
}

/** `mitigations=auto` of one config and `mitigations=off` of another are two wishes for one thing. */
function lowerArgumentLists(from: Owned): Claim<string[]>[] {
  const valued = from.spec.kernelArguments.add.filter((one) => one.includes('=') && !isRepeated(one));
  return [...Map.groupBy(valued, argumentName)].map(([name, list]) => claim(from, name, list));
}

function lowerKeys(from: Owned): KeyClaim[] {
  return from.spec.sshAuthorizedKeys.flatMap(({ user, keys }) =>
    keys.flatMap((line) => {
      const key = authorizedKey(line);
      if (key === undefined) return [];
      const about = { user, line: line.trim(), drift: from.spec.drift };
      return [{ ...claim(from, `${user} ${key.blob}`, `${key.options} ${key.type}`), ...about }];
    }),
  );
}
