import { posix } from 'node:path';
import { pathOnHost } from '#agent/boot/path-on-host.ts';
import type { Begin } from '../journal/record.ts';
import { UNDONE_BY_HOST } from '../journal/journal-file.ts';
import { aliasOf } from '../paths/root-alias.ts';
import type { HostTree } from '../paths/host-tree.ts';
import type { Change } from '../plan/change.ts';
import { tempNames } from './temp-names.ts';
import type { TempNames } from './temp-names.ts';
import { shellQuoted } from '../shell-quoted.ts';

/**
 * Lines of a POSIX shell script that undo a transaction on the host, without the agent: nothing but `mv`, `rm` and
 * their like, no D-Bus, and no room on the disk. They may run twice, and be cut off anywhere and run again.
 * Afterwards `careen_result` is `reverted`, `kept` (the change is confirmed or over already: nothing was done) or
 * `failed` (something could not be put back). A directory whose name has become a link is left alone.
 */
export function revertScript(begin: Begin, journal: string, tree: HostTree): string[] {
  const own = pathOnHost(tree.root, journal);
  const at = (name: string) => shellQuoted(posix.join(own, name));
  return [
    `if [ -e ${at('open')} ]; then mv -f ${at('open')} ${at('reverted')} && : > ${at(UNDONE_BY_HOST)}; fi`,
    'careen_result=kept',
    `if grep -q ${shellQuoted(begin.id)} ${at('reverted')} 2>/dev/null; then`,
    'careen_result=reverted',
    ...begin.changes
      .map((change, index) => undoLines(change, tempNames(begin.id, index)))
      .toReversed()
      .flat(),
    'sync',
    'fi',
  ];
}

/** In a subshell, so that its directory is its own. */
function undoLines(change: Change, { fresh, old }: TempNames): string[] {
  const parent = posix.dirname(change.path);
  const known = [parent, aliasOf(parent)].flatMap((path) => (path === undefined ? [] : [shellQuoted(path)]));
  const name = shellQuoted(`./${posix.basename(change.path)}`);
  return [
    `( cd -P ${shellQuoted(parent)} 2>/dev/null || exit 0`,
    `  case "$(pwd -P)" in ${known.join('|')}) ;; *) exit 1 ;; esac`,
    `  rm -f ${shellQuoted(`./${fresh}`)}`,
    ...backLines(change, name, shellQuoted(`./${old}`)).map((line) => `  ${line}`),
    ') || careen_result=failed',
  ];
}

function backLines({ before, after }: Change, name: string, kept: string): string[] {
  if (before.type === 'directory') {
    const { uid, gid, mode } = before;
    return [
      ...(after.type === 'directory' ? [] : [`[ -d ${name} ] || { rm -f ${name}; mkdir ${name}; }`]),
      `chown ${uid}:${gid} ${name} && chmod ${mode.toString(8).padStart(4, '0')} ${name}`,
    ];
  }
  if (before.type === 'absent')
    return after.type === 'directory' ? [`rmdir ${name} 2>/dev/null || :`] : [`rm -f ${name}`];
  // One inode under both names: mv(1) would refuse.
  return [
    `if [ ${kept} -ef ${name} ] && [ ! -L ${kept} ]; then rm -f ${kept}`,
    `elif [ -e ${kept} ] || [ -L ${kept} ]; then mv -fT ${kept} ${name}; fi`,
  ];
}
