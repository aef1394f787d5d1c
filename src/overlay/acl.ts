// POSIX ACLs as attributes (linux/posix_acl_xattr.h). Who may do what is the kernel's to decide; here they are only
// moved about.

import { errno } from '../core/index.js';
import { entryPath, getxattr, removexattr } from '../sys/index.js';

export const ACL_ACCESS = 'system.posix_acl_access';
export const ACL_DEFAULT = 'system.posix_acl_default';

/** The ACL that files made in a directory inherit, which takes the place of the umask; undefined where there is none. */
export function defaultAcl(dirfd: number): Buffer | undefined {
  const acl = getxattr(entryPath(dirfd, '.'), ACL_DEFAULT);
  return typeof acl === 'number' ? undefined : acl;
}

/** Takes the ACLs of an open directory away. Returns 0 or -errno. */
export function removeAcls(dirfd: number): number {
  for (const acl of [ACL_ACCESS, ACL_DEFAULT]) {
    const removed = removexattr(entryPath(dirfd, '.'), acl);
    if (removed < 0 && removed !== -errno.ENODATA && removed !== -errno.EOPNOTSUPP) return removed;
  }
  return 0;
}
