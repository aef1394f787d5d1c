import { closeSync, openSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { requires, runProgram } from '../helpers/requires.js';
import { runCli, sandbox, SMALL_TREE } from '../helpers/run-cli.js';
import type { Sandbox } from '../helpers/run-cli.js';

const gate = requires('root', 'tar', 'build');

/** What the store holds but for its database. */
function contents(box: Sandbox): string[] {
  return ['blobs/sha256', 'layers', 'staging'].flatMap((dir) => {
    try {
      return readdirSync(path.join(box.root, dir)).map((name) => `${dir}/${name}`);
    } catch {
      return [];
    }
  });
}

describe.skipIf(gate.skip)(gate.title('veneer import'), () => {
  test('prints the ID and makes an image', () => {
    using box = sandbox('import');
    const id = box.ok('import', box.tar('t.tar', SMALL_TREE), 'base:1');
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(box.ok('images', '--no-trunc', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}')).toBe(`base:1 ${id}`);
    box.check();
  });

  test.each(['gzip', 'bzip2', 'xz', 'zstd'])('takes a tar compressed with %s: same diffID', (program) => {
    using box = sandbox('import');
    const tar = box.tar('t.tar', SMALL_TREE);
    box.ok('import', tar, 'plain');
    runProgram('sh', ['-c', `${program} -c '${tar}' > '${tar}.z'`]);
    box.ok('import', `${tar}.z`, 'packed');
    const layers = (name: string): string => box.ok('inspect', '-f', '{{json .RootFS.Layers}}', name);
    expect(layers('packed')).toBe(layers('plain'));
    box.check();
  });

  test('reads standard input, and needs no name', () => {
    using box = sandbox('import');
    const input = readFileSync(box.tar('t.tar', SMALL_TREE));
    const { code, stdout } = runCli(['import', '-'], { input, env: { VENEER_ROOT: box.root } });
    expect(code).toBe(0);
    expect(box.ok('images', '--no-trunc', '--format', '{{.Repository}} {{.Tag}} {{.ID}}')).toBe(
      `<none> <none> ${stdout.trim()}`,
    );
  });

  test('applies changes and keeps the message', () => {
    using box = sandbox('import');
    box.ok('import', '-c', 'CMD ["sh"]', '--change', 'ENV A=b', '-m', 'my words', box.tar('t.tar', SMALL_TREE), 'base');
    expect(box.ok('inspect', '-f', '{{json .Config.Cmd}} {{json .Config.Env}} {{.Comment}}', 'base')).toBe(
      '["sh"] ["A=b"] my words',
    );
  });

  test('gives the same ID for the same tar and SOURCE_DATE_EPOCH', () => {
    using box = sandbox('import');
    const tar = box.tar('t.tar', SMALL_TREE);
    const env = { VENEER_ROOT: box.root, SOURCE_DATE_EPOCH: '1700000000' };
    const [first, second] = [runCli(['import', tar, 'a'], { env }), runCli(['import', tar, 'b'], { env })];
    expect(first.code).toBe(0);
    expect(second.stdout).toBe(first.stdout);
    expect(box.ok('inspect', '-f', '{{.Created}}', 'a')).toMatch(/^2023-11-14T22:13:20(\.0+)?Z$/);
    expect(runCli(['import', tar], { env: { ...env, SOURCE_DATE_EPOCH: 'soon' } })).toMatchObject({ code: 2 });
  });

  describe('refuses, leaving nothing', () => {
    const hostile: [string, (box: Sandbox) => string[], number, RegExp][] = [
      ['a missing file', (box) => [box.at('none.tar')], 1, /none\.tar.*no such file/i],
      ['a directory', (box) => [box.dir], 1, /directory/i],
      ['no file', () => [], 2, /missing required argument 'file'/],
      ['a bad name', (box) => [box.tar('t.tar', SMALL_TREE), 'x/UPPER'], 1, /lower case/],
      ['a bad change', (box) => ['-c', 'FROM x', box.tar('t.tar', SMALL_TREE), 'x'], 1, /FROM/],
      [
        'a truncated tar',
        (box) => {
          const tar = box.tar('t.tar', { ...SMALL_TREE, big: 'x'.repeat(100_000) });
          truncateSync(tar, 50_000);
          return [tar, 'x'];
        },
        1,
        /trunc|end/i,
      ],
      [
        'what is no tar',
        (box) => {
          writeFileSync(box.at('noise'), 'x'.repeat(5000));
          return [box.at('noise'), 'x'];
        },
        1,
        /tar|header|checksum/i,
      ],
      [
        'a truncated gzip',
        (box) => {
          runProgram('gzip', [box.tar('t.tar', SMALL_TREE)]);
          truncateSync(box.at('t.tar.gz'), 100);
          return [box.at('t.tar.gz'), 'x'];
        },
        1,
        /t\.tar\.gz|gzip|end/i,
      ],
      [
        'a tar that climbs out',
        (box) => {
          writeFileSync(box.at('evil'), 'evil');
          runProgram('tar', [
            '-C',
            box.dir,
            '-P',
            '--transform',
            's,^evil$,../../../evil,',
            '-cf',
            box.at('e.tar'),
            'evil',
          ]);
          return [box.at('e.tar'), 'x'];
        },
        1,
        /\.\./,
      ],
    ];

    test.each(hostile)('%s', (_what, args, code, message) => {
      using box = sandbox('import');
      const line = args(box);
      expect(box.fails(code, 'import', ...line)).toMatch(message);
      expect(box.ok('images', '-q')).toBe('');
      expect(contents(box)).toEqual([]);
      box.check();
    });

    test('an empty standard input', () => {
      using box = sandbox('import');
      expect(box.fails(1, 'import', '-', 'x')).toContain('veneer: ');
    });
  });

  test('an interrupted import leaves a store that works', () => {
    using box = sandbox('import');
    const tar = box.tar('t.tar', SMALL_TREE);
    // A reader that never sees the end: killed by the timeout.
    const fifo = box.at('fifo');
    runProgram('mkfifo', [fifo]);
    const holder = openSync(fifo, 'r+');
    try {
      runProgram(
        'sh',
        ['-c', `timeout -s KILL 2 "$0" "$1" import "$2" x || true`, process.execPath, cliPath(), fifo],
        {},
      );
    } finally {
      closeSync(holder);
    }
    box.ok('import', tar, 'base');
    box.ok('system', 'prune', '-f');
    box.check();
  });
});

function cliPath(): string {
  return path.resolve(import.meta.dirname, '../../dist/program/veneer.cjs');
}
