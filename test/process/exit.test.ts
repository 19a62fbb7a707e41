import t from 'tap'
import { ErlangError, ExitError, type Process } from '../../src/process/index.js'
import { atom, equals, format, type Pid, type Term, tuple } from '../../src/term/index.js'
import { fixture, turn } from './support.js'

const forever = async (self: Process): Promise<void> => {
  for await (const _ of self) continue
}

/** The reasons with which a process ends, by what its code does. */
const ends: [string, (self: Process) => unknown, (reason: Term) => boolean][] = [
  ['returning', () => 5, reason => reason === atom('normal')],
  ['exit(reason)', self => self.exit(tuple(atom('shutdown'), 1)), reason => equals(reason, tuple(atom('shutdown'), 1))],
  ['exit(self, normal)', self => (self.exit(self.pid, atom('normal')), forever(self)), reason => reason === atom('normal')],
  ['exit(self, kill)', self => (self.exit(self.pid, atom('kill')), forever(self)), reason => reason === atom('killed')],
  ['exit(kill) of its own', self => self.exit(atom('kill')), reason => reason === atom('kill')],
  [
    'an Error',
    () => {
      throw new RangeError('too far')
    },
    reason => /^\{\{'RangeError',<<"too far">>\},\[\{'exit\.test'.*\{file,".*exit\.test\.ts"\},\{line,\d+\}/.test(format(reason)),
  ],
  [
    'a term',
    () => {
      throw atom('oops')
    },
    reason => equals(reason, tuple(tuple(atom('nocatch'), atom('oops')), [])),
  ],
  [
    'what is no term',
    () => {
      throw undefined
    },
    reason => equals(reason, tuple(tuple(atom('nocatch'), Buffer.from('undefined')), [])),
  ],
  [
    'an ErlangError',
    () => {
      throw new ErlangError(atom('badarg'), [])
    },
    reason => equals(reason, tuple(atom('badarg'), [])),
  ],
]

for (const [name, body, expected] of ends) {
  t.test(`a process that ends by ${name} tells its monitor why`, async t => {
    const { processes, down } = fixture()
    const reason = await down(processes.spawn(body).pid)
    t.ok(expected(reason), format(reason))
  })
}

t.test('only errors count as crashes', async t => {
  const { processes, crashes, down } = fixture()
  await down(processes.spawn(() => Promise.reject(new ExitError(atom('shutdown')))).pid)
  t.same(crashes, [])
  const bug = new Error('bug')
  await down(processes.spawn(() => Promise.reject(bug)).pid)
  t.same(crashes, [bug])
})

const signals: [reason: string, trapExit: boolean, expected: string][] = [
  ['normal', false, 'lives'],
  ['normal', true, 'message normal'],
  ['kill', false, 'dies killed'],
  ['kill', true, 'dies killed'],
  ['oops', false, 'dies oops'],
  ['oops', true, 'message oops'],
]

for (const [reason, trapExit, expected] of signals) {
  t.test(`exit(Pid, ${reason}) with trapExit ${trapExit}: ${expected}`, async t => {
    const { processes, run } = fixture()
    const seen = await run(async self => {
      const parent = self.pid
      const [pid, ref] = self.spawnMonitor(async child => {
        child.trapExit = trapExit
        child.send(parent, atom('ready'))
        const message = await child.receive()
        child.send(parent, tuple(atom('got'), message))
        await child.receive()
      })
      await self.receive()
      self.exit(pid, atom(reason))
      self.send(pid, atom('still here'))
      const answer = (await self.receive()) as ReturnType<typeof tuple<Term[]>>
      if (answer.tag === 'DOWN') return `dies ${format(answer.elements[4] as Term)}`
      self.demonitor(ref)
      const [, got] = answer.elements
      return got === atom('still here') ? 'lives' : equals(got as Term, tuple(atom('EXIT'), self.pid, atom(reason))) && `message ${reason}`
    })
    t.equal(seen, expected)
    await processes.close()
  })
}

t.test('a dead process is dead for everybody at once', async t => {
  const { processes, run } = fixture()
  let self!: Process
  const order: string[] = []
  const { pid } = processes.spawn(
    async me => {
      self = me
      try {
        await me.receive()
      } catch (error) {
        order.push(`rejected ${(error as ExitError).code}`)
        throw error
      } finally {
        order.push('finally')
      }
    },
    { name: 'mortal' },
  )
  await turn()
  const { signal } = self
  await run(other => {
    other.exit(pid, atom('kill'))
    t.equal(processes.table.find(pid), undefined)
    t.equal(processes.registry.whereis(atom('mortal')), undefined)
    t.equal(signal.aborted, true)
  })
  await turn()
  t.same(order, ['rejected ERR_EXIT', 'finally'])

  t.equal(self.send(pid, 1), true, 'sends do nothing')
  t.doesNotThrow(() => self.link(pid))
  t.doesNotThrow(() => self.monitor(pid))
  t.equal(self.poll(), undefined)
  let settled = false
  const touch = (): void => {
    settled = true
  }
  self.receive().then(touch, touch)
  await turn()
  t.equal(settled, false, 'later receives never settle')
})

t.test('a receive that nobody awaits does not end the program with its process', async t => {
  const { processes, down } = fixture()
  const { pid } = processes.spawn(async self => {
    void self.receive(undefined)
    await new Promise(() => {})
  })
  await turn()
  const reason = down(pid)
  processes.sendExit(processes.init, pid, atom('kill'))
  t.equal(await reason, atom('killed'))
})

t.test('a chain of 100,000 linked processes dies without overflow', async t => {
  const { processes, down } = fixture()
  const pids: Pid[] = []
  const start = processes.table.count
  processes.spawn(function grow(self: Process): Promise<void> {
    pids.push(self.pid)
    if (pids.length < 100_000) self.spawnLink(grow)
    return forever(self)
  })
  while (pids.length < 100_000) await turn()
  const last = down(pids.at(-1) as Pid)
  await turn()
  processes.sendExit(processes.init, pids[0] as Pid, atom('domino'))
  t.equal(await last, atom('domino'))
  await turn()
  t.equal(processes.table.count, start)
})
