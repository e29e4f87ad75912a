import { ConfigError } from '../config-error.ts';
import type { Units } from './units.ts';

function refuse(): Promise<never> {
  const message = 'this host has no systemd that the agent can reach: it can have files, but no units';
  return Promise.reject(new ConfigError('Unsupported', message));
}

const NONE = {
  exists: false,
  enablement: '',
  active: 'inactive',
  restarts: 0,
  pending: false,
  ends: false,
};

/** For a machine without systemd: no unit exists, and what does not run need not be restarted. */
export const noUnits: Units = {
  facts: async (names) => names.map((name) => ({ name, ...NONE })),
  reload: async () => undefined,
  enable: refuse,
  disable: refuse,
  unmask: refuse,
  stopping: async () => false,
  watch: async () => ({ broken: false, close: () => undefined }),
  job: (job) => (job === 'start' ? refuse() : Promise.resolve()),
};
