/** The command `beamlet` and real nodes: what it prints is what they print. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type Release, startEpmd } from '../src/interop/index.js'
import { programOf } from '../src/interop/release.js'
import { register } from '../src/net/epmd-registration.js'
import { atom, type Term, text, tuple } from '../src/term/index.js'
import { Beamlet, type Ended, fails } from '../test/cli/beamlet.js'
import { fromJson } from '../test/cli/json-inverse.js'
import { freePort } from '../test/net/epmd-fake.js'
import { at, cookie, environment } from './support/command.js'
import { eachOtp } from './support/each-otp.js'

const values = String.raw`-module(values).
-export([all/0, text/0, identities/0, fails/1]).
all() ->
  {ok, 1, -1, 1 bsl 80, 1.0, -0.0, 1.0e22, 'An Atom', true, nil, <<>>, <<"text">>, <<"grün"/utf8>>, <<255,0>>, <<5:3>>, [], "charlist",
   [1|2], #{key => [value]}, fun lists:reverse/1, {}, {{{}}}}.
text() -> unicode:characters_to_binary(io_lib:format("~0tp", [all()])).
identities() -> [self(), make_ref(), hd(erlang:ports())].
fails(X) ->
  {ok, 1 + X}.
`

/** What `epmd -names` of that release prints. */
const epmdNames = (otp: Release, port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    execFile(programOf('epmd', otp), ['-port', String(port), '-names'], (error, stdout) => (error ? reject(error) : resolve(stdout)))
  })

t.test('a node that answers', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    await using epmd = await startEpmd({ otp })
    const run = at(epmd.port)
    const beam = await start({ epmdPort: epmd.port, cookie, code: values })
    const call = (...args: string[]): Promise<Ended> => run('call', beam.name, ...args)

    await t.test('names prints what epmd prints', async t => {
      await using _ts = await register({ name: 'ts', port: 4001, epmdPort: epmd.port })
      t.match(await run('names'), { code: 0, stdout: await epmdNames(otp, epmd.port), stderr: '' })
    })

    await t.test('ping', async t => {
      t.match(await run('ping', beam.name), { code: 0, stdout: 'pong\n', stderr: '' })
      const short = await start({ name: `cli-short-${otp}`, epmdPort: epmd.port, cookie })
      t.match(await run('ping', short.name), { code: 0, stdout: 'pong\n', stderr: '' }, 'under a short name too')
    })

    await t.test('the command is a hidden node that nobody can look up', async t => {
      const { stdout } = await call('erlang', 'nodes', '[hidden]', '--json')
      const [self] = fromJson(stdout) as [Term]
      t.match(String(self), /^beamlet_\d+_[0-9a-f]{8}@127\.0\.0\.1$/)
      t.match(await call('erlang', 'nodes'), { code: 0, stdout: '[]\n' })
      t.notMatch((await call('net_adm', 'names')).stdout, /beamlet_/)
      await beam.waitForNode(String(self), 'down')
    })

    await t.test('a visible one is a node like any other, and global works on', async t => {
      t.match(await call('erlang', 'nodes', '--no-hidden', '--name', 'seen'), { code: 0, stdout: "['seen@127.0.0.1']\n", stderr: '' })
      t.match((await call('net_adm', 'names', '--no-hidden', '--name', 'seen')).stdout, /\{"seen",\d+\}/)
      await beam.waitForNode('seen@127.0.0.1', 'down')
      t.equal(await beam.eval('global:register_name(cli, self()).'), atom('yes'))
    })

    await t.test('call prints as the node prints', async t => {
      t.match(await call('values', 'all'), { code: 0, stdout: `${text((await beam.eval('values:text().')) as Buffer)}\n`, stderr: '' })
      const echo = `[{1.0, "a", <<"b">>, 'C', [x | y], #{1 => -0.0}}]`
      t.match(await call('erlang', 'hd', `[${echo}]`), { code: 0, stdout: `{1.0,"a",<<"b">>,'C',[x|y],#{1 => -0.0}}\n`, stderr: '' })
    })

    await t.test('call --json loses nothing', async t => {
      const all = fromJson((await call('values', 'all', '--json')).stdout)
      t.equal(await beam.eval('values:all() =:= Term.', { bindings: { Term: all } }), true)
      const source = '[is_process_alive(Init) andalso Init =:= whereis(init), is_reference(Ref) andalso node(Ref), node(Port)].'
      const [, ref, port] = fromJson((await call('values', 'identities', '--json')).stdout) as [Term, Term, Term]
      const init = fromJson((await call('erlang', 'whereis', '[init]', '--json')).stdout)
      t.strictSame(await beam.eval(source, { bindings: { Init: init, Ref: ref, Port: port } }), [true, atom(beam.name), atom(beam.name)])
    })

    await t.test('what the function prints is no result', async t => {
      t.match(await call('io', 'format', '["hi ~p~n", [x]]'), { code: 0, stdout: 'ok\n', stderr: 'hi x\n' })
    })

    await t.test('an exception', async t => {
      const wrong = await call('values', 'fails', '[a]')
      t.match(wrong, { code: 1, stdout: '' })
      // Some releases name the operator first.
      t.match(wrong.stderr, /^exception error: badarith\n(?: .+\n)? {2}in (?:function|call from) values:fails\/1 \(.+, line 9\)\n$/)
      t.match(await call('erlang', 'throw', '[{a, 1}]'), { code: 1, stdout: '', stderr: 'exception throw: {a,1}\n' })
      t.match(await call('erlang', 'exit', '[gone]'), { code: 1, stdout: '', stderr: 'exception exit: gone\n' })
      t.match(await call('nope', 'f', '[1]'), { code: 1, stdout: '', stderr: 'exception error: undef\n  in function nope:f(1)\n' })
      const noproc = await call('gen_server', 'call', '[nobody, hello]', '--json')
      t.equal(noproc.code, 1)
      t.match(JSON.parse(noproc.stderr), { error: { class: 'exit', reason: { $tuple: [{ $atom: 'noproc' }, Object] } } })
    })

    await t.test('no answer in time', async t => {
      const late = await call('timer', 'sleep', '[infinity]', '--timeout', '200')
      t.match(late, { code: 4, stdout: '', stderr: /timer:sleep\/1 .* no result within 200 ms.*\[ERR_TIMEOUT\]\n$/ })
    })

    await t.test('send', async t => {
      const got = beam.eval('register(inbox, self()), logger:notice("inbox is open"), receive Message -> Message end.', { floats: 'exact' })
      await beam.waitForLog('inbox is open')
      t.match(await run('send', beam.name, 'inbox', '{hello, <<"world">>, 1}'), { code: 0, stdout: '', stderr: '' })
      t.strictSame(await got, tuple(atom('hello'), Buffer.from('world'), 1))
      const nobody = await run('send', beam.name, 'nobody', 'ok')
      fails(t, nobody, 1, 'CLI_NO_PROCESS', /No process is registered as 'nobody'/)
    })
  })
})

t.test('epmd serves real nodes', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    const epmdPort = await freePort()
    await using command = new Beamlet(['epmd'], { env: environment(epmdPort) })
    await command.said(/listens on port/)
    const beam = await start({ epmdPort, cookie })
    const [alive] = beam.name.split('@')
    await command.said(new RegExp(`beamlet: registered ${alive} at port \\d+, creation \\d+\n`))
    t.equal((await at(epmdPort)('names')).stdout, await epmdNames(otp, epmdPort))
    t.match(await at(epmdPort)('ping', beam.name), { code: 0, stdout: 'pong\n' })
    await beam.stop()
    await command.said(new RegExp(`beamlet: unregistered ${alive}\n`))
    command.signal('SIGINT')
    t.match(await command.ended, { code: 0, stdout: '' })
  })
})

t.test('start runs a node for real ones', async t => {
  await eachOtp(t, async (t, { otp, start }) => {
    await using epmd = await startEpmd({ otp })
    const beam = await start({ epmdPort: epmd.port, cookie })
    const file = join(t.testdir(), 'calc.mjs')
    writeFileSync(
      file,
      "export function add(a, b) { return a + b }\nexport async function wait() { this.register('waits'); await this.receive() }",
    )
    await using command = new Beamlet(['start', file, '--name', 'calc@127.0.0.1'], { env: environment(epmd.port) })
    await command.said(/calc@127\.0\.0\.1 is up, at/)
    t.equal(await beam.eval("net_adm:ping('calc@127.0.0.1')."), atom('pong'))
    t.equal(await beam.eval("rpc:call('calc@127.0.0.1', calc, add, [1, 2])."), 3)
    const down = beam.eval(`
      {_, Ref} = spawn_monitor('calc@127.0.0.1', calc, wait, []),
      logger:notice("the monitor is set"),
      receive {'DOWN', Ref, process, _, Reason} -> Reason end.`)
    await beam.waitForLog('the monitor is set')
    command.signal('SIGTERM')
    t.equal(await down, atom('shutdown'))
    await beam.waitForNode('calc@127.0.0.1', 'down')
    t.match(await command.ended, { code: 0, signal: null, stderr: /calc@127\.0\.0\.1 closes\n$/ })
  })
})
