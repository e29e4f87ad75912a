import { literal } from '../../render/values.ts';
import type { Cursor } from '../cursor.ts';
import { checked, type Sections } from '../spec.ts';
import type { Dialect } from './dialect.ts';

type Units = NonNullable<Sections['units']>;
type Dropins = NonNullable<Units[number]['dropins']>;

const LOCAL = ['contentsLocal'] as const;

/** Units and their drop-ins. */
export function readSystemd(systemd: Cursor, dialect: Dialect): Units {
  const { units } = systemd.fields(['units']);
  return units?.items().flatMap((at) => systemd.source.whole(() => readUnit(at, dialect))) ?? [];
}

function readUnit(at: Cursor, dialect: Dialect): Units[number] | undefined {
  const known = ['name', 'enabled', 'mask', 'contents', 'dropins', ...localKeys(dialect)] as const;
  const { name, enabled, mask, dropins, contents, contentsLocal } = at.fields(known);
  const masked = mask?.flag() === true;
  const whole = textOf(contents, contentsLocal, dialect);
  // systemd looks at nothing but the link that masks it.
  const used = masked
    ? {}
    : { ...(whole && { contents: whole }), ...(dropins && dropinsOf(dropins, dialect)) };
  const unit = {
    name: name?.text() ?? at.refuse('has no name') ?? '',
    ...used,
    ...(enabled !== undefined && !masked && { enabled: enabled.flag() ?? false }),
    ...(masked && { mask: true }),
  };
  return checked(at, { units: [unit] })?.units[0];
}

function dropinsOf(list: Cursor, dialect: Dialect): { dropins: Dropins } {
  return {
    dropins: list.items().flatMap((at) => {
      const { name, contents, contentsLocal } = at.fields([
        'name',
        'contents',
        ...localKeys(dialect),
      ] as const);
      const text = textOf(contents, contentsLocal, dialect);
      if (name === undefined || text === undefined) return at.refuse('needs a name and contents') ?? [];
      return [{ name: name.text() ?? '', contents: text }];
    }),
  };
}

/** Nothing in it is filled in. */
function textOf(
  contents: Cursor | undefined,
  local: Cursor | undefined,
  dialect: Dialect,
): string | undefined {
  if (contents !== undefined) return literal(contents.text() ?? '');
  const path = local?.text();
  if (local === undefined || path === undefined) return undefined;
  const bytes = dialect.local(path);
  if (bytes === undefined)
    return local.refuse(`the file ${path} is not there; name its folder with --files-dir`);
  return literal(Buffer.from(bytes).toString('utf8'));
}

function localKeys({ sources }: Dialect): readonly (typeof LOCAL)[number][] {
  return sources.includes('local') ? LOCAL : [];
}
