import { readFileSync } from 'node:fs'
import t from 'tap'
import { beamlet, fails } from './beamlet.js'

t.test('help', async t => {
  const { code, stdout, stderr } = await beamlet(['--help'])
  t.match({ code, stderr }, { code: 0, stderr: '' })
  const page = readFileSync('docs/cli.md', 'utf8')
  const commands = [...stdout.matchAll(/^ {2}beamlet (\w+)/gm)].map(([, command]) => command)
  t.strictSame(commands, ['names', 'ping', 'call', 'send', 'start', 'store', 'doctor', 'top', 'epmd'])
  for (const command of commands) t.match(page, new RegExp(`^\\| \`${command}\\b`, 'm'), `docs/cli.md tells of ${command}`)
  const options = [...stdout.matchAll(/^ {2}(--[\w-]+)/gm)].map(([, option]) => option)
  t.ok(options.length >= 8)
  for (const option of options) t.ok(page.includes(`\`${option}`), `docs/cli.md tells of ${option}`)
  t.notOk(
    stdout.split('\n').some(line => line.length > 100),
    'no line is over 100 characters',
  )

  const call = await beamlet(['call', '--help'])
  t.match(call, { code: 0, stderr: '', stdout: /^beamlet call <node> <mod> <fun> \[args\]\n[^]*a list in Erlang syntax[^]*Examples:/ })
})

t.test('the version', async t => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  t.match(await beamlet(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' })
})

t.test('wrong usage', async t => {
  const wrong: [RegExp, ...string[]][] = [
    [/A command is missing: see beamlet --help/],
    [/There is no command 'pong'; did you mean 'ping': see/, 'pong', 'a@b'],
    [/Unknown argument: zzzz/, 'zzzz'],
    [/Arguments are missing, for 0 of 1 were given/, 'ping'],
    [/Unknown argument: c/, 'ping', 'a@b', 'c'],
    [/Unknown argument: tiemout/, 'ping', 'a@b', '--tiemout', '3'],
    [/Not enough arguments following: cookie/, 'ping', 'a@b', '--cookie'],
    [/'0' is no time for --timeout, which is milliseconds from 1 up or infinity/, 'names', '--timeout', '0'],
    [/'4369x' is no port for --epmd-port/, 'names', '--epmd-port', '4369x'],
  ]
  for (const [sentence, ...args] of wrong) {
    const ended = await beamlet(args)
    fails(t, ended, 2, 'CLI_USAGE', sentence)
    t.equal(ended.stdout, '')
  }
})

t.test('in the language of the documentation, whatever the locale', async t => {
  const { stderr } = await beamlet(['ping', 'a@b', 'c'], { env: { LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' } })
  t.match(stderr, /Unknown argument/)
})
