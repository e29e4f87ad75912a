import type { NodeState } from '#api/kinds.ts';
import type { Node, ObjectMeta } from '#api/meta.ts';

/** Nodes are large and change often; of all that, these fields are decided from or filled in. */
export function stripNode(node: Node): Node {
  const { name, uid, labels, annotations, resourceVersion } = node.metadata;
  const metadata = defined({ name, uid, labels, annotations, resourceVersion }) as unknown as ObjectMeta;
  const ready = (node.status?.conditions ?? []).filter(({ type }) => type === 'Ready');
  const { addresses, nodeInfo } = node.status ?? {};
  const bootID = nodeInfo?.bootID;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata,
    status: {
      conditions: ready.map(({ type, status }) => ({ type, status })),
      ...(addresses === undefined ? {} : { addresses }),
      nodeInfo: bootID === undefined ? {} : { bootID },
    },
  };
}

/** What other operators and the agent write besides decides nothing here, and what a plan lists is long. */
export function stripState({ apiVersion, kind, metadata, spec, status }: NodeState): NodeState {
  const { config, bootID } = status ?? {};
  const { plan, drift, ...rest } = config ?? {};
  const brief = config && {
    ...rest,
    ...(plan && { plan: { ...plan, changes: [] } }),
    ...(drift && { drift }),
  };
  return {
    apiVersion,
    kind,
    metadata,
    spec: spec?.config === undefined ? {} : { config: spec.config },
    ...(status && { status: { ...(bootID && { bootID }), ...(brief && { config: brief }) } }),
  } as NodeState;
}

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
