/** Where careen puts what is no file in a NodeConfig. */

export const UNIT_DIRECTORY = '/etc/systemd/system';

/** Read last of all that a distribution or administrator has there, because names decide the order. */
export const SYSCTL_FILE = '/etc/sysctl.d/99-zz-careen.conf';
export const MODULES_FILE = '/etc/modules-load.d/careen.conf';
export const HOSTNAME_FILE = '/etc/hostname';
export const TIMEZONE_LINK = '/etc/localtime';

export const zoneTarget = (zone: string): string => `../usr/share/zoneinfo/${zone}`;

export const unitPath = (name: string): string => `${UNIT_DIRECTORY}/${name}`;
export const dropinPath = (unit: string, name: string): string => `${UNIT_DIRECTORY}/${unit}.d/${name}`;

/** Where a user's keys usually are; a file that lies there belongs to them. */
export const keysPath = (user: string): string =>
  `${user === 'root' ? '/root' : `/home/${user}`}/.ssh/authorized_keys`;
