/** A Debian package of which the base layer has some files. */
export interface DebianPackage {
  name: string;
  version: string;
  /** Of the .deb; Debian's own index says the same. */
  sha256: string;
  /** SPDX expression of the files that we take; the whole text is in the package's copyright file. */
  licence: string;
  /** Absolute paths; a link is followed. */
  files: readonly string[];
}

const libraries = '/usr/lib/x86_64-linux-gnu';

/**
 * What Node's binary is linked with, and nothing else. Debian's packages, because their versions are known to
 * every scanner and their sources stay to be had; pinned by version and checksum, so that everybody's base layer
 * is the same. Nothing more is needed to resolve names: since 2.34 the C library itself holds `files` and `dns`
 * of nsswitch.conf. Certificate authorities are in Node (NODE_EXTRA_CA_CERTS adds to them), time zones too.
 * The versions move on with Debian's point releases: run `npm run images`, which says so and what to write here.
 */
export const debianPackages: readonly DebianPackage[] = [
  {
    name: 'libc6',
    version: '2.36-9+deb12u14',
    sha256: 'ba4f88f73dbc3ae9055f3c20f4523bfdbaf1ad13ff95e258924f77d20b4fbedf',
    licence: 'LGPL-2.1-or-later',
    files: ['ld-linux-x86-64.so.2', 'libc.so.6', 'libdl.so.2', 'libm.so.6', 'libpthread.so.0']
      .map((name) => `/lib/x86_64-linux-gnu/${name}`)
      .concat('/usr/share/doc/libc6/copyright'),
  },
  {
    name: 'libstdc++6',
    version: '12.2.0-14+deb12u1',
    sha256: '5cd3171216d4ab0fc911cfe9c35509bf2dd8f47761c43b7f6a4296701551a24d',
    licence: 'GPL-3.0-or-later WITH GCC-exception-3.1',
    files: [`${libraries}/libstdc++.so.6`],
  },
  {
    name: 'libgcc-s1',
    version: '12.2.0-14+deb12u1',
    sha256: '3016e62cb4b7cd8038822870601f5ed131befe942774d0f745622cc77d8a88f7',
    licence: 'GPL-3.0-or-later WITH GCC-exception-3.1',
    files: ['/lib/x86_64-linux-gnu/libgcc_s.so.1'],
  },
  {
    name: 'libatomic1',
    version: '12.2.0-14+deb12u1',
    sha256: 'fbd4e154a6b444229ea002cc209df099209c0adc09102e5fd21239a3d2b55e2d',
    licence: 'GPL-3.0-or-later WITH GCC-exception-3.1',
    files: [`${libraries}/libatomic.so.1`],
  },
  {
    // The copyright of the three before.
    name: 'gcc-12-base',
    version: '12.2.0-14+deb12u1',
    sha256: '1896a2aacf4ad681ff5eacc24a5b0ca4d5d9c9b9c9e4b6de5197bc1e116ea619',
    licence: 'GPL-3.0-or-later',
    files: ['/usr/share/doc/gcc-12-base/copyright'],
  },
];
