import t from 'tap'
import { atom, ErlangError, ExitError, float, type Process, type Term, tuple } from '../../src/index.js'
import { fails } from './beamlet.js'
import { machine } from './peers.js'

t.test('call', async t => {
  const here = await machine(t)
  const node = await here.node('peer', { floats: 'exact' })
  await node.code.load('calc', {
    echo: (term: Term) => term,
    both: (a: Term, b: Term) => tuple(a, b),
    none: () => float(1),
    wrong: () => {
      throw new ErlangError(tuple(atom('bad'), 'x'))
    },
    leave: () => {
      throw new ExitError(atom('gone'))
    },
    toss(): never {
      // eslint-disable-next-line no-throw-literal
      throw atom('ball')
    },
    wait(this: Process) {
      return this.receive()
    },
  })
  const call = (...args: string[]) => here.run(['call', node.name, 'calc', ...args])

  await t.test('prints the value', async t => {
    const term = `{ok, <<"grün"/utf8>>, [1, 2.0, 16#ffffffffffffffffff | x], #{"k" => 'An Atom'}}`
    const printed = `{ok,<<"grün"/utf8>>,[1,2.0,4722366482869645213695|x],#{"k" => 'An Atom'}}`
    t.match(await call('echo', `[${term}]`), { code: 0, stdout: `${printed}\n`, stderr: '' })
    t.match(await call('none'), { code: 0, stdout: '1.0\n' }, 'no arguments')
    t.match(await call('both', '[-1, "\\""]'), { code: 0, stdout: '{-1,"\\""}\n' })
    t.match(await call('both', '[1.0, <<255>>]', '--json'), { code: 0, stdout: '{"$tuple":[1.0,{"$binary":"/w=="}]}\n', stderr: '' })
  })

  await t.test('prints an exception', async t => {
    const wrong = await call('wrong')
    t.match(wrong, { code: 1, stdout: '' })
    t.match(wrong.stderr, /^exception error: \{bad,<<"x">>\}\n {2}in function 'call\.test':\w+\/0 \(.+call\.test\.ts, line \d+\)\n/)
    t.match(await call('leave'), { code: 1, stdout: '', stderr: 'exception exit: gone\n' })
    t.match(await call('toss'), { code: 1, stdout: '', stderr: 'exception throw: ball\n' })
    t.match(await call('nope', '[1]'), { code: 1, stdout: '', stderr: 'exception error: undef\n  in function calc:nope(1)\n' })
    const { code, stdout, stderr } = await call('nope', '[1]', '--json')
    t.strictSame([code, stdout], [1, ''])
    const calc = { $atom: 'calc' }
    t.strictSame(JSON.parse(stderr), {
      error: {
        code: 'ERR_RPC_ERROR',
        message: 'The call of calc:nope/1 on peer@127.0.0.1 failed with error: undef. [ERR_RPC_ERROR]',
        class: 'error',
        reason: { $atom: 'undef' },
        stacktrace: [{ $tuple: [calc, { $atom: 'nope' }, [1], []] }],
      },
    })
  })

  await t.test('waits so long and no longer', async t => {
    fails(t, await call('wait', '--timeout', '100'), 4, 'ERR_TIMEOUT', /calc:wait\/0 .* gave no result within 100 ms; it may go on there/)
  })

  await t.test('reads the arguments before it connects', async t => {
    fails(t, await call('echo', '[1,'), 2, 'ERR_TERM_SYNTAX', /but the text ends \(line 1, column 4\)/)
    fails(t, await call('echo', '[X]'), 2, 'ERR_TERM_SYNTAX', /X is a variable: the atom is written 'X'/)
    fails(t, await call('echo', 'ok'), 2, 'CLI_USAGE', /The arguments are a list, as in '\[1, ok\]': ok is none/)
    fails(t, await here.run(['call', 'nobody@127.0.0.1', 'calc', 'echo', '[<0.1.0>]']), 2, 'ERR_TERM_SYNTAX', /A pid has no literal/)
  })
})
