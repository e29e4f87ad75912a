import type { PodContainer } from './pod.ts';

/** Files of the programs that containers really run, by name: `agent` for `["node", …, "/app/agent.mjs"]`. */
export type Programs = Readonly<Record<string, string>>;

/** One of careen's programs in a container. */
export interface Program {
  name: string;
  /** Flags of Node itself, before the file. */
  nodeFlags: readonly string[];
}

/** The program of careen's that a container runs; undefined for containers that are only simulated. */
export function programOf(container: PodContainer): Program | undefined {
  const [command, ...rest] = container.command ?? [];
  const name = /^\/app\/([\w-]+)\.mjs$/u.exec(rest.at(-1) ?? '')?.[1];
  if (command !== 'node' || name === undefined) return undefined;
  return { name, nodeFlags: rest.slice(0, -1) };
}
