// Identities for checks. They need no entry in /etc/passwd.

import type { User } from '../helpers/native.js';

export const ALICE: User = { uid: 61001, gid: 61001 };
export const BOB: User = { uid: 61002, gid: 61002 };
export const CAROL: User = { uid: 61003, gid: 61003 };
