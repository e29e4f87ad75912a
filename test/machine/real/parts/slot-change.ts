/** What an image has at a path of /usr other than its Debian tree. */
export type SlotChange =
  | { path: string; text: string; mode?: number }
  | { path: string; link: string }
  | { path: string; absent: true };
