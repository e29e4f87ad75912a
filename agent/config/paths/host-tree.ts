/** The host's files as the agent sees them. */
export interface HostTree {
  /** Where the host's root directory is mounted. */
  root: string;
  /** The mounts of the namespace that `root` is seen through; default `/proc/self/mountinfo`. */
  mountinfo?: string | undefined;
}
