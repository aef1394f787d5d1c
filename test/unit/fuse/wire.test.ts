import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errno } from '../../../src/core/index.js';
import { opcode, opcodeName } from '../../../src/fuse/wire/abi.js';
import { Request, WireError } from '../../../src/fuse/wire/request.js';
import { golden, hex, requests } from './golden.js';
import { Harness, withLength } from './harness.js';
import { WIRE_CASES } from './wire-cases.js';

/** Opcodes answered without looking at their body. */
const WITHOUT_BODY = ['interrupt', 'flush', 'opendir', 'access', 'destroy', 'statfs', 'readlink'];

describe.each(Object.entries(WIRE_CASES))('%s', (name, wanted) => {
  const { request, reply } = golden(name);

  test('becomes the call, and its outcome the reply', () => {
    const harness = new Harness();
    if (wanted.answer !== undefined) harness.filesystem.answer = wanted.answer;
    if (wanted.value !== undefined) harness.filesystem.value = wanted.value;
    harness.send(request);
    expect(harness.filesystem.calls).toEqual(wanted.calls);
    expect(harness.replies.map(hex)).toEqual(reply === undefined ? [] : [hex(reply)]);
    expect(harness.errors).toEqual([]);
  });
});

test('every golden message is looked at, and every served opcode has one', () => {
  const names = requests.map(({ name }) => name);
  expect(names.filter((name) => !name.startsWith('init')).sort()).toEqual(Object.keys(WIRE_CASES).sort());
  const seen = new Set(requests.map(({ request }) => opcodeName(request.readUInt32LE(4))));
  const onPurpose = ['RELEASEDIR', 'GETLK', 'SETLK', 'SETLKW', 'BMAP', 'POLL', 'NOTIFY_REPLY', 'SYNCFS'];
  expect(Object.keys(opcode).filter((name) => !seen.has(name))).toEqual([...onPurpose, 'COPY_FILE_RANGE_64']);
});

/** What is cut off of these says nothing the handler needs: the name of TMPFILE, what a refused ioctl would set. */
const spareTail = (name: string): number => ({ tmpfile: 2, 'ioctl-setflags-program': 4 })[name] ?? 0;
const prefixes = (message: Buffer): Buffer[] =>
  Array.from({ length: message.length }, (_, length) => message.subarray(0, length));

describe.each(requests)('every prefix of $name', ({ request }) => {
  test('that declares more than it has is refused', () => {
    for (const prefix of prefixes(request)) {
      expect(() => {
        new Request(prefix).reset(prefix.length);
      }).toThrow(WireError);
    }
  });

  test('that is shorter than a header is refused', () => {
    for (const prefix of prefixes(request).slice(0, 40)) {
      expect(() => {
        new Request(withLength(prefix)).reset(prefix.length);
      }).toThrow(WireError);
    }
  });
});

const withBody = Object.keys(WIRE_CASES).filter((name) => !WITHOUT_BODY.includes(name));

describe.each(withBody)('every prefix of %s that declares its own length', (name) => {
  const { request } = golden(name);
  const short = prefixes(request).slice(40, request.length - spareTail(name));

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['the rest of an earlier message', request],
    ['zeros', Buffer.alloc(4096)],
  ])('is EINVAL with %s behind it, and no call', (_what, rest) => {
    for (const prefix of short) {
      const harness = new Harness();
      harness.send(withLength(prefix), rest.subarray(rest === request ? prefix.length : 0));
      const at = `${name}, ${String(prefix.length)} bytes`;
      expect([at, harness.filesystem.calls]).toEqual([at, []]);
      expect(harness.errors.map(({ error }) => error)).toEqual([expect.any(WireError)]);
      // Nobody waits for an answer to a FORGET, be it broken.
      const expected = name.includes('forget') ? [] : [-errno.EINVAL];
      expect(harness.replies.map((reply) => reply.readInt32LE(4))).toEqual(expected);
    }
  });
});

describe('a message that is not what it says', () => {
  test.each<[string, (message: Buffer) => void]>([
    ['a count of forgets beyond the message', (m) => m.writeUInt32LE(3, 40)],
    ['the largest count of forgets', (m) => m.writeUInt32LE(0xffffffff, 40)],
  ])('batch-forget: %s', (_what, spoil) => {
    const harness = new Harness();
    const message = Buffer.from(golden('batch-forget').request);
    spoil(message);
    harness.send(message, Buffer.alloc(100));
    expect(harness.filesystem.calls).toEqual([]);
    expect(harness.errors.length).toBe(1);
  });

  test.each<[string, string, (message: Buffer) => void]>([
    ['more data than was sent', 'write', (m) => m.writeUInt32LE(6, 40 + 16)],
    ['the most data', 'write', (m) => m.writeUInt32LE(0xffffffff, 40 + 16)],
    ['a value longer than what was sent', 'setxattr', (m) => m.writeUInt32LE(5, 40)],
    ['a name without its NUL', 'lookup', (m) => m.fill(1, 40)],
    ['a second name without its NUL', 'symlink', (m) => m.fill(1, 47)],
    ['a file handle beyond 53 bits', 'read', (m) => m.fill(0xff, 40, 48)],
    ['a node beyond 53 bits in the body', 'link', (m) => m.fill(0xff, 40, 48)],
  ])('%s: %s', (_what, name, spoil) => {
    const harness = new Harness();
    const message = Buffer.from(golden(name).request);
    spoil(message);
    harness.send(message, Buffer.alloc(100));
    expect(harness.onlyError).toBe(errno.EINVAL);
    expect(harness.errors.length).toBe(1);
  });

  test('a read of more than a reply can hold is EINVAL', () => {
    const harness = new Harness();
    const message = Buffer.from(golden('read').request);
    message.writeUInt32LE(0xffffffff, 40 + 16);
    harness.send(message);
    expect([harness.onlyError, harness.filesystem.calls]).toEqual([errno.EINVAL, []]);
  });

  test.each([
    ['extensions longer than the message', 0xffff],
    ['extensions that reach into the header', 3],
  ])('%s', (_what, extlen) => {
    const message = Buffer.from(golden('statfs').request);
    message.writeUInt16LE(extlen, 36);
    expect(() => {
      new Request(message).reset(message.length);
    }).toThrow(WireError);
  });

  test('a node id beyond 53 bits', () => {
    const message = Buffer.from(golden('statfs').request);
    message.writeBigUInt64LE(2n ** 53n, 16);
    expect(() => {
      new Request(message).reset(message.length);
    }).toThrow(WireError);
  });
});

describe('an offset or size of the user that no file has', () => {
  test.each<[string, string, number, number]>([
    ['lseek', 'for data', 40 + 8, errno.ENXIO],
    ['setattr', 'as a new size', 40 + 16, errno.EFBIG],
    ['fallocate', 'as the start of a range', 40 + 8, errno.EFBIG],
    ['fallocate', 'as the length of a range', 40 + 16, errno.EFBIG],
    ['write', 'to write at', 40 + 8, errno.EFBIG],
  ])('%s %s is answered without a word in the log', (name, _what, at, expected) => {
    for (const value of [2n ** 53n, 2n ** 63n - 1n, 2n ** 64n - 1n]) {
      const harness = new Harness();
      const message = Buffer.from(golden(name).request);
      message.writeBigUInt64LE(value, at);
      harness.send(message);
      expect([value, harness.onlyError, harness.filesystem.calls, harness.errors]).toEqual([value, expected, [], []]);
    }
  });
});

describe('a request with extensions behind its body', () => {
  /** struct fuse_ext_header { size, type 32 }, fuse_supp_groups { nr_groups, groups[] }. */
  const groups = Buffer.from('10000000200000000100000078563412', 'hex');
  const message = withLength(Buffer.concat([golden('mkdir').request, groups]));
  message.writeUInt16LE(groups.length / 8, 36);

  test('is served without them', () => {
    const harness = new Harness();
    harness.filesystem.answer = WIRE_CASES['mkdir']!.answer!;
    harness.send(message);
    expect(harness.filesystem.calls).toEqual(WIRE_CASES['mkdir']!.calls);
    expect(harness.replies.map(hex)).toEqual([hex(golden('mkdir').reply!)]);
  });

  test('has no name that reaches into them', () => {
    const harness = new Harness();
    const spoiled = Buffer.from(message);
    spoiled.fill(1, 48, message.length - groups.length);
    harness.send(spoiled);
    expect(harness.onlyError).toBe(errno.EINVAL);
  });
});

describe('any bytes behind any header', () => {
  test('get at most one reply, of a known shape, and no exception', () => {
    const known = fc.constantFrom(...Object.values(opcode).filter((code) => code !== opcode.INIT));
    const code = fc.oneof(known, fc.nat(100), fc.constant(0xffffffff));
    fc.assert(
      fc.property(code, fc.uint8Array({ maxLength: 200 }), (op, body) => {
        const message = withLength(Buffer.concat([golden('statfs').request, body]));
        message.writeUInt32LE(op, 4);
        const harness = new Harness();
        harness.filesystem.value = [];
        harness.send(message);
        expect(harness.replies.length).toBeLessThanOrEqual(1);
        for (const reply of harness.replies) {
          expect(reply.readUInt32LE(0)).toBe(reply.length);
          expect(reply.subarray(8, 16)).toEqual(message.subarray(8, 16));
          expect(reply.readInt32LE(4)).toBeGreaterThan(-4096);
          if (reply.readInt32LE(4) !== 0) expect(reply.length).toBe(16);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
