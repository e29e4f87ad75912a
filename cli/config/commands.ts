import type { Commands } from '../command.ts';
import { diffCommand } from './diff.ts';
import { historyCommand } from './history.ts';
import { importCommand } from './import.ts';
import { planCommand } from './plan.ts';
import { renderCommand } from './render.ts';
import { revertCommand } from './revert.ts';

/** `kubectl careen config …`: what configuration nodes have, would get, and had. */
export const configCommands: Commands = {
  diff: diffCommand,
  plan: planCommand,
  render: renderCommand,
  history: historyCommand,
  revert: revertCommand,
  import: importCommand,
};
