#!/usr/bin/env -S node --
// The `veneer` program. Without the `--`, Node takes an --env-file among our arguments for its own. What mount helpers and podman start most often (`--version`, an overlay mount) takes the
// short way; everything else goes through the command table.

import type { HeadStart } from '../container/head-start.js';
import { leaveQuietlyOnBrokenPipe } from './broken-pipe.js';
import { takeCertificates } from './certificates.js';
import { runOverlay } from './commands/overlay.js';
import { looksLikeMount } from './invocation.js';
import { findCommand, leadingWords } from './names.js';
import { enterUserNamespace } from './user-namespace.js';
import { versionLine } from './version.js';

async function headStart(args: readonly string[], path: readonly string[]): Promise<HeadStart | undefined> {
  const { headStartOf } = await import('./head-start.js');
  return headStartOf(args, path.at(-1) ?? '');
}

async function main(args: readonly string[]): Promise<void> {
  takeCertificates();
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
  const { command, path = [] } = findCommand(leadingWords(args)) ?? {};
  await using head = command?.name === 'run' ? await headStart(args, path) : undefined;
  const { run } = await import('./program.js');
  await run(args, head);
}

/** Resolves when what was written has gone out. */
async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength > 0) await new Promise((resolve) => stream.write('', resolve));
}

async function end(): Promise<void> {
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  // As above; and the store has been left, not closed.
  process.exit();
}

void main(process.argv.slice(2)).then(end);
