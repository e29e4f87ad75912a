import { z } from 'zod';
import { configProbe } from '#api/config-fields.ts';
import { configStatus } from '#api/node-config-state.ts';
import { actionStep } from '../actions/steps.ts';
import type { Meta } from '../journal/record.ts';
import { configRecord } from './config-record.ts';

const version = z.object({ hash: z.string(), rendered: z.string().optional() });

/** What is known of a change besides its files: goes with them through the journal, and stays with what is in force. */
export const changeMeta = z.object({
  /** Empty: all of careen's is removed. */
  hash: z.string(),
  rendered: z.string().optional(),
  generation: z.int().min(0),
  /** What was in force before. */
  previous: version.optional(),
  plan: configStatus.shape.plan.unwrap(),
  needs: z.enum(['None', 'Drain', 'Reboot']),
  /** Boot in which the files are changed; with `needs` Reboot, probes wait for another one. */
  bootID: z.string(),
  steps: z.array(actionStep),
  probes: z.array(configProbe),
  /** What held before the change, and must hold after it; restarts of units before it. */
  baseline: z.object({
    ready: z.boolean(),
    gateway: z.string().optional(),
    kubelet: z.boolean(),
    restarts: z.record(z.string(), z.number()),
  }),
  confirm: z.object({ timeoutMs: z.number(), settleMs: z.number() }),
  /** The record's, once the change counts. */
  units: configRecord.shape.units,
  sysctls: configRecord.shape.sysctls,
  kernelArguments: configRecord.shape.kernelArguments,
});
export type ChangeMeta = z.infer<typeof changeMeta>;

/** As the journal carries it. */
export function asMeta(meta: ChangeMeta): Meta {
  return JSON.parse(JSON.stringify(meta)) as Meta;
}
