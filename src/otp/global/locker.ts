/**
 * The locker: before two partitions become one, the lockers of the two nodes that met lock the resource `global` in both, each in its own, under
 * one id made of both lockers' pids. Whoever has locked its own says `lock_set`, and the other, who locks its own then, answers.
 *
 *   from the name server  {his_the_locker, Pid, {Version, []}, HisTag, MyTag}     a node to become one with
 *                         {lock_set, HisLocker, true | false, Known, MyTag}       what the peer's locker says: name servers pass it on
 *                         {cancel, Node, MyTag, [{Node, Message}]}                that attempt is over; the messages are cast before the lock is freed
 *                         {add_to_known, [Node]} · {remove_from_known, Node}
 *   between lockers       {lock_set, HisLocker, false, Known}                     I do not know you
 *   to the name server    cast {lock_is_set, Node, MyTag, LockId}                 both have locked; the lock stays until `cancel`
 *
 * While it holds a lock for one node it does nothing for others: what they say waits in its mailbox.
 *
 * Source: global.erl, loop_the_locker, select_node, lock_is_set, lock_nodes_safely.
 */
import { type Process, ProcessError } from '../../process/index.js'
import { any, Atom, atom, compare, equals, isAtom, isBoolean, isList, match, Pid, type Term, Tuple, tuple } from '../../term/index.js'
import { cast } from '../gen/gen.js'
import { bossOf, delGlobalLock, delLock, serverName, setLockOnNodes } from './lock-calls.js'
import { type GlobalLocks, globalResource, type LockId } from './locks.js'

/** Another node that wants to become of our partition */
interface Him {
  readonly node: Atom
  readonly locker: Pid
  readonly myTag: Term
  readonly hisTag: Term
}

const [lockSet, cancel] = [atom('lock_set'), atom('cancel')]
const [addToKnown, removeFromKnown] = [atom('add_to_known'), atom('remove_from_known')]

const hostOf = ({ name }: Atom): string => name.slice(name.indexOf('@') + 1)

export class GlobalLocker {
  readonly #self: Process
  readonly #locks: GlobalLocks
  #waiting: Him[] = []
  /** A copy of the name server's */
  #known: Atom[] = []
  /** A partition was joined just now: the next may be at once. */
  #justSynced = false

  constructor(self: Process, locks: GlobalLocks) {
    this.#self = self
    this.#locks = locks
  }

  async run(): Promise<never> {
    for (;;) {
      const message = this.#self.poll() ?? (await this.#next())
      if (message !== null) await this.#onMessage(message)
      else if (!this.#locks.isSet(globalResource)) await this.#select()
    }
  }

  /** The next message; null when it is time to try. Between two attempts others of the partition get their turn. */
  async #next(): Promise<Term | null> {
    const pause = this.#known.length === 0 ? 200 : Math.min(1000 + 100 * this.#known.length, 3000)
    const timeout = this.#waiting.length === 0 ? Infinity : this.#justSynced ? 0 : pause
    this.#justSynced = false
    try {
      return await this.#self.receive(undefined, { timeout })
    } catch (error) {
      if (error instanceof ProcessError && error.code === 'ERR_TIMEOUT') return null
      throw error
    }
  }

  async #onMessage(message: Term): Promise<void> {
    if (!(message instanceof Tuple)) return
    const [, first, second, third, fourth] = message.elements as readonly Term[]
    switch (`${message.tag}/${message.length}`) {
      case 'his_the_locker/5':
        if (first instanceof Pid) this.#waiting.unshift({ node: first.node, locker: first, hisTag: third as Term, myTag: fourth as Term })
        return
      case 'cancel/4':
        return this.#forget(first as Term, second as Term)
      case 'lock_set/5':
        if (first instanceof Pid && second === true) await this.#onLockSet(first, fourth as Term)
        return
      case 'add_to_known/2':
      case 'remove_from_known/2':
        return this.#learn(message)
    }
  }

  /** The peer has locked its partition. */
  async #onLockSet(locker: Pid, myTag: Term): Promise<void> {
    const him = this.#waiting.find(({ node, myTag: tag }) => node === locker.node && equals(tag, myTag))
    // It does not wait for us any more: without a tag, for we know none, and so from locker to locker.
    if (!him) return void this.#self.send(locker, tuple(lockSet, this.#self.pid, false, this.#known))
    const id = this.#idWith(locker)
    const isSet = await this.#lockSafely(id, [])
    this.#say(locker, isSet, him.hisTag)
    this.#justSynced = isSet
    if (isSet) await this.#hold(him, id, [this.#self.pid.node, ...this.#known])
  }

  /** Locks our partition for one of those who wait, and sees what he says. Those of this host come first. */
  async #select(): Promise<void> {
    this.#waiting = this.#waiting.filter(({ node }) => !this.#known.includes(node))
    const here = hostOf(this.#self.pid.node)
    const near = this.#waiting.filter(({ node }) => hostOf(node) === here)
    const candidates = near.length > 0 ? near : this.#waiting
    const him = candidates[Math.floor(Math.random() * candidates.length)]
    if (!him) return
    const id = this.#idWith(him.locker)
    // Also his node: then nobody of his partition locks it for a third.
    if (!(await this.#lockSafely(id, [him.node]))) return
    const nodes = [this.#self.pid.node, him.node, ...this.#known]
    this.#say(him.locker, true, him.hisTag)
    const answer = (await this.#self.receive(
      match.oneOf(
        match([lockSet, isPidOf(him.node), isBoolean, any, him.myTag]),
        match([lockSet, isPidOf(him.node), false, any]),
        match([cancel, him.node, him.myTag, isList]),
      ),
    )) as Tuple<any>
    if (answer.elements[0] === lockSet && answer.elements[2] === true) {
      await this.#hold(him, id, nodes)
      this.#justSynced = true
    } else {
      await this.#release(id, nodes, answer)
      if (answer.elements[0] === cancel) this.#forget(him.node, him.myTag)
    }
  }

  /** Both partitions are locked. They stay so until the name server is done with that node. */
  async #hold(him: Him, id: LockId, nodes: readonly Atom[]): Promise<void> {
    cast(this.#self, serverName, tuple(atom('lock_is_set'), him.node, him.myTag, id))
    const over = await this.#self.receive(match([cancel, him.node, him.myTag, isList]))
    await this.#release(id, nodes, over)
    this.#forget(him.node, him.myTag)
  }

  async #release(id: LockId, nodes: readonly Atom[], over: Tuple<any>): Promise<void> {
    const casts = (over.elements[0] === cancel ? over.elements[3] : []) as readonly Term[]
    for (const entry of casts) {
      if (!(entry instanceof Tuple)) continue
      const [node, message] = entry.elements as readonly Term[]
      if (node instanceof Atom) cast(this.#self, { name: serverName, node }, message as Term)
    }
    await delGlobalLock(this.#self, id, [...new Set(nodes)])
  }

  /** The boss of the partition first, then this node and `extra`, then the others; or none of them. */
  async #lockSafely(id: LockId, extra: readonly Atom[]): Promise<boolean> {
    const own = this.#self.pid.node
    const boss = bossOf([own, ...this.#known])
    // To lock this node could stop one that has locked the boss already: it is only looked at.
    if (boss !== own && !this.#locks.canSet(id)) return false
    if (!(await this.#set(id, [boss]))) return false
    this.#learnAll()
    const second = [own, ...extra].filter(node => node !== boss)
    if (!(await this.#set(id, second))) {
      await delLock(this.#self, id, [boss])
      return false
    }
    if (
      await this.#set(
        id,
        this.#known.filter(node => node !== boss),
      )
    )
      return true
    await delLock(this.#self, id, [boss, ...second])
    return false
  }

  #set(id: LockId, nodes: readonly Atom[]): Promise<boolean> {
    return setLockOnNodes(this.#self, this.#locks, id, nodes)
  }

  /** What has changed while the boss was asked */
  #learnAll(): void {
    for (;;) {
      const news = this.#self.poll(match.oneOf(match([addToKnown, isList]), match([removeFromKnown, isAtom])))
      if (news === undefined) return
      this.#learn(news)
    }
  }

  #learn({ elements: [what, whom] }: Tuple<any>): void {
    if (what === removeFromKnown) this.#known = this.#known.filter(node => node !== whom)
    else if (Array.isArray(whom)) for (const node of whom as readonly Term[]) if (node instanceof Atom) this.#known.unshift(node)
  }

  #forget(node: Term, myTag: Term): void {
    this.#waiting = this.#waiting.filter(him => !(him.node === node && equals(him.myTag, myTag)))
  }

  /** Both sides use one id, so what they have in common is locked by both: it stays locked until both are done. */
  #idWith(locker: Pid): LockId {
    return tuple(globalResource, [this.#self.pid, locker].sort(compare)) as unknown as LockId
  }

  #say(to: Pid, isSet: boolean, hisTag: Term): void {
    cast(this.#self, { name: serverName, node: to.node }, tuple(lockSet, this.#self.pid, isSet, this.#known, hisTag))
  }
}

const isPidOf =
  (node: Atom) =>
  (term: unknown): term is Pid =>
    term instanceof Pid && term.node === node
