/** The parts of Kubernetes' own objects that careen reads; unknown fields pass through untouched. */

export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

export interface NodeCondition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
  lastHeartbeatTime?: string;
  lastTransitionTime?: string;
}

export interface Node extends KubeObject {
  spec?: { unschedulable?: boolean; taints?: { key: string; value?: string; effect: string }[] };
  status?: {
    conditions?: NodeCondition[];
    addresses?: { type: string; address: string }[];
    nodeInfo?: { bootID?: string; machineID?: string; osImage?: string; architecture?: string };
  };
}

export interface Pod extends KubeObject {
  spec?: {
    nodeName?: string;
    terminationGracePeriodSeconds?: number;
    tolerations?: { key?: string; operator?: string; value?: string; effect?: string }[];
    volumes?: { name: string; emptyDir?: object }[];
    readinessGates?: { conditionType: string }[];
  };
  status?: { phase?: string; conditions?: NodeCondition[] };
}

export const CONTROL_PLANE_LABEL = 'node-role.kubernetes.io/control-plane';

/** Whether a node or pod was last reported Ready; a missing condition is not Ready. */
export function isReady(object: Node | Pod): boolean {
  return readyCondition(object)?.status === 'True';
}

export function readyCondition(object: Node | Pod): NodeCondition | undefined {
  return object.status?.conditions?.find((condition) => condition.type === 'Ready');
}
