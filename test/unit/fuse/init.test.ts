import { describe, expect, onTestFinished, test } from 'vitest';
import { VeneerError, errno } from '../../../src/core/index.js';
import { Session } from '../../../src/fuse/session.js';
import { Statistics } from '../../../src/fuse/statistics.js';
import { initFlag, initFlag2 } from '../../../src/fuse/wire/abi.js';
import { chooseInit, readInit } from '../../../src/fuse/wire/init.js';
import { Request, WireError } from '../../../src/fuse/wire/request.js';
import { O_NONBLOCK, close, read, write } from '../../../src/sys/index.js';
import { bind, result } from '../../../src/sys/libc.js';
import { golden, hex, requests } from './golden.js';
import { VALIDITY, withLength } from './harness.js';
import { RecordingFilesystem } from './recording-filesystem.js';

const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
const SHUT_WR = 1;

interface Answers {
  readonly error: unknown;
  readonly replies: Buffer[];
  readonly filesystem: RecordingFilesystem;
  readonly ready: number;
  readonly logged: string[];
}

/** What a session answers to messages, up to the end of its device: here a socket that keeps their bounds. */
async function serve(
  messages: readonly Buffer[],
  wishes: { passthrough?: boolean; acl?: boolean; filesystem?: RecordingFilesystem } = {},
): Promise<Answers> {
  const pair = Buffer.alloc(8);
  expect(result(bind('int socketpair(int, int, int, void *)')(AF_UNIX, SOCK_SEQPACKET | O_NONBLOCK, 0, pair))).toBe(0);
  const [kernel, device] = [pair.readInt32LE(0), pair.readInt32LE(4)];
  onTestFinished(() => {
    for (const fd of [kernel, device]) close(fd);
  });
  for (const message of messages) expect(write(kernel, message)).toBe(message.length);
  bind('int shutdown(int, int)')(kernel, SHUT_WR);
  const filesystem = wishes.filesystem ?? new RecordingFilesystem();
  const logged: string[] = [];
  let ready = 0;
  const session = new Session({
    device,
    filesystem,
    validity: VALIDITY,
    statistics: new Statistics(),
    passthrough: wishes.passthrough ?? true,
    acl: wishes.acl ?? true,
    noOpen: false,
    lowLatency: false,
    onReady: () => (ready += 1),
    onIdle: () => false,
    logError: (message) => logged.push(message),
  });
  const error: unknown = await session.run().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const replies: Buffer[] = [];
  const buffer = Buffer.alloc(4096);
  for (;;) {
    const length = read(kernel, buffer);
    if (length <= 0) break;
    replies.push(Buffer.from(buffer.subarray(0, length)));
  }
  return { error, replies, filesystem, ready, logged };
}

describe.each(['init', 'init-no-passthrough', 'init-no-ext', 'init-5.14'])('%s', (name) => {
  test('is answered as the golden reply says', async () => {
    const { replies, filesystem, ready } = await serve([golden(name).request]);
    expect(replies.map(hex)).toEqual([hex(golden(name).reply!)]);
    expect([filesystem.calls, ready]).toEqual([[['init', name === 'init']], 1]);
  });
});

describe('INIT', () => {
  const flagsOf = (reply: Buffer): number[] => [reply.readUInt32LE(16 + 12), reply.readUInt32LE(16 + 32)];
  const [flags, flags2] = flagsOf(golden('init').reply!);

  test('takes no passthrough and no ACLs that are not wished for', async () => {
    const without = await serve([golden('init').request], { passthrough: false, acl: false });
    expect(flagsOf(without.replies[0]!)).toEqual([flags! & ~initFlag.POSIX_ACL, flags2! & ~initFlag2.PASSTHROUGH]);
    expect(without.replies[0]!.readUInt32LE(16 + 36)).toBe(0);
    expect(without.filesystem.calls).toEqual([['init', false]]);
  });

  test('takes nothing that was not offered, bit by bit', () => {
    const wishes = { passthrough: true, acl: true, maxWrite: 1 << 20, pageSize: 4096 };
    for (let bit = 0; bit < 32; bit += 1) {
      const offer = { major: 7, minor: 45, maxReadahead: 0, flags: (1 << bit) >>> 0, flags2: (1 << bit) >>> 0 };
      const choice = chooseInit(offer, wishes);
      expect(choice.flags >>> 0 === offer.flags || choice.flags === 0).toBe(true);
      expect(choice.flags2 >>> 0 === offer.flags2 || choice.flags2 === 0).toBe(true);
    }
  });

  test("never takes the writeback cache, which excludes passthrough, nor flags that are the kernel's to say", () => {
    expect(flags! & (initFlag.WRITEBACK_CACHE | initFlag.NO_OPEN_SUPPORT | initFlag.EXPORT_SUPPORT)).toBe(0);
  });

  test.each([
    ['7.33, Linux 5.13', 7, 33],
    ['another major version', 8, 0],
    ['an old major version', 6, 99],
  ])('of %s is refused', async (_what, major, minor) => {
    const message = Buffer.from(golden('init').request);
    message.writeUInt32LE(major, 40);
    message.writeUInt32LE(minor, 44);
    const { error, replies, ready } = await serve([message]);
    expect(error).toBeInstanceOf(VeneerError);
    expect(error).toMatchObject({ code: 'unsupported', hint: expect.stringContaining('5.14') as string });
    expect([replies, ready]).toEqual([[], 0]);
  });

  const inits = requests.filter(({ name }) => name.startsWith('init'));
  test.each(inits)('cut short is refused: $name', ({ request }) => {
    const needed = (request.readUInt32LE(52) & initFlag.INIT_EXT) === 0 ? 16 : 20;
    for (let length = 40; length < 40 + needed; length += 1) {
      const message = withLength(request.subarray(0, length));
      const view = new Request(Buffer.concat([message, request.subarray(length)]));
      view.reset(length);
      expect(() => readInit(view)).toThrow(WireError);
    }
  });
});

describe('a session', () => {
  test('goes on behind a message it cannot read, and says so', async () => {
    const spoiled = Buffer.from(golden('statfs').request);
    spoiled.writeUInt32LE(41, 0);
    const { replies, logged } = await serve([golden('init').request, spoiled, golden('destroy').request]);
    expect([replies.length, logged]).toEqual([2, ['unreadable request']]);
  });

  test('tells the kernel of changed attributes as the golden notification does', async () => {
    const filesystem = new RecordingFilesystem();
    filesystem.onInit = (kernel) => {
      kernel.invalidateAttributes(0x0011223344556677);
      // The socket that stands for the device knows no backing files.
      expect(kernel.openBacking(0)).toBe(-errno.ENOTTY);
    };
    const { replies } = await serve([golden('init').request], { filesystem });
    expect(replies.map(hex)).toEqual([golden('notify-inval-inode'), golden('init')].map(({ reply }) => hex(reply!)));
  });
});
