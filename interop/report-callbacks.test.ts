/** Reports that a function of a BEAM node prints (`report_cb`): the texts are those that the BEAM's own formatter makes. */
import t, { type Test } from 'tap'
import { format, type LogEvent, type Node, type Pid, type Term } from '../src/index.js'
import type { Beam } from '../src/interop/index.js'
import { eachOtp } from './support/each-otp.js'
import { evaluator, patience, startNode } from './support/pair.js'

const erlang = String.raw`
-module(cb).
-export([one/1, two/2, crash/1, exits/1, throws/1, text/2]).
one(R) -> {"one ~p and ~ts~n", [R, "€"]}.
two(R, Config) -> io_lib:format("two ~p ~p", [R, Config]).
crash(_) -> error(bad).
exits(_) -> exit(bad).
throws(_) -> throw(bad).
text(Report, Fun) ->
  Event = #{level => error, msg => {report, Report}, meta => #{time => 0, pid => self(), report_cb => Fun}},
  unicode:characters_to_binary(logger_formatter:format(Event, #{template => [msg], single_line => false})).
`

const funs: readonly string[] = [
  'fun cb:one/1',
  'fun cb:two/2',
  'fun(R) -> {"closure ~p", [R]} end',
  'fun(R, #{single_line := S, depth := D}) -> [io_lib:format("~p ~p ~p", [R, S, D]), <<" bytes">>] end',
  'fun(_, _) -> <<"bytes alone">> end',
  'fun cb:crash/1',
  'fun cb:exits/1',
  'fun cb:throws/1',
  'fun cb:absent/1',
  'fun(_) -> odd end',
  'fun(_, _) -> odd end',
  'fun(_) -> {<<"text">>, []} end',
  'fun(_) -> {"~b", [x]} end',
  'fun(_) -> {"no ~p", []} end',
]

t.test('report callbacks', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start({ code: erlang, args: ['+pc', 'unicode'] })
    beam.expectLog(() => true)
    await using node = await startNode(beam)
    await node.connect(beam.name)
    await t.test('the function is applied on its node, and its text is that of the BEAM', t => texts(t, beam, node))
    await t.test('events of a node keep their order, and wait for no function that never returns', t => order(t, beam, node))
    await t.test('what is no such function, or cannot be asked, is printed as it is', t => refused(t, beam, node))
  })
})

/** The texts of the next events */
function next(node: Node, count: number): Promise<string[]> {
  const found: string[] = []
  return new Promise(resolve => {
    const listener = ({ message }: LogEvent): void => {
      if (found.push(message) < count) return
      node.off('logger', listener)
      resolve(found)
    }
    node.on('logger', listener)
  })
}

/** Of a stack, which is longer here, as it is one of erpc */
const plain = (text: string): string => text.replace(/(Reason: \{\w+,\s*\w+,)[\s\S]*/, '$1')

const run = (beam: Beam, node: Node, program: string): Promise<Term> =>
  evaluator(beam, node)(`spawn(fun() -> put(logs, true), group_leader(U, self()), ${program} end), ok.`, { U: node.whereis('user') as Pid })

async function texts(t: Test, beam: Beam, node: Node): Promise<void> {
  for (const report of ['#{a => 1, b => "text"}', '[{a, 1}]']) {
    for (const fun of funs) {
      const theirs = String(await beam.eval(`cb:text(${report}, ${fun}).`))
      const told = next(node, 1)
      await run(beam, node, `logger:error(${report}, #{report_cb => ${fun}})`)
      t.equal(plain((await told)[0] as string), plain(theirs), `${fun} of ${report}`)
    }
  }
}

async function order(t: Test, beam: Beam, node: Node): Promise<void> {
  const told = next(node, 4)
  const asked = 'fun(R) -> receive after 20 -> {"~p", [R]} end end'
  await run(beam, node, `logger:error(#{n => 1}, #{report_cb => ${asked}}), logger:error("second"), logger:error(#{n => 3}, #{report_cb => ${asked}}), logger:error("last")`) // prettier-ignore
  t.strictSame(await told, ['#{n => 1}', 'second', '#{n => 3}', 'last'])
  const late = next(node, 3)
  // The handlers of the BEAM node itself call it, too, in the process that logs.
  const never = 'fun(_) -> case get(logs) of true -> {"there", []}; _ -> timer:sleep(infinity) end end'
  await run(
    beam,
    node,
    `logger:error(#{n => 1}, #{report_cb => ${never}}), logger:error(#{n => 2}, #{report_cb => ${never}}), logger:error("last")`,
  )
  t.strictSame(await late, ['    n: 1', '    n: 2', 'last'])
}

async function refused(t: Test, beam: Beam, node: Node): Promise<void> {
  const evaluate = evaluator(beam, node)
  const metas = [
    '#{report_cb => fun cb:one/1}',
    '#{report_cb => fun cb:one/1, pid => x}',
    '#{report_cb => fun erlang:halt/1, pid => P}',
    '#{report_cb => fun(_, _, _) -> x end, pid => self()}',
    '#{report_cb => cb, pid => self()}',
  ]
  const told = next(node, metas.length)
  await evaluate(`[{logger_proxy, Ts} ! {log, error, #{n => 1}, M} || M <- [${metas.join(', ')}]], ok.`, { P: node.whereis('rex') as Pid })
  t.strictSame(
    await told,
    metas.map(() => '    n: 1'),
  )
  const gone = next(node, 1)
  const source = `Me = self(), Fun = fun(_) -> case get(logs) of true -> {"there", []}; _ -> Me ! asked, timer:sleep(infinity) end end,
    spawn(fun() -> put(logs, true), group_leader(U, self()), logger:error(#{n => 1}, #{report_cb => Fun}) end), receive asked -> asked after ${patience} -> late end.`
  t.equal(format(await evaluate(source, { U: node.whereis('user') as Pid })), 'asked')
  node.disconnect(beam.name)
  t.strictSame(await gone, ['    n: 1'], 'its node has gone')
}
