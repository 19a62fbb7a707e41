/**
 * The main job in half a minute: a TypeScript process in a cluster with a real BEAM node. It talks, links, monitors, crashes, and is started
 * again by an Erlang process that watches it. `make demo`
 */
import assert from 'node:assert/strict'
import { any, atom, equals, format, isPid, match, Node, type Pid, text, tuple } from 'beamlet'
import { startBeam } from 'beamlet/interop'
import { genServer, reply } from 'beamlet/otp'

const bold = (words: string): string => (process.stdout.isTTY ? `\x1b[1m${words}\x1b[0m` : words)
const step = (title: string): void => console.log(`\n${bold(title)}`)
const erlang = (code: string, answer: unknown): void => console.log(`  erl> ${code}\n  ${format(answer as never)}`)
const note = (said: string): void => console.log(`  ts   ${said}`)

/** Keeps a TypeScript process alive: starts one on the other node by a spawn request, watches it, starts the next. */
const keeper = `
-module(keeper).
-export([start/3, loop/3]).
start(Node, Parent, Starts) -> spawn(?MODULE, loop, [Node, Parent, Starts]).
loop(_Node, Parent, 0) -> Parent ! gave_up;
loop(Node, Parent, Starts) ->
    {Pid, Ref} = spawn_monitor(Node, worker, run, [self()]),
    receive {ready, Pid} -> Parent ! {started, Pid} end,
    receive {'DOWN', Ref, process, Pid, {{Error, Message}, [{_, Fun, _, _} | _]}} ->
        Parent ! {crashed, Pid, Error, Message, Fun},
        loop(Node, Parent, Starts - 1)
    end.
`

step('1  A BEAM node and a TypeScript node, one cluster')
const beam = await startBeam({ code: keeper })
const node = await Node.start({ name: `demo${process.pid}@127.0.0.1`, cookie: beam.cookie })
note(`${node.name} is up; OTP ${beam.otp} runs as ${beam.name}`)
erlang(`net_adm:ping('${node.name}').`, await beam.eval(`net_adm:ping('${node.name}').`))
erlang('nodes().', await beam.eval('nodes().'))

step('2  Messages, both ways')
node.spawn(
  async self => {
    for (;;) {
      const [from, words] = (await self.receive(match([isPid, any]))).elements
      note(`echo got ${format(words)}`)
      self.send(from, tuple(atom('echo'), words))
    }
  },
  { name: 'echo' },
)
const ask = `{echo, '${node.name}'} ! {self(), <<"hello from Erlang">>}, receive Reply -> Reply end.`
erlang(ask, await beam.eval(ask))

step('3  A gen_server in TypeScript, called from Erlang')
const counter = genServer({
  init: (start: number) => start,
  call: { add: (n, by: number) => reply(n + by, n + by) },
})
await node.start(counter, { args: [10], name: 'counter' })
const add = `gen_server:call({counter, '${node.name}'}, {add, 5}).`
erlang(add, await beam.eval(add))
note(`and Erlang called from TypeScript: lists:sum([1,2,3]) = ${format(await node.rpc.call(beam.name, 'lists', 'sum', [[1, 2, 3]]))}`)

step('4  Links: an exit in Erlang reaches TypeScript, with its reason')
await node.run(async self => {
  self.trapExit = true
  const linked = await self.rpc.call(beam.name, 'erlang', 'spawn', [atom('timer'), atom('sleep'), [60_000]])
  assert.ok(isPid(linked))
  self.link(linked)
  self.exit(linked, tuple(atom('disk'), atom('full')))
  const message = await self.receive(match([atom('EXIT'), isPid, any]))
  note(`received ${format(message)}`)
  assert.ok(equals(message, tuple(atom('EXIT'), linked, tuple(atom('disk'), atom('full')))))
})

step('5  Crash and recovery: Erlang watches a TypeScript process and starts it again')
node.on('crash', (pid, { error }) => note(`${String(pid)} crashed: ${String(error)}`))
await node.code.load('worker', {
  async run(keeper: Pid) {
    this.send(keeper, tuple(atom('ready'), this.pid))
    const job = await this.receive()
    throw new RangeError(`cannot do ${format(job)}`)
  },
})
await node.run(async self => {
  const spawned = await self.rpc.call(beam.name, 'keeper', 'start', [atom(node.name), self.pid, 2])
  note(`the Erlang process ${format(spawned)} keeps it`)
  for (const job of ['the impossible', 'it again']) {
    const [, worker] = (await self.receive(match([atom('started'), isPid]))).elements
    note(`worker ${String(worker)} is up; send it a job that breaks it`)
    self.send(worker, job)
    const [, , error, message, fun] = (await self.receive(match([atom('crashed'), isPid, any, any, any]))).elements
    console.log(`  erl  saw it go down: ${format(error)} "${text(message)}" in ${format(fun)}`)
  }
  await self.receive(match(atom('gave_up')))
})

step('6  The BEAM node is killed; TypeScript is told')
const down = new Promise<string>(resolve => node.once('nodedown', (name, { reason }) => resolve(`nodedown ${name}: ${reason}`)))
await beam.kill()
note(await down)
await node.close()
console.log('\nThat is Beamlet. Next: README.md')
