/** What the elements of control messages may be, and what not: spec/control-messages.json names the fields. */
import { atom, ImproperList, type Pid, type Reference, type Term, type Tuple, tuple } from '../../src/term/index.js'

/** Things of the two ends of a connection, and of a third node */
export interface Cast {
  readonly theirPid: Pid
  readonly ourPid: Pid
  readonly thirdPid: Pid
  readonly theirRef: Reference
  readonly ourRef: Reference
  readonly token: Tuple
}

export type Samples = Record<string, { readonly good: Term; readonly bad: readonly Term[] }>

/** For each field of what `their` node sends to `our` node: an element that it takes, and some that it does not. */
export const samplesOf = ({ theirPid, ourPid, thirdPid, theirRef, ourRef, token }: Cast): Samples => ({
  from: { good: theirPid, bad: [atom('pid'), theirRef, 1] },
  peerFrom: { good: theirPid, bad: [ourPid, thirdPid, theirRef, atom('pid')] },
  ownTo: { good: ourPid, bad: [theirPid, thirdPid, ourRef, atom('name')] },
  to: { good: ourPid, bad: [atom('name'), ourRef, []] },
  toAlias: { good: ourRef, bad: [ourPid, atom('name')] },
  toName: { good: atom('name'), bad: [ourPid, [110], Buffer.from('name'), 1] },
  toPidOrName: { good: ourPid, bad: [theirPid, ourRef, 1, []] },
  fromPidOrName: { good: theirPid, bad: [ourPid, theirRef, 1, []] },
  noSender: { good: atom(''), bad: [] },
  unused: { good: atom(''), bad: [] },
  groupLeader: { good: thirdPid, bad: [atom('user'), []] },
  ref: { good: theirRef, bad: [theirPid, 1, []] },
  token: { good: token, bad: [[1], atom('token'), 1, new ImproperList([1], 2)] },
  reason: { good: atom('normal'), bad: [] },
  options: { good: [], bad: [] },
  unlinkId: { good: 5, bad: [0, -1, 1n << 64n, 1.5, atom('id')] },
  moduleFunArity: {
    good: tuple(atom('m'), atom('f'), 2),
    bad: [tuple(atom('m'), atom('f')), tuple(1, atom('f'), 2), tuple(atom('m'), atom('f'), -1), []],
  },
  spawnFlags: { good: 3, bad: [-1, 2 ** 27, 0.5, atom('link')] },
  pidOrError: { good: theirPid, bad: [ourPid, thirdPid, [], 1] },
})
