import { describe, expect, test } from 'vitest';
import { parseOverlayArgs } from '../../../src/cli/overlay-args.js';
import type { OverlayCommand } from '../../../src/cli/overlay-args.js';

const parse = (...args: string[]): OverlayCommand => parseOverlayArgs({ args, helper: false });
const helper = (...args: string[]): OverlayCommand => parseOverlayArgs({ args, helper: true });

function request(...args: string[]): unknown {
  const command = parse(...args);
  return command.kind === 'mount' ? command.request : command.kind;
}

const warnings = (...args: string[]): readonly string[] => {
  const command = parse(...args);
  return command.kind === 'mount' ? command.warnings : [command.kind];
};

const BASIC = { lowerdir: ['/a', '/b'], upperdir: '/u', workdir: '/w', mountpoint: '/mnt' };

describe('the spellings of fuse-overlayfs', () => {
  test.each([
    ['one list', ['-o', 'lowerdir=/a:/b,upperdir=/u,workdir=/w', '/mnt']],
    ['several lists', ['-o', 'lowerdir=/a:/b', '-o', 'upperdir=/u', '-o', 'workdir=/w', '/mnt']],
    ['joined to the letter', ['-olowerdir=/a:/b', '-oupperdir=/u,workdir=/w', '/mnt']],
    ['a source before the mount point', ['overlay', '/mnt', '-o', 'lowerdir=/a:/b,upperdir=/u,workdir=/w']],
    ['options after positionals', ['/mnt', '-o', 'lowerdir=/a:/b,upperdir=/u,workdir=/w']],
    ['options between positionals', ['src', '-o', 'lowerdir=/a:/b,upperdir=/u,workdir=/w', '/mnt']],
    ['the end of options', ['-o', 'lowerdir=/a:/b,upperdir=/u,workdir=/w', '--', '/mnt']],
    [
      'a repeated option: the last one counts',
      ['-o', 'lowerdir=/x,upperdir=/u,workdir=/w', '-o', 'lowerdir=/a:/b', '/mnt'],
    ],
    ['layers one by one', ['-o', 'lowerdir+=/a,lowerdir+=/b,upperdir=/u,workdir=/w', '/mnt']],
    ['empty words', ['-o', ',,lowerdir=/a:/b,,upperdir=/u,workdir=/w,', '/mnt']],
    ['as mount.fuse calls', ['s', '/mnt', '-o', 'rw,lowerdir=/a:/b,upperdir=/u,workdir=/w,dev,suid']],
  ])('%s', (_what, args) => {
    expect(request(...args)).toMatchObject(BASIC);
    expect(warnings(...args)).toEqual([]);
  });

  test.each([
    ['a colon', 'lowerdir=/a\\:b:/c', ['/a:b', '/c']],
    ['a comma', 'lowerdir=/a\\,b:/c', ['/a,b', '/c']],
    ['a backslash', 'lowerdir=/a\\\\:/c', ['/a\\', '/c']],
    ['a backslash before another letter', 'lowerdir=/a\\b', ['/a\\b']],
    ['a backslash at the end', 'lowerdir=/a\\', ['/a\\']],
    ['a quoted value with a comma', 'lowerdir="/a,b:/c",ro', ['/a,b', '/c']],
    ['a quote inside a name', 'lowerdir=/a"b', ['/a"b']],
    ['a quote that does not close', 'lowerdir="/a', ['"/a']],
    ['an equals sign', 'lowerdir=/a=b', ['/a=b']],
  ])('%s in a name', (_what, list, lowerdir) => {
    expect(request('-o', list, '/mnt')).toMatchObject({ lowerdir });
  });

  test('a first positional is the source', () => {
    expect(request('src', '/mnt', '-o', 'lowerdir=/a')).toEqual({
      lowerdir: ['/a'],
      source: 'src',
      mountpoint: '/mnt',
    });
    expect(request('', '/mnt', '-o', 'lowerdir=/a')).toEqual({ lowerdir: ['/a'], mountpoint: '/mnt' });
  });

  test('unescapes upperdir and workdir', () => {
    expect(request('-o', 'lowerdir=/a,upperdir=/u\\:\\,,workdir=/w\\\\', '/mnt')).toMatchObject({
      upperdir: '/u:,',
      workdir: '/w\\',
    });
  });

  test('takes 500 layers in a list of more than 4 KiB', () => {
    const layers = Array.from({ length: 500 }, (_, index) => `/var/lib/layers/${index}`);
    expect(request('-o', `lowerdir=${layers.join(':')}`, '/mnt')).toMatchObject({ lowerdir: layers });
  });
});

describe('letters', () => {
  test.each([
    [['-f'], { foreground: true, verbose: false }],
    [['-d'], { foreground: true, verbose: true }],
    [['--debug'], { foreground: true, verbose: true }],
    [['-fd'], { foreground: true, verbose: true }],
    [['-s'], { foreground: false, verbose: false }],
  ])('%j', (letters, expected) => {
    expect(parse(...letters, '-o', 'lowerdir=/a', '/mnt')).toMatchObject(expected);
  });

  test.each(['-h', '--help'])('%s asks for help, whatever else is wrong', (letter) => {
    expect(parse(letter)).toEqual({ kind: 'help' });
  });

  test.each(['-V', '--version'])('%s asks for the version', (letter) => {
    expect(parse('-o', 'x', letter)).toEqual({ kind: 'version' });
  });
});

describe('options that are passed over', () => {
  const line = (list: string): readonly string[] => warnings('-o', `lowerdir=/a,${list}`, '/mnt');

  test.each([
    ['rw,ro,dev,suid,exec,nodev,nosuid,noexec,noatime,relatime,defaults,_netdev,nofail,noauto,user'],
    ['private,allow_other,default_permissions,fsname=x,subtype=y,x-systemd.automount,x-gvfs-hide'],
    ['context="system_u:object_r:container_file_t:s0:c1,c2"'],
    ['threaded=1,writeback=0,fsync=1,redirect_dir=on,xino=auto,volatile,fast_ino'],
    [
      'xino=on,xino=off,index=on,index=off,metacopy=on,metacopy=off,redirect_dir=off,redirect_dir=follow,fsync=0,low_latency=off',
    ],
  ])('without a word: %s', (list) => {
    expect(line(list)).toEqual([]);
  });

  test.each([
    ['nonsense', ["unknown option 'nonsense' is passed over"]],
    ['nonsense=1', ["unknown option 'nonsense' is passed over"]],
    ['nfs_export=on', ["option 'nfs_export' has no effect yet"]],
  ])('with a line: %s', (list, lines) => {
    expect(line(list)).toEqual(lines);
  });

  test('unknown letters and long options, with a line', () => {
    expect(warnings('-z', '--frobnicate', '-o', 'lowerdir=/a', '/mnt')).toEqual([
      "unknown option '-z' is passed over",
      "unknown option '--frobnicate' is passed over",
    ]);
  });

  test('flags and numbers are read', () => {
    expect(request('-o', 'lowerdir=/a,ro,nodev,nosuid,noexec,volatile,userxattr,noacl,timeout=1.5', '/mnt')).toEqual({
      ...{ lowerdir: ['/a'], mountpoint: '/mnt', readOnly: true, nodev: true, nosuid: true, noexec: true },
      ...{ volatile: true, userxattr: true, noacl: true, timeout: 1.5 },
    });
  });
});

describe('the transport', () => {
  const expected = { lowerdir: ['/a'], mountpoint: '/mnt', transport: 'fuse-native' };

  test.each([
    [['--transport', 'fuse-native', '-o', 'lowerdir=/a']],
    [['-o', 'lowerdir=/a', '--transport=fuse-native']],
    [['-o', 'transport=fuse-native,lowerdir=/a']],
  ])('is an option of either kind: %j', (args) => {
    expect(request(...args, '/mnt')).toEqual(expected);
  });

  test.each([[['--transport=tcp']], [['--transport', '']], [['-o', 'transport=tcp']], [['-o', 'transport']]])(
    'is one of those there are: %j is refused',
    (args) => {
      expect(() => request('-o', 'lowerdir=/a', ...args, '/mnt')).toThrow(
        /option transport: '.*' is not a value it can/,
      );
    },
  );

  test('needs a value', () => {
    expect(() => request('-o', 'lowerdir=/a', '/mnt', '--transport')).toThrow('--transport needs a value');
  });
});

describe('owners and switches', () => {
  const ranges = [
    { disk: 0, shown: 1000, length: 1 },
    { disk: 1, shown: 100000, length: 65536 },
  ];

  test.each([['0:1000:1:1:100000:65536'], [':0:1000:1:1:100000:65536'], ['0:1000:1:1:100000:65536:']])('%s', (map) => {
    expect(request('-o', `lowerdir=/a,uidmapping=${map},gidmapping=${map}`, '/mnt')).toMatchObject({
      uidMapping: ranges,
      gidMapping: ranges,
    });
  });

  test.each([[''], [':']])("no ranges ('%s') are no map", (map) => {
    expect(request('-o', `lowerdir=/a,uidmapping=${map}`, '/mnt')).toEqual({ lowerdir: ['/a'], mountpoint: '/mnt' });
  });

  test.each([0, 1, 2])('xattr_permissions=%d', (xattrPermissions) => {
    expect(request('-o', `lowerdir=/a,xattr_permissions=${String(xattrPermissions)}`, '/mnt')).toMatchObject({
      xattrPermissions,
    });
  });

  test.each([
    ['redirect_dir=on', { redirectDir: 'on' }],
    ['redirect_dir=off', { redirectDir: 'follow' }],
    ['redirect_dir=follow', { redirectDir: 'follow' }],
    ['redirect_dir=nofollow', { redirectDir: 'nofollow' }],
    ['fsync=0', { volatile: true }],
    ['fsync=1', { volatile: false }],
  ])('%s', (option, fields) => {
    expect(request('-o', `lowerdir=/a,${option}`, '/mnt')).toMatchObject(fields);
  });

  test('squashing', () => {
    expect(request('-o', 'lowerdir=/a,squash_to_root,squash_to_uid=7,squash_to_gid=8', '/mnt')).toMatchObject({
      ...{ squashToRoot: true, squashToUid: 7, squashToGid: 8 },
    });
  });
});

describe('called by mount(8)', () => {
  test('understands its letters', () => {
    expect(helper('s', '/mnt', '-s', '-n', '-v', '-o', 'rw,lowerdir=/a', '-t', 'fuse.veneer')).toMatchObject({
      kind: 'mount',
      foreground: false,
      request: { lowerdir: ['/a'], mountpoint: '/mnt' },
      warnings: [],
    });
    expect(helper('s', '/mnt', '-r', '-o', 'lowerdir=/a')).toMatchObject({ request: { readOnly: true } });
  });

  test('-f is a dry run', () => {
    expect(helper('s', '/mnt', '-f', '-o', 'lowerdir=/a')).toEqual({ kind: 'fake' });
    expect(() => helper('s', '/mnt', '-f')).toThrow('no lowerdir');
  });
});

describe('refused', () => {
  test.each([
    ['no arguments', [], 'the mount point is missing'],
    ['no mount point', ['-o', 'lowerdir=/a'], 'the mount point is missing'],
    ['an empty mount point', ['-o', 'lowerdir=/a', ''], 'the mount point is missing'],
    ['no lowerdir', ['/mnt'], 'no lowerdir is given'],
    ['an empty lowerdir', ['-o', 'lowerdir=', '/mnt'], 'option lowerdir: the directory is missing'],
    ['a lowerdir without a value', ['-o', 'lowerdir', '/mnt'], 'option lowerdir: the directory is missing'],
    ['an empty layer', ['-o', 'lowerdir=/a::/b', '/mnt'], 'names an empty path'],
    ['an empty upperdir', ['-o', 'lowerdir=/a,upperdir=', '/mnt'], 'option upperdir: the directory is missing'],
    ['three positionals', ['a', 'b', 'c', '-o', 'lowerdir=/a'], 'too many arguments (a, b, c)'],
    ['-o without a list', ['/mnt', '-o'], '-o needs a value'],
    [
      'a timeout that is no number',
      ['-o', 'lowerdir=/a,timeout=x', '/mnt'],
      "option timeout: 'x' is not a number of seconds",
    ],
    ['an id map of two numbers', ['-o', 'lowerdir=/a,uidmapping=0:1', '/mnt'], "option uidmapping: '' is not an id"],
    ['an id map of words', ['-o', 'lowerdir=/a,gidmapping=a:b:c', '/mnt'], "option gidmapping: 'a' is not an id"],
    ['a negative id', ['-o', 'lowerdir=/a,uidmapping=-1:0:1', '/mnt'], "option uidmapping: '-1' is not an id"],
    ['a map of no ids', ['-o', 'lowerdir=/a,uidmapping=0:0:0', '/mnt'], 'the range 0:0:0 has a length it cannot have'],
    [
      'a map beyond the last id',
      ['-o', 'lowerdir=/a,uidmapping=0:4294967294:2', '/mnt'],
      'the range 0:4294967294:2 has a length it cannot have',
    ],
    [
      'ranges that overlap on disk',
      ['-o', 'lowerdir=/a,uidmapping=0:1000:10:5:5000:1', '/mnt'],
      'the range 5:5000:1 overlaps one before it',
    ],
    [
      'ranges that overlap as shown',
      ['-o', 'lowerdir=/a,gidmapping=0:1000:10:50:1009:1', '/mnt'],
      'the range 50:1009:1 overlaps one before it',
    ],
    [
      'squashing to a name',
      ['-o', 'lowerdir=/a,squash_to_uid=bob', '/mnt'],
      "option squash_to_uid: 'bob' is not an id",
    ],
    ['squashing to nobody', ['-o', 'lowerdir=/a,squash_to_gid=', '/mnt'], "option squash_to_gid: '' is not an id"],
    [
      'an unknown word for low_latency',
      ['-o', 'lowerdir=/a,low_latency=yes', '/mnt'],
      "option low_latency: 'yes' is not",
    ],
    ['an unknown word for a switch', ['-o', 'lowerdir=/a,metacopy=maybe', '/mnt'], "option metacopy: 'maybe' is not"],
  ])('%s', (_what, args, why) => {
    expect(() => parse(...args)).toThrow(why);
    expect(() => parse(...args)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});
