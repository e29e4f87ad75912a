import { PLURALS } from '#api/group.ts';
import { GROUP_PATH } from './parts.ts';
import type { Check } from './check.ts';

/** Every kind of careen is served. */
export const served: Check = async ({ client }) => {
  const { resources } = await client.get<{ resources: { name: string }[] }>(GROUP_PATH);
  const names = new Set(resources.map(({ name }) => name));
  const missing = Object.values(PLURALS).filter((plural) => !names.has(plural));
  if (missing.length > 0) return { unwell: `not served: ${missing.join(', ')}` };
  return { well: `${Object.keys(PLURALS).length} kinds are served` };
};
