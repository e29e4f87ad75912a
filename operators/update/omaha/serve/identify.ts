import { isIP } from 'node:net';
import { architectureOf } from '../protocol/architecture.ts';
import { canonicalApp } from '../protocol/app-id.ts';
import type { OmahaApp, OmahaOs } from '../protocol/request.ts';
import { isSemanticVersion } from '../protocol/semantic-version.ts';
import type { MachineKey, Sighting } from '../store/machine.ts';

/** A machine as one app of its request describes it; its group is not known yet. */
export interface Identity {
  key: MachineKey;
  sighting: Omit<Sighting, 'group'>;
}

/** As long as Nebraska's column was. */
const MAX_ID = 50;

/** Of what is kept for people to read. */
const MAX_TEXT = 128;

/** Who asks; undefined when its id, its version or its address cannot be one. */
export function identify(app: OmahaApp, os: OmahaOs | undefined, address: string): Identity | undefined {
  const { machineID = '', version } = app;
  if (machineID === '' || Array.from(machineID).length > MAX_ID) return undefined;
  if (!isSemanticVersion(version) || isIP(address) === 0) return undefined;
  return {
    key: { app: canonicalApp(app.appID ?? ''), id: machineID },
    sighting: {
      version,
      track: text(app.track) ?? '',
      arch: architectureOf(app, os),
      board: text(app.board),
      oem: text(app.oem),
      oemVersion: text(app.oemVersion),
      alias: text(app.machineAlias),
      alephVersion: text(app.alephVersion),
      bootID: text(app.bootID),
      address,
    },
  };
}

function text(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value.slice(0, MAX_TEXT);
}
