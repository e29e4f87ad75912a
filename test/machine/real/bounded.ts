/**
 * Put before whatever runs on a node: it must set neither the computer's clock nor its kernel modules, whatever it is
 * allowed otherwise. A clock has no namespace.
 */
export const BOUNDED = ['setpriv', '--bounding-set', '-sys_time,-sys_module'] as const;
