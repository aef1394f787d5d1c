// POSIX ACLs in the kernel's xattr form: struct posix_acl_xattr_header and entries, linux/posix_acl_xattr.h.

export const ACL_ACCESS = 'system.posix_acl_access';
export const ACL_DEFAULT = 'system.posix_acl_default';

const TAGS = { user: 0x01, namedUser: 0x02, group: 0x04, mask: 0x10, other: 0x20 } as const;
const UNDEFINED_ID = 0xffffffff;

/** Permissions as rwx bits. With named users a mask is needed. */
export function acl(entries: {
  user: number;
  group: number;
  other: number;
  mask?: number;
  users?: Readonly<Record<number, number>>;
}): Buffer {
  const rows: [number, number, number][] = [
    [TAGS.user, entries.user, UNDEFINED_ID],
    ...Object.entries(entries.users ?? {}).map(([uid, bits]): [number, number, number] => [
      TAGS.namedUser,
      bits,
      Number(uid),
    ]),
    [TAGS.group, entries.group, UNDEFINED_ID],
    ...(entries.mask === undefined ? [] : [[TAGS.mask, entries.mask, UNDEFINED_ID] as [number, number, number]]),
    [TAGS.other, entries.other, UNDEFINED_ID],
  ];
  const bytes = Buffer.alloc(4 + 8 * rows.length);
  bytes.writeUInt32LE(2, 0);
  rows.forEach(([tag, bits, id], index) => {
    bytes.writeUInt16LE(tag, 4 + 8 * index);
    bytes.writeUInt16LE(bits, 6 + 8 * index);
    bytes.writeUInt32LE(id, 8 + 8 * index);
  });
  return bytes;
}
