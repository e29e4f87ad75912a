import type { Verdict } from '#api/reasons.ts';
import { matches } from '#api/selector.ts';
import { canonicalApp } from '../protocol/app-id.ts';
import { trackName } from '../protocol/track.ts';
import type { Service } from './service.ts';

/** What of a machine decides which group answers it. */
export interface Asker {
  /** Canonical. */
  app: string;
  track: string;
  labels: Readonly<Record<string, string>>;
  /** Set for a machine that is a node of the cluster. */
  node?: ClusterNode | undefined;
}

export interface ClusterNode {
  name: string;
  labels: Readonly<Record<string, string>>;
  /** The group that it is in; undefined: in none, or several tie over it. */
  group: string | undefined;
  /** Its agent switches its slots itself. */
  hasAgent: boolean;
}

/** `unknown`: no group answers for such an app or track. `held`: the machine is to wait. */
export type Choice =
  | { service: Service; held?: undefined; unknown?: undefined }
  | { service?: undefined; held: Verdict; unknown?: undefined }
  | { service?: undefined; held?: undefined; unknown: true };

/**
 * The group that answers a machine. A node of the cluster is in the group that its labels say, whatever track it
 * names; any other machine in the one of highest priority that has its app, its track and its labels.
 */
export function chooseService(services: readonly Service[], asker: Asker): Choice {
  const ofApp = services.filter(({ omaha }) => appOf(omaha) === asker.app);
  if (asker.node !== undefined) return ofNode(ofApp, asker.node);
  const matching = ofApp.filter((service) => answers(service, asker));
  const highest = Math.max(...matching.map(({ priority }) => priority));
  const [service, ...others] = matching.filter(({ priority }) => priority === highest);
  if (service === undefined) return { unknown: true };
  if (others.length === 0) return { service };
  const names = [service, ...others].map(({ group }) => group).toSorted();
  const message = `groups ${names.join(' and ')} answer this machine with equal priority; change a selector or a priority`;
  return { held: { reason: 'GroupConflict', message } };
}

/** Every request asks it of every group, so it is reckoned once for each that was read. */
function appOf(omaha: Service['omaha']): string {
  const known = APPS.get(omaha);
  if (known !== undefined) return known;
  const app = canonicalApp(omaha.appID);
  APPS.set(omaha, app);
  return app;
}

const APPS = new WeakMap<Service['omaha'], string>();

function ofNode(services: readonly Service[], node: ClusterNode): Choice {
  const service = services.find(({ group }) => group === node.group);
  if (node.hasAgent) {
    return { held: { reason: 'AgentUpdates', message: `node ${node.name} is updated by its careen agent` } };
  }
  if (service !== undefined) return { service };
  const message = `node ${node.name} is in no group that offers this app over Omaha`;
  return { held: { reason: 'NoGroup', message } };
}

function answers({ omaha }: Service, { track, labels }: Asker): boolean {
  if (!omaha.tracks.includes(track) && !omaha.tracks.includes(trackName(track))) return false;
  return matches(omaha.machineSelector, labels);
}
