import { API_VERSION, GROUP_LABEL } from '#api/group.ts';
import type { NodeGroup, RebootLock } from '#api/kinds.ts';
import { CONTROL_PLANE_LABEL } from '#api/meta.ts';
import { CONTROL_PLANE_LOCK } from '../lock/lock.ts';

/** The RebootLock that a NodeGroup makes: its selector and its budget under its name, deleted with it. */
export function lockOfGroup({ metadata, spec }: NodeGroup) {
  return {
    apiVersion: API_VERSION,
    kind: 'RebootLock',
    metadata: {
      name: metadata.name,
      labels: { [GROUP_LABEL]: metadata.name },
      ownerReferences: [
        {
          apiVersion: API_VERSION,
          kind: 'NodeGroup',
          name: metadata.name,
          uid: metadata.uid ?? '',
          controller: true,
        },
      ],
    },
    spec: { nodeSelector: spec.nodeSelector, maxUnavailable: spec.reboot.maxUnavailable },
  };
}

/** The lock of all control-plane nodes: one at a time, whatever any other lock says. */
export function controlPlaneLock() {
  return {
    apiVersion: API_VERSION,
    kind: 'RebootLock',
    metadata: { name: CONTROL_PLANE_LOCK },
    spec: {
      nodeSelector: { matchExpressions: [{ key: CONTROL_PLANE_LABEL, operator: 'Exists' }] },
      maxUnavailable: 1,
    },
  };
}

/** What keeps a lock as its group wants it: nothing to do, make it, correct it, or leave a person's own lock alone. */
export type Upkeep = 'none' | 'apply' | 'foreign';

export function upkeep(wanted: ReturnType<typeof lockOfGroup>, found: RebootLock | undefined): Upkeep {
  if (found === undefined) return 'apply';
  const [owner] = wanted.metadata.ownerReferences;
  const label = found.metadata.labels?.[GROUP_LABEL];
  // A lock of that name that somebody wrote by hand is honoured as it is.
  if (label !== wanted.metadata.name) return 'foreign';
  const owned = found.metadata.ownerReferences?.some(({ uid }) => uid === owner?.uid) ?? false;
  const same =
    canonical(found.spec.nodeSelector) === canonical(wanted.spec.nodeSelector) &&
    found.spec.maxUnavailable === wanted.spec.maxUnavailable;
  return owned && same ? 'none' : 'apply';
}

/** JSON with sorted keys: the server gives keys back in its own order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
