import { CORDON_ANNOTATION, resourcePath } from '#api/group.ts';
import type { NodeState, RebootLock } from '#api/kinds.ts';
import type { KubeObject, Node } from '#api/meta.ts';
import { isKubeError } from '#runtime/client/error.ts';
import type { LeaveOptions } from '#operators/leave/leave-command.ts';
import type { Cluster, Version } from '../cluster/cluster.ts';
import { kubeCluster } from '../cluster/kube-cluster.ts';
import { belongings, type Belonging, type Estate } from './belongings.ts';

const PARALLEL = 8;

/**
 * Takes back everything of careen's in the cluster until a look at all of it finds nothing more. May be ended at any
 * point and run again. Conditions
 * that it has no right to remove are told of and stay.
 */
export async function leave(options: LeaveOptions): Promise<void> {
  const cluster = kubeCluster(options.client, options.signal);
  const refused = new Set<string>();
  for (;;) {
    const left = belongings(await estate(options)).filter((one) => !refused.has(keyOf(one)));
    if (left.length === 0) return;
    // Grants first: a node must not accept one after it was uncordoned.
    const first = left.filter(({ what }) => what === 'reboot');
    const now = first.length > 0 ? first : left;
    for (let from = 0; from < now.length; from += PARALLEL) {
      const batch = now.slice(from, from + PARALLEL);
      await Promise.all(batch.map((one) => takeBack(one, cluster, options, refused)));
    }
  }
}

async function estate({ client, signal }: LeaveOptions): Promise<Estate> {
  const [nodes, states, locks] = await Promise.all([
    client.list<Node>('/api/v1/nodes', undefined, { signal, strip: bare }),
    client.list<NodeState>(resourcePath('NodeState'), undefined, { signal }),
    client.list<RebootLock>(resourcePath('RebootLock'), undefined, { signal }),
  ]);
  return { nodes: nodes.items, states: states.items, locks: locks.items };
}

/** A Node carries kilobytes of image names that are of no interest here. */
function bare({ metadata, spec, status }: Node): Node {
  return { metadata, spec: spec ?? {}, status: { conditions: status?.conditions ?? [] } };
}

async function takeBack(
  one: Belonging,
  cluster: Cluster,
  { say }: LeaveOptions,
  refused: Set<string>,
): Promise<void> {
  try {
    say(await carryOut(one, cluster));
  } catch (error) {
    // Changed or gone since it was read: the next look tells.
    if (isKubeError(error, 'Conflict') || isKubeError(error, 'NotFound')) return;
    if (one.what !== 'conditions' || !isKubeError(error, 'Forbidden')) throw error;
    refused.add(keyOf(one));
    say(`${one.node.metadata.name}: conditions with a reason Careen… stay: ${error.message}`);
  }
}

/** Answers what was done, for people. */
async function carryOut(one: Belonging, cluster: Cluster): Promise<string> {
  switch (one.what) {
    case 'reboot':
      await cluster.applyReboot(versionOf(one.state), {});
      return `${one.state.metadata.name}: ${one.grant ? 'grant withdrawn' : 'what was told to it taken back'}`;
    case 'cordon':
      await cluster.patchNode(versionOf(one.node), one.stays ? undefined : null, {
        [CORDON_ANNOTATION]: null,
      });
      return `${one.node.metadata.name}: ${cordonWords(one)}`;
    case 'conditions':
      await cluster.applyConditions(versionOf(one.node), []);
      return `${one.node.metadata.name}: conditions removed`;
    case 'places':
      await cluster.writeLock(versionOf(one.lock), {
        holders: one.kept,
        held: one.kept.map(({ id }) => id).join(' '),
      });
      return `RebootLock ${one.lock.metadata.name}: given back the places of ${one.given.join(', ')}`;
  }
}

function cordonWords({ stays, rebooting }: Extract<Belonging, { what: 'cordon' }>): string {
  if (stays) return 'mark removed; it stays cordoned, as its annotation careen.dev/keep-cordoned asks';
  return rebooting ? 'uncordoned, although it reboots: its agent has accepted the grant' : 'uncordoned';
}

function versionOf({ metadata: { name, uid = '', resourceVersion = '' } }: KubeObject): Version {
  return { name, uid, resourceVersion };
}

function keyOf(one: Belonging): string {
  const object = 'node' in one ? one.node : 'state' in one ? one.state : one.lock;
  return `${one.what} ${object.metadata.name}`;
}
