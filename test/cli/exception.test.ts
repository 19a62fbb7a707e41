import t from 'tap'
import { describe } from '../../src/cli/exception.js'
import { atom, parse, RpcError } from '../../src/index.js'

t.test('as the Erlang shell shows an exception', async t => {
  const stack = parse(`[
    {calc, add, [1, a], [{file, "src/calc.erl"}, {line, 7}]},
    {calc, '-run/1-fun-0-', 2, [{file, "src/calc.erl"}]},
    {'Elixir.Enum', map, 2, []}
  ]`)
  const error = new RpcError('error', parse('{badmatch, <<"x">>}'), stack)
  t.equal(
    describe(error),
    `exception error: {badmatch,<<"x">>}
  in function calc:add(1, a) (src/calc.erl, line 7)
  in call from calc:'-run/1-fun-0-'/2 (src/calc.erl)
  in call from 'Elixir.Enum':map/2`,
  )
  t.equal(describe(new RpcError('throw', atom('enough'))), 'exception throw: enough')
})

t.test('a stack of another shape is shown as it is', async t => {
  const odd = parse('[{fun lists:map/2, [], []}, gone, {calc, add, 2, [{file, none}]}]')
  t.equal(
    describe(new RpcError('error', atom('odd'), odd)),
    `exception error: odd
  in function {fun lists:map/2,[],[]}
  in call from gone
  in call from calc:add/2`,
  )
  t.equal(describe(new RpcError('error', atom('odd'), atom('none'))), 'exception error: odd')
})

t.test('what is very long is cut', async t => {
  const long = new RpcError('error', Buffer.alloc(1_000_000, 'a'), parse('[{m, f, [1], []}]'))
  t.ok(describe(long).length < 3000)
})
