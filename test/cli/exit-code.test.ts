import { readFileSync } from 'node:fs'
import t from 'tap'
import { exitCodeOf, exitCodes } from '../../src/cli/exit-code.js'
import { atom, ExitError, NodeError, ProcessError, RpcError } from '../../src/index.js'

t.test('what an error makes of the exit code', async t => {
  const of = (code: string): number => exitCodeOf(new NodeError(code, 'A sentence.'))
  t.equal(exitCodeOf(new RpcError('error', atom('badarg'))), exitCodes.failed)
  t.equal(exitCodeOf(new RpcError('erpc', atom('notsup'))), exitCodes.failed)
  t.equal(exitCodeOf(new RpcError('exit', atom('noconnection'))), exitCodes.failed, 'what the function itself exited with')
  t.equal(exitCodeOf(new RpcError('erpc', atom('noconnection'))), exitCodes.unreachable)
  t.equal(exitCodeOf(new ExitError(atom('noproc'))), exitCodes.failed)
  t.equal(exitCodeOf(new ExitError(atom('noconnection'))), exitCodes.unreachable)
  t.equal(exitCodeOf(new ProcessError('ERR_TIMEOUT', 'Late.')), exitCodes.timeout)
  t.equal(exitCodeOf(new NodeError('ERR_PANG', 'No.')), exitCodes.failed)
  for (const code of ['CLI_USAGE', 'CLI_FILE', 'ERR_TERM_SYNTAX', 'NAME_FORMAT', 'COOKIE_NONE', 'EPMD_PORT'])
    t.equal(of(code), exitCodes.usage, code)
  for (const code of ['EPMD_NO_SUCH_NODE', 'NET_REFUSED', 'DIST_BAD_COOKIE', 'NAME_SHORT_LONG', 'NODE_OVERFLOW'])
    t.equal(of(code), exitCodes.unreachable, code)
  t.equal(exitCodeOf(new TypeError('a fault of ours')), exitCodes.bug)
})

t.test('docs/cli.md tells every exit code', async t => {
  const [, section = ''] = readFileSync('docs/cli.md', 'utf8').split('## Exit codes')
  const told = [...section.split('\n## ')[0]!.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code))
  t.strictSame(told, [...Object.values(exitCodes), 141])
})
