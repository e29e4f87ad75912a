import { z } from 'zod';
import { list } from './fields.ts';

/**
 * What a set of NodeConfigs comes to, before the values of a node and the bytes of secrets are filled in. Named
 * `rendered-<first 40 hex digits of the SHA-256 of spec.document>`. Kept while a node has it as desired, in force or
 * last good. For people and for going back; agents do not read it.
 */
export const renderedConfigSpec = z.object({
  document: z
    .string()
    .max(1_000_000)
    .describe('The document as canonical JSON; `kubectl careen config render` shows it as YAML.'),
  sources: list(
    z.object({
      name: z.string().max(253).describe('Name of the NodeConfig.'),
      uid: z.string().max(64).describe('Its UID.'),
      generation: z.int().min(0).describe('Its generation when it was rendered.'),
      hash: z.string().max(64).describe('SHA-256 of what it says, in hex.'),
      spec: z
        .string()
        .max(600_000)
        .optional()
        .describe(
          'Its spec as canonical JSON, for going back; absent where the object would grow too large.',
        ),
    }),
    64,
  ).describe('The NodeConfigs that it was made of, by name.'),
});

export const renderedConfigStatus = z.object({
  nodes: z.int().min(0).optional().describe('Nodes that have it as desired, in force or last good.'),
});

export type RenderedConfigSpec = z.infer<typeof renderedConfigSpec>;
export type RenderedConfigStatus = z.infer<typeof renderedConfigStatus>;
