/** What becomes of one setting of the kernel that runs. */
export interface SysctlChange {
  /** With slashes, as below /proc/sys. */
  key: string;
  /** As it is now: what it becomes again if the change is undone. */
  from: string;
  /** As it was before careen first set it, of one that is wanted no more; others are set from their files. */
  to?: string;
}

export interface SysctlWorld {
  wanted: readonly string[];
  /** Settings that careen has made, and what they were before. */
  owned: Readonly<Record<string, string>>;
  /** What holds now; what the kernel does not know is not in it. */
  running: ReadonlyMap<string, string>;
  /** Whether files of settings are applied with this change. */
  applied: boolean;
}

export interface SysctlPlan {
  changes: SysctlChange[];
  /** What careen has made once the change counts. */
  owned: Record<string, string>;
}

/**
 * Settings live in the kernel, not in the file that made them: one whose line goes stays as it is until the next
 * boot, unless somebody remembers what it was. Pure.
 */
export function planSysctls({ wanted, owned, running, applied }: SysctlWorld): SysctlPlan {
  const kept = wanted.flatMap((key) => {
    const from = running.get(key);
    return from === undefined ? [] : [{ key, from }];
  });
  const names = new Set(wanted);
  const gone = Object.entries(owned).flatMap(([key, to]) => {
    const from = running.get(key);
    return names.has(key) || from === undefined || from === to ? [] : [{ key, from, to }];
  });
  return {
    changes: [...gone, ...(applied ? kept : [])].toSorted((a, b) => (a.key < b.key ? -1 : 1)),
    owned: Object.fromEntries(kept.map(({ key, from }) => [key, owned[key] ?? from])),
  };
}
