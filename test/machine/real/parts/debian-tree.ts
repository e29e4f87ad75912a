/** Debian releases that slots are made of: systemd 252 and systemd 257. */
export const SUITES = ['bookworm', 'trixie'] as const;
export type Suite = (typeof SUITES)[number];

/** What an OS that is there for containers needs, besides what Debian holds to be essential. */
export const PACKAGES = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'udev',
  'iproute2',
  'kmod',
  'procps',
  'e2fsprogs',
  'util-linux',
  'openssh-server',
] as const;

/** What an image does without: documentation, languages, Perl and the package manager. Patterns of tar. */
const LEFT_OUT_OF_USR = [
  ...['doc', 'man', 'locale', 'info', 'lintian', 'bug', 'zoneinfo', 'i18n', 'perl*', 'bash-completion'].map(
    (name) => `share/${name}`,
  ),
  'include',
  'games',
  'src',
  'lib/*/gconv',
  'lib/*/perl*',
  'lib/*/libperl*',
  'bin/perl*',
  'lib/udev/hwdb.*',
  'lib/apt',
  'lib/dpkg',
  'lib/*/libapt-*',
  ...['apt*', 'dpkg*', 'deb*'].flatMap((name) => [`bin/${name}`, `sbin/${name}`, `share/${name}`]),
] as const;

/** What is of the computer that made the tree, or of the package manager. */
const LEFT_OUT_OF_STATE = [
  ...[
    'hostname',
    'resolv.conf',
    'hosts',
    'machine-id',
    'fstab',
    'apt',
    'dpkg',
    'perl',
    '*-',
    '.pwd.lock',
  ].map((name) => `etc/${name}`),
  ...['cache/*', 'lib/dpkg', 'lib/apt', 'log/apt', 'log/*.log', 'backups'].map((name) => `var/${name}`),
  'etc/systemd/system/*.wants/*', // which units are enabled is the image's business
] as const;

/** Arguments of tar that take one directory of a tree that mmdebstrap wrote: usr, etc or var. */
export function extractArguments(archive: string, into: string): string[] {
  const leftOut = [...LEFT_OUT_OF_USR.map((name) => `usr/${name}`), ...LEFT_OUT_OF_STATE];
  return [
    '--extract',
    `--file=${archive}`,
    `--directory=${into}`,
    '--numeric-owner',
    '--preserve-permissions',
    '--anchored',
    '--wildcards',
    ...leftOut.map((pattern) => `--exclude=./${pattern}`),
    './usr',
    './etc',
    './var',
  ];
}
