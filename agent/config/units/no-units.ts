import { ConfigError } from '../config-error.ts';
import type { Units } from './units.ts';

function refuse(): Promise<never> {
  const message = 'this host has no systemd that the agent can reach: it can have files, but no units';
  return Promise.reject(new ConfigError('Unsupported', message));
}

/** For a machine without systemd. */
export const noUnits: Units = {
  facts: (names) => (names.length === 0 ? Promise.resolve([]) : refuse()),
  reload: () => Promise.resolve(),
  enable: refuse,
  disable: refuse,
  job: refuse,
};
