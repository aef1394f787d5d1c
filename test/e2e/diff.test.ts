import { execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requires } from '../helpers/requires.js';
import { CLI, sandboxWithBase } from '../helpers/run-cli.js';
import type { Sandbox } from '../helpers/run-cli.js';

const gate = requires('root', 'fuse', 'tar', 'build', 'git');

/** Images `base`, `v2` and `v3`, a layer apart, and a container `work` with changes of its own over `v3`. */
function sandboxWithLayers(label: string): Sandbox {
  const box = sandboxWithBase(label);
  const commit = (name: string, from: string, change: (dir: string) => void): void => {
    box.ok('create', '--name', name, from);
    change(box.ok('mount', name));
    box.ok('umount', name);
  };
  commit('one', 'base', (dir) => {
    appendFileSync(path.join(dir, 'etc/hosts'), '192.0.2.1 one\n');
    rmSync(path.join(dir, 'usr/share/doc/a'), { recursive: true });
  });
  box.ok('commit', '-m', 'first', 'one', 'v2');
  commit('two', 'v2', (dir) => {
    appendFileSync(path.join(dir, 'etc/hosts'), '192.0.2.2 two\n');
    writeFileSync(path.join(dir, 'etc/new'), 'x'.repeat(2000));
  });
  box.ok('commit', '-m', 'second', 'two', 'v3');
  commit('work', 'v3', (dir) => {
    chmodSync(path.join(dir, 'usr/bin/tool'), 0o700);
    rmSync(path.join(dir, 'etc/new'));
  });
  return box;
}

const lines = (text: string): string[] => (text === '' ? [] : text.split('\n'));

describe.skipIf(gate.skip)(gate.title('veneer diff'), () => {
  let box: Sandbox;
  beforeAll(() => {
    box = sandboxWithLayers('diff');
  }, 60_000);
  afterAll(() => box[Symbol.dispose]());

  test('compares any two of containers, images, states of images, layers and directories', () => {
    const diff = (...args: string[]): string[] => lines(box.ok('diff', ...args));
    const first = ['C /etc', 'C /etc/hosts', 'C /usr', 'C /usr/share', 'C /usr/share/doc', 'D /usr/share/doc/a'];
    const second = ['C /etc', 'C /etc/hosts', 'A /etc/new'];
    const own = ['C /etc', 'D /etc/new', 'C /usr', 'C /usr/bin', 'C /usr/bin/tool'];

    expect(diff('work')).toEqual(own);
    expect(diff('v3', 'work')).toEqual(own);
    expect(diff('work', 'v3')).toEqual(['C /etc', 'A /etc/new', 'C /usr', 'C /usr/bin', 'C /usr/bin/tool']);
    expect(diff('work', 'work')).toEqual([]);
    expect(diff('one', 'v2')).toEqual([]);

    expect(diff('base', 'v2')).toEqual(first);
    expect(diff('v2', 'v3')).toEqual(second);
    expect(diff('v2')).toEqual(first);
    expect(diff('v3')).toEqual(second);
    expect(diff('v3@2')).toEqual(first);
    expect(diff('v3@1', 'base')).toEqual([]);
    expect(diff('v3@1', 'v3@2')).toEqual(first);
    expect(diff('v3@2', 'v3', '--', 'etc/hosts')).toEqual(['C /etc/hosts']);
    expect(diff('v3', '--', '/nothing')).toEqual([]);

    const diffIds = JSON.parse(box.ok('inspect', '-f', '{{json .RootFS.Layers}}', 'v3')) as string[];
    const [, , top = ''] = diffIds;
    expect(diff(top)).toEqual(second);
    expect(diff(top.slice('sha256:'.length, 20))).toEqual(second);
    expect(diff(`v3@${diffIds[1] ?? ''}`, top)).toEqual(second);

    mkdirSync(box.at('m'));
    box.ok('mount', 'v3', box.at('m'));
    expect(diff('v3', './m')).toEqual([]);
    expect(diff(box.at('m'), 'v2')).toEqual(['C /etc', 'C /etc/hosts', 'D /etc/new']);
    box.ok('umount', box.at('m'));
    mkdirSync(box.at('empty'));
    expect(diff('./empty', 'v3', '--', 'usr/share')).toEqual([
      'A /usr/share',
      'A /usr/share/doc',
      'A /usr/share/doc/b',
      'A /usr/share/doc/b/README',
    ]);
  });

  test('tells sizes, aligned for people and as objects for programs', () => {
    expect(box.ok('diff', '--stat', 'base', 'work').split('\n')).toEqual([
      'C /etc/hosts               20B -> 48B  +28B',
      'C /usr/bin/tool            10B -> 10B',
      'D /usr/share/doc/a          0B ->   -',
      'D /usr/share/doc/a/README   2B ->   -  -2B',
      ' 4 paths changed, 28B more(+), 2B less(-)',
    ]);
    expect(box.ok('diff', 'base', 'v3', '--stat', '--depth', '1').split('\n')).toEqual([
      'C /etc/  2 paths  20B -> 2.05kB  +2.03kB',
      'D /usr/  2 paths   2B ->      -  -2B',
      ' 4 paths changed, 2.03kB more(+), 2B less(-)',
    ]);
    const objects = (...args: string[]): unknown[] =>
      lines(box.ok('diff', '--format', 'json', ...args)).map((line): unknown => JSON.parse(line));
    expect(objects('work', '--', 'etc')).toEqual([
      { Kind: 'C', Path: '/etc' },
      { Kind: 'D', Path: '/etc/new' },
    ]);
    const file = { Type: 'file', Uid: 0, Gid: 0, Modified: '2023-11-14T22:13:20.000000000Z', Size: 10 };
    expect(objects('--stat', 'work', '--', 'usr/bin/tool', 'etc/new')).toEqual([
      {
        Kind: 'D',
        Path: '/etc/new',
        Old: { ...file, Size: 2000, Mode: '0644', Modified: expect.any(String) as string },
      },
      { Kind: 'C', Path: '/usr/bin/tool', Old: { ...file, Mode: '0644' }, New: { ...file, Mode: '0700' } },
    ]);
    expect(objects('--stat', '--depth', '1', 'v3')).toEqual([
      { Kind: 'C', Path: '/etc/', Paths: 2, OldSize: 34, NewSize: 2048 },
    ]);
  });

  test('writes patches that git apply turns one tree into the other with', () => {
    const patch = box.ok('diff', '-p', 'base', 'work');
    expect(patch.split('\n').slice(0, 6)).toEqual([
      'diff --git a/etc/hosts b/etc/hosts',
      '--- a/etc/hosts',
      '+++ b/etc/hosts',
      '@@ -1 +1,3 @@',
      ' 127.0.0.1 localhost',
      '+192.0.2.1 one',
    ]);
    execFileSync('git', ['apply', '-'], {
      cwd: box.at('base.tar.d'),
      input: `${patch}\n`,
      env: { ...process.env, GIT_CEILING_DIRECTORIES: box.dir },
    });
    expect(readFileSync(box.at('base.tar.d/etc/hosts'), 'utf8')).toBe(
      '127.0.0.1 localhost\n192.0.2.1 one\n192.0.2.2 two\n',
    );
    expect(box.ok('diff', '-p', '--max-file-size', '1k', 'v3', '--', 'etc/new').split('\n')).toEqual([
      'diff --veneer a/etc/new b/etc/new',
      'new file mode 0644',
      'Large files /dev/null and b/etc/new differ',
    ]);
  });

  test('colours what a terminal shows, and lets no name or content steer it', () => {
    using box = sandboxWithBase('terminal');
    box.ok('create', '--name', 'work', 'base');
    const dir = box.ok('mount', 'work');
    writeFileSync(path.join(dir, 'a\x1b[31mb'), 'tab\there \x1b]0;title\x07\n');
    const onTerminal = (args: string, env: Record<string, string> = {}): string =>
      execFileSync('script', ['-qec', `${process.execPath} ${CLI} diff work ${args}`, '/dev/null'], {
        env: { ...process.env, VENEER_ROOT: box.root, NO_COLOR: '', ...env },
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      }).replaceAll('\r\n', '\n');
    expect(onTerminal('')).toBe('\x1b[32mA /a\\x1b[31mb\x1b[0m\n');
    expect(onTerminal('', { NO_COLOR: '1' })).toBe('A /a\\x1b[31mb\n');
    expect(onTerminal('-p')).toContain('\x1b[32m+tab\there \\x1b]0;title\\x07\x1b[0m\n');
    expect(box.run('diff', 'work').stdout).toBe('A /a\x1b[31mb\n');
  });

  test('names that are not UTF-8 have their bytes beside them in JSON', () => {
    using box = sandboxWithBase('bytes');
    box.ok('create', '--name', 'work', 'base');
    execFileSync('bash', ['-c', `: > "$0"/$'n\\xff'`, box.ok('mount', 'work')]);
    expect(JSON.parse(box.ok('diff', '--format', 'json', 'work'))).toEqual({
      Kind: 'A',
      Path: '/n\ufffd',
      PathBytes: Buffer.from('/n\xff', 'latin1').toString('base64'),
    });
  });

  test('should-fail: what is wrong is said in one line', () => {
    expect(box.fails(1, 'diff', 'none')).toContain('no such container, image or layer: none');
    expect(box.fails(1, 'diff', 'none', 'base')).toContain('no such container, image or layer: none');
    expect(box.fails(1, 'diff', 'base', './none')).toContain('no such directory: ./none');
    expect(box.fails(1, 'diff', 'base', 'x/none')).toContain('no such container, image or layer');
    expect(box.fails(1, 'diff', 'v3@4')).toContain('image v3 has no layer 4: it has 3');
    expect(box.fails(1, 'diff', 'v3@0')).toContain('no layer 0');
    expect(box.fails(1, 'diff', 'v3@feedbeef')).toContain("image v3 has no layer 'feedbeef'");
    expect(box.fails(1, 'diff', 'feedbeef')).toContain('no such container, image or layer');
    expect(box.fails(2, 'diff', '.')).toMatch(/a directory alone has no changes\n {2}hint: .*veneer diff IMAGE \./);
    expect(box.fails(2, 'diff')).toContain('missing');
    expect(box.fails(2, 'diff', '--', 'etc')).toContain('what to compare is missing');
    expect(box.fails(2, 'diff', 'a', 'b', 'c')).toContain('too many arguments');
    expect(box.fails(2, 'diff', '--stat', '-p', 'base')).toContain('exclude each other');
    expect(box.fails(2, 'diff', '-p', '--format', 'json', 'base')).toContain('no other format');
    expect(box.fails(2, 'diff', '--depth', '1', 'base')).toContain('--depth needs --stat');
    expect(box.fails(2, 'diff', '--stat', '--depth', '0', 'base')).toContain("--depth '0'");
    expect(box.fails(2, 'diff', '--max-file-size', '1k', 'base')).toContain('needs --patch');
    expect(box.fails(2, 'diff', '-p', '--max-file-size', 'much', 'base')).toContain('not a size');
    expect(box.fails(2, 'diff', '--format', 'xml', 'base')).toContain("unknown format 'xml'");
  });
});
