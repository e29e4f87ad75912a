import type { ObjectMeta } from './meta.ts';
import type { NodeConfigSpec, NodeConfigStatus } from './node-config.ts';
import type { NodeGroupSpec, NodeGroupStatus } from './node-group.ts';
import type { NodeStateSpec, NodeStateStatus } from './node-state.ts';
import type { RebootLockSpec, RebootLockStatus } from './reboot-lock.ts';
import type { RebootWindowSpec, RebootWindowStatus } from './reboot-window.ts';
import type { RenderedConfigSpec, RenderedConfigStatus } from './rendered-config.ts';
import type { UpdateChannelSpec, UpdateChannelStatus } from './update-channel.ts';

/** An object of a careen kind as the API server returns it: defaults are filled in, status may be partial. */
export interface Resource<K extends string, Spec, Status> {
  apiVersion: string;
  kind: K;
  metadata: ObjectMeta;
  spec: Spec;
  status?: Status;
}

export type UpdateChannel = Resource<'UpdateChannel', UpdateChannelSpec, UpdateChannelStatus>;
export type NodeGroup = Resource<'NodeGroup', NodeGroupSpec, NodeGroupStatus>;
export type RebootLock = Resource<'RebootLock', RebootLockSpec, RebootLockStatus>;
export type RebootWindow = Resource<'RebootWindow', RebootWindowSpec, RebootWindowStatus>;
export type NodeConfig = Resource<'NodeConfig', NodeConfigSpec, NodeConfigStatus>;
export type RenderedConfig = Resource<'RenderedConfig', RenderedConfigSpec, RenderedConfigStatus>;
export type NodeState = Resource<'NodeState', NodeStateSpec, NodeStateStatus>;
