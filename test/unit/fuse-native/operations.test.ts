import { beforeEach, describe, expect, test } from 'vitest';
import { SysError, errno } from '../../../src/core/index.js';
import type { NativeValue } from '../../../src/fuse-native/library.js';
import { Operations } from '../../../src/fuse-native/operations.js';
import { S_IFREG } from '../../../src/sys/index.js';
import { RecordingFilesystem } from '../fuse/recording-filesystem.js';

let fs: RecordingFilesystem;
let operations: Operations;
let logged: string[];

beforeEach(() => {
  fs = new RecordingFilesystem();
  logged = [];
  operations = new Operations({ filesystem: fs, logError: (message) => logged.push(message) });
  fs.answer = ({ entry, opened }) => {
    if (entry !== undefined) {
      entry.nodeid = 9;
      entry.attr.mode = S_IFREG;
    }
    if (opened !== undefined) opened.fh = 3;
    return 0;
  };
});

const asked = <T = undefined>(call: (done: (status: number, value?: T) => void) => void): Promise<[number, T?]> =>
  new Promise((resolve) => {
    call((status, value) => {
      resolve(value === undefined ? [status] : [status, value]);
    });
  });

describe('what a handler throws', () => {
  test('is its errno', async () => {
    fs.answer = () => {
      throw new SysError(errno.ENOSPC, 'write');
    };
    expect(await asked((done) => operations.mkdir('/d', 0o755, done))).toEqual([-errno.ENOSPC]);
    expect(logged).toEqual([]);
  });

  test('is EIO and a line in the log, if it is a mistake of ours', async () => {
    fs.answer = () => {
      throw new TypeError('x is not a function');
    };
    expect(await asked((done) => operations.unlink('/f', done))).toEqual([-errno.EIO]);
    expect(logged).toEqual(['unlink threw']);
  });

  test('is never ENOSYS, which libfuse takes for good', async () => {
    fs.answer = (_out, [method]) => (method === 'statfs' ? -errno.ENOSYS : 0);
    expect(await asked<unknown>((done) => operations.statfs('/', done))).toEqual([-errno.EIO]);
  });
});

describe('chown', () => {
  test('leaves out what stays', async () => {
    await asked((done) => operations.chown('/', 0xffffffff, 5, done));
    expect(fs.calls.at(-1)).toEqual(['setattr', 1, { gid: 5 }]);
  });
});

describe('utimens', () => {
  test('takes milliseconds', async () => {
    await asked((done) => operations.utimens('/', 1_500, 2_000_001, done));
    const change = { atime: { sec: 1, nsec: 500_000_000 }, mtime: { sec: 2000, nsec: 1_000_000 } };
    expect(fs.calls.at(-1)).toEqual(['setattr', 1, change]);
  });
});

describe('the value of an attribute', () => {
  const ask = async (size: number): Promise<number> => {
    fs.value = Buffer.from('value');
    const [status, value] = await asked<NativeValue>((done) => operations.getxattr('/', 'user.a', 0, done));
    expect(status).toBe(0);
    // As the package does.
    value!.copy(Buffer.alloc(size));
    return value!.length;
  };

  test.each([
    [0, 5],
    [4, -errno.ERANGE],
    [5, 5],
    [6, 5],
  ])('asked for with room for %d bytes is answered %d', async (size, answer) => {
    expect(await ask(size)).toBe(answer);
  });
});

describe('a list of attributes', () => {
  test('that is more than the package finds room for is ERANGE', async () => {
    fs.value = ['user.a', 'user.b'];
    const answers: number[] = [];
    await new Promise<void>((resolve) => {
      operations.listxattr('/', (status, names) => {
        answers.push(status);
        if (names !== undefined) throw new RangeError('out of range');
        resolve();
      });
    });
    expect(answers).toEqual([0, -errno.ERANGE]);
  });
});

describe('a rename to a hidden name', () => {
  const HIDDEN = '/.fuse_hidden0000000900000001';

  test('of an open file removes it; it is asked by that name until it is closed', async () => {
    expect(await asked<number>((done) => operations.open('/f', 0, done))).toEqual([0, 3]);
    await asked((done) => operations.rename('/f', HIDDEN, done));
    expect(fs.calls.at(-1)).toEqual(['unlink', 1, 'f']);
    const [, stat] = await asked<{ nlink?: number }>((done) => operations.getattr(HIDDEN, done));
    // Of which libfuse takes one.
    expect([fs.calls.at(-1), stat?.nlink]).toEqual([['getattr', 9, undefined], 1]);
    await asked((done) => operations.release(HIDDEN, 3, done));
    expect(fs.calls.slice(-2)).toEqual([
      ['release', 9, 3],
      ['forget', 9, 1],
    ]);
  });

  test('of a file that is not open is a rename', async () => {
    await asked((done) => operations.rename('/f', HIDDEN, done));
    expect(fs.calls.filter(([method]) => method === 'unlink' || method === 'rename')).toEqual([
      ['rename', { parent: 1, name: 'f', newParent: 1, newName: HIDDEN.slice(1), flags: 0 }],
    ]);
  });
});

describe('a handle', () => {
  test('that is not open is EBADF', async () => {
    expect(await asked((done) => operations.release('/f', 8, done))).toEqual([-errno.EBADF]);
    expect(await asked((done) => operations.ftruncate('/f', 8, 0, done))).toEqual([-errno.EBADF]);
  });
});
