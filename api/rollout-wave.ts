import { z } from 'zod';
import { countOrPercent, duration, labelSelector, shortName } from './fields.ts';

/** One step of a rollout, of a release or of a configuration. */
export const rolloutWave = z.object({
  name: shortName.describe('Name of the wave, shown in status and reasons.'),
  size: countOrPercent
    .default('100%')
    .describe(
      "How many of the group's nodes the wave takes (of those that its selector matches); a percentage rounds up.",
    ),
  nodeSelector: labelSelector.optional().describe('Take only nodes with these labels into the wave.'),
  soak: duration.default('0s').describe('How long the finished wave is watched before the next one begins.'),
});
