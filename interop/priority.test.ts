/**
 * Priority messages between TypeScript and Erlang. They came with OTP 28: to a node before it, what is sent with priority is an ordinary
 * message; a TypeScript process has priority aliases, links and monitors whatever its peer is.
 */
import t, { type Test } from 'tap'
import { atom, match, type NodeProcess, type Pid, type Reference, type Term, type Tuple, tuple } from '../src/index.js'
import { eachOtp } from './support/each-otp.js'
import { actor, down, eachWay, next, order, type Pair, patience, tell } from './support/pair.js'

const code = String.raw`
-module(urgent).
-export([start/1]).
%% Leaves what comes where it is, until it is asked for its mailbox.
start(Fun) ->
    Parent = self(),
    Pid = spawn(fun() ->
        process_flag(trap_exit, true),
        Parent ! {self(), Fun()},
        receive {mailbox, From} -> From ! process_info(self(), messages) end
    end),
    receive {Pid, Value} -> {Pid, Value} end.
`

t.test('priority', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    const beam = await start({ code: [actor, code] })
    for (const suite of [fromTypeScript, fromErlang, linksAndMonitors]) await eachWay(t, beam, (t, pair) => suite(t, pair, otp >= 28))
  })
})

const priority = { priority: true }
const [bye, done] = [atom('bye'), atom('done')]
const exit = (from: Pid, reason: Term): Term => tuple(atom('EXIT'), from, reason) as Term

/** What that process of the BEAM has in its mailbox, after all that `self` has sent it. */
async function mailbox(self: NodeProcess, pid: Pid): Promise<Term> {
  self.send(pid, tuple(atom('mailbox'), self.pid))
  return ((await next(self)) as Tuple).elements[1]
}

/** What waits here, after all that came before `done`. */
async function waiting(self: NodeProcess): Promise<Term[]> {
  await self.receive(match(done), { timeout: patience })
  const got: Term[] = []
  for (let term = self.poll(); term !== undefined; term = self.poll()) got.push(term)
  return got
}

async function fromTypeScript(t: Test, { node, evaluate }: Pair, known: boolean): Promise<void> {
  const alias = known ? 'alias([priority])' : 'alias()'

  await t.test('TypeScript sends with priority to a priority alias, and to others', async t => {
    await node.run(async self => {
      const started = await evaluate(`urgent:start(fun() -> {${alias}, alias()} end).`)
      const [pid, aliases] = (started as Tuple).elements as [Pid, Tuple]
      const [urgent, plain] = aliases.elements as [Reference, Reference]
      self.send(pid, 1)
      self.send(urgent, atom('a'), priority)
      self.send(urgent, 2)
      self.send(urgent, atom('b'), priority)
      self.send(pid, 3, priority)
      self.send(plain, 4, priority)
      self.exit(pid, atom('first'), priority)
      self.exit(urgent, atom('second'), priority)
      self.exit(urgent, atom('third'))
      const first = exit(self.pid, atom('first'))
      const got = await mailbox(self, pid)
      // Exit signals by alias came with OTP 28, too: nothing says one to a node before it.
      if (known) {
        t.strictSame(got, [atom('a'), atom('b'), exit(self.pid, atom('second')), 1, 2, 3, 4, first, exit(self.pid, atom('third'))])
      } else t.strictSame(got, [1, atom('a'), 2, atom('b'), 3, 4, first])
    })
  })
}

async function fromErlang(t: Test, { node, evaluate }: Pair, known: boolean): Promise<void> {
  await t.test('Erlang sends with priority to a priority alias, and to others', async t => {
    await node.run(async self => {
      self.trapExit = true
      const [Urgent, Plain] = [self.alias(priority), self.alias()]
      const options = known ? '[priority]' : '[]'
      const source = `Pid ! 1,
        [erlang:send(To, Message, ${options}) || {To, Message} <- [{Urgent, a}, {Pid, 2}, {Plain, 3}, {Urgent, b}]],
        Urgent ! 4,
        ${known ? 'exit(Urgent, bye, [priority]), exit(Urgent, bye), exit(Pid, bye, [priority]),' : ''}
        Pid ! done,
        self().`
      const from = (await evaluate(source, { Pid: self.pid, Urgent, Plain })) as Pid
      const byed = exit(from, bye)
      const got = await waiting(self)
      if (known) t.strictSame(got, [atom('a'), atom('b'), byed, 1, 2, 3, 4, byed, byed])
      else t.strictSame(got, [1, atom('a'), 2, 3, atom('b'), 4])
    })
  })
}

async function linksAndMonitors(t: Test, { beam, node, evaluate }: Pair, known: boolean): Promise<void> {
  await t.test('EXIT and DOWN overtake in TypeScript, whatever release tells of them', async t => {
    await node.run(async self => {
      self.trapExit = true
      const [linked, watched, plain] = (await evaluate('[actor:start() || _ <- [1, 2, 3]].')) as [Pid, Pid, Pid]
      self.link(plain)
      self.link(linked, priority)
      const ref = self.monitor(watched, priority)
      await evaluate('Pid ! 1.', { Pid: self.pid })
      for (const pid of [plain, linked, watched]) order(self, pid, 'erlang', 'exit', bye)
      // The mailbox stays as it is, until each of them has told us.
      const alive = (await evaluate('actor:start().')) as Pid
      while (node.stats().remoteLinks + node.stats().remoteMonitors > 0) await tell(self, alive, 'erlang', 'node')
      self.send(self.pid, done)
      t.strictSame(await waiting(self), [exit(linked, bye), down(ref, watched, bye), 1, exit(plain, bye)])
      order(self, alive, 'erlang', 'exit', atom('normal'))
    })
  })

  if (known) {
    await t.test('EXIT and DOWN of a TypeScript process overtake on the BEAM', async t => {
      await node.run(async self => {
        const [linked, watched, plain] = [0, 1, 2].map(() => self.spawn(child => child.receive())) as [Pid, Pid, Pid]
        const source = `urgent:start(fun() -> link(Plain), link(Linked, [priority]), monitor(process, Watched, [priority]) end).`
        const [pid, ref] = ((await evaluate(source, { Linked: linked, Watched: watched, Plain: plain })) as Tuple).elements as [
          Pid,
          Reference,
        ]
        // What comes over the connection now comes after the links and the monitor.
        await node.rpc.call(beam.name, 'erlang', 'node')
        self.send(pid, 1)
        for (const child of [plain, linked, watched]) {
          const ended = self.monitor(child)
          self.exit(child, bye)
          t.strictSame(await next(self), down(ended, child, bye))
        }
        t.strictSame(await mailbox(self, pid), [exit(linked, bye), down(ref, watched, bye), 1, exit(plain, bye)])
      })
    })
  }
}
