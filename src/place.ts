/**
 * The program of a place that is not main: a scheduler of the pool, or an isolated process. Its way to main is file descriptor 3, and what it must
 * know is its first argument.
 */
import { Socket } from 'node:net'
import process from 'node:process'
import { Node } from './beamlet.js'
import { type PlaceConfig, placeConnection } from './node/places/config.js'
import { placeParts } from './node/places/parts.js'
import type { Uplink } from './node/places/uplink.js'
import { systemClock } from './process/index.js'

async function run(): Promise<void> {
  const config = JSON.parse(process.argv[2] as string) as PlaceConfig
  const socket = new Socket({ fd: 3 })
  const node = new Node(placeParts(config, placeConnection(socket, config, systemClock, 'place')))
  const uplink = node.uplink as Uplink

  // Main ends places; an interrupt from a terminal goes to all processes, and main decides what it means.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
  const stray = (thrown: unknown): void => {
    process.exitCode = 1
    uplink.stray(thrown)
  }
  process.on('uncaughtException', stray)
  process.on('unhandledRejection', stray)
  // What was said at the end goes out first, however much it is.
  void uplink.over.then(() => (socket.destroyed ? process.exit() : socket.once('close', () => process.exit())))
  try {
    for (const url of config.setup) await import(url)
    for (const [name, url] of config.modules) await node.code.load(name, url)
    uplink.open()
  } catch (error) {
    uplink.failed(error)
  }
}

void run()
