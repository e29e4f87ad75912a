/** The name of a kernel argument, in which "-" and "_" are the same (kernel-parameters). */
export function argumentName(argument: string): string {
  return (argument.split('=')[0] ?? argument).replaceAll('-', '_');
}

/** Arguments that may stand several times, each with its own meaning; several configs may add to them. */
const REPEATED = new Set([
  'console',
  'earlycon',
  'hugepages',
  'hugepagesz',
  'ip',
  'memmap',
  'modprobe.blacklist',
  'module_blacklist',
  'nameserver',
  'netconsole',
  'rd.luks.name',
  'rd.luks.options',
  'rd.luks.uuid',
  'rd.lvm.lv',
  'rd.md.uuid',
  'rd.route',
  'systemd.mask',
  'systemd.setenv',
  'systemd.wants',
]);

export function isRepeated(argument: string): boolean {
  return REPEATED.has(argumentName(argument));
}
