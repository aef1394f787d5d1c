// A terminal with a shell in it, as a user has it: tmux, which is typed into and looked at.

import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CLI } from '../run-cli.js';
import { runWell } from '../other-process.js';

export interface Tmux extends AsyncDisposable {
  /** Types a line and Enter. */
  line(text: string): Promise<void>;
  /** Presses keys by tmux's names: `C-c`, `Enter`, `Up`. */
  press(...keys: string[]): Promise<void>;
  /** What is on the screen and above it, without blank lines at its end. */
  screen(): Promise<string>;
  /** Waits until the text since the last match has this; returns the match. Throws with the screen after 20 s. */
  wait(pattern: RegExp): Promise<RegExpExecArray>;
  resize(columns: number, rows: number): Promise<void>;
}

const DEADLINE = 20_000;

/** `veneer` is a command there; the prompt is `$ `. */
export async function tmux(dir: string, env: Readonly<Record<string, string>>): Promise<Tmux> {
  const socket = ['-S', path.join(dir, 'tmux.sock'), '-f', '/dev/null'];
  const run = (...args: string[]): Promise<string> =>
    runWell('tmux', [...socket, ...args], { env: { ...process.env, TERM: 'screen' } });
  await run('new-session', '-d', '-x', '120', '-y', '40', '-s', 'test', 'sh');
  await run('set-option', '-g', 'history-limit', '5000');
  const screen = async (): Promise<string> => (await run('capture-pane', '-p', '-J', '-S', '-')).trimEnd();
  let seen = 0;
  const self: Tmux = {
    async line(text) {
      await run('send-keys', '-l', text);
      await run('send-keys', 'Enter');
    },
    async press(...keys) {
      await run('send-keys', ...keys);
    },
    screen,
    async wait(pattern) {
      const end = Date.now() + DEADLINE;
      for (;;) {
        const text = await screen();
        const match = new RegExp(pattern.source, pattern.flags.replace('g', '')).exec(text.slice(seen));
        if (match !== null) {
          seen += match.index + match[0].length;
          return match;
        }
        if (Date.now() > end) throw new Error(`the terminal does not show ${String(pattern)}:\n${text}`);
        await sleep(20);
      }
    },
    async resize(columns, rows) {
      await run('resize-window', '-x', String(columns), '-y', String(rows));
    },
    async [Symbol.asyncDispose]() {
      await run('kill-server').catch(() => undefined);
    },
  };
  // Not in the environment of tmux itself, which would be taken for a leak of the store that it names.
  const exports = Object.entries(env).map(([name, value]) => `export ${name}='${value}'; `);
  await self.line(`${exports.join('')}PS1='$ '; veneer() { '${process.execPath}' '${CLI}' "$@"; }; clear`);
  while ((await screen()) !== '$') await sleep(20);
  return self;
}
