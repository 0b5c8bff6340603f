import type { Topology } from './topology.ts';

/** What no tool does for the owner, each with its command. */
export const byHandText = ({ byHand }: Pick<Topology, 'byHand'>): string =>
  ['by hand, once', ...byHand.flatMap(({ what, command }) => [`  ${what}`, `    ${command}`]), ''].join('\n');
