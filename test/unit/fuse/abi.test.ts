import { describe, expect, test } from 'vitest';
import * as abi from '../../../src/fuse/wire/abi.js';
import { evaluate, noCompiler } from '../sys/c-program.js';

/** Our table, the C structure, and the fields whose names differ. */
const STRUCTURES: readonly [table: Readonly<Record<string, number>>, c: string, names?: Record<string, string>][] = [
  [abi.IN_HEADER, 'fuse_in_header', { extlen: 'total_extlen' }],
  [abi.OUT_HEADER, 'fuse_out_header'],
  [abi.ATTR, 'fuse_attr', { fileSize: 'size' }],
  [abi.ENTRY_OUT, 'fuse_entry_out'],
  [abi.ATTR_OUT, 'fuse_attr_out'],
  [abi.STATX_OUT, 'fuse_statx_out'],
  [abi.OPEN_OUT, 'fuse_open_out'],
  [abi.IOCTL_OUT, 'fuse_ioctl_out'],
  [abi.INIT_IN, 'fuse_init_in', { minimum: '' }],
  [abi.INIT_OUT, 'fuse_init_out'],
  [abi.STATFS_OUT, 'fuse_kstatfs'],
  [abi.DIRENT, 'fuse_dirent'],
  [abi.NOTIFY_INVAL_INODE, 'fuse_notify_inval_inode_out'],
];

/** The structure whose size each entry of BODY_SIZE is; 7.38 and before have a second name for SETXATTR's. */
const BODIES: Readonly<Record<keyof typeof abi.BODY_SIZE, string>> = {
  forget: 'fuse_forget_in',
  batchForget: 'fuse_batch_forget_in',
  forgetOne: 'fuse_forget_one',
  getattr: 'fuse_getattr_in',
  setattr: 'fuse_setattr_in',
  mknod: 'fuse_mknod_in',
  mkdir: 'fuse_mkdir_in',
  rename: 'fuse_rename_in',
  rename2: 'fuse_rename2_in',
  link: 'fuse_link_in',
  open: 'fuse_open_in',
  create: 'fuse_create_in',
  release: 'fuse_release_in',
  read: 'fuse_read_in',
  write: 'fuse_write_in',
  fsync: 'fuse_fsync_in',
  setxattr: 'fuse_setxattr_in',
  getxattr: 'fuse_getxattr_in',
  flush: 'fuse_flush_in',
  fallocate: 'fuse_fallocate_in',
  lseek: 'fuse_lseek_in',
  copyFileRange: 'fuse_copy_file_range_in',
  ioctl: 'fuse_ioctl_in',
  statx: 'fuse_statx_in',
  interrupt: 'fuse_interrupt_in',
};

/** What newer headers brought, by the minor version of the protocol that has it first. */
const SINCE: Readonly<Record<string, number>> = {
  // These came with Linux 6.3, which did not count up from 7.38.
  'fuse_in_header.total_extlen': 39,
  FUSE_CREATE_SUPP_GROUP: 39,
  FUSE_EXT_GROUPS: 39,
  fuse_statx_in: 39,
  fuse_statx_out: 39,
  'fuse_open_out.backing_id': 40,
  'fuse_init_out.max_stack_depth': 40,
  FUSE_STATX: 39,
  FUSE_COPY_FILE_RANGE_64: 45,
  FUSE_DIRECT_IO_ALLOW_MMAP: 39,
  FUSE_PASSTHROUGH: 40,
  FUSE_NO_EXPORT_SUPPORT: 40,
  FUSE_ALLOW_IDMAP: 42,
  FOPEN_PASSTHROUGH: 40,
  FUSE_DEV_IOC_BACKING_OPEN: 40,
  FUSE_DEV_IOC_BACKING_CLOSE: 40,
};

const snake = (name: string): string =>
  name.replace(/(?<!^)([A-Z])/g, (_, letter: string) => `_${letter.toLowerCase()}`);

/** C expression -> our value, with the name that SINCE knows it by. */
function claims(): { name: string; expression: string; ours: bigint }[] {
  const found: { name: string; expression: string; ours: number | bigint }[] = [];
  for (const [table, structure, names = {}] of STRUCTURES) {
    for (const [field, ours] of Object.entries(table)) {
      // INIT_IN has no size of its own: what the kernel sends depends on its age.
      const member = names[field] ?? snake(field);
      if (member === '') continue;
      const expression = field === 'size' ? `sizeof(struct ${structure})` : `offsetof(struct ${structure}, ${member})`;
      const name = field === 'size' ? structure : `${structure}.${member}`;
      found.push({ name, expression, ours });
    }
  }
  for (const [body, ours] of Object.entries(abi.BODY_SIZE)) {
    const structure = BODIES[body as keyof typeof BODIES];
    found.push({ name: structure, expression: `sizeof(struct ${structure})`, ours });
  }
  for (const [name, ours] of Object.entries(abi.opcode)) {
    found.push({ name: `FUSE_${name}`, expression: `FUSE_${name}`, ours });
  }
  for (const [name, ours] of Object.entries(abi.initFlag)) {
    found.push({ name: `FUSE_${name}`, expression: `FUSE_${name}`, ours: ours >>> 0 });
  }
  for (const [name, ours] of Object.entries(abi.initFlag2)) {
    found.push({ name: `FUSE_${name}`, expression: `FUSE_${name}`, ours: BigInt(ours) << 32n });
  }
  for (const [name, ours] of Object.entries(abi)) {
    if (typeof ours !== 'number' || name.includes('VERSION')) continue;
    found.push({ name, expression: name, ours });
  }
  return found.map((claim) => ({ ...claim, ours: BigInt(claim.ours) }));
}

const HEADER = ['stdint.h', 'linux/fuse.h'];

/** The protocol version of the installed header. */
function headerMinor(): number {
  if (noCompiler !== undefined) return 0;
  return Number(evaluate(HEADER, ['FUSE_KERNEL_MINOR_VERSION']).get('FUSE_KERNEL_MINOR_VERSION'));
}

const minor = headerMinor();
const all = claims();
const since = (name: string): number => SINCE[name] ?? SINCE[name.replace(/\..*/, '')] ?? 0;
const known = all.filter(({ name }) => since(name) <= minor);
const skipped = [...new Set(all.filter(({ name }) => since(name) > minor).map(({ name }) => name))];

describe.skipIf(noCompiler !== undefined)(`the ABI tables (${noCompiler ?? `header 7.${String(minor)}`})`, () => {
  test(`agree with linux/fuse.h${skipped.length > 0 ? `; newer than it: ${skipped.join(', ')}` : ''}`, () => {
    const c = evaluate(
      HEADER,
      known.map(({ expression }) => expression),
    );
    const ours = new Map(known.map(({ expression, ours: value }) => [expression, value]));
    expect(ours.size).toBeGreaterThan(150);
    expect(ours).toEqual(c);
  });

  test('have ioctl numbers that the C macros give', () => {
    const open = '_IOW(229, 1, struct { int32_t fd; uint32_t flags; uint64_t padding; })';
    const c = evaluate([...HEADER, 'sys/ioctl.h'], [open, '_IOW(229, 2, uint32_t)']);
    expect([...c.values()].map(Number)).toEqual([abi.FUSE_DEV_IOC_BACKING_OPEN, abi.FUSE_DEV_IOC_BACKING_CLOSE]);
  });

  test('lay out what is newer as the structures it grew from', () => {
    const c = evaluate(HEADER, ['offsetof(struct fuse_open_out, padding)', 'offsetof(struct fuse_init_out, flags2)']);
    if (minor < 40) expect([...c.values()].map(Number)).toEqual([abi.OPEN_OUT.backingId, abi.INIT_OUT.flags2]);
    expect(abi.INIT_OUT.maxStackDepth).toBe(abi.INIT_OUT.flags2 + 4);
    expect(abi.STATX_OUT.size).toBe(abi.STATX_OUT.stat + 256);
  });
});
