import type { NodeConfigSpec } from '#api/node-config.ts';

/** `systemctl enable` of a unit without [Install] succeeds and does nothing; the user meant something. */
export function checkUnits({ units }: NodeConfigSpec): { place: string; message: string }[] {
  return units.flatMap(({ name, enabled, contents, dropins }) => {
    if (enabled !== true || contents === undefined) return [];
    if ([contents, ...dropins.map((dropin) => dropin.contents)].some((text) => /^\[Install\]/m.test(text)))
      return [];
    const message = 'nothing would start it at boot; give the unit an [Install] section, or state: Started';
    return [{ place: `units[${name}].enabled`, message }];
  });
}
