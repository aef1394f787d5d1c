/** Tells, beside the output, of what was asked for and cannot be had. */
export function warn(message: string): void {
  process.stderr.write(`veneer: ${message}\n`);
}
