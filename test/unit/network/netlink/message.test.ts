import { describe, expect, test } from 'vitest';
import { addCable, addDefaultRoute } from '../../../../src/network/netlink/links.js';
import { encodeMessages, parseAnswers } from '../../../../src/network/netlink/message.js';

const hex = (bytes: Buffer): string[] => bytes.toString('hex').match(/.{1,8}/g) ?? [];

describe('netlink messages', () => {
  test('follow each other, each filled up to four bytes', () => {
    const body = Buffer.from('abc');
    const route = addDefaultRoute('10.89.0.1');
    expect(hex(encodeMessages([{ type: 'RTM_GETLINK', body }, route]))).toEqual([
      // struct nlmsghdr: length, RTM_GETLINK and NLM_F_REQUEST | NLM_F_ACK, number, port.
      ...['13000000', '12000500', '00000000', '00000000', '61626300'],
      ...['24000000', '18000506', '00000000', '00000000'],
      // struct rtmsg.
      ...['02000000', 'fe030001', '00000000'],
      // RTA_GATEWAY.
      ...['08000500', '0a590001'],
    ]);
  });

  test('nest attributes in each other', () => {
    const peer = { name: 'eth0', mac: '02:42:0a:59:00:02', namespaceFd: 21 };
    const { body } = addCable({ device: 'veth1', mtu: 1400, master: 7, peer });
    expect(hex(body)).toEqual([
      // struct ifinfomsg: IFF_UP, and that it is to be changed.
      ...['00000000', '00000000', '01000000', '01000000'],
      // IFLA_IFNAME, IFLA_MTU, IFLA_NUM_TX_QUEUES, IFLA_NUM_RX_QUEUES, IFLA_MASTER.
      ...['0a000300', '76657468', '31000000', '08000400', '78050000'],
      ...['08001f00', '01000000', '08002000', '01000000', '08000a00', '07000000'],
      // IFLA_LINKINFO: IFLA_INFO_KIND, IFLA_INFO_DATA of VETH_INFO_PEER.
      ...['60001280', '09000100', '76657468', '00000000', '50000280', '4c000180'],
      ...['00000000', '00000000', '00000000', '00000000'],
      // IFLA_IFNAME, IFLA_ADDRESS, IFLA_MTU, both numbers of queues, IFLA_NET_NS_FD.
      ...['09000300', '65746830', '00000000', '0a000100', '02420a59', '00020000'],
      ...['08000400', '78050000', '08001f00', '01000000', '08002000', '01000000', '08001c00', '15000000'],
    ]);
  });

  test('are answered by data and a status each', () => {
    const bytes = Buffer.from(
      [
        ...['14000000', '10000000', '01000000', '00000000', '01020304'],
        ...['14000000', '02000000', '01000000', '00000000', '00000000'],
        ...['14000000', '02000000', '02000000', '00000000', 'edffffff'],
      ].join(''),
      'hex',
    );
    expect([...parseAnswers(bytes)]).toEqual([
      { kind: 'data', body: Buffer.from('01020304', 'hex') },
      { kind: 'done', status: 0 },
      { kind: 'done', status: -19 },
    ]);
    expect(() => [...parseAnswers(bytes.subarray(0, 38))]).toThrow('cut');
    expect(() => [...parseAnswers(Buffer.alloc(16))]).toThrow('cut');
  });
});
