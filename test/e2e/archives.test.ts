import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { requires, runProgram } from '../helpers/requires.js';
import { CLI, runCli, sandbox, sandboxWithBase } from '../helpers/run-cli.js';
import type { Sandbox } from '../helpers/run-cli.js';
import { snapshot } from '../helpers/tree.js';

const gate = requires('root', 'fuse', 'tar', 'build');

/** Another store beside that of a sandbox. */
function elsewhere(box: Sandbox, ...args: string[]): string {
  const { code, stdout, stderr } = runCli(args, { env: { VENEER_ROOT: box.at('other') }, cwd: box.dir });
  expect({ args, code, stderr }).toMatchObject({ code: 0, stderr: '' });
  return stdout.trimEnd();
}

/** Runs a command whose standard input and output are a terminal. */
function onTerminal(box: Sandbox, ...args: string[]): string {
  const line = [process.execPath, CLI, '--root', box.root, ...args].map((word) => `'${word}'`).join(' ');
  return runProgram('script', ['-qc', `${line}; echo "code $?"`, '/dev/null'], { cwd: box.dir });
}

describe.skipIf(gate.skip)(gate.title('save and load'), () => {
  test('take images to another store: by file, by pipe, by directory', () => {
    using box = sandboxWithBase('archives');
    box.ok('create', '--name', 'work', 'base');
    writeFileSync(path.join(box.ok('mount', 'work'), 'new'), 'new');
    box.ok('umount', 'work');
    const id = box.ok('commit', 'work', 'base:v2');
    expect(box.ok('save', '-o', box.at('a.tar'), 'base')).toBe('');
    expect(elsewhere(box, 'load', '-q', '-i', box.at('a.tar')).split('\n')).toEqual([
      'Loaded image: base:latest',
      'Loaded image: base:v2',
    ]);
    expect(elsewhere(box, 'images', '--no-trunc', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}')).toContain(
      `base:v2 ${id}`,
    );

    expect(box.ok('save', '-o', 'layout/', '--compression', 'zstd', id)).toBe('');
    expect(elsewhere(box, 'load', '--input', 'layout')).toBe(`Loaded image ID: ${id}`);
    expect(elsewhere(box, 'rmi', 'base', 'base:v2')).toContain('Deleted: sha256:');
    const piped = runProgram('sh', [
      '-c',
      `'${process.execPath}' '${CLI}' --root '${box.root}' save base:v2 | '${process.execPath}' '${CLI}' --root '${box.at('other')}' load -q`,
    ]);
    expect(piped).toBe('Loaded image: base:v2\n');
    expect(runCli(['--root', box.at('other'), 'system', 'check'])).toMatchObject({ code: 0, stdout: '' });
  });

  test('save writes the same bytes to a file and to standard output', () => {
    using box = sandboxWithBase('archives');
    box.ok('save', '-o', 'a.tar', 'base');
    const options = { env: { VENEER_ROOT: box.root }, cwd: box.dir };
    runProgram('sh', ['-c', `'${process.execPath}' '${CLI}' --root '${box.root}' save -o - base > b.tar`], options);
    expect(readFileSync(box.at('b.tar')).equals(readFileSync(box.at('a.tar')))).toBe(true);
  });

  test('standard output that is full or closed ends them, and nothing is left behind', () => {
    using box = sandboxWithBase('archives');
    const save = `'${process.execPath}' '${CLI}' --root '${box.root}' save base`;
    expect(runProgram('sh', ['-c', `${save} 2>&1 >/dev/full; echo "code $?"`])).toMatch(
      /^veneer: cannot write to standard output: ENOSPC[^\n]*\ncode 1\n$/,
    );
    expect(runProgram('sh', ['-c', `${save} 2>&1 | head -c 0; echo end`])).toBe('end\n');
    expect(readdirSync(path.join(box.root, 'staging'))).toEqual([]);
  });

  test('a terminal takes and gives no archives', () => {
    using box = sandboxWithBase('archives');
    expect(onTerminal(box, 'save', 'base')).toMatch(/cowardly refusing to save to a terminal[^]*code 2/);
    expect(onTerminal(box, 'export', 'base')).toMatch(/cowardly refusing to export to a terminal[^]*code 2/);
    expect(onTerminal(box, 'load')).toMatch(/standard input is a terminal[^]*code 2/);
    expect(onTerminal(box, 'import', '-', 'x')).toMatch(/standard input is a terminal[^]*code 2/);
  });

  test('^C leaves neither a file nor anything in the store', async () => {
    using box = sandbox('archives');
    const tree = box.at('big');
    mkdirSync(tree);
    writeFileSync(path.join(tree, 'file'), Buffer.alloc(300 << 20, 'x'));
    runProgram('sh', ['-c', `tar -C '${tree}' -cf '${box.at('big.tar')}' .`]);
    box.ok('import', 'big.tar', 'big');
    const interrupted = async (args: readonly string[], root: string, begun: () => boolean): Promise<number | null> => {
      const child = spawn(process.execPath, [CLI, '--root', root, ...args], { cwd: box.dir, stdio: 'ignore' });
      const ended = once(child, 'exit') as Promise<[number | null]>;
      while (!begun() && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 5));
      child.kill('SIGINT');
      return (await ended)[0];
    };
    const half = (): boolean => readdirSync(box.dir).some((name) => name.startsWith('.out.tar'));
    expect(
      await interrupted(
        ['save', '--compression', 'gzip', '-o', 'packed.tar', 'big'],
        box.root,
        () => readdirSync(path.join(box.root, 'staging')).length > 0,
      ),
    ).toBe(130);
    expect(await interrupted(['save', '-o', 'out.tar', 'big'], box.root, half)).toBe(130);
    expect(readdirSync(box.dir).filter((name) => name.endsWith('.tar') && name !== 'big.tar')).toEqual([]);
    box.ok('save', '-o', 'whole.tar', 'big');
    const other = box.at('other');
    const unpacking = (): boolean => {
      try {
        return readdirSync(path.join(other, 'staging')).length > 1;
      } catch {
        return false;
      }
    };
    expect(await interrupted(['load', '-i', 'whole.tar'], other, unpacking)).toBe(130);
    for (const place of ['layers', 'blobs/sha256', 'staging']) expect(readdirSync(path.join(other, place))).toEqual([]);
    expect(runCli(['--root', box.at('other'), 'system', 'check'])).toMatchObject({ code: 0, stdout: '' });
    box.check();
  });

  const refused: [string, (box: Sandbox) => string[], number, RegExp][] = [
    ['a missing archive', () => ['load', '-i', 'none.tar'], 1, /none\.tar.*no such file/],
    [
      'a root file system',
      (box) => ['load', '-i', box.tar('t.tar', { a: 'b' })],
      1,
      /not an archive of images[^]*veneer import/,
    ],
    ['a directory that is no layout', () => ['load', '-i', '.'], 1, /not an archive of images/],
    ['a bad platform', () => ['load', '-i', 'x', '--platform', 'a b'], 1, /'a b' is not a platform/],
    ['a bad limit', () => ['load', '-i', 'x', '--max-size', 'large'], 2, /--max-size 'large': it is not a size/],
    ['a bad count', () => ['import', 'x', '--max-entries', '-1'], 2, /--max-entries '-1'/],
    ['an image that is not there', () => ['save', '-o', 'x.tar', 'none'], 1, /no such image: none/],
    ['no image', () => ['save', '-o', 'x.tar'], 2, /missing required argument 'image'/],
    ['an unknown format', () => ['save', '--format', 'zip', 'base'], 2, /Allowed choices are docker, oci/],
    [
      'a docker archive with compressed layers',
      () => ['save', '--format', 'docker', '--compression', 'gzip', 'base'],
      2,
      /not compressed in the format docker/,
    ],
    ['a level without a method', () => ['save', '--level', '3', 'base'], 2, /--level '3'/],
    ['a place that is not there', () => ['save', '-o', 'no/such/x.tar', 'base'], 1, /there is no directory 'no\/such'/],
    ['a tree that is not there', () => ['export', '-o', 'x.tar', 'none'], 1, /no such container.*none/],
  ];
  test('refuse what is wrong, and leave nothing', () => {
    using box = sandboxWithBase('archives');
    for (const [what, args, code, message] of refused) expect(box.fails(code, ...args(box)), what).toMatch(message);
    expect(readdirSync(box.dir).filter((name) => name === 'x.tar')).toEqual([]);
    box.check();
  });

  test('what is no archive is named', () => {
    using box = sandbox('archives');
    writeFileSync(box.at('junk'), 'junk');
    expect(box.fails(1, 'load', '-i', box.at('junk'))).toMatch(/cannot open '[^']*junk': this is not a tar archive/);
    box.check();
  });

  test('limits can be set, and raised', () => {
    using box = sandbox('archives');
    const tar = box.tar('t.tar', { a: 'x'.repeat(5000), b: 'y' });
    expect(box.fails(1, 'import', '--max-size', '4000', tar, 'x')).toMatch(
      /more than 4000 bytes[^]*raise the limit: --max-size/,
    );
    expect(box.fails(1, 'import', '--max-entries', '2', tar, 'x')).toMatch(/more than 2 entries/);
    box.ok('import', '--max-size', '1MiB', '--max-entries', '3', '--max-ratio', '10', '--no-progress', tar, 'x');
    box.ok('save', '-o', 'a.tar', 'x');
    const { code, stderr } = runCli(['load', '-i', box.at('a.tar'), '--max-entries', '1'], {
      env: { VENEER_ROOT: box.at('other') },
    });
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('more than 1 entries') as string,
    });
  });
});

describe.skipIf(gate.skip)(gate.title('images of archives'), () => {
  test('are looked at in place, and loaded where they are needed', () => {
    using box = sandboxWithBase('archives');
    const id = box.ok('inspect', '-f', '{{.Id}}', 'base');
    box.ok('save', '--compression', 'gzip', '-o', 'layout/', 'base');
    box.ok('save', '-o', 'a.tar', 'base');
    const history = box.ok('history', '--no-human', '--format', '{{.ID}} {{.Comment}}', 'base');
    // A repository may have the name of a kind of archive.
    box.ok('tag', 'base', 'oci:mine');
    expect(box.ok('inspect', '-f', '{{.Id}}', 'oci:mine')).toBe(id);
    expect(box.ok('history', '--no-human', '--format', '{{.ID}} {{.Comment}}', 'oci:mine')).toBe(history);
    box.ok('create', '--name', 'its', 'oci:mine');
    box.ok('rm', 'its');
    box.ok('rmi', 'oci:mine', 'base');
    for (const name of ['oci:layout:latest', 'oci-archive:a.tar', 'docker-archive:a.tar:base']) {
      expect(box.ok('inspect', '-f', '{{.Id}} {{index .RepoTags 0}}', name)).toBe(`${id} base:latest`);
      expect(box.ok('history', '--no-human', '--format', '{{.ID}} {{.Comment}}', name)).toBe(history);
    }
    const digest = runProgram(
      'sh',
      ['-c', `'${process.execPath}' '${CLI}' --root '${box.root}' inspect --oci config oci:layout | sha256sum`],
      { cwd: box.dir },
    );
    expect(digest).toContain(id.slice('sha256:'.length));
    expect(box.ok('images', '-q')).toBe('');
    expect(box.ok('diff', 'oci:layout', 'docker-archive:a.tar')).toBe('');
    expect(box.ok('images', '--format', '{{.Repository}}:{{.Tag}}')).toBe('base:latest');
    box.ok('rmi', 'base');
    box.ok('create', '--name', 'work', 'oci:layout:latest');
    expect(box.ok('ps', '-a', '--format', '{{.Names}} {{.Image}}')).toBe('work base:latest');
    mkdirSync(box.at('look'));
    box.ok('mount', 'oci:layout', 'look');
    expect(readFileSync(box.at('look/etc/hosts'), 'utf8')).toBe('127.0.0.1 localhost\n');
    box.ok('umount', box.at('look'));
    expect(box.fails(1, 'history', 'oci:layout:none')).toMatch(/has no image 'none'[^]*it has latest/);
    expect(box.fails(1, 'create', 'oci:./nowhere')).toMatch(/no such file or directory/);
    box.check();
  });
});

describe.skipIf(gate.skip)(gate.title('export'), () => {
  test('gives the merged tree, and import makes the same of it', () => {
    using box = sandboxWithBase('archives');
    box.ok('create', '--name', 'work', 'base');
    const dir = box.ok('mount', 'work');
    rmSync(path.join(dir, 'usr/share/doc/a'), { recursive: true });
    unlinkSync(path.join(dir, 'etc/hosts'));
    runProgram('sh', [
      '-ec',
      `cd '${dir}'; ln etc/passwd etc/same; mkfifo pipe; setfattr -n user.a -v b usr; touch -d '2001-01-01 00:00:00.5' tmp; chown 5:6 tmp`,
    ]);
    const shown = snapshot(dir);
    box.ok('export', '-o', 'mounted.tar', 'work');
    box.ok('umount', 'work');
    box.ok('export', 'work', '--output', 'work.tar');
    expect(readFileSync(box.at('mounted.tar')).equals(readFileSync(box.at('work.tar')))).toBe(true);
    expect(runProgram('tar', ['-tf', box.at('work.tar')])).not.toContain('.wh.');

    mkdirSync(box.at('look'));
    box.ok('import', 'work.tar', 'flat');
    box.ok('mount', 'flat', box.at('look'));
    expect(snapshot(box.at('look'))).toEqual(shown);
    box.ok('umount', box.at('look'));
    box.ok('commit', 'work', 'base:v2');
    box.ok('export', '-q', '-o', 'image.tar', 'base:v2');
    expect(readFileSync(box.at('image.tar')).equals(readFileSync(box.at('work.tar')))).toBe(true);
    expect(statSync(box.at('image.tar')).size % 512).toBe(0);
  });
});
