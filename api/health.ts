import { z } from 'zod';
import { duration, list, listMap, rule, shortName } from './fields.ts';

/** What a node can be asked, whatever the question is for. */
export const hostChecks = {
  nodeReady: z.object({}).optional().describe('The kubelet reports the Node Ready.'),
  http: z
    .object({
      port: z.int().min(1).max(65_535).describe('TCP port.'),
      path: z.string().min(1).max(1024).regex(/^\//).default('/').describe('Path, from its slash on.'),
      scheme: z
        .enum(['http', 'https'])
        .default('http')
        .describe('https does not check the certificate: the host is the node itself.'),
    })
    .optional()
    .describe("A GET on the node's own loopback address answers with 200 to 399."),
  command: z
    .object({
      argv: list(z.string().max(4096), 64)
        .min(1)
        .describe('Program and arguments, run on the host; no shell.'),
    })
    .optional()
    .describe('A program on the host exits with 0.'),
};

const healthCheck = rule(
  z.object({
    name: shortName.describe('Name of the check, shown in status.'),
    ...hostChecks,
    timeout: duration.default('10s').describe('How long one attempt may take.'),
  }),
  {
    cel: '(has(self.nodeReady) ? 1 : 0) + (has(self.http) ? 1 : 0) + (has(self.command) ? 1 : 0) == 1',
    message: 'give exactly one of nodeReady, http or command',
    test: ({ nodeReady, http, command }) =>
      [nodeReady, http, command].filter((kind) => kind !== undefined).length === 1,
  },
);

/** What a node must pass after it booted a new version, before that version is marked good. */
export const healthGate = z.object({
  deadline: duration
    .default('10m')
    .describe('How long after the boot all checks may take to pass; then the node goes back.'),
  checks: listMap(healthCheck, ['name'], 16)
    .default([{ name: 'node-ready', nodeReady: {}, timeout: '10s' }])
    .describe('All must pass at the same time.'),
});
export type HealthGate = z.infer<typeof healthGate>;
export type HealthCheck = z.infer<typeof healthCheck>;
