import { beforeEach, describe, expect, test } from 'vitest';
import { errno } from '../../../src/core/index.js';
import { Attr, Entry } from '../../../src/fuse/index.js';
import { PathNodes } from '../../../src/fuse-native/path-nodes.js';
import { S_IFDIR, S_IFREG } from '../../../src/sys/index.js';
import { RecordingFilesystem } from '../fuse/recording-filesystem.js';

const ROOT = 1;
/** A tree: node and name -> node; those below 100 are directories. */
const TREE: Readonly<Record<string, number>> = { '1/a': 2, '2/b': 3, '3/f': 100, '2/f': 101, '1/c': 4, '3/ä': 102 };

let fs: RecordingFilesystem;
let paths: PathNodes;
let tree: Record<string, number>;

beforeEach(() => {
  fs = new RecordingFilesystem();
  paths = new PathNodes(fs, 4);
  tree = { ...TREE };
  fs.answer = ({ entry, attr }, [method, ...args]) => {
    if (method === 'lookup' && entry !== undefined) {
      const name = Buffer.from(String(args[1]), 'latin1').toString();
      entry.nodeid = tree[`${String(args[0])}/${name}`] ?? 0;
      entry.attr.mode = entry.nodeid < 100 ? S_IFDIR : S_IFREG;
    }
    if (method === 'getattr' && attr !== undefined) attr.size = 5;
    return 0;
  };
});

/** The calls since the last time, in short: `lookup 1 a`. */
function calls(): string[] {
  return fs.calls.splice(0).map(([method, ...args]) => [method, ...args.slice(0, 2)].join(' '));
}

const references = (): Map<number, number> => {
  const held = new Map<number, number>();
  for (const [method, ...args] of fs.calls) {
    if (method === 'lookup') {
      const node = tree[`${String(args[0])}/${Buffer.from(String(args[1]), 'latin1').toString()}`];
      if (node !== undefined) held.set(node, (held.get(node) ?? 0) + 1);
    }
    if (method === 'forget') held.set(Number(args[0]), (held.get(Number(args[0])) ?? 0) - Number(args[1]));
  }
  return new Map([...held].filter(([, count]) => count !== 0));
};

describe('a path', () => {
  test('is walked name by name, once', async () => {
    expect(await paths.find('/a/b/f')).toBe(100);
    expect(calls()).toEqual(['lookup 1 a', 'lookup 2 b', 'lookup 3 f']);
    expect(paths.find('/a/b')).toBe(3);
    expect(await paths.find('/a/f')).toBe(101);
    expect(calls()).toEqual(['lookup 2 f']);
    expect(paths.find('/')).toBe(ROOT);
  });

  test('that leads nowhere is ENOENT, and nothing is kept', async () => {
    expect(await paths.find('/a/x/y')).toBe(-errno.ENOENT);
    expect(calls()).toEqual(['lookup 1 a', 'lookup 2 x']);
  });

  test('has bytes for names, and none that stands for others', async () => {
    expect(await paths.find('/a/b/ä')).toBe(102);
    expect(await paths.place('/a/\ufffd')).toBe(-errno.EILSEQ);
  });

  test('is where its last name is, whether that exists or not', async () => {
    expect(await paths.place('/a/new')).toEqual({ parent: 2, name: 'new' });
    expect(await paths.place('/new')).toEqual({ parent: ROOT, name: 'new' });
  });

  test('has the attributes of the lookup, and later those of its node', async () => {
    expect(await paths.attributes('/a')).toBeInstanceOf(Attr);
    expect(calls()).toEqual(['lookup 1 a']);
    expect(await paths.attributes('/a')).toMatchObject({ size: 5 });
    expect(calls()).toEqual(['getattr 2 ']);
  });

  test('whose node is gone is looked up again', async () => {
    await paths.find('/a');
    calls();
    const before = fs.answer;
    fs.answer = (out, call) => (call[0] === 'getattr' ? -errno.ENOENT : before(out, call));
    expect(await paths.attributes('/a')).toBeInstanceOf(Attr);
    expect(calls()).toEqual(['getattr 2 ', 'forget 2 1', 'lookup 1 a']);
  });
});

describe('references', () => {
  test('are one for each path that is known', async () => {
    await Promise.all([paths.find('/a/b/f'), paths.find('/a/b/f'), paths.find('/a')]);
    expect(references()).toEqual(
      new Map([
        [2, 1],
        [3, 1],
        [100, 1],
      ]),
    );
  });

  test('end with the path', async () => {
    await paths.find('/a/b/f');
    paths.drop('/a/b/f');
    paths.drop('/a/b/f');
    expect(references()).toEqual(
      new Map([
        [2, 1],
        [3, 1],
      ]),
    );
  });

  test('of what was made are taken over', async () => {
    await paths.find('/c');
    calls();
    const entry = new Entry();
    entry.nodeid = 7;
    paths.adopt('/c', entry);
    expect(calls()).toEqual(['forget 4 1']);
    expect(paths.find('/c')).toBe(7);
  });

  test('of what was not asked for lately end, and the others stay', async () => {
    await paths.find('/a/b/f');
    await paths.find('/c');
    paths.trim();
    calls();
    expect(await paths.find('/a/f')).toBe(101);
    for (const name of ['x', 'y', 'z']) {
      tree[`1/${name}`] = 200;
      await paths.find(`/${name}`);
    }
    calls();
    paths.trim();
    // Not the directory of what was asked for.
    expect(calls().sort()).toEqual(['forget 100 1', 'forget 3 1', 'forget 4 1']);
    expect(paths.find('/a')).toBe(2);
  });

  test('of open files and the directories above them stay, over renames, too', async () => {
    const fill = async (): Promise<void> => {
      for (let index = 0; index < 4; index += 1) {
        tree[`1/${String(index)}`] = 200 + index;
        await paths.find(`/${String(index)}`);
      }
      paths.trim();
    };
    await paths.find('/a/b/f');
    paths.pin(1, '/a/b/f');
    for (let round = 0; round < 3; round += 1) await fill();
    expect(['/a/b/f', '/a/b', '/a'].map((path) => paths.find(path))).toEqual([100, 3, 2]);
    paths.moved('/a/b', '/c');
    tree['4/f'] = 100;
    await paths.find('/c/f');
    for (let round = 0; round < 3; round += 1) await fill();
    expect(['/c/f', '/c'].map((path) => paths.find(path))).toEqual([100, 4]);
    paths.unpin(1);
    calls();
    for (let round = 0; round < 3; round += 1) await fill();
    expect(calls()).toEqual(expect.arrayContaining(['forget 100 1', 'forget 4 1']));
  });
});

describe('a rename', () => {
  test('of a directory makes everything below both names unknown', async () => {
    await paths.find('/a/b/f');
    await paths.find('/a/f');
    await paths.find('/c');
    calls();
    paths.moved('/a/b', '/c');
    expect(calls().sort()).toEqual(['forget 100 1', 'forget 3 1', 'forget 4 1']);
    expect(await paths.find('/a/f')).toBe(101);
  });

  test('that hides is one to a hidden name in the same directory', () => {
    const hidden = '.fuse_hidden0000000a00000001';
    expect(PathNodes.isHiding('/a/f', `/a/${hidden}`)).toBe(true);
    expect(PathNodes.isHiding('/f', `/${hidden}`)).toBe(true);
    expect(PathNodes.isHiding('/a/f', `/b/${hidden}`)).toBe(false);
    expect(PathNodes.isHiding('/a/f', `/a/${hidden}0`)).toBe(false);
    expect(PathNodes.isHiding('/a/f', '/a/.fuse_hidden')).toBe(false);
  });

  test('that hides leaves the node to the hidden name, wherever its directory goes, until it is revealed', async () => {
    await paths.find('/a/b/f');
    calls();
    paths.hide('/a/b/f', '/a/b/.fuse_hidden0000000a00000001');
    delete tree['3/f'];
    expect(await paths.find('/a/b/f')).toBe(-errno.ENOENT);
    paths.moved('/a/b', '/c');
    calls();
    expect(paths.find('/c/.fuse_hidden0000000a00000001')).toBe(100);
    expect(paths.isHidden('/c/.fuse_hidden0000000a00000001')).toBe(true);
    paths.reveal(100);
    expect(calls()).toEqual(['forget 100 1']);
    expect(paths.isHidden('/c/.fuse_hidden0000000a00000001')).toBe(false);
  });
});
