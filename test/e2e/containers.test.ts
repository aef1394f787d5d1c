import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  appendFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { requires } from '../helpers/requires.js';
import { sandboxWithBase } from '../helpers/run-cli.js';

const gate = requires('root', 'fuse', 'tar', 'build');

describe.skipIf(gate.skip)(gate.title('a container'), () => {
  test('is created, mounted, changed, compared, committed and removed', () => {
    using box = sandboxWithBase('main');
    const id = box.ok('create', '--name', 'work', 'base');
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    const dir = box.ok('mount', 'work');
    expect(readFileSync(path.join(dir, 'etc/hosts'), 'utf8')).toBe('127.0.0.1 localhost\n');
    expect(box.ok('mount', 'work')).toBe(dir);

    appendFileSync(path.join(dir, 'etc/hosts'), '192.0.2.1 example\n');
    writeFileSync(path.join(dir, 'new'), 'new\n');
    rmSync(path.join(dir, 'usr/share/doc/a'), { recursive: true });
    renameSync(path.join(dir, 'usr/share/doc/b'), path.join(dir, 'usr/share/doc/c'));

    const diff = ['C /etc', 'C /etc/hosts', 'A /new', 'C /usr', 'C /usr/share', 'C /usr/share/doc'];
    const docs = ['D /usr/share/doc/a', 'D /usr/share/doc/b', 'A /usr/share/doc/c', 'A /usr/share/doc/c/README'];
    expect(box.ok('diff', 'work').split('\n')).toEqual([...diff, ...docs]);
    expect(box.ok('ps', '--format', '{{.Names}} {{.Status}}')).toBe('work Mounted');

    expect(box.ok('umount', 'work')).toBe('work');
    expect(box.ok('diff', 'work').split('\n')).toEqual([...diff, ...docs]);
    const image = box.ok('commit', '-m', 'changes', '-a', 'Jane', '-c', 'CMD ["sh"]', 'work', 'base:v2');
    expect(image).toMatch(/^sha256:[0-9a-f]{64}$/);
    box.check();
    expect(box.ok('inspect', '-f', '{{.Author}} {{.Comment}} {{.Config.Cmd}} {{len .RootFS.Layers}}', 'base:v2')).toBe(
      'Jane changes [sh] 2',
    );
    expect(box.ok('diff', 'work').split('\n')).toEqual([...diff, ...docs]);

    mkdirSync(box.at('look'));
    expect(box.ok('mount', 'base:v2', box.at('look'))).toBe(box.at('look'));
    expect(readFileSync(box.at('look/usr/share/doc/c/README'), 'utf8')).toBe('b\n');
    expect(readdirSync(box.at('look/usr/share/doc'))).toEqual(['c']);
    expect(() => writeFileSync(box.at('look/x'), '')).toThrow(expect.objectContaining({ code: 'EROFS' }));
    expect(box.ok('umount', box.at('look'))).toBe(box.at('look'));

    expect(box.ok('rm', 'work')).toBe('work');
    expect(box.ok('ps', '-aq')).toBe('');
    box.check();
  });

  test('is committed while it is mounted', () => {
    using box = sandboxWithBase('live');
    box.ok('create', '--name', 'work', 'base');
    const dir = box.ok('mount', 'work');
    writeFileSync(path.join(dir, 'one'), '1');
    box.ok('commit', 'work', 'live:1');
    writeFileSync(path.join(dir, 'two'), '2');
    expect(box.ok('diff', 'work').split('\n')).toEqual(['A /one', 'A /two']);
    mkdirSync(box.at('look'));
    box.ok('mount', 'live:1', box.at('look'));
    expect(readdirSync(box.at('look'))).toContain('one');
    expect(readdirSync(box.at('look'))).not.toContain('two');
    box.ok('umount', box.at('look'), 'work');
    box.check();
  });

  test('keeps its changes from mount to mount, at any place', () => {
    using box = sandboxWithBase('again');
    box.ok('create', '--name', 'work', 'base');
    mkdirSync(box.at('here'));
    expect(box.ok('mount', 'work', box.at('here'))).toBe(box.at('here'));
    writeFileSync(box.at('here/kept'), 'kept');
    unlinkSync(box.at('here/etc/passwd'));
    expect(box.ok('umount', box.at('here'))).toBe(box.at('here'));
    const dir = box.ok('mount', 'work');
    expect(readFileSync(path.join(dir, 'kept'), 'utf8')).toBe('kept');
    expect(readdirSync(path.join(dir, 'etc'))).toEqual(['hosts']);
    expect(box.ok('umount', '--all')).toBe('work');
  });

  test('names with odd bytes come out of diff as they are', () => {
    using box = sandboxWithBase('bytes');
    box.ok('create', '--name', 'work', 'base');
    const dir = box.ok('mount', 'work');
    execFileSync('bash', ['-c', `cd "$0" && : > $'caf\\xc3\\xa9' && : > $'\\xff\\xfe'`, dir]);
    const raw = execFileSync('bash', ['-c', `"$0" "$1" diff work`, process.execPath, cli()], {
      env: { ...process.env, VENEER_ROOT: box.root },
    });
    expect(raw.toString('latin1')).toBe('A /caf\xc3\xa9\nA /\xff\xfe\n');
    expect(box.ok('diff', '--format', 'json', 'work').split('\n')[0]).toBe('{"Kind":"A","Path":"/caf\u00e9"}');
  });
});

function cli(): string {
  return path.resolve(import.meta.dirname, '../../dist/program/veneer.cjs');
}

describe.skipIf(gate.skip)(gate.title('veneer create and ps'), () => {
  test("print docker's table", () => {
    using box = sandboxWithBase('ps');
    const id = box.ok('create', '--name', 'one', 'base', 'sh', '-c', 'a long command line of several words');
    box.ok('create', 'base');
    expect(box.ok('ps').split('\n')).toHaveLength(1);
    const [head, ...lines] = box.ok('ps', '-a').split('\n');
    expect(head).toMatch(/^CONTAINER ID {3}IMAGE {2,}COMMAND {2,}CREATED {2,}STATUS {2,}PORTS {2,}NAMES$/);
    expect(lines).toHaveLength(2);
    const line = lines.find((it) => it.endsWith('one'));
    expect(line?.split(/ {2,}/)).toEqual([
      id.slice(0, 12),
      'base',
      '"sh -c \'a long comma\u2026"',
      expect.stringMatching(/ago$/),
      'Created',
      'one',
    ]);
    expect(box.ok('container', 'ls', '-aq', '--no-trunc').split('\n')).toContain(id);
    expect(JSON.parse(box.ok('ps', '-a', '--format', 'json').split('\n')[0] ?? '')).toHaveProperty('Names');
  });

  test('refuse', () => {
    using box = sandboxWithBase('create');
    box.ok('create', '--name', 'one', 'base');
    expect(box.fails(1, 'create', '--name', 'one', 'base')).toContain('one');
    expect(box.fails(1, 'create', '--name', 'no/slash', 'base')).toContain('no/slash');
    expect(box.fails(1, 'create', '--pull', 'never', 'none')).toContain('no such image: none');
    box.fails(2, 'create');
    box.fails(2, 'create', '--label', '=v', 'base');
    expect(box.ok('ps', '-aq').split('\n')).toHaveLength(1);
    box.check();
  });
});

describe.skipIf(gate.skip)(gate.title('veneer mount and umount'), () => {
  test('list, and tell images from containers', () => {
    using box = sandboxWithBase('mount');
    box.ok('create', '--name', 'work', 'base');
    const dir = box.ok('mount', 'work');
    expect(box.ok('mount').split('\n')[1]).toMatch(new RegExp(`^[0-9a-f]{12} +work +${dir}$`));
    expect(box.ok('mount', '--format', '{{.Mountpoint}}')).toBe(dir);
  });

  test('refuse', () => {
    using box = sandboxWithBase('mount');
    box.ok('create', '--name', 'work', 'base');
    mkdirSync(box.at('dir'));
    expect(box.fails(1, 'mount', 'none')).toContain("mount 'none': no such container or image");
    expect(box.fails(2, 'mount', 'base')).toContain("mount image 'base': the directory is missing");
    expect(box.fails(1, 'mount', 'base', box.at('missing'))).toContain('missing');
    expect(box.fails(1, 'mount', 'work', box.at('missing'))).toContain('missing');
    box.ok('mount', 'base', box.at('dir'));
    expect(box.fails(1, 'mount', 'base', box.at('dir'))).toContain('(fuse.veneer) is mounted there');
    expect(box.fails(1, 'mount', 'work', box.at('dir'))).toContain('(fuse.veneer) is mounted there');
    expect(box.fails(1, 'rmi', 'base')).toContain('base');
    box.ok('umount', box.at('dir'));
    expect(box.fails(1, 'umount', box.at('dir'))).toContain(box.at('dir'));
    expect(box.fails(1, 'umount', 'work')).toContain('work');
    expect(box.fails(1, 'umount', 'none')).toContain('none');
    box.fails(2, 'umount');
    box.check();
  });

  test('a busy mount stays, and says who can be asked', async () => {
    using box = sandboxWithBase('busy');
    box.ok('create', '--name', 'work', 'base');
    const dir = box.ok('mount', 'work');
    const sleeper = spawn('sleep', ['60'], { cwd: dir, stdio: 'ignore' });
    try {
      expect(box.fails(1, 'umount', 'work')).toMatch(/busy[^\n]*\n {2}hint: .*fuser/);
      expect(box.fails(1, 'rm', 'work')).toContain('work');
    } finally {
      sleeper.kill('SIGKILL');
      await once(sleeper, 'exit');
    }
  });
});

describe.skipIf(gate.skip)(gate.title('veneer diff, commit and rm'), () => {
  test('refuse', () => {
    using box = sandboxWithBase('verbs');
    box.ok('create', '--name', 'work', 'base');
    expect(box.ok('diff', 'work')).toBe('');
    expect(box.fails(1, 'diff', 'none')).toContain('none');
    box.fails(2, 'diff');
    box.fails(2, 'diff', '--format', 'xml', 'work');
    expect(box.fails(1, 'commit', 'none', 'x')).toContain('none');
    expect(box.fails(1, 'commit', 'work', 'Bad Name')).toContain('Bad Name');
    expect(box.fails(1, 'commit', '-c', 'FROM x', 'work', 'x')).toContain('FROM');
    box.fails(2, 'commit');
    expect(box.fails(1, 'rm', 'none')).toContain('none');
    box.fails(2, 'rm');
    expect(box.ok('images', '--format', '{{.Repository}}')).toBe('base');
    box.check();
  });

  test('a mounted container is removed only by force', () => {
    using box = sandboxWithBase('rm');
    const id = box.ok('create', '--name', 'work', 'base');
    box.ok('create', '--name', 'other', 'base');
    box.ok('mount', 'work');
    expect(box.fails(1, 'rm', 'work')).toMatch(/mounted|umount|-f/);
    const { code, stdout, stderr } = box.run('rm', '-f', 'none', id.slice(0, 8), 'other');
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${id.slice(0, 8)}\nother\n` });
    expect(stderr).toContain('none');
    expect(box.ok('ps', '-aq')).toBe('');
    box.check();
  });
});
