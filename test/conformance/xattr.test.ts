import { xattr } from './xattr.js';
import { runFamily } from './run-family.js';

runFamily('xattr', xattr);
