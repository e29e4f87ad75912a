import { guarded } from '#test/cluster/guardian.ts';
import { tool } from './tool.ts';

const prettier = await guarded(...tool('prettier', ['--write', '--log-level=warn', '.']), {
  stdout: 'inherit',
  stderr: 'inherit',
});
process.exitCode = await prettier.exited;
