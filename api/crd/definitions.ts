import { nodeConfigSpec, nodeConfigStatus } from '../node-config.ts';
import { nodeGroupSpec, nodeGroupStatus } from '../node-group.ts';
import { nodeStateSpec, nodeStateStatus } from '../node-state.ts';
import { rebootLockSpec, rebootLockStatus } from '../reboot-lock.ts';
import { rebootWindowSpec, rebootWindowStatus } from '../reboot-window.ts';
import { renderedConfigSpec, renderedConfigStatus } from '../rendered-config.ts';
import { updateChannelSpec, updateChannelStatus } from '../update-channel.ts';
import type { Column, Definition } from './definition.ts';

const age: Column = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'When the object was created.',
};

const ready: Column = {
  name: 'Ready',
  type: 'string',
  jsonPath: '.status.conditions[?(@.type=="Ready")].status',
  description: 'Whether the object is accepted and enforced.',
};

const updateChannel: Definition = {
  kind: 'UpdateChannel',
  shortName: 'uc',
  description: 'Where versions of the operating system come from, and whose signatures are trusted.',
  spec: updateChannelSpec,
  status: updateChannelStatus,
  columns: [
    { name: 'Current', type: 'string', jsonPath: '.status.current', description: 'The newest release.' },
    ready,
    { name: 'Synced', type: 'date', jsonPath: '.status.lastSync', description: 'When it was last read.' },
    age,
  ],
};

const nodeGroup: Definition = {
  kind: 'NodeGroup',
  shortName: 'ng',
  description: 'Nodes that share a policy: which version they run, how it rolls out, how they reboot.',
  spec: nodeGroupSpec,
  status: nodeGroupStatus,
  // The name is a label's value (careen.dev/group) and the name of the group's RebootLock.
  rules: [
    {
      rule: 'size(self.metadata.name) <= 63',
      message: 'the name of a NodeGroup is the value of a label; use at most 63 characters',
    },
    {
      rule: "self.metadata.name != 'control-plane'",
      message: "'control-plane' is the RebootLock that careen keeps itself; give the group another name",
    },
  ],
  columns: [
    { name: 'Channel', type: 'string', jsonPath: '.spec.update.channel', description: 'Its UpdateChannel.' },
    { name: 'Target', type: 'string', jsonPath: '.status.rollout.target', description: 'Where it goes to.' },
    { name: 'UpToDate', type: 'integer', jsonPath: '.status.upToDate', description: 'Nodes on the target.' },
    { name: 'Total', type: 'integer', jsonPath: '.status.total', description: 'Nodes in the group.' },
    { name: 'Wave', type: 'string', jsonPath: '.status.rollout.wave', description: 'The wave under way.' },
    {
      name: 'Halted',
      type: 'date',
      jsonPath: '.status.rollout.halted.since',
      description: 'Since when the rollout is halted.',
    },
    age,
    { ...ready, wide: true },
    {
      name: 'Paused',
      type: 'boolean',
      jsonPath: '.spec.update.paused',
      description: 'Whether it is paused.',
      wide: true,
    },
    {
      name: 'Why',
      type: 'string',
      jsonPath: '.status.rollout.halted.reason',
      description: 'Why the rollout is halted.',
      wide: true,
    },
  ],
  selectable: ['.spec.update.channel'],
};

const rebootLock: Definition = {
  kind: 'RebootLock',
  shortName: 'rl',
  description: 'How many of a set of nodes may be down at once: a semaphore with one place per node.',
  spec: rebootLockSpec,
  status: rebootLockStatus,
  columns: [
    { name: 'Max', type: 'integer', jsonPath: '.status.max', description: 'How many may be down.' },
    { name: 'Covered', type: 'integer', jsonPath: '.status.covered', description: 'Nodes it covers.' },
    { name: 'Holders', type: 'string', jsonPath: '.status.held', description: 'Who holds a place.' },
    { name: 'Waiting', type: 'integer', jsonPath: '.status.waitingCount', description: 'Nodes that wait.' },
    age,
    { ...ready, wide: true },
  ],
};

const rebootWindow: Definition = {
  kind: 'RebootWindow',
  shortName: 'rw',
  description: 'When a set of nodes may reboot: recurring spans, and spans in which they may not.',
  spec: rebootWindowSpec,
  status: rebootWindowStatus,
  columns: [
    { name: 'Open', type: 'boolean', jsonPath: '.status.open', description: 'Whether reboots may begin.' },
    { name: 'NextOpen', type: 'string', jsonPath: '.status.nextOpen', description: 'When it opens next.' },
    { name: 'NextClose', type: 'string', jsonPath: '.status.nextClose', description: 'When it closes next.' },
    ready,
    age,
  ],
};

const nodeConfig: Definition = {
  kind: 'NodeConfig',
  shortName: 'nc',
  description:
    'What a set of machines is configured with: files, units, kernel settings, keys; how a change rolls out and when it is undone.',
  spec: nodeConfigSpec,
  status: nodeConfigStatus,
  columns: [
    { name: 'Total', type: 'integer', jsonPath: '.status.total', description: 'Nodes that it selects.' },
    { name: 'UpToDate', type: 'integer', jsonPath: '.status.upToDate', description: 'Nodes that have it.' },
    { name: 'Planned', type: 'integer', jsonPath: '.status.planned', description: 'Nodes that wait.' },
    { name: 'Failed', type: 'integer', jsonPath: '.status.failed', description: 'Nodes on which it failed.' },
    {
      name: 'Drifted',
      type: 'integer',
      jsonPath: '.status.drifted',
      description: 'Nodes on which others changed it.',
    },
    {
      name: 'Halted',
      type: 'date',
      jsonPath: '.status.rollout.halted.since',
      description: 'Since when the rollout is halted.',
    },
    ready,
    age,
    {
      name: 'Priority',
      type: 'integer',
      jsonPath: '.spec.priority',
      description: 'Its priority.',
      wide: true,
    },
    {
      name: 'Paused',
      type: 'boolean',
      jsonPath: '.spec.paused',
      description: 'Whether it is paused.',
      wide: true,
    },
    {
      name: 'Plan',
      type: 'string',
      jsonPath: '.status.rollout.planHash',
      description: 'What the nodes planned, for approvedPlan.',
      wide: true,
    },
  ],
};

const renderedConfig: Definition = {
  kind: 'RenderedConfig',
  shortName: 'rc',
  description:
    'What a set of NodeConfigs comes to, named by its content. Not for people to write; kept while a node has it.',
  spec: renderedConfigSpec,
  status: renderedConfigStatus,
  rules: [
    {
      rule: 'self.spec == oldSelf.spec',
      message: 'a RenderedConfig never changes; apply the NodeConfigs that it is made of',
    },
  ],
  columns: [
    { name: 'Nodes', type: 'integer', jsonPath: '.status.nodes', description: 'Nodes that have it.' },
    { name: 'Sources', type: 'string', jsonPath: '.spec.sources[*].name', description: 'Its NodeConfigs.' },
    age,
  ],
};

const nodeState: Definition = {
  kind: 'NodeState',
  shortName: 'nst',
  description:
    'One node: what it should have (written by the operators) and what it has (written by its agent). Named like its Node; not for people to write.',
  spec: nodeStateSpec,
  status: nodeStateStatus,
  specOptional: true,
  columns: [
    { name: 'Version', type: 'string', jsonPath: '.status.os.version', description: 'What runs.' },
    { name: 'Target', type: 'string', jsonPath: '.spec.update.version', description: 'What should run.' },
    { name: 'Phase', type: 'string', jsonPath: '.status.update.phase', description: 'Where the update is.' },
    {
      name: 'Held',
      type: 'string',
      jsonPath: '.spec.update.hold.reason',
      description: 'Why it is not given the version that its group goes to.',
    },
    {
      name: 'Reboot',
      type: 'string',
      jsonPath: '.spec.reboot.hold.reason',
      description: 'Why it does not reboot, or where its turn stands.',
    },
    {
      name: 'Config',
      type: 'string',
      jsonPath: '.status.config.phase',
      description: 'Where its configuration is.',
    },
    {
      name: 'Slot',
      type: 'string',
      jsonPath: '.status.slots[?(@.booted==true)].name',
      description: 'The slot that runs.',
    },
    age,
    {
      name: 'Group',
      type: 'string',
      jsonPath: '.spec.update.group',
      description: 'Its NodeGroup.',
      wide: true,
    },
    {
      name: 'Error',
      type: 'string',
      jsonPath: '.status.update.error.code',
      description: 'What went wrong.',
      wide: true,
    },
  ],
  selectable: [
    '.spec.update.group',
    '.spec.update.version',
    '.status.os.version',
    '.status.update.phase',
    '.status.reboot.requested',
    '.spec.config.rendered',
    '.status.config.phase',
  ],
};

/** Every custom resource of careen, in the order in which a reader meets them. */
export const DEFINITIONS: readonly Definition[] = [
  updateChannel,
  nodeGroup,
  rebootLock,
  rebootWindow,
  nodeConfig,
  renderedConfig,
  nodeState,
];
