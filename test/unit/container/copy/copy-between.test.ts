import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { copyBetween } from '../../../../src/container/copy/copy-between.js';
import type { CopyOptions, TreePath } from '../../../../src/container/copy/copy-between.js';
import { HERE, confinedTree } from '../../../../src/container/copy/tree.js';
import { AT_FDCWD, O_DIRECTORY, O_PATH, close, must, openat } from '../../../../src/sys/index.js';
import { requires } from '../../../helpers/requires.js';
import { tempDir } from '../../../helpers/tmp.js';
import type { TempDir } from '../../../helpers/tmp.js';

const gate = requires('root');

let temp: TempDir;
let rootFd: number;

beforeEach(() => {
  temp = tempDir('copy');
  mkdirSync(at('root'));
  mkdirSync(at('out'));
  rootFd = must(openat(AT_FDCWD, at('root'), O_PATH | O_DIRECTORY), 'open');
});

afterEach(() => {
  close(rootFd);
  temp.remove();
});

const at = (...names: string[]): string => path.join(temp.path, ...names);
const outside = (name: string): TreePath => ({ tree: HERE, path: at('out') + (name === '' ? '' : `/${name}`) });
const inside = (name: string): TreePath => ({ tree: confinedTree(rootFd, 'web'), path: name });

/** Makes files by a script, in the tree of the container and outside. */
function make({ root = '', out = '' }: { root?: string; out?: string }): void {
  execFileSync('sh', ['-euc', root], { cwd: at('root') });
  execFileSync('sh', ['-euc', out], { cwd: at('out') });
}

/** A tree as text: `a/`, `a/b=content`, `c->target`. */
function tree(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const file = path.join(entry.parentPath, entry.name);
      const name = path.relative(dir, file);
      if (entry.isDirectory()) return `${name}/`;
      if (entry.isSymbolicLink()) return `${name}->${readlinkSync(file)}`;
      return entry.isFile() ? `${name}=${readFileSync(file, 'utf8')}` : `${name}?`;
    })
    .sort();
}

const copy = (from: TreePath, to: TreePath, options: CopyOptions = {}): Promise<unknown> =>
  copyBetween(from, to, options);

describe.skipIf(gate.skip)(gate.title('where a copy goes'), () => {
  const FILES = 'mkdir -p dir/sub; printf 1 > dir/one; printf 2 > dir/sub/two; printf f > file; ln -s dir/one link';

  /** As the tables in docker's reference of `docker cp`. */
  test.each([
    ['a file to a new name', 'file', 'new', ['new=f']],
    ['a file into a directory', 'file', 'there', ['there/', 'there/file=f']],
    ['a file into a directory with a slash', 'file', 'there/', ['there/', 'there/file=f']],
    ['a file into a directory with a dot', 'file', 'there/.', ['there/', 'there/file=f']],
    ['a file over a file', 'file', 'old', ['old=f']],
    ['a file through a link to a file', 'file', 'to-old', ['old=f', 'to-old->old']],
    ['a file through a link to nothing', 'file', 'dangling', ['dangling->gone', 'gone=f']],
    ['a file through a link to a directory', 'file', 'to-there', ['there/', 'there/file=f', 'to-there->there']],
    ['a directory to a new name', 'dir', 'new', ['new/', 'new/one=1', 'new/sub/', 'new/sub/two=2']],
    ['a directory to a new name with a slash', 'dir', 'new/', ['new/', 'new/one=1', 'new/sub/', 'new/sub/two=2']],
    ['what is in one to a new name', 'dir/.', 'new', ['new/', 'new/one=1', 'new/sub/', 'new/sub/two=2']],
    ['a directory into another', 'dir/sub', 'there', ['there/', 'there/sub/', 'there/sub/two=2']],
    ['what is in one into another', 'dir/.', 'there', ['there/', 'there/one=1', 'there/sub/', 'there/sub/two=2']],
    ['what is in one, by dots', 'dir/sub/..', 'there', ['there/', 'there/one=1', 'there/sub/', 'there/sub/two=2']],
    ['a link', 'link', 'new', ['new->dir/one']],
    ['a link over a file', 'link', 'old', ['old->dir/one']],
  ])('%s', async (_what, from, to, expected) => {
    const made = { there: 'mkdir there', old: 'printf old > old' };
    const needed = [
      ...(to.includes('there') ? [made.there] : []),
      ...(to.includes('old') ? [made.old] : []),
      ...(to.startsWith('to-') ? [`ln -s ${to.slice(3)} ${to}`] : []),
      ...(to === 'dangling' ? ['ln -s gone dangling'] : []),
    ].join('; ');
    make({ root: needed, out: FILES });
    await copy(outside(from), inside(`/${to}`));
    expect(tree(at('root'))).toEqual(expected);
    // The other way it is the same.
    make({ root: `rm -rf *; ${FILES}`, out: `rm -rf *; ${needed}` });
    await copy(inside(from), outside(to));
    expect(tree(at('out'))).toEqual(expected);
  });

  test('the root is what is in it', async () => {
    make({ root: 'printf 1 > one', out: 'mkdir there' });
    await copy(inside('/'), outside('there'));
    await copy(inside(''), outside('new'));
    expect(tree(at('out'))).toEqual(['new/', 'new/one=1', 'there/', 'there/one=1']);
  });

  test.each([
    ['file', 'missing/new', 'the directory to copy into is missing: web:/missing/new'],
    ['file', 'new/', 'the directory to copy into is missing: web:/new/'],
    ['dir', 'missing/new', 'the directory to copy into is missing: web:/missing/new'],
    ['file', 'old/', 'not a directory: web:/old/'],
    ['file', 'old/x', 'not a directory: web:/old/x'],
    ['dir', 'old', 'cannot copy a directory over a file: web:/old'],
    ['dir', 'to-old', 'cannot copy a directory over a file: web:/to-old'],
    ['file/', 'new', 'not a directory: OUT/file/'],
    ['link/.', 'new', 'not a directory: OUT/link/.'],
    ['none', 'new', 'no such file or directory: OUT/none'],
    ['file', 'ring', 'too many links, or one that leads nowhere: web:/ring'],
    ['.', 'there', 'cannot put a file in the place of a directory'],
    ['dir', 'beside', 'cannot put a directory in the place of what is not one'],
  ])('%s to %s is refused', async (from, to, message) => {
    make({
      root: `printf old > old; ln -s old to-old; ln -s ring ring; mkdir -p there/file beside; printf x > beside/dir`,
      out: FILES,
    });
    const before = tree(at('root'));
    await expect(copy(outside(from), inside(`/${to}`))).rejects.toThrow(message.replace('OUT', at('out')));
    if (from !== '.') expect(tree(at('root'))).toEqual(before);
  });

  test('a directory into itself is refused', async () => {
    make({ root: 'mkdir -p a/b/c' });
    for (const to of ['/a', '/a/b', '/a/b/c/new', '/a/b/c']) {
      await expect(copy(inside('/a'), inside(to))).rejects.toThrow('cannot copy a directory into itself');
    }
    await copy(inside('/a/b'), inside('/'));
    expect(tree(at('root'))).toEqual(['a/', 'a/b/', 'a/b/c/', 'b/', 'b/c/']);
  });
});

describe.skipIf(gate.skip)(gate.title('links'), () => {
  test('of a container never lead out of it', async () => {
    make({
      root: `mkdir etc sub; printf mine > etc/secret; ln -s / sub/root; ln -s ../../../.. sub/up; ln -s ${at('out')} abs`,
      out: 'printf theirs > secret',
    });
    await copy(inside('sub/root/etc/secret'), outside('one'));
    await copy(inside('sub/up/etc/secret'), outside('two'));
    expect(tree(at('out'))).toEqual(['one=mine', 'secret=theirs', 'two=mine']);
    await expect(copy(inside('abs/secret'), outside('three'))).rejects.toThrow('no such file');
    await expect(copy(outside('secret'), inside('abs/secret'))).rejects.toThrow('missing');
    await copy(outside('secret'), inside('sub/up/etc'));
    expect(readFileSync(at('root/etc/secret'), 'utf8')).toBe('theirs');
  });

  test('are copied as links, or with follow what the named one leads to, under its name', async () => {
    make({ root: 'mkdir dir; printf 1 > dir/one; ln -s one dir/inner; ln -s dir all' });
    await copy(inside('all'), outside('link'));
    await copy(inside('all'), outside(''), { follow: true });
    expect(tree(at('out'))).toEqual(['all/', 'all/inner->one', 'all/one=1', 'link->dir']);
  });

  test('outside are not followed below the destination: a container may have made them', async () => {
    make({ root: 'mkdir -p d/a; printf root > d/a/passwd', out: 'mkdir -p there/d safe; ln -s ../../safe there/d/a' });
    await expect(copy(inside('d'), outside('there'))).rejects.toThrow('what is not one');
    expect(tree(at('out/safe'))).toEqual([]);
    make({ root: 'rm -r d; mkdir d; printf x > d/a' });
    await copy(inside('d'), outside('there'));
    expect(tree(at('out'))).toEqual(['safe/', 'there/', 'there/d/', 'there/d/a=x']);
  });

  test('to directories in a container are gone through', async () => {
    make({ root: 'mkdir -p usr/bin; ln -s usr/bin bin', out: 'mkdir -p tree/bin; printf t > tree/bin/tool' });
    await copy(outside('tree/.'), inside('/'));
    expect(tree(at('root'))).toEqual(['bin->usr/bin', 'usr/', 'usr/bin/', 'usr/bin/tool=t']);
  });
});

describe.skipIf(gate.skip)(gate.title('what is copied'), () => {
  const MAKE = `mkdir d; printf x > d/f; chmod 4751 d/f; ln d/f d/hard; mkfifo d/fifo; mknod d/null c 1 3; mkdir d/closed
    printf y > d/closed/y; chmod 500 d/closed; chown -hR 1234:2345 d; chmod 6751 d/f; truncate -s 1M d/hole; printf end >> d/hole
    chown 0:0 d/hole; chmod 6755 d/hole; setfattr -n user.colour -v red d/f
    find d -depth -exec touch -h -d @1600000000.123456789 {} +`;
  const facts = (file: string): object => {
    const { mode, uid, gid, mtimeNs, nlink } = lstatSync(file, { bigint: true });
    return {
      mode: Number(mode & 0o7777n).toString(8),
      uid: Number(uid),
      gid: Number(gid),
      mtimeNs,
      nlink: Number(nlink),
    };
  };
  const TIME = 1600000000123456789n;

  test('with users and groups in an archive', async () => {
    make({ out: MAKE });
    await copy(outside('d'), inside('/'), { archive: true });
    expect(facts(at('root/d/f'))).toEqual({ mode: '6751', uid: 1234, gid: 2345, mtimeNs: TIME, nlink: 2 });
    expect(lstatSync(at('root/d/f')).ino).toBe(lstatSync(at('root/d/hard')).ino);
    expect(facts(at('root/d/closed'))).toMatchObject({ mode: '500', uid: 1234, mtimeNs: TIME });
    expect(facts(at('root/d'))).toMatchObject({ mode: '755', mtimeNs: TIME });
    expect(lstatSync(at('root/d/fifo')).isFIFO()).toBe(true);
    expect(lstatSync(at('root/d/null'))).toMatchObject({ rdev: 0x103 });
    expect(lstatSync(at('root/d/hole')).blocks).toBeLessThan(100);
    expect(execFileSync('getfattr', ['-n', 'user.colour', at('root/d/f')], { encoding: 'utf8' })).toContain('red');
  });

  test("else root's, and what let others act as the owner is gone", async () => {
    make({ out: MAKE });
    await copy(outside('d'), inside('/'));
    expect(facts(at('root/d/f'))).toMatchObject({ mode: '751', uid: 0, gid: 0, mtimeNs: TIME });
    // It was root's before.
    expect(facts(at('root/d/hole'))).toMatchObject({ mode: '6755', uid: 0 });
  });

  test('a file that others hold under other names is replaced, not written to', async () => {
    make({ root: 'printf old > a; ln a b', out: 'printf new > a' });
    await copy(outside('a'), inside('/'));
    expect(tree(at('root'))).toEqual(['a=new', 'b=old']);
  });

  test('names that are no text', async () => {
    make({ out: `mkdir d; : > "$(printf 'd/\\377\\376')"` });
    await copy(outside('d'), inside('/'));
    expect(readdirSync(at('root/d'), 'latin1')).toEqual(['\xff\xfe']);
  });

  test('an aborted copy stops', async () => {
    make({ out: 'mkdir d; for i in 1 2 3 4 5 6 7 8 9; do : > d/$i; done' });
    await expect(copy(outside('d'), inside('/'), { signal: AbortSignal.abort() })).rejects.toThrow('abort');
    expect(existsSync(at('root/d/1'))).toBe(false);
  });
});
