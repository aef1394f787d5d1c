#!/usr/bin/env node
// The `veneer` program. What mount helpers and podman start most often (`--version`, an overlay mount) takes the
// short way; everything else goes through the command table.

import { leaveQuietlyOnBrokenPipe } from './broken-pipe.js';
import { runOverlay } from './commands/overlay.js';
import { looksLikeMount } from './invocation.js';
import { enterUserNamespace } from './user-namespace.js';
import { versionLine } from './version.js';

async function main(args: readonly string[]): Promise<void> {
  const form = looksLikeMount(process.argv[1] ?? '', args);
  if (form !== undefined) {
    await runOverlay(form);
    // What is left is Node's own; others wait for this process.
    process.exit();
  }
  if (!(await enterUserNamespace(args))) return;
  leaveQuietlyOnBrokenPipe();
  if (args.length === 1 && (args[0] === '--version' || args[0] === '-v')) {
    process.stdout.write(`${versionLine()}\n`);
    return;
  }
  const { run } = await import('./program.js');
  await run(args);
}

void main(process.argv.slice(2));
