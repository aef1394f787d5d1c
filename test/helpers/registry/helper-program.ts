// Credential helpers for tests: shell scripts that keep what they are told in files.

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** An ideal helper: each server's entry in a file of its own. */
const KEEPER = `
name() { tr '/:' '__'; }
case "$1" in
  store) body=$(cat); server=$(printf %s "$body" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/' | name); printf %s "$body" >"$dir/$server" ;;
  get) server=$(cat | name); if [ -f "$dir/$server" ]; then cat "$dir/$server"; else echo 'credentials not found in native keychain'; exit 1; fi ;;
  erase) server=$(cat | name); rm "$dir/$server" ;;
  list) printf '{'; comma=; for file in "$dir"/*; do [ -f "$file" ] || continue
    printf '%s%s' "$comma" "$(sed 's/.*\\("ServerURL":\\)\\("[^"]*"\\).*"Username":\\("[^"]*"\\).*/\\2:\\3/' "$file")"; comma=,; done; echo '}' ;;
esac`;

export interface HelperProgram {
  /** For a PATH. */
  readonly dir: string;
  /** What the helper keeps for a server. */
  kept(server: string): unknown;
  /** How often it was run, and for what. */
  calls(): string[];
}

/** Makes a program docker-credential-NAME; `body` is what it does with its verb `$1` and its directory `$dir`. */
export function makeHelper(root: string, name: string, body = KEEPER): HelperProgram {
  const dir = path.join(root, 'bin');
  const entries = path.join(root, `kept-${name}`);
  const log = path.join(root, `calls-${name}`);
  for (const it of [dir, entries]) mkdirSync(it, { recursive: true });
  const program = path.join(dir, `docker-credential-${name}`);
  writeFileSync(program, `#!/bin/sh\ndir='${entries}'\necho "$@" >>'${log}'\n${body}\n`);
  chmodSync(program, 0o755);
  return {
    dir,
    kept(server) {
      const file = path.join(entries, server.replaceAll(/[/:]/g, '_'));
      return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as unknown) : undefined;
    },
    calls: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
  };
}
