/** Flatcar's, and before it CoreOS Container Linux's; update_engine reports a reboot of its own only for an OS. */
export const FLATCAR_APP = 'e96281a6-d1af-4bde-9a0a-97b76e56dc57';

/** An application id as it is compared: braces, case and spaces around it do not matter. */
export function canonicalApp(appID: string): string {
  return appID
    .trim()
    .replace(/^\{(.*)\}$/, '$1')
    .toLowerCase();
}
