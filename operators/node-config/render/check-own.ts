import { authorizedKey } from './authorized-key.ts';
import type { Lowered, Owned } from './claims.ts';
import { checkText } from './check-text.ts';
import { checkHostname } from './hostname.ts';
import { merge } from './merge.ts';
import type { Problem } from './rendered.ts';
import { checkUnits } from './check-units.ts';

type Found = Omit<Problem, 'config' | 'reason'>;

/** All that is wrong with one NodeConfig by itself, so that no set with it can be rendered. */
export function checkOwn(from: Owned, { claims }: Lowered): Problem[] {
  const contradictions = merge([claims]).conflicts.map(({ what }) => ({
    place: what,
    message: 'the config wants two different things; keep one of them',
  }));
  const found: Found[] = [
    ...contradictions,
    ...checkText(from.spec),
    ...checkUnits(from.spec),
    ...checkZone(from),
    ...checkKeys(from),
    ...checkValidate(
      from,
      claims.paths.map(({ key }) => key),
    ),
    ...(from.spec.hostname === undefined ? [] : checkHostname(from.spec.hostname)),
  ];
  return found.map((one) => ({ config: from.owner, reason: 'ConfigInvalid', ...one }));
}

function checkZone({ spec: { timezone } }: Owned): Found[] {
  if (timezone === undefined) return [];
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(timezone);
    return [];
  } catch {
    return [
      { place: 'timezone', message: `"${timezone}" is unknown; use an IANA name such as Europe/Berlin` },
    ];
  }
}

function checkKeys({ spec }: Owned): Found[] {
  return spec.sshAuthorizedKeys.flatMap(({ user, keys }) =>
    keys.flatMap((line, index) => {
      if (authorizedKey(line) !== undefined) return [];
      const message = 'is no public key; give a line of authorized_keys, such as "ssh-ed25519 AAAA… name"';
      return [{ place: `sshAuthorizedKeys[${user}].keys[${index}]`, message }];
    }),
  );
}

function checkValidate({ spec }: Owned, paths: readonly string[]): Found[] {
  return spec.validate.flatMap(({ path }) =>
    paths.includes(path) ? [] : [{ place: `validate[${path}]`, message: 'is no file of this config' }],
  );
}
