#!/usr/bin/env node
// The `veneer` program. What mount helpers and podman start most often (`--version`, an overlay mount) takes the
// short way; everything else goes through the command table.

import { leaveQuietlyOnBrokenPipe } from './broken-pipe.js';
import { looksLikeMount } from './invocation.js';

const args = process.argv.slice(2);

leaveQuietlyOnBrokenPipe();

if (args.length === 1 && (args[0] === '--version' || args[0] === '-v')) {
  const { versionLine } = await import('./version.js');
  process.stdout.write(`${versionLine()}\n`);
} else {
  const form = looksLikeMount(process.argv[1] ?? '', args);
  if (form === undefined) {
    const { run } = await import('./program.js');
    await run(args);
  } else {
    const { runOverlay } = await import('./commands/overlay.js');
    await runOverlay(form);
  }
}
