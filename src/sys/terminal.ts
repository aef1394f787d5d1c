// The state of a terminal (termios(3), tty_ioctl(4)).

import { ioctl } from './file.js';
import { bind, result } from './libc.js';

const nativeTcgetattr = bind('int tcgetattr(int, void *)');
const nativeTcsetattr = bind('int tcsetattr(int, int, void *)');
const nativeCfmakeraw = bind('void cfmakeraw(void *)');

const TCSANOW = 0;
/** sizeof(struct termios) in glibc and musl is 60; there is some room. */
const TERMIOS = 80;
const TIOCGWINSZ = 0x5413;

/** How a terminal is set, for `setTerminal`; -errno for what is none. */
export function terminalState(fd: number): Buffer | number {
  const state = Buffer.alloc(TERMIOS);
  const status = result(nativeTcgetattr(fd, state));
  return status < 0 ? status : state;
}

/** Sets a terminal, at once; what has been typed and not read stays. */
export function setTerminal(fd: number, state: Buffer): number {
  return result(nativeTcsetattr(fd, TCSANOW, state));
}

/** The same state, but bytes go through as they are both ways: no echo, no lines, no signals, no newlines made of newlines. */
export function rawState(state: Buffer): Buffer {
  const raw = Buffer.from(state);
  nativeCfmakeraw(raw);
  return raw;
}

/** Rows and columns of a terminal; undefined for what is none. */
export function terminalSize(fd: number): { readonly rows: number; readonly columns: number } | undefined {
  const size = Buffer.alloc(8);
  if (ioctl(fd, TIOCGWINSZ, size) < 0) return undefined;
  return { rows: size.readUInt16LE(0), columns: size.readUInt16LE(2) };
}
