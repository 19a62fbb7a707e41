/** The command line: which commands there are, and what they take. Each command's own file is loaded when it runs. */
import { stdout } from 'node:process'
import yargs from 'yargs'
import { usage } from './errors.js'
import { version } from '../otp/version.js'
import { commonOptions, count, drainOption, seconds } from './options.js'

const epilogue = `NODE is name@host. Terms are read and printed in Erlang syntax: quote them for the shell.

Exit codes:
  0  done
  1  the node answered with a failure
  2  nothing was tried: wrong usage, term or cookie file
  3  no connection; the reason is on stderr
  4  connected, but no answer in time`

const node = { type: 'string', demandOption: true, describe: 'name@host' } as const

/** Runs what the arguments say. @throws CliError CLI_USAGE; whatever the command throws. */
export async function run(args: readonly string[]): Promise<void> {
  await yargs(args.map(asTerm))
    .scriptName('beamlet')
    .usage('$0 <command>\n\nTalks to the nodes of an Erlang cluster, as one of them.')
    .options(commonOptions)
    .command(
      'names [host]',
      'list the nodes that a host has registered at EPMD',
      y => y.positional('host', { type: 'string', default: '127.0.0.1', describe: 'name or address' }),
      async argv => (await import('./names.js')).names(argv.host, argv),
    )
    .command(
      'ping <node>',
      'say pong when the node answers, else pang and why',
      y => y.positional('node', node),
      async argv => (await import('./ping.js')).ping(argv.node, argv),
    )
    .command(
      'call <node> <mod> <fun> [args]',
      'call a function and print its value',
      y =>
        y
          .positional('node', node)
          .positional('mod', { type: 'string', demandOption: true, describe: "the module's name, without quotes: lists, Elixir.String" })
          .positional('fun', { type: 'string', demandOption: true, describe: "the function's name, without quotes" })
          .positional('args', { type: 'string', default: '[]', describe: 'a list in Erlang syntax' })
          .example(`$0 call erl@127.0.0.1 lists reverse '[[1, 2, 3]]'`, ''),
      async argv => (await import('./call.js')).call(argv, argv),
    )
    .command(
      'send <node> <process> <term>',
      'send a message to a registered process',
      y =>
        y
          .positional('node', node)
          .positional('process', { type: 'string', demandOption: true, describe: 'its registered name, without quotes' })
          .positional('term', { type: 'string', demandOption: true, describe: 'the message, in Erlang syntax' })
          .example(`$0 send erl@127.0.0.1 inbox '{hello, <<"world">>}'`, ''),
      async argv => (await import('./send.js')).send(argv, argv),
    )
    .command(
      'start <file>',
      'run a node with a file of yours, until SIGINT or SIGTERM',
      y =>
        y
          .positional('file', {
            type: 'string',
            demandOption: true,
            describe: 'its default export is called with the node, or is an application',
          })
          .option('drain', drainOption)
          .option('watch', {
            type: 'boolean',
            default: false,
            describe: 'move its servers to the new text of the file each time that it is written',
          }),
      async argv => (await import('./start.js')).start(argv.file, argv),
    )
    .command('store', 'copy tables of stable storage', y =>
      y
        .command(
          'copy <from> <to> [tables..]',
          'copy tables from one store to another: directories, or mnesia:NODE[,NODE…]',
          y =>
            y
              .positional('from', { type: 'string', demandOption: true, describe: 'a directory, or mnesia:NODE[,NODE…]' })
              .positional('to', { type: 'string', demandOption: true, describe: 'as from; a directory is made when it is not there' })
              .positional('tables', { type: 'string', array: true, describe: 'which; without, all' })
              .option('copies', {
                choices: ['ram', 'disc', 'discOnly'] as const,
                default: 'disc' as const,
                describe: 'how the nodes of Mnesia keep tables that are new there',
              })
              .example('$0 store copy ./shop mnesia:erl@127.0.0.1', ''),
          async argv => (await import('./store.js')).copy(argv, argv),
        )
        .demandCommand(1, 'What to do with stores is missing'),
    )
    .command(
      'doctor [node]',
      'say step by step why a node can be reached, or why not',
      y => y.positional('node', { type: 'string', describe: 'name@host; without it, a look at this machine' }),
      async argv => (await import('./doctor.js')).doctor(argv.node, argv),
    )
    .command(
      'top <node>',
      'show which processes of a node work most, until q or SIGINT',
      y =>
        y
          .positional('node', node)
          .option('once', { type: 'boolean', default: false, describe: 'one look, and no more' })
          .option('interval', { type: 'string', requiresArg: true, default: '5', coerce: seconds, describe: 'seconds between two looks' })
          .option('sort', { choices: ['reductions', 'memory', 'queue'] as const, default: 'reductions' as const, describe: 'what leads' })
          .option('lines', {
            type: 'string',
            requiresArg: true,
            coerce: count,
            describe: 'processes that are shown',
            defaultDescription: 'what fits, else 20',
          })
          .option('most', {
            type: 'string',
            requiresArg: true,
            default: '100000',
            coerce: count,
            describe: 'processes that are looked at',
          }),
      async argv => (await import('./top.js')).top(argv.node, { ...argv, interval: argv.interval as number, most: argv.most as number }),
    )
    .command(
      'epmd',
      'run an EPMD for this machine, until SIGINT or SIGTERM',
      y =>
        y
          .option('address', {
            type: 'string',
            requiresArg: true,
            describe: 'addresses to listen at, beside the loopback',
            defaultDescription: '$ERL_EPMD_ADDRESS',
          })
          .option('relaxed', { type: 'boolean', default: false, describe: 'obey epmd -stop, and -kill while nodes are registered' }),
      async argv => (await import('./epmd.js')).epmd(argv),
    )
    .demandCommand(1, 'A command is missing')
    .strict()
    .recommendCommands()
    .parserConfiguration({ 'parse-numbers': false, 'parse-positional-numbers': false, 'duplicate-arguments-array': false })
    .fail((message: string | null, error: Error | undefined) => {
      if (error && error.name !== 'YError') throw error
      throw usage(`${sentenceOf(message ?? String(error), args)}: see beamlet --help.`)
    })
    .version(version)
    .epilogue(epilogue)
    .wrap(Math.min(100, stdout.columns ?? 100))
    .locale('en')
    .exitProcess(false)
    .parseAsync()
}

/** Terms that begin with a minus are numbers, and no option is one: behind a blank they are not taken for options. */
const asTerm = (argument: string): string => (/^-\s*\d/.test(argument) ? ` ${argument}` : argument)

/** What yargs says, in one sentence that has not ended. */
function sentenceOf(message: string, [command]: readonly string[]): string {
  const line = message.trim().replaceAll(/\s*\n\s*/g, '. ')
  const [, guess] = /^Did you mean (.+)\?$/.exec(line) ?? []
  if (guess !== undefined) return `There is no command '${command}'; did you mean '${guess}'`
  return line.replace(/^Not enough non-option arguments: got (\d+), need at least (\d+)$/, 'Arguments are missing, for $1 of $2 were given')
}
