/** Code that TypeScript has loaded, as Erlang's `code` and `c` see it. */
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { atom, format, type Term, tuple } from '../src/index.js'
import { eachOtp } from './support/each-otp.js'
import { eachWay } from './support/pair.js'

const source = (version: number): string => `
export const version = () => ${version}
export function hold(to) {
  this.send(to, this.pid)
  return this.receive()
}`

/** Asked of the BEAM about a module that it has not, and of TypeScript about one that it has not. */
const questions = ['which', 'is_loaded', 'get_object_code', 'soft_purge', 'purge', 'load_file']

t.test('code', async t => {
  await eachOtp(t, async (t, { start }) => {
    const beam = await start()
    await eachWay(t, beam, async (t, { node, evaluate }) => {
      const file = `${t.testdir()}/calc.mjs`
      const write = (text: string): void => writeFileSync(file, text)
      const ask = async (question: string): Promise<string> => format(await evaluate(`rpc:call(Ts, ${question}).`))

      await t.test('a module that is not there', async t => {
        for (const question of questions)
          for (const module of ['nope', '"nope"']) {
            const reason = `case rpc:call(Node, code, ${question}, [${module}]) of {badrpc, {'EXIT', {Why, _}}} -> Why; Answer -> Answer end.`
            const [theirs, ours] = await Promise.all([beam.name, node.name].map(name => evaluate(reason, { Node: atom(name) })))
            t.strictSame(ours, theirs, `code:${question}(${module})`)
          }
        t.equal(await ask('c, l, [nope]'), '{error,nofile}')
      })

      await t.test('is loaded again by c:l, keeps its old version, and is purged', async t => {
        write(source(1))
        await node.code.load('calc', pathToFileURL(file))
        const path = format([...Buffer.from(file)] as Term)
        t.equal(await ask('code, which, [calc]'), path)
        t.equal(await ask('code, is_loaded, [calc]'), `{file,${path}}`)
        t.equal(
          format(await evaluate('rpc:call(Ts, code, get_object_code, [calc]).')),
          format(tuple(atom('calc'), source(1), [...Buffer.from(file)]) as Term),
        )
        t.equal(await evaluate('lists:keymember(calc, 1, rpc:call(Ts, code, all_loaded, [])).'), true)
        const held = `Me = self(), Held = spawn(Ts, calc, hold, [Me]), receive Held -> ok end, Ref = monitor(process, Held)`
        const down = `receive {'DOWN', Ref, process, Held, Why} -> Why end`
        const twice = `${held}, [rpc:call(Ts, calc, version, []) | lists:append([[rpc:call(Ts, c, l, [calc]), rpc:call(Ts, calc, version, [])] || _ <- [1, 2]])]`
        write(source(2))
        t.equal(format(await evaluate(`${twice} ++ [${down}].`)), '[1,{module,calc},2,{module,calc},2,killed]')
        write(source(3))
        const soft = `${held}, Load = fun() -> rpc:call(Ts, code, load_file, [calc]) end, Soft = fun() -> rpc:call(Ts, code, soft_purge, [calc]) end,
          rpc:call(Ts, code, purge, [calc]), [Load(), Soft(), Load(), rpc:call(Ts, calc, version, []), Held ! done, ${down}, Soft(), Load()].`
        t.equal(format(await evaluate(soft)), '[{module,calc},false,{error,not_purged},3,done,normal,true,{module,calc}]')
      })

      await t.test('a file that does not load any more leaves all as it is', async t => {
        write('export const = 1')
        t.equal(await ask('c, l, [calc]'), '{error,badfile}')
        t.equal(await ask('calc, version, []'), '3')
        const broken = /module: calc,? +code: 'ERR_CODE_MODULE',? +says: "?The module at .*calc\.mjs#\d+ does not load/
        beam.expectLog(broken)
        await beam.waitForLog(broken)
      })
    })
  })
})
