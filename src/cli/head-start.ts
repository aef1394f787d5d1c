// What `run` begins before the rest of the program is loaded.

import { HeadStart } from '../container/head-start.js';
import { defaultRoot } from '../store/root.js';

/** The store that options before the command name, or undefined where others may name one. */
function rootBefore(args: readonly string[], command: string): string | undefined {
  const at = args.indexOf(command);
  if (args.slice(at).some((arg) => arg === '--root' || arg.startsWith('--root='))) return undefined;
  let root: string | undefined;
  for (const [index, arg] of args.slice(0, at).entries()) {
    if (arg === '--root') root = args[index + 1];
    else if (arg.startsWith('--root=')) root = arg.slice('--root='.length);
  }
  return root ?? defaultRoot(process.env, process.getuid?.() ?? 0);
}

/** For a command line whose command, as typed, is this `run`. One that asks for help runs nothing. */
export function headStartOf(args: readonly string[], command: string): HeadStart | undefined {
  if (args.includes('--help')) return undefined;
  try {
    const root = rootBefore(args, command);
    return root === undefined ? undefined : new HeadStart(root);
  } catch {
    // It fails later, and says why.
    return undefined;
  }
}
