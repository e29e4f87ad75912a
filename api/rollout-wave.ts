import { z } from 'zod';
import { countOrPercent, duration, instant, labelSelector, list, rule, shortName } from './fields.ts';

/** One step of a rollout, of a release or of a configuration. */
export const rolloutWave = rule(
  z.object({
    name: shortName.describe('Name of the wave, shown in status and reasons.'),
    size: countOrPercent
      .default('100%')
      .describe(
        "How many of the group's nodes the wave takes (of those that its selector matches); a percentage rounds up.",
      ),
    nodeSelector: labelSelector.optional().describe('Take only nodes with these labels into the wave.'),
    soak: duration
      .default('0s')
      .describe('How long the finished wave is watched before the next one begins.'),
  }),
  {
    cel: "self.name != 'rest'",
    message: "'rest' names the wave of the nodes that no wave takes; give the wave another name",
    test: ({ name }) => name !== 'rest',
  },
);

/** How far the waves of a rollout have come, in order. */
export const waveStatuses = list(
  z.object({
    name: z.string().max(63).describe('Name of the wave.'),
    nodes: z.int().min(0).describe('Nodes in the wave.'),
    done: z.int().min(0).describe('Nodes of the wave that have come to an end.'),
    doneAt: instant.optional().describe('When its last node came to an end; the soak counts from here.'),
  }),
  17,
);
