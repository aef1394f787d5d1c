// Names for containers nobody named: a word and a scientist, as Docker makes them. The lists are our own.

import { randomInt } from 'node:crypto';

const ADJECTIVES =
  `agile amber ample apt ardent astute balmy blithe bold breezy bright brisk calm candid careful cheery civil clear clever cosy
  crisp curious daring dapper deft diligent droll eager earnest easy elated fair fervent festive fleet fluent fond frank free fresh
  gallant gentle glad gleeful golden graceful grand hardy hearty honest hopeful humble jaunty jolly jovial keen kind lively lucid
  lucky lunar mellow merry mighty mindful modest neat nimble noble patient peppy placid playful plucky poised polite prompt proud
  quick quiet radiant rapid rosy rustic sage serene sharp silent sincere sleek smart snug solar spry steady stellar sunny
  sure swift tender tidy trusty upbeat valiant vivid warm wise witty zesty`
    .trim()
    .split(/\s+/);

const SURNAMES =
  `abel ampere archimedes avogadro babbage banach bardeen bernoulli bessel bohr boltzmann boole born bose brahe brouwer
  cantor carnot cauchy celsius chandra church clarke conway coulomb cray crick darwin davy dijkstra diophantus dirac doppler
  eckert eddington edison einstein engelbart erdos euclid euler faraday fermat fermi feynman fibonacci fourier franklin frege
  galilei galois gauss gibbs godel goodall gosper halley hamilton hamming heaviside heisenberg herschel hertz hilbert hodgkin hooke
  hopper hubble huygens hypatia jacobi joliot joule kepler khayyam kleene knuth kovalevskaya lagrange lamarr laplace leavitt leibniz
  liskov lorenz lovelace mach markov maxwell mccarthy meitner mendel mendeleev mitchell morse moser nash newton noether nobel ohm
  oppenheim pascal pasteur pauli perlman planck poincare ptolemy pythagoras raman ramanujan riemann ritchie rubin russell
  rutherford sagan salk shannon sinclair snell somerville stibitz stokes tarski tesla thales thompson torvalds turing
  volta watt wegener weierstrass wiener wilkes wirth wozniak wu yalow yukawa zermelo zuse`
    .trim()
    .split(/\s+/);

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? '';
}

/** Tries before a number is added. */
const TRIES = 6;

/** A random name for which `isTaken` is false. */
export function randomName(isTaken: (name: string) => boolean): string {
  for (let tries = 0; ; tries += 1) {
    const number = tries < TRIES ? '' : String(randomInt(10 ** Math.min(tries - TRIES + 1, 9)));
    const name = `${pick(ADJECTIVES)}_${pick(SURNAMES)}${number}`;
    if (!isTaken(name)) return name;
  }
}
