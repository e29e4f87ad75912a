import { z } from 'zod';
import { conditions, observedGeneration } from './conditions.ts';
import { countOrPercent, duration, instant, labelSelector, list, listMap, rule } from './fields.ts';
import { REBOOT_REASONS } from './reasons.ts';

export const rebootLockSpec = rule(
  z.object({
    nodeSelector: labelSelector.describe('Nodes that this lock covers; {} covers every node.'),
    maxUnavailable: countOrPercent
      .default(1)
      .describe(
        'How many covered nodes may be unavailable at once. A percentage rounds down, but never to 0 unless it is 0%. 0: nothing reboots.',
      ),
    topologyKey: z
      .string()
      .min(1)
      .max(316)
      .optional()
      .describe(
        'Node label whose every value has a semaphore of its own; nodes without the label share one.',
      ),
    maxDomains: z
      .int()
      .min(1)
      .max(1000)
      .optional()
      .describe(
        'How many values of topologyKey may have unavailable nodes at once: 1 is one zone at a time.',
      ),
    countExternal: z
      .boolean()
      .default(true)
      .describe('Count nodes that others made unavailable: cordoned, NotReady or gone silent.'),
    minSeparation: duration.optional().describe('Least time between two grants of this lock.'),
  }),
  {
    cel: '!has(self.maxDomains) || has(self.topologyKey)',
    message: 'maxDomains counts values of topologyKey; set topologyKey as well',
    test: ({ maxDomains, topologyKey }) => maxDomains === undefined || topologyKey !== undefined,
  },
);

/** One place in the semaphore, taken by compare-and-swap on the lock's status. */
export const holder = z.object({
  id: z.string().min(1).max(253).describe('Node name; later also the id of a machine outside the cluster.'),
  uid: z.string().max(64).describe('UID of the Node when the place was taken.'),
  bootID: z
    .string()
    .max(64)
    .describe('Boot ID of the node when the place was taken; another one is proof of a reboot.'),
  domain: z.string().max(63).optional().describe('Value of topologyKey when the place was taken.'),
  since: instant.describe('When the place was taken.'),
  reason: z.string().max(256).describe('What the node asked for, such as "update to 2.0.0".'),
  by: z.string().max(253).describe('Who took the place: the identity of the operator replica.'),
});
export type Holder = z.infer<typeof holder>;

export const rebootLockStatus = z.object({
  observedGeneration,
  max: z.int().min(0).optional().describe('maxUnavailable as a number, for the nodes covered now.'),
  covered: z.int().min(0).optional().describe('How many nodes the lock covers.'),
  holders: listMap(holder, ['id'], 10_000).optional().describe('Who holds a place.'),
  held: z
    .string()
    .max(1024)
    .optional()
    .describe('Names of the holders, for people: kubectl cannot show those of a list.'),
  lastGrant: instant.optional().describe('When a place was last taken; minSeparation counts from here.'),
  unavailable: list(
    z.object({
      node: z.string().max(253).describe('Name of the Node.'),
      why: z.string().max(256).describe('What makes it unavailable.'),
    }),
    32,
  )
    .optional()
    .describe('Covered nodes that count as unavailable without holding a place, at most 32 of them.'),
  waiting: list(
    z.object({
      node: z.string().max(253).describe('Name of the Node.'),
      reason: z.enum(REBOOT_REASONS).describe('A word for machines.'),
      message: z.string().max(1024).describe('A sentence for people.'),
      since: instant.describe('Since when it asks.'),
    }),
    32,
  )
    .optional()
    .describe('Nodes that ask for a place and why they do not have one, at most 32 of them, next first.'),
  waitingCount: z.int().min(0).optional().describe('How many nodes ask for a place.'),
  conditions,
});

export type RebootLockSpec = z.infer<typeof rebootLockSpec>;
export type RebootLockStatus = z.infer<typeof rebootLockStatus>;
