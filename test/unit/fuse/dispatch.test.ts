import { describe, expect, test } from 'vitest';
import { SysError, VeneerError, errno } from '../../../src/core/index.js';
import { opcode } from '../../../src/fuse/wire/abi.js';
import type { Entry } from '../../../src/fuse/index.js';
import { golden, hex } from './golden.js';
import { Harness, turn } from './harness.js';

/** A request like LOOKUP's golden one, with another unique. */
function lookupWith(unique: bigint): Buffer {
  const message = Buffer.from(golden('lookup').request);
  message.writeBigUInt64LE(unique, 8);
  return message;
}

const uniqueOf = (reply: Buffer): bigint => reply.readBigUInt64LE(8);
const errorOf = (reply: Buffer): number => Math.abs(reply.readInt32LE(4));

describe('files that the kernel opens by itself', () => {
  const opened = (name: 'open' | 'read' | 'lseek', fh: number): Harness => {
    const harness = new Harness({ noOpen: true });
    const message = Buffer.from(golden(name).request);
    if (name !== 'open') message.writeBigUInt64LE(BigInt(fh), 40);
    harness.send(message);
    return harness;
  };

  test('OPEN is refused for good, and nobody is asked', () => {
    const harness = opened('open', 0);
    expect([harness.onlyError, harness.filesystem.calls, harness.errors]).toEqual([errno.ENOSYS, [], []]);
  });

  test.each([
    ['read', 'readNode'],
    ['lseek', 'lseekNode'],
  ] as const)('%s without a handle is of the node', (name, method) => {
    const rest: unknown[] = [expect.any(Number), expect.any(Number)];
    const nodeid = Number(golden(name).request.readBigUInt64LE(16));
    expect(opened(name, 0).filesystem.calls).toEqual([[method, nodeid, ...rest]]);
    expect(opened(name, 7).filesystem.calls).toEqual([[name, 7, ...rest]]);
  });
});

describe('ENOSYS on purpose', () => {
  const { FLUSH, OPENDIR, RELEASEDIR, GETLK, SETLK, SETLKW, ACCESS, BMAP, POLL, SYNCFS, COPY_FILE_RANGE_64 } = opcode;
  const notServed = {
    FLUSH,
    OPENDIR,
    RELEASEDIR,
    GETLK,
    SETLK,
    SETLKW,
    ACCESS,
    BMAP,
    POLL,
    SYNCFS,
    COPY_FILE_RANGE_64,
  };

  test.each([...Object.entries(notServed), ['an opcode of the future', 99], ['the largest opcode', 0xffffffff]])(
    'is the answer to %s',
    (_name, code) => {
      const harness = new Harness();
      const message = Buffer.from(golden('statfs').request);
      message.writeUInt32LE(code, 4);
      harness.send(message);
      expect([harness.onlyError, harness.filesystem.calls, harness.errors]).toEqual([errno.ENOSYS, [], []]);
    },
  );
});

describe('a handler that fails', () => {
  const bug = new TypeError('a bug');

  test.each([
    ['with a negative value', -errno.ENOTEMPTY, errno.ENOTEMPTY],
    ['with the smallest errno', -1, errno.EPERM],
    // Passed on, it would end the operation for good.
    ['with ENOSYS', -errno.ENOSYS, errno.EIO],
  ])('%s gives the errno', (_what, outcome, expected) => {
    const harness = new Harness();
    harness.filesystem.answer = () => outcome;
    harness.send(golden('unlink').request);
    expect([harness.onlyError, harness.errors]).toEqual([expected, []]);
    expect(harness.replies[0]!.length).toBe(16);
  });

  test.each<[string, unknown, number, number]>([
    ['a SysError', new SysError(errno.ESTALE, 'node'), errno.ESTALE, 0],
    // The kernel would never ask again.
    ['a SysError of ENOSYS', new SysError(errno.ENOSYS, 'statx'), errno.EIO, 0],
    ['a VeneerError', new VeneerError('integrity', 'broken'), errno.EIO, 1],
    ['a bug', bug, errno.EIO, 1],
    ['something that is no error', 'text', errno.EIO, 1],
    ['nothing', undefined, errno.EIO, 1],
  ])('by throwing %s', async (_what, thrown, expected, lines) => {
    for (const late of [false, true]) {
      const harness = new Harness();
      harness.filesystem.answer = () => {
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
        if (late) return Promise.reject(thrown);

        throw thrown;
      };
      harness.send(golden('rename2').request);
      await turn();
      expect([late, harness.onlyError, harness.errors.length]).toEqual([late, expected, lines]);
      expect(harness.dispatcher.pending).toBe(0);
    }
  });

  test('is logged with its operation and node, once', () => {
    const harness = new Harness();
    harness.filesystem.answer = () => {
      throw bug;
    };
    harness.send(golden('unlink').request);
    expect(harness.errors).toEqual([{ message: `UNLINK of node ${String(0x0011223344556677)} threw`, error: bug }]);
  });

  test.each(['forget', 'batch-forget'])('%s: nobody is told', (name) => {
    const harness = new Harness();
    harness.filesystem.answer = () => {
      throw bug;
    };
    harness.send(golden(name).request);
    expect([harness.replies, harness.errors.length]).toEqual([[], 1]);
  });

  test.each([false, true])('with a value that no reply can hold gives EIO, late: %s', async (late) => {
    const harness = new Harness();
    harness.filesystem.answer = () => (late ? Promise.resolve(2 ** 33) : 2 ** 33);
    harness.send(golden('write').request);
    await turn();
    expect([harness.onlyError, harness.errors.length, harness.dispatcher.pending]).toEqual([errno.EIO, 1, 0]);
  });

  test('leaves the next request as it was', () => {
    const harness = new Harness();
    harness.filesystem.answer = () => {
      throw bug;
    };
    harness.send(golden('lookup').request);
    harness.filesystem.answer = () => 0;
    harness.send(golden('unlink').request);
    expect(harness.replies.map(errorOf)).toEqual([errno.EIO, 0]);
  });

  test.each(['getxattr', 'listxattr', 'readlink', 'statfs'])('%s answers its errno', (name) => {
    const harness = new Harness();
    harness.filesystem.answer = () => -errno.ENODATA;
    harness.send(golden(name).request);
    expect([harness.onlyError, harness.replies[0]!.length]).toEqual([errno.ENODATA, 16]);
  });
});

describe('a handler that needs time', () => {
  test('answers when it is done, and others are answered meanwhile', async () => {
    const harness = new Harness();
    const settle: ((value: number) => void)[] = [];
    harness.filesystem.answer = () => new Promise((resolve) => settle.push(resolve));
    harness.send(lookupWith(0x1111111111111111n));
    harness.send(lookupWith(0x2222222222222222n));
    expect([harness.replies.length, harness.dispatcher.pending]).toEqual([0, 2]);
    harness.filesystem.answer = () => 0;
    harness.send(lookupWith(0x3333333333333333n));
    settle[1]!(0);
    await turn();
    settle[0]!(-errno.ENOSPC);
    await turn();
    expect(harness.replies.map((reply) => [uniqueOf(reply), errorOf(reply)])).toEqual([
      [0x3333333333333333n, 0],
      [0x2222222222222222n, 0],
      [0x1111111111111111n, errno.ENOSPC],
    ]);
    expect(harness.dispatcher.pending).toBe(0);
  });

  test('keeps what it was given to fill: others get objects of their own', async () => {
    const harness = new Harness();
    const given: Entry[] = [];
    const settle: ((value: number) => void)[] = [];
    harness.filesystem.answer = ({ entry }) => {
      given.push(entry!);
      return new Promise((resolve) => settle.push(resolve));
    };
    for (const unique of [1n, 2n, 3n]) harness.send(lookupWith(unique));
    expect(new Set(given).size).toBe(3);
    given.forEach((entry, index) => (entry.nodeid = 100 + index));
    for (const each of settle.reverse()) each(0);
    await turn();
    const nodes = harness.replies.map((reply) => [uniqueOf(reply), reply.readBigUInt64LE(16)]);
    expect(nodes.sort()).toEqual([
      [1n, 100n],
      [2n, 101n],
      [3n, 102n],
    ]);
  });

  test.each(['getattr', 'create', 'open', 'setattr', 'statx'])('%s: the reply is that of a quick one', async (name) => {
    const { WIRE_CASES } = await import('./wire-cases.js');
    const harness = new Harness();
    const fill = WIRE_CASES[name]!.answer!;
    harness.filesystem.answer = async (out) => {
      await turn();
      return fill(out);
    };
    harness.send(golden(name).request);
    // The reply buffer is used for others meanwhile.
    harness.filesystem.answer = () => 0;
    harness.send(golden('statfs').request);
    await turn();
    await turn();
    expect(hex(harness.replies.at(-1)!)).toBe(hex(golden(name).reply!));
  });
});

describe('what an open left behind', () => {
  test('is not in the next answer', () => {
    const harness = new Harness();
    harness.filesystem.answer = ({ opened }) => {
      Object.assign(opened!, { fh: 7, flags: 0x80, backingId: 3 });
      return 0;
    };
    harness.send(golden('open').request);
    harness.filesystem.answer = () => 0;
    harness.send(golden('open').request);
    expect(harness.replies[1]!.subarray(16)).toEqual(Buffer.alloc(16));
  });
});
