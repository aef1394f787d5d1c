import { expect, test } from 'vitest';
import { hostsFile, parseResolvConf, resolvConf } from '../../../src/network/index.js';

test('/etc/hosts names the container and what was added', () => {
  const text = hostsFile({
    hostname: 'web.example.org',
    addresses: ['10.89.0.2'],
    extra: [{ address: '192.0.2.1', name: 'db' }],
  });
  expect(text.split('\n')).toEqual([
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::\tip6-localnet',
    'ff00::\tip6-mcastprefix',
    'ff02::1\tip6-allnodes',
    'ff02::2\tip6-allrouters',
    '192.0.2.1\tdb',
    '10.89.0.2\tweb.example.org web',
    '',
  ]);
});

test('a resolv.conf is read and written', () => {
  const settings = parseResolvConf(
    '# of the host\nnameserver 192.0.2.53\ndomain one\nsearch a.example b.example ; two\noptions ndots:2\nnameserver ::1\noptions rotate\n',
  );
  expect(settings).toEqual({
    nameservers: ['192.0.2.53', '::1'],
    search: ['a.example', 'b.example'],
    options: ['ndots:2', 'rotate'],
  });
  expect(resolvConf(settings)).toBe(
    'nameserver 192.0.2.53\nnameserver ::1\nsearch a.example b.example\noptions ndots:2 rotate\n',
  );
  expect(resolvConf(parseResolvConf(''))).toBe('');
});
