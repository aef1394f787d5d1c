// What is said to the kernel about links, addresses and routes (netlink(7), rtnetlink(7)): a header, a structure, attributes. Numbers
// are in the order of the machine, addresses in that of the network.

/** What is asked of the kernel, and for error messages its name. */
export interface Message {
  readonly type: keyof typeof TYPES;
  /** NLM_F_REQUEST and NLM_F_ACK are added. */
  readonly flags?: number;
  readonly body: Buffer;
}

const TYPES = { RTM_NEWLINK: 16, RTM_DELLINK: 17, RTM_GETLINK: 18, RTM_NEWADDR: 20, RTM_NEWROUTE: 24 } as const;

/** NLM_F_CREATE | NLM_F_EXCL: what is there already is an error. */
export const CREATE = 0x600;

const REQUEST_AND_ACK = 0x5;
const HEADER = 16;
const ALIGN = 4;

const align = (length: number): number => Math.ceil(length / ALIGN) * ALIGN;

/** One after the other: so they are dealt with, and answered. */
export function encodeMessages(messages: readonly Message[]): Buffer {
  return Buffer.concat(
    messages.map(({ type, flags = 0, body }) => {
      const bytes = Buffer.alloc(align(HEADER + body.length));
      bytes.writeUInt32LE(HEADER + body.length, 0);
      bytes.writeUInt16LE(TYPES[type], 4);
      bytes.writeUInt16LE(flags | REQUEST_AND_ACK, 6);
      body.copy(bytes, HEADER);
      return bytes;
    }),
  );
}

const NLMSG_ERROR = 2;

/** `done`: the next of the messages was dealt with, with 0 or -errno; `data`: what it asked for, before that. */
export type Answer =
  { readonly kind: 'done'; readonly status: number } | { readonly kind: 'data'; readonly body: Buffer };

/** The answers in what was received at once. */
export function* parseAnswers(bytes: Buffer): Generator<Answer> {
  for (let at = 0; at + HEADER <= bytes.length;) {
    const length = bytes.readUInt32LE(at);
    if (length < HEADER || at + length > bytes.length) throw new Error('the kernel sends cut netlink messages');
    const body = bytes.subarray(at + HEADER, at + length);
    yield bytes.readUInt16LE(at + 4) === NLMSG_ERROR
      ? { kind: 'done', status: body.readInt32LE(0) }
      : { kind: 'data', body };
    at += align(length);
  }
}

export function attribute(type: number, content: Uint8Array): Buffer {
  const bytes = Buffer.alloc(align(ALIGN + content.length));
  bytes.writeUInt16LE(ALIGN + content.length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(content, ALIGN);
  return bytes;
}

export const textAttribute = (type: number, text: string): Buffer =>
  attribute(type, Buffer.from(`${text}\0`, 'latin1'));

export function numberAttribute(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return attribute(type, bytes);
}

const NLA_F_NESTED = 0x8000;

export const nestedAttribute = (type: number, ...content: readonly Buffer[]): Buffer =>
  attribute(type | NLA_F_NESTED, Buffer.concat(content));
