// What every script of a workload may use.

/**
 * `listing DIR`: type, mode, owner, size, time, name and target of everything below, one entry a line. Directories have no
 * size or time: those are the file system's own. `listing_untimed` leaves out all times, for what a program has just made.
 * `contents DIR`: a digest of each file.
 */
export const PRELUDE = `
set -euo pipefail
listing() {
  find "$1" \\( -type d -printf 'd %m %U:%G %p\\n' \\) -o -printf '%y %m %U:%G %s %T@ %p %l\\n'
}
listing_untimed() {
  find "$1" \\( -type d -printf 'd %m %U:%G %p\\n' \\) -o -printf '%y %m %U:%G %s %p %l\\n'
}
contents() {
  find "$1" -type f -print0 | sort -z | xargs -0r sha256sum
}
`;
