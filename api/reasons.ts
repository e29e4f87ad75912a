/**
 * Why a node does not move. One closed set for conditions, events, metric labels and NodeState, so that the
 * same word reaches the user everywhere.
 */
export const ROLLOUT_REASONS = [
  'UpToDate', // runs its target
  'Offered', // has been given a version and is working on it
  'NoGroup', // no NodeGroup selects it
  'GroupConflict', // two groups of equal priority select it
  'NoChannel', // the group's channel does not exist or has no usable release
  'PinNotFound', // the pinned version is not in the channel
  'Paused', // the group is paused
  'Blocked', // the version is blocked in the channel
  'DowngradeNotAllowed', // the target is older than what it runs
  'Quarantined', // this version failed on this node before
  'Halted', // too many nodes failed this version
  'WaitingForWave', // an earlier wave is not done
  'Soaking', // an earlier wave is done and being watched
  'Throttled', // the rollout opens over a time, and has not come to this node yet
  'OutsideHours', // a window of the group's office hours is closed
  'MaxStaging', // as many nodes stage as may
  'MaxUpdates', // as many nodes began lately as may within the period
  'BackingOff', // a failed attempt is retried later
  'RetriesExhausted', // staging failed as often as the group allows
  'AgentSilent', // no agent reports from the node
  'AgentFaulty', // the agent reports a fault of its node, and does nothing until that is mended
  'EngineUnsupported', // the node has no A/B slots that careen can switch
  'AgentUpdates', // the machine asks over Omaha and is a node that its agent updates
  'NotPlanned', // the leader has not planned the group's rollout yet
  'NoPackage', // the release has no package that a machine could fetch over Omaha
  'WrongArchitecture', // the release is for another architecture than the machine's
  'InProgress', // the machine works on an update already
] as const;

export const REBOOT_REASONS = [
  'NotRequested', // nothing staged needs a reboot
  'StrategyOff', // the group forbids careen to reboot
  'WindowClosed', // a window that covers the node is closed
  'WindowInvalid', // a window that covers the node cannot be evaluated
  'NoLock', // no lock covers the node although its strategy asks for one
  'LockFull', // as many nodes are unavailable as may be
  'LockInvalid', // a lock that covers the node cannot be evaluated
  'DomainsFull', // as many topology domains are disrupted as may be
  'ControlPlane', // another control-plane node is unavailable
  'MinSeparation', // the last grant is too recent
  'DelayBetween', // the group's last reboot is too recent
  'NodeUnavailable', // the node itself is cordoned by others or NotReady
  'Skipped', // its drain did not finish and it waits for another turn
  'SnapshotStale', // the operator's view of the cluster is too old to decide
  'Draining', // pods are leaving
  'DrainBlocked', // a pod cannot leave
  'Granted', // may reboot
  'Applying', // drained; its configuration is being changed
  'Rebooting', // on its way down or up
  'Verifying', // up; its health gate runs
  'NotBack', // granted long ago and not back
  'Uncordoning', // back, waiting to be Ready for minReadySeconds
] as const;

export const CONFIG_REASONS = [
  'UpToDate', // has what it should have
  'Offered', // has been told to apply it
  'NoConfig', // no NodeConfig selects it
  'Conflicted', // two NodeConfigs of equal priority want different things
  'ConfigInvalid', // a NodeConfig that selects it cannot be rendered
  'ValueMissing', // a value of the node that a NodeConfig uses does not exist
  'SecretMissing', // a Secret or ConfigMap that a NodeConfig uses cannot be read
  'TooLarge', // what the node should have does not fit into one bundle
  'Paused', // a NodeConfig that changed is paused
  'ApprovalNeeded', // somebody has to approve what the nodes planned
  'WaitingForPlan', // the node has not said yet what would change
  'WaitingForWave', // an earlier wave is not done
  'Soaking', // an earlier wave is done and being watched
  'MaxApplying', // as many nodes apply as may
  'Halted', // too many nodes failed the change
  'ConfigFailed', // the change failed on this node; another change is tried
  'AgentSilent', // no agent reports from the node
  'Unsupported', // the host cannot be configured
] as const;

export const REASONS = [...ROLLOUT_REASONS, ...REBOOT_REASONS, ...CONFIG_REASONS] as const;

export type RolloutReason = (typeof ROLLOUT_REASONS)[number];
export type RebootReason = (typeof REBOOT_REASONS)[number];
export type ConfigReason = (typeof CONFIG_REASONS)[number];
export type Reason = (typeof REASONS)[number];

/** A reason with the sentence that explains it, the form in which every decision answers. */
export interface Verdict<R extends Reason = Reason> {
  reason: R;
  message: string;
}
