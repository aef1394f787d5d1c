// Messages about links, addresses and routes (linux/if_link.h, linux/if_addr.h, linux/rtnetlink.h).

import { CREATE, attribute, nestedAttribute, numberAttribute, textAttribute } from './message.js';
import type { Message } from './message.js';

const IFF_UP = 1;

/** struct ifinfomsg: all of a link that has no attribute of its own. */
function linkHeader(about: { readonly index?: number; readonly flags?: number; readonly change?: number }): Buffer {
  const { index = 0, flags = 0, change = flags } = about;
  const bytes = Buffer.alloc(16);
  bytes.writeInt32LE(index, 4);
  bytes.writeUInt32LE(flags, 8);
  bytes.writeUInt32LE(change, 12);
  return bytes;
}

const IFLA = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  MASTER: 10,
  LINKINFO: 18,
  NET_NS_FD: 28,
  TX_QUEUES: 31,
  RX_QUEUES: 32,
} as const;
const INFO = { KIND: 1, DATA: 2, SLAVE_KIND: 4, SLAVE_DATA: 5 } as const;
const VETH_INFO_PEER = 1;
const IFLA_BRPORT_MODE = 4;

const named = (name: string): Buffer => textAttribute(IFLA.IFNAME, name);
const withMac = (mac: string): Buffer => attribute(IFLA.ADDRESS, Buffer.from(mac.replaceAll(':', ''), 'hex'));
const ofKind = (kind: string, ...data: readonly Buffer[]): Buffer =>
  nestedAttribute(IFLA.LINKINFO, textAttribute(INFO.KIND, kind), ...data);

/** A bridge that is up. */
export function addBridge(name: string, mac: string): Message {
  const body = Buffer.concat([linkHeader({ flags: IFF_UP }), named(name), withMac(mac), ofKind('bridge')]);
  return { type: 'RTM_NEWLINK', flags: CREATE, body };
}

export interface Cable {
  readonly device: string;
  readonly mtu: number;
  /** The index of the bridge that it is a port of. */
  readonly master: number;
  readonly peer: { readonly name: string; readonly mac: string; readonly namespaceFd: number };
}

/** A pair of links: a port of a bridge, which is up, and its other end in another network namespace, which is not. */
export function addCable({ device, mtu, master, peer }: Cable): Message {
  // As it has without a word, but then it has more at first, and the kernel waits for all processors (veth_init_queues).
  const queues = [numberAttribute(IFLA.TX_QUEUES, 1), numberAttribute(IFLA.RX_QUEUES, 1)];
  const size = [numberAttribute(IFLA.MTU, mtu), ...queues];
  const inside = numberAttribute(IFLA.NET_NS_FD, peer.namespaceFd);
  const other = Buffer.concat([linkHeader({}), named(peer.name), withMac(peer.mac), ...size, inside]);
  const data = nestedAttribute(INFO.DATA, nestedAttribute(VETH_INFO_PEER, other));
  const attributes = [named(device), ...size, numberAttribute(IFLA.MASTER, master), ofKind('veth', data)];
  return { type: 'RTM_NEWLINK', flags: CREATE, body: Buffer.concat([linkHeader({ flags: IFF_UP }), ...attributes]) };
}

/** Lets a port of a bridge have frames back that it has sent. */
export function turnAround(device: string): Message {
  const data = nestedAttribute(INFO.SLAVE_DATA, attribute(IFLA_BRPORT_MODE, Uint8Array.of(1)));
  const info = nestedAttribute(IFLA.LINKINFO, textAttribute(INFO.SLAVE_KIND, 'bridge'), data);
  return { type: 'RTM_NEWLINK', body: Buffer.concat([linkHeader({}), named(device), info]) };
}

export function setUp(index: number): Message {
  return { type: 'RTM_NEWLINK', body: linkHeader({ index, flags: IFF_UP }) };
}

export function setDown(name: string): Message {
  return { type: 'RTM_NEWLINK', body: Buffer.concat([linkHeader({ change: IFF_UP }), named(name)]) };
}

export function removeLink(name: string): Message {
  return { type: 'RTM_DELLINK', body: Buffer.concat([linkHeader({}), named(name)]) };
}

/** Is answered by a message that `indexOf` reads. */
export function findLink(name: string): Message {
  return { type: 'RTM_GETLINK', body: Buffer.concat([linkHeader({}), named(name)]) };
}

export const indexOf = (link: Buffer): number => link.readInt32LE(4);

const AF_INET = 2;
const IFA = { ADDRESS: 1, LOCAL: 2 } as const;

const bytesOf = (address: string): Uint8Array => Uint8Array.from(address.split('.').map(Number));

/** Of IPv4, in CIDR. */
export function addAddress(index: number, cidr: string): Message {
  const [address = '', prefix] = cidr.split('/');
  const header = Buffer.alloc(8);
  header[0] = AF_INET;
  header[1] = Number(prefix);
  header.writeUInt32LE(index, 4);
  const attributes = [attribute(IFA.LOCAL, bytesOf(address)), attribute(IFA.ADDRESS, bytesOf(address))];
  return { type: 'RTM_NEWADDR', flags: CREATE, body: Buffer.concat([header, ...attributes]) };
}

const RTA_GATEWAY = 5;
/** struct rtmsg: family, 0/0 to 0/0, no type of service, RT_TABLE_MAIN, RTPROT_BOOT, RT_SCOPE_UNIVERSE, RTN_UNICAST, no flags. */
const DEFAULT_ROUTE = [AF_INET, 0, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0] as const;

export function addDefaultRoute(gateway: string): Message {
  const body = Buffer.concat([Buffer.from(DEFAULT_ROUTE), attribute(RTA_GATEWAY, bytesOf(gateway))]);
  return { type: 'RTM_NEWROUTE', flags: CREATE, body };
}
