/** VERSION_ID of an os-release file's text. */
export function osVersion(osRelease: string): string | undefined {
  return /^VERSION_ID="?([^"\n]*)"?$/mu.exec(osRelease)?.[1];
}
