import { ConfigError } from '../config-error.ts';
import type { Units } from './units.ts';

function refuse(): Promise<never> {
  const message = 'this host has no systemd that the agent can reach: it can have files, but no units';
  return Promise.reject(new ConfigError('Unsupported', message));
}

/** For a machine without systemd: no unit exists, and what does not run need not be restarted. */
export const noUnits: Units = {
  facts: async (names) =>
    names.map((name) => ({ name, exists: false, enablement: '', active: 'inactive', restarts: 0 })),
  reload: async () => undefined,
  enable: refuse,
  disable: refuse,
  job: (job) => (job === 'start' ? refuse() : Promise.resolve()),
};
