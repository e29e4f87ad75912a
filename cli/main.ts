#!/usr/bin/env node
import { configCommands } from './config/commands.ts';
import { run } from './run.ts';

/** `kubectl careen`, a plugin of kubectl: it reads and writes objects of the cluster, and keeps nothing itself. */
process.exitCode = await run({ config: configCommands }, process.argv.slice(2));
