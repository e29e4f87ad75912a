/** Closed set of error codes of a node's configuration, for machines; the message says what to do. */
export const CONFIG_ERRORS = [
  'BundleUnreachable', // the node's bundle cannot be read; see the operator, and the account of the node
  'BundleInvalid', // the bundle is damaged or of another node; the operator writes it again
  'SchemaTooNew', // the agent is older than the operator; upgrade the agent
  'GenerationOld', // what is wanted is older than what the node had; raise the generation, or restore on purpose
  'Unsupported', // this host cannot be configured so; its /etc is read-only, or it has no systemd
  'PathRefused', // the path is outside the allowed roots, or denied on the node
  'CriticalRefused', // the node hangs on it; set allowCritical if that is meant
  'PolicyRefused', // the policy file of the node forbids it; see /etc/careen/policy.json on the node
  'SymlinkInPath', // a directory of the path is a symbolic link; name the real path
  'BindMount', // the path is a mount point of its own, which cannot be replaced; unmount it
  'UnknownOwner', // the user or group does not exist on the host; create it first
  'NoSpace', // no room, or no inodes, for the change; make room
  'ReadOnly', // the file system is mounted read-only; see the kernel log
  'IoError', // the disk failed; see the kernel log
  'TargetBusy', // another kind of file is in the way, such as a directory; remove it
  'UnitInvalid', // systemd does not accept a unit; correct it
  'ValidateFailed', // the config's own validate program refused a file; correct the file
  'ActionFailed', // a reload or restart failed; see the unit's log
  'ProbeFailed', // a probe did not pass after the change; it was undone
  'NotConfirmed', // nobody confirmed the change in time; it was undone by the host itself
  'RevertFailed', // the change could not be undone whole; see the journal on the node
  'DriftFighting', // somebody else keeps changing the file; healing stopped
  'KernelArguments', // this host's boot loader is not one whose arguments careen can change
  'Internal', // a fault of the agent; see its log and report it
] as const;
export type ConfigErrorCode = (typeof CONFIG_ERRORS)[number];

export const CONFIG_PHASES = [
  'Idle', // nothing is wanted
  'Planned', // what would change is known; waits to be told to apply
  'Waiting', // waits for a drain or a reboot that it asked for
  'Applying', // files are being changed, actions run
  'Confirming', // changed; probes must hold until it counts
  'Applied', // in force
  'Failed', // not applied, nothing was changed; see error
  'Reverted', // applied and undone; see error
  'Degraded', // could not be undone whole; a person has to look
] as const;
export type ConfigPhase = (typeof CONFIG_PHASES)[number];
