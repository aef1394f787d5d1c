// File handles and file system ids: the identity of a file that outlives its name.

import type { ByteString } from '../core/index.js';
import { AT_EMPTY_PATH, O_CLOEXEC } from './constants.js';
import { ioctl } from './file.js';
import { bind, cString, result } from './libc.js';

const nativeNameToHandleAt = bind('int name_to_handle_at(int, void *, void *, void *, int)');

const nativeOpenByHandleAt = bind('int open_by_handle_at(int, void *, int)');

/** MAX_HANDLE_SZ, linux/exportfs.h. */
const MAX_HANDLE_SIZE = 128;
const handle = Buffer.alloc(8 + MAX_HANDLE_SIZE);
const mountId = Buffer.alloc(4);

export interface FileHandle {
  readonly type: number;
  readonly bytes: Buffer;
}

/** name_to_handle_at(2) of an entry, or of an open file with an empty name; EOPNOTSUPP where there are none. */
export function nameToHandleAt(dirfd: number, name: ByteString): FileHandle | number {
  handle.writeUInt32LE(MAX_HANDLE_SIZE, 0);
  const flags = name === '' ? AT_EMPTY_PATH : 0;
  const status = result(nativeNameToHandleAt(dirfd, cString(name), handle, mountId, flags));
  if (status < 0) return status;
  return { type: handle.readInt32LE(4), bytes: Buffer.from(handle.subarray(8, 8 + handle.readUInt32LE(0))) };
}

/** Opens the file a handle names, on the file system of `mountFd`; needs CAP_DAC_READ_SEARCH. ESTALE when it is gone. */
export function openByHandleAt(mountFd: number, file: FileHandle, flags: number): number {
  handle.writeUInt32LE(file.bytes.length, 0);
  handle.writeInt32LE(file.type, 4);
  file.bytes.copy(handle, 8);
  return result(nativeOpenByHandleAt(mountFd, handle, flags | O_CLOEXEC));
}

/** `FS_IOC_GETFSUUID`, `_IOR(0x15, 0, struct fsuuid2)`, linux/fs.h, since 6.9. */
const FS_IOC_GETFSUUID = 0x80111500;

/** The 16 bytes of the file system's `s_uuid`, or -errno where the kernel or the file system does not tell. */
export function fileSystemUuid(fd: number): Buffer | number {
  const fsuuid2 = Buffer.alloc(17);
  const status = ioctl(fd, FS_IOC_GETFSUUID, fsuuid2);
  return status < 0 ? status : Buffer.from(fsuuid2.subarray(1, 17));
}
