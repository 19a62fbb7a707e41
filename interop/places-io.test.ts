/** Processes in other places print and log as those of main do. */
import t, { type Test } from 'tap'
import { atom, equals, format, get, type LogEvent, type Node, type Pid, type Term, text } from 'beamlet'
import { type Beam, startBeam } from 'beamlet/interop'
import { eachOtp } from './support/each-otp.js'
import { evaluator, startNode } from './support/places.js'
import { speaker } from './support/placed/speaker.mjs'

const module = new URL('./support/placed/speaker.mjs', import.meta.url)

t.test('printing and logging in places', async t => {
  const suite = async (t: Test, { start }: { readonly start: (options?: object) => Promise<Beam> }): Promise<void> => {
    const beam = await start({ elixir: true })
    beam.expectLog(/TypeError/)
    const printed: string[] = []
    await using node = await startNode(beam, { schedulers: { count: 1, execArgv: [] }, output: text => printed.push(text) })
    node.on('crash', () => {})
    await node.connect(beam.name)
    for (const on of ['pool', 'isolated'] as const) {
      await t.test(`what runs in the place '${on}' prints at its group leader`, t => prints(t, beam, node, on, printed))
      await t.test(`what fails in the place '${on}' is logged at its group leader`, t => logs(t, beam, node, on))
    }
  }
  await eachOtp<Beam>(t, suite, startBeam)
})

async function prints(t: Test, beam: Beam, node: Node, on: 'pool' | 'isolated', printed: string[]): Promise<void> {
  const evaluate = evaluator(beam, node)
  const name = `speaker_${on}`
  await node.code.load(name, module, { on })
  const leader = `{ok, G} = 'Elixir.StringIO':open(<<>>), group_leader(G, self()),`
  const contents = `element(2, 'Elixir.StringIO':contents(G)).`
  const called = await evaluate(
    `${leader} ok = rpc:call(Ts, ${name}, hello, [<<"called">>]), ok = erpc:call(Ts, ${name}, hello, [<<"again">>]), ${contents}`,
  )
  t.equal(text(called), `called in '${beam.name}'\nagain in '${beam.name}'\n`, 'rpc:call and erpc:call of what is placed')
  const spawned = `${leader} P = spawn(Ts, ${name}, loop, []), Say = fun(W) -> P ! {self(), W}, receive said -> ok end end, Say(<<"one ">>), group_leader(U, P), Say(<<"two ">>),
    group_leader(G, P), Say(<<"three">>), exit(P, kill), ${contents}`
  t.equal(text(await evaluate(spawned, { U: node.whereis('user') as Pid })), 'one three', 'spawn, and group_leader/2')
  const ref = await node.start(speaker, { on })
  t.equal(format(await ref.call('say', ' from a server')), 'ok')
  t.equal(printed.splice(0).join(''), 'two  from a server', 'what the node starts prints where the node does')
}

async function logs(t: Test, beam: Beam, node: Node, on: 'pool' | 'isolated'): Promise<void> {
  const evaluate = evaluator(beam, node)
  const ref = await node.start(speaker, { on })
  const event = new Promise<LogEvent>(resolve => node.on('logger', event => /crasher/.test(event.message) && resolve(event)))
  ref.cast('crash')
  const { message, level, meta } = await event
  t.equal(level, 'error')
  t.match(message, /^ {2}crasher:\n {4}initial call: 'speaker':init\/1|^ {2}crasher:\n {4}initial call: speaker:init\/1/)
  t.match(message, /exception error: \{'TypeError',<<"no">>\}\n {6}in function  speaker:crash\/0 \(.*speaker.mjs:\d+\)/)
  t.match(format(meta), /domain => \[otp,sasl\]/)
  const pid = (await evaluate(`spawn(Ts, speaker_${on}, fails, []).`)) as Pid
  const told = await beam.waitForLog(({ meta }) => equals(get(meta as Map<Term, Term>, atom('pid')) as Term, pid))
  t.match(told.text, /^Error in process <[\d.]+> on node '[^']+' with exit value:, \{\{'TypeError',<<"no">>\},\[\{speaker,fails,0,/)
  t.equal(pid.node, atom(node.name))
}
