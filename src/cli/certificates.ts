// Reading certificates takes Node longer than starting, and it does so at each start where NODE_EXTRA_CA_CERTS is set, while few
// commands speak TLS, and these read them themselves. So the first lines of the program (scripts/bundle.mjs) start Node under another name
// of the variable.

const NAME = 'NODE_EXTRA_CA_CERTS';
const HIDDEN = 'VENEER_EXTRA_CA_CERTS';

function rename(from: string, to: string): void {
  const value = process.env[from];
  if (value === undefined) return;
  process.env[to] = value;
  Reflect.deleteProperty(process.env, from);
}

/** For the Node that this process is about to become. */
export function hideCertificates(): void {
  rename(NAME, HIDDEN);
}

/** The environment as it was given. */
export function takeCertificates(): void {
  rename(HIDDEN, NAME);
}
