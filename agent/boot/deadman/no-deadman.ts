import type { Deadman } from '../host.ts';

/** For a machine that is not rebooted through systemd. */
export const noDeadman: Deadman = {
  arm: async () => undefined,
  disarm: async () => undefined,
};
