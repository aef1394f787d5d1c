// Containers on a terminal, as somebody who types meets them.

import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { boxStore, processesOf, runDirectory, tmux } from '../helpers/containers/index.js';
import type { BoxStore, Tmux } from '../helpers/containers/index.js';
import { requires } from '../helpers/requires.js';
import { typeTo } from '../helpers/terminal.js';

const gate = requires('root', 'fuse', 'tar', 'build', 'busybox', 'containers', 'tmux', 'python3');

describe.skipIf(gate.skip)(gate.title('a container on a terminal'), () => {
  let box: BoxStore;
  let terminal: Tmux;

  beforeAll(async () => {
    box = await boxStore('terminal');
    terminal = await tmux(box.dir, { VENEER_ROOT: box.root });
  });
  afterEach(() => box.empty());
  afterAll(async () => {
    await terminal[Symbol.asyncDispose]();
    await box.expectNoLeaks();
    await box[Symbol.asyncDispose]();
  });

  test('has its size, follows it, takes ^C, and gives the terminal back', async () => {
    await terminal.line(`veneer run -it --rm --network none -e PS1='i''n> ' box`);
    await terminal.wait(/in>/);
    await terminal.line('stty size; tty; echo "[$TERM]"');
    await terminal.wait(/40 120\n\/dev\/(?:pts\/0|console)\n\[xterm\]/);
    await terminal.resize(100, 30);
    await terminal.line('sleep 0.3; stty size');
    await terminal.wait(/30 100/);
    await terminal.resize(120, 40);
    await terminal.line('sleep 1000');
    // A ^C before that is the shell's.
    await expect.poll(() => processesOf(box.root).map(({ command }) => command)).toContain('sleep 1000');
    await terminal.press('C-c');
    await terminal.line('echo code $?');
    await terminal.wait(/code 130/);
    await terminal.line('exit 7');
    await terminal.wait(/\$$/);
    await terminal.line('echo code $?; stty -a | tr " ;" "\\n\\n" | grep -xE -- "-?(echo|icanon|opost|isig)"');
    await terminal.wait(/code 7\nisig\nicanon\necho\nopost|code 7\n(?:(?:isig|icanon|echo|opost)\n?){4}/);
    expect(box.ok('ps', '-aq')).toBe('');
  });

  test('is left by ^P^Q and attached to again', async () => {
    await terminal.line(`veneer run -it --name shell --network none -e PS1='i''n> ' box`);
    await terminal.wait(/in>/);
    await terminal.line('word=kept');
    await terminal.press('C-p', 'C-q');
    await terminal.wait(/\$$/);
    await terminal.line('echo code $?');
    await terminal.wait(/code 0/);
    expect(box.ok('ps', '--format', '{{.Names}} {{.State}}')).toBe('shell running');
    await terminal.line('veneer attach shell');
    await terminal.press('Enter');
    await terminal.wait(/in>/);
    await terminal.line('echo $word');
    await terminal.wait(/\nkept\n/);
    // ^P and another key are the shell's: the line before, its end.
    await terminal.press('C-p', 'C-e');
    await terminal.wait(/in> echo \$word/);
    await terminal.press('C-u');
    await terminal.line('exit 3');
    await terminal.wait(/\$$/);
    await terminal.line('echo code $?');
    await terminal.wait(/code 3/);
    await terminal.line(`veneer start -ai shell; echo code $?`);
    await terminal.wait(/in>/);
    await terminal.line('exit 4');
    await terminal.wait(/code 4/);
  });

  test('exec has a terminal of its own', async () => {
    box.ok('run', '-d', '--name', 'web', '--network', 'none', 'box', 'sleep', '1000');
    await terminal.line(`veneer exec -it -e PS1='e''x> ' web sh`);
    await terminal.wait(/ex>/);
    await terminal.line('stty size; ls /proc/1/exe >/dev/null && tty');
    await terminal.wait(/40 120\n\/dev\/pts\/0/);
    await terminal.resize(90, 20);
    await terminal.line('sleep 0.3; stty size');
    await terminal.wait(/20 90/);
    await terminal.resize(120, 40);
    await terminal.press('C-p', 'C-q');
    await terminal.wait(/\$$/);
    expect(box.ok('exec', 'web', 'ps')).toMatch(/\bsh$/m);
    await terminal.line('veneer exec -t web sh -c "exit 9"; echo code $?');
    await terminal.wait(/code 9/);
  });

  test.each([
    ['conmon', 'conmon.pid'],
    ['the container', 'pidfile'],
  ])('gives the terminal back when %s is killed', async (_who, file) => {
    await terminal.line(`veneer run -it --name shell --network none -e PS1='i''n> ' box; echo code $?`);
    await terminal.wait(/in>/);
    process.kill(
      Number(readFileSync(path.join(runDirectory(box.root), box.ok('ps', '-q'), file), 'latin1')),
      'SIGKILL',
    );
    await terminal.wait(/code 137/);
    await terminal.line('stty -a | grep -o -- "-echo " || echo shown');
    await terminal.wait(/\nshown\n/);
  });

  test.each([
    ['SIGTERM', 15],
    ['SIGHUP', 1],
  ])('gives the terminal back when %s ends veneer', (_name, signal) => {
    const { code, echo } = typeTo(
      ['--root', box.root, 'run', '-it', '--sig-proxy=false', '--network', 'none', '-e', 'PS1=in> ', 'box'],
      [{ wait: 'in> ', signal }],
    );
    expect({ code, echo }).toEqual({ code: 128 + signal, echo: true });
  });

  test('that is closed ends the command, and nothing stays mounted', async () => {
    const program = 'trap "exit 5" HUP; echo u""p; read -r line';
    const { code } = typeTo(
      ['--root', box.root, 'run', '-it', '--name', 'shell', '--network', 'none', 'box', 'sh', '-c', program],
      [{ wait: 'up', signal: constants.signals.SIGHUP }],
    );
    expect(code).toBe(129);
    await expect
      .poll(() => box.ok('ps', '-a', '--format', '{{.Status}}').replace(/\d+ seconds?|Less than a second/, 'a moment'))
      .toBe('Exited (5) a moment ago');
  });

  test('that is closed leaves alone what it was attached to', () => {
    const program = 'trap "exit 5" HUP; trap "exit 6" USR1; while read -r line; do echo "got $line"; done';
    box.ok('run', '-dit', '--name', 'shell', '--network', 'none', 'box', 'sh', '-c', program);
    const steps = [
      { wait: '', type: 'word\r' },
      { wait: 'got word', signal: constants.signals.SIGHUP },
    ];
    expect(typeTo(['--root', box.root, 'attach', 'shell'], steps).code).toBe(129);
    box.ok('kill', '-s', 'USR1', 'shell');
    expect(box.ok('wait', 'shell')).toBe('6');
  });
});
