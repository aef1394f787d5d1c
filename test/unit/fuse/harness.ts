// A dispatcher between messages of bytes and a recording file system.

import { OUT_HEADER } from '../../../src/fuse/wire/abi.js';
import { Dispatcher } from '../../../src/fuse/dispatch.js';
import { Statistics } from '../../../src/fuse/statistics.js';
import { Request } from '../../../src/fuse/wire/request.js';
import { RecordingFilesystem } from './recording-filesystem.js';

export const VALIDITY = { sec: 0x123456789a, nsec: 0x0badcafe };

export class Harness {
  readonly filesystem = new RecordingFilesystem();
  readonly replies: Buffer[] = [];
  readonly errors: { message: string; error: unknown }[] = [];
  readonly statistics = new Statistics();
  readonly dispatcher: Dispatcher;
  /** What is left of earlier replies. */
  readonly replyBuffer = Buffer.alloc(8192, 0xa5);

  constructor(options: { noOpen: boolean } = { noOpen: false }) {
    this.dispatcher = new Dispatcher({
      filesystem: this.filesystem,
      replyBuffer: this.replyBuffer,
      validity: VALIDITY,
      statistics: this.statistics,
      ...options,
      send: (length) => {
        this.replies.push(Buffer.from(this.replyBuffer.subarray(0, length)));
      },
      sendLater: () => {
        this.replies.push(Buffer.from(this.replyBuffer.subarray(0, OUT_HEADER.size)));
      },
      logError: (message, error) => {
        this.errors.push({ message, error });
      },
    });
  }

  /** Hands over one message; `room` bytes of a larger buffer, filled with `rest`, lie behind it. */
  send(message: Buffer, rest: Buffer = Buffer.alloc(0)): void {
    const request = new Request(Buffer.concat([message, rest]));
    request.reset(message.length);
    this.dispatcher.handle(request);
  }

  /** The errno of the only reply; 0 for success. */
  get onlyError(): number {
    if (this.replies.length !== 1) throw new Error(`${String(this.replies.length)} replies`);
    return -this.replies[0]!.readInt32LE(4);
  }
}

/** A message with the header's `len` corrected. */
export function withLength(message: Buffer): Buffer {
  const copy = Buffer.from(message);
  if (copy.length >= 4) copy.writeUInt32LE(copy.length, 0);
  return copy;
}

/** A turn of the event loop: continuations of settled promises have run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
