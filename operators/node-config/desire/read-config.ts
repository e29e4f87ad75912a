import type { NodeConfig } from '#api/kinds.ts';
import { labelSelector } from '#api/fields.ts';
import { nodeConfigSpec } from '#api/node-config.ts';
import { matches } from '#api/selector.ts';

/** A NodeConfig with all defaults, or, in a sentence, what must be mended in it. */
export type Reading = { config: NodeConfig; invalid?: undefined } | { config: NodeConfig; invalid: string };

interface Kept {
  key: string;
  reading: Reading;
}

/** Reads NodeConfigs, each again only when it was changed. */
export class ConfigReader {
  #kept = new Map<string, Kept>();

  read(configs: readonly NodeConfig[]): Reading[] {
    const next = new Map(
      configs.map((config) => {
        const { name, uid, generation } = config.metadata;
        const key = `${uid} ${generation}`;
        const kept = this.#kept.get(name);
        const reading =
          kept?.key === key
            ? { ...kept.reading, config: restatus(kept.reading, config) }
            : readConfig(config);
        return [name, { key, reading }];
      }),
    );
    this.#kept = next;
    return [...next.values()].map(({ reading }) => reading);
  }
}

function restatus({ config: { spec } }: Reading, now: NodeConfig): NodeConfig {
  return { ...now, spec };
}

function readConfig(config: NodeConfig): Reading {
  const parsed = nodeConfigSpec.safeParse(config.spec);
  if (parsed.success) return { config: { ...config, spec: parsed.data } };
  const issue = parsed.error.issues[0];
  return { config, invalid: `spec.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not valid'}` };
}

/** Whether a config that cannot be read may be meant for a node: one whose selector cannot be read either is. */
export function mayMean({ spec }: NodeConfig, labels: Record<string, string> | undefined): boolean {
  const selector = labelSelector.safeParse((spec as { nodeSelector?: unknown } | undefined)?.nodeSelector);
  return !selector.success || matches(selector.data, labels);
}
